"""Which controls belong to a tube: those its sheet lists, else those that agree with it in several keys.

A key is something that tube and control both state: the batch, the patient, the panel, the specimen, the day, the
cytometer, the detectors and their voltages, the matrix, the name. Two must agree, and one of them must say that the
tubes belong together and not only that one cytometer measured both. ``$FIL`` is never asked, and a name alone pairs
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from stromagate.model.result import ControlUse
from stromagate.pipeline.controls.comparison import Compared, Seen, binding_keys, compare
from stromagate.pipeline.controls.header import Facts

LISTED, ITSELF = "listed in the sheet", "the tube itself"
_Keys = frozenset[tuple[str, object]]
_ENOUGH = "two keys must agree, of which one is the batch, the patient, the day or the name"


@dataclass(frozen=True, slots=True)
class Member:
    """One tube of a run as pairing sees it.

    ``role`` is in the template's words. ``listed`` are the controls that the sheet lists for it. ``facts`` is None, and
    ``error`` says why, where the file could not be read. ``markers`` are those lent to it, with their ``$PnN``.
    """

    sample_id: str
    role: str
    labels: Mapping[str, str] = field(default_factory=dict)
    listed: tuple[str, ...] | None = None
    facts: Facts | None = None
    sha256: str = ""
    error: str = ""
    markers: Mapping[str, str] = field(default_factory=dict)


class Register:
    """All tubes of a run by role, each with what it states of the keys that bind.

    Comparing every tube with every control is slow in a large run, and few of these share a batch, a patient, a day or
    a name: only they are compared, and all others where none of them belongs to the tube.
    """

    def __init__(self, members: Iterable[Member]) -> None:
        self._by_role: dict[str, list[tuple[Member, _Keys]]] = {}
        for member in members:
            self._by_role.setdefault(member.role, []).append((member, binding_keys(seen(member))))

    def of_role(self, role: str) -> list[Member]:
        """Return all tubes of a role."""
        return [member for member, _ in self._by_role.get(role, ())]

    def near(self, tube: Member, role: str) -> list[Member]:
        """Return the controls of a role that may belong to a tube, itself among them: none that does is left out."""
        keys = binding_keys(seen(tube))
        return [
            member
            for member, stated in self._by_role.get(role, ())
            if member.sample_id == tube.sample_id or _may_belong(tube, keys, member, stated)
        ]

    def stained_near(self, control: Member) -> list[Member]:
        """Return the stained tubes that a control may belong to: none that it does belong to is left out."""
        keys = binding_keys(seen(control))
        return [
            member for member, stated in self._by_role.get("stained", ()) if _may_belong(member, stated, control, keys)
        ]


def _may_belong(tube: Member, keys: _Keys, control: Member, stated: _Keys) -> bool:
    return control.sample_id in tube.listed if tube.listed is not None else not keys.isdisjoint(stated)


def pair(
    tube: Member, members: Register | Iterable[Member], roles: Sequence[str], also: Sequence[str] = ()
) -> tuple[ControlUse, ...]:
    """Return the controls of the wanted roles that belong to a tube.

    Parameters
    ----------
    tube : Member
        A stained tube, or a control, which is its own first control.
    members : Register or iterable of Member
        All tubes of the run; a register where many are paired.
    roles : sequence of str
        What the template's gates ask for, such as ``fmo:CD146``. Isotype controls of those markers are returned too,
        as what they are: controls on which no boundary is set.
    also : sequence of str
        Roles that no gate asks for, whose controls show background: of these only those that belong to the tube.

    Returns
    -------
    tuple of ControlUse
        Role by role, best match first; what belongs to the tube and cannot be used has ``unused`` and ``reason``.
    """
    register = members if isinstance(members, Register) else Register(members)
    found: list[ControlUse] = []
    known = {tube.sha256: tube.sample_id} if tube.sha256 else {}
    isotypes = (f"isotype:{role[4:]}" for role in roles if role.startswith("fmo:"))
    for role in dict.fromkeys((*roles, *isotypes, *also)):
        candidates = [_Candidate(tube, member) for member in register.near(tube, role)]
        chosen = sorted(_chosen(tube, candidates), key=_Candidate.rank)
        found += [_once(candidate.use(), candidate.itself, known) for candidate in chosen]
        if not chosen and tube.listed is None and role in roles and (others := register.of_role(role)):
            found.append(min((_Candidate(tube, member) for member in others), key=_Candidate.rank).apart())
    return tuple(found)


def _once(use: ControlUse, itself: bool, known: dict[str, str]) -> ControlUse:
    """Return a control that holds the bytes of another tube as what it is: no cell may count twice."""
    first = known.setdefault(use.sha256, use.sample_id) if use.sha256 else use.sample_id
    if itself or use.unused or first == use.sample_id:
        return use
    return use.model_copy(update={"unused": "duplicate", "reason": f"it holds the same bytes as {first}"})


class _Candidate:
    """A control beside the tube it may belong to."""

    def __init__(self, tube: Member, control: Member) -> None:
        self.tube, self.control = tube, control
        self.itself = tube.sample_id == control.sample_id
        self.compared: Compared = compare(seen(tube), seen(control))

    @property
    def usable(self) -> bool:
        return self.control.facts is not None and not self.compared.detectors

    def rank(self) -> tuple[bool, bool, int, str]:
        return (not self.itself, not self.usable, -self.compared.score, self.control.sample_id)

    def use(self) -> ControlUse:
        """Return the pair as the tube's result keeps it."""
        how = ITSELF if self.itself else LISTED if self.tube.listed is not None else ""
        matched = tuple(key for key in (how, *self.compared.matched) if key)
        reason, unused = "", ""
        if self.control.role.startswith("isotype:"):
            unused, reason = "isotype", "it measures what an antibody sticks to, not where the negatives lie"
        elif self.control.facts is None:
            unused, reason = "failed", self.control.error or "its file could not be read"
        elif self.compared.detectors:
            unused, reason = "detectors", "; ".join(self.compared.detectors)
        return ControlUse.model_validate(
            {
                "sample_id": self.control.sample_id,
                "role": self.control.role,
                "sha256": self.control.sha256,
                "n_events": 0,
                "matched": (ITSELF,) if self.itself else matched,
                "mismatched": () if self.itself else self.compared.mismatched,
                "markers": dict(self.control.markers),
                "unused": unused,
                "reason": reason,
            }
        )

    def apart(self) -> ControlUse:
        """Return the control as the nearest one of those that do not belong to the tube."""
        shared = ", ".join(self.compared.matched)
        reason = f"it shares {shared or 'nothing'} with this tube; {_ENOUGH}"
        return self.use().model_copy(update={"mismatched": (), "unused": "apart", "reason": reason})


def belongs(tube: Member, control: Member) -> bool:
    """Say whether a control belongs to a tube: by the sheet's word, else by what both state."""
    if tube.listed is not None:
        return control.sample_id in tube.listed
    return compare(seen(tube), seen(control)).belong


def seen(member: Member) -> Seen:
    """Return what of a tube is compared."""
    return member.sample_id, member.labels, member.facts


def _chosen(tube: Member, candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Return those that belong to the tube: listed, or pooled over its batch, else of its patient, else the best alone.

    One that cannot be used stands in nobody's way: it is returned beside those that are used instead.
    """
    if tube.listed is not None:
        return [candidate for candidate in candidates if candidate.control.sample_id in tube.listed]
    own = [candidate for candidate in candidates if candidate.itself]
    belonging = [candidate for candidate in candidates if candidate.compared.belong and not candidate.itself]
    usable = [candidate for candidate in belonging if candidate.usable]
    missed = [candidate for candidate in _nearest(belonging) if not candidate.usable]
    return [*own, *_nearest(usable), *missed]


def _nearest(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    together = [candidate for candidate in candidates if candidate.compared.one_batch]
    if together:
        return together
    own = [candidate for candidate in candidates if "patient_id" in candidate.compared.matched]
    if own:
        return own
    best = max((candidate.compared.score for candidate in candidates), default=0)
    return [candidate for candidate in candidates if candidate.compared.score == best]
