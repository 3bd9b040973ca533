"""How much the rare counts hang on where exactly the boundaries above them were put."""

from __future__ import annotations

import math

from stromagate.model.result import Finding, Sensitivity
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.targets import each_target, judged_rows
from stromagate.qc.verdict import judge, not_applicable
from stromagate.qc.wording import events, percent


def look(evidence: Evidence) -> list[Finding]:
    """Judge, for each index population, the largest change of its count when one edge that decides about it moves."""
    return each_target(CHECK, evidence, _one)


def _one(evidence: Evidence, name: str) -> Finding:
    rows = judged_rows(CHECK, evidence, name)
    if isinstance(rows, Finding):
        return rows
    changes = [
        (_percent(change), way, moved)
        for moved in evidence.sensitivities
        if moved.population == name
        for way, change in (("lower", moved.lower), ("higher", moved.higher))
    ]
    if not changes:
        return not_applicable(
            CHECK, f"No marker's straight edge above zero decides about {evidence.called(name)}.", name
        )
    change_pct, way, moved = max(changes, key=lambda change: abs(change[0]))
    return judge(
        CHECK,
        abs(change_pct),
        _sentence(evidence, moved, way, change_pct, rows.size),
        remedy="Look at that boundary's plot, and compare the count only with tubes that were gated the same way: its "
        "interval holds how well each boundary could be placed, not that it might have been chosen otherwise.",
        population=name,
    )


def _percent(change: float | None) -> float:
    """Return the change of a count from its natural logarithm, to nine digits; without it no event is left."""
    return -100.0 if change is None else float(f"{100 * math.expm1(change):.9g}")


def _sentence(evidence: Evidence, moved: Sensitivity, way: str, change_pct: float, count: int) -> str:
    called = evidence.called(moved.population)
    if not change_pct:
        return f"No boundary that decides about {called} changes its {events(count)} when it moves by 0.1 decade."
    own = moved.gate == moved.population
    which = f"its {moved.axis} boundary" if own else f"the {moved.axis} boundary of {evidence.called(moved.gate)}"
    more = "fewer" if change_pct < 0 else "more"
    return (
        f"With {which} 0.1 decade {way}, {called} would have {percent(abs(change_pct))} {more} events than {count:,}."
    )


CHECK = Check(
    code="Q23",
    stage="gating",
    title="count stable under small shifts of its gates",
    run=look,
    not_of_controls=BACKGROUND,
    warn=25.0,
    unit="% change",
)
