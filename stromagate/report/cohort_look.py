"""How tubes of a cohort are drawn: a mark for each pattern, rates on log10(ppm + c), and what stands at a mark.

No colour here says good or bad: patterns are told apart by the shape of the mark first.
"""

from __future__ import annotations

import math

from stromagate.model.cohort import Cohort, CohortNumber, CohortTube
from stromagate.model.pattern import INDETERMINATE, METHOD_DEPENDENT, NOT_ASSESSABLE, NOT_ASSIGNED
from stromagate.pattern.statement import probability_text as in_words
from stromagate.report.cohort_text import as_text
from stromagate.report.lookup import STATE_OK
from stromagate.report.text import plot_text
from stromagate.report.wording import number_text

MARKS = {
    "mesenchymal-low": ("triangle-down", "#4f9bc9"),
    "progenitor-high": ("diamond", "#8a3f9e"),
    "MSC-high": ("square", "#2b4a86"),
    "both-high": ("star", "#4a2557"),
}
_GREY = "#6d7a86"
_OTHERS = {INDETERMINATE: "pentagon", METHOD_DEPENDENT: "bowtie", NOT_ASSESSABLE: "x", NOT_ASSIGNED: "circle"}


def mark_of(tube: CohortTube) -> tuple[str, str]:
    """Return symbol and colour of a tube."""
    return MARKS.get(tube.pattern, (_OTHERS.get(tube.pattern, "circle"), _GREY))


def is_sure(number: CohortNumber) -> bool:
    """Whether a number is a quantity."""
    return number.state in {"", STATE_OK}


def place(value: float, c: float) -> float:
    """Return where a rate stands on a log10(ppm + c) axis; below zero there is nothing."""
    return round(math.log10(max(value, 0.0) + c), 4)


def rate_ticks(c: float, top: float) -> list[tuple[float, str]]:
    """Return ticks of such an axis: 0, and the decades that stand clear of it, up to ``top`` per million."""
    first = math.ceil(math.log10(c))
    last = max(first, math.ceil(math.log10(max(top, 1.0))))
    ticks = [(place(0.0, c), "0")]
    for power in range(first, last + 1):
        for step in (1, 3) if last - first <= 2 else (1,):
            value = step * 10.0**power
            ticks.append((place(value, c), number_text(value, 1)))
    return ticks


def said_of(tube: CohortTube, *numbers: tuple[str, CohortNumber]) -> str:
    """Return what stands beside a mark when it is pointed at."""
    head = plot_text(tube.name, 60)
    who = f"patient {plot_text(tube.patient_id, 40)}<br>" if tube.patient_id else ""
    lines = "<br>".join(f"{name} {plot_text(as_text(number))}" for name, number in numbers)
    chance = f" ({sure})" if (sure := probability_text(tube)) else ""
    return f"<b>{head}</b><br>{who}{lines}<br>{plot_text(tube.pattern)}{chance}"


def probability_text(tube: CohortTube) -> str:
    """Return how probable a pattern is that was assigned; of what is none, a number beside it would be read as one."""
    assigned = tube.probability is not None and tube.pattern in MARKS
    return in_words(tube.probability) if assigned and tube.probability is not None else ""


def groups(cohort: Cohort) -> dict[str, list[CohortTube]]:
    """Return the tubes by group in the order in which groups first appear, those without one last."""
    found: dict[str, list[CohortTube]] = {}
    for tube in cohort.tubes:
        found.setdefault(tube.group, []).append(tube)
    unnamed = found.pop("", [])
    if unnamed:
        found["not stated" if cohort.group_by else "all tubes"] = unnamed
    return found
