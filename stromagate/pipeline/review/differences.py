"""What ``verify`` says: what differs, what was looked at, and what could not be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["run", "result", "page", "audit", "edits", "signature", "file", "number"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was written, or not what the files give.

    ``where`` is a path below the run's folder; ``sample_id`` is empty where it is of no one tube.
    """

    kind: Kind
    where: str
    sentence: str
    sample_id: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the plain object."""
        return {"kind": self.kind, "where": self.where, "sentence": self.sentence, "sample_id": self.sample_id}


@dataclass(slots=True)
class Verified:
    """A folder looked through. ``checked`` counts by what was looked at; ``notes`` are no differences."""

    differences: list[Difference] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)
    not_checked: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def add(self, what: str, found: Iterable[Difference], n: int = 1) -> None:
        """Count what was looked at, and keep what differs."""
        self.checked[what] += n
        self.differences += found

    def as_json(self) -> dict[str, object]:
        """Return the plain object that ``--json`` prints."""
        return {
            "whole": self.whole,
            "differences": [each.as_json() for each in self.differences],
            "checked": dict(sorted(self.checked.items())),
            "not_checked": list(self.not_checked),
            "notes": list(self.notes),
        }
