"""Every departure from the plain case, kept in order; under the strict policy the first one refuses the file."""

from __future__ import annotations

from collections.abc import Iterable

from stromagate.errors import InputError
from stromagate.model.sample import Policy, Repair, Verdict

# The standard leaves these open, so that even a strict reader may only mention them.
_NEVER_STRICT = frozenset({"crc.mismatch", "tail.bytes"})
# Characters beyond ASCII are an error of TEXT only since FCS 3.1 fixed UTF-8.
_LOCAL_CHARACTERS = frozenset({"text.latin1"})


class Departures:
    """Collects repairs under a policy.

    Parameters
    ----------
    policy : {"strict", "repair", "salvage"}
        ``strict`` turns every departure into an InputError ``strict.<code>``.
    version : str
        FCS version such as ``"3.1"``; decides what is a departure at all.
    """

    def __init__(self, policy: Policy, version: str) -> None:
        self.policy = policy
        self._repairs: list[Repair] = []
        self._allowed = _NEVER_STRICT | (_LOCAL_CHARACTERS if version in {"2.0", "3.0"} else frozenset())

    def add(self, code: str, before: str, after: str, why: str) -> None:
        """Note one departure, or refuse the file for it.

        Parameters
        ----------
        code : str
            Stable dotted name, such as ``"end.plus1"``.
        before, after : str
            What the file says, and what was made of it.
        why : str
            What is odd about it, in one clause for people.

        Raises
        ------
        InputError
            ``strict.<code>`` under the strict policy.
        """
        self.extend([Repair(code, before, after, why)])

    def mention(self, code: str, before: str, after: str, why: str) -> None:
        """Note something odd that even a strict reader has to accept."""
        self._repairs.append(Repair(code, before, after, why))

    def extend(self, repairs: Iterable[Repair]) -> None:
        """Note several departures in order; InputError as for `add`."""
        for repair in repairs:
            if self.policy == "strict" and repair.code not in self._allowed:
                raise InputError(
                    f"strict.{repair.code}",
                    f"{repair.why} ({repair.before})",
                    hint=f"the default policy reads such a file and notes `{repair.code}`: {repair.after}",
                )
            self._repairs.append(repair)

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """All departures so far."""
        return tuple(self._repairs)

    @property
    def verdict(self) -> Verdict:
        """``ok``, ``repaired`` or ``salvaged``."""
        if any(repair.code.startswith("salvage.") for repair in self._repairs):
            return "salvaged"
        return "repaired" if self._repairs else "ok"
