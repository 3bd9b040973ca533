"""What is wrong in a document, by the place where it is wrong, until all faults are told at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stromagate.errors import Problem

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong at one place of a document; ``line`` only where the place's own line is not the one meant."""

    place: Place
    message: str
    hint: str | None = None
    line: int | None = None


def problems(faults: Iterable[Fault], lines: Mapping[Place, int]) -> list[Problem]:
    """Return the faults with their lines, in the order in which a person meets them in the file.

    Parameters
    ----------
    faults : iterable of Fault
        In any order; the same words about one place are said once.
    lines : mapping of place to int
        Line (from 1) of every place of the document; a place that is missing counts as its nearest parent's.
    """
    found = {(fault.line or line_of(fault.place, lines), fault.place, fault.message, fault.hint) for fault in faults}
    ordered = sorted(found, key=lambda item: (item[0], dotted(item[1]), item[2]))
    return [Problem(line, dotted(place), message, hint) for line, place, message, hint in ordered]


def line_of(place: Place, lines: Mapping[Place, int]) -> int:
    """Return the line of a place, or of the nearest place around it."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def dotted(place: Place) -> str:
    """Return a place as people write it: ``populations[3].gate.axis``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".") or "document"
