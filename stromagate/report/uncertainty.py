"""What an interval is made of, and which boundary a number hangs on most, in the same words wherever it is said."""

from __future__ import annotations

import math
from typing import Any

from stromagate.model.result import SampleResult, Sensitivity, Statistic
from stromagate.report.lookup import STATE_OK, asked, find, label, primary_denominator, state
from stromagate.report.wording import NONE, estimate_text, range_text

STEP = "0.1 decade"


def parts(result: SampleResult, name: str) -> dict[str, Any]:
    """Return one population's main number, its interval in parts, and the boundary that it hangs on most."""
    denominator = primary_denominator(result)
    row = find(result, name, "per_million", denominator) if denominator else find(result, name, "count")
    return {
        "label": label(result, name),
        "number": estimate_text(row),
        "counting": NONE if row is None else range_text(row, row.counting_low, row.counting_high),
        "boundary": _boundary(result, row),
        "hangs_on": _most(result, name),
        "faint": state(result, name) != STATE_OK,
    }


def of_what(result: SampleResult) -> str:
    """Say in a few words what the intervals of counts and rates are of."""
    if not result.record.config.boundary_draws:
        return "of counting alone: boundaries were not redrawn"
    return "of counting and boundaries together"


def moved_edges(result: SampleResult, gate: str) -> list[tuple[str, str]]:
    """Return what a step of each of a gate's edges does to the populations that the pattern is read from."""
    order = asked(result)
    steps = [step for step in result.sensitivities if step.gate == gate and step.population in order]
    told: dict[str, list[str]] = {}
    for step in sorted(steps, key=lambda step: order.index(step.population)):
        told.setdefault(step.axis, []).append(f"{label(result, step.population)} {_both_ways(step)}")
    return [(f"{axis} moved by {STEP}", "; ".join(texts)) for axis, texts in told.items()]


def _boundary(result: SampleResult, row: Statistic | None) -> str:
    if row is None or row.value is None:
        return NONE
    if not result.record.config.boundary_draws:
        return "not redrawn"
    if row.boundary_low is None:
        return "no estimated boundary" if row.boundary_high is None else NONE
    if row.boundary_low == row.boundary_high:
        return "changes nothing"
    return range_text(row, row.boundary_low, row.boundary_high)


def _most(result: SampleResult, name: str) -> str:
    """Return the edge whose step changes the count most, with both of its changes."""
    steps = [step for step in result.sensitivities if step.population == name]
    if not steps:
        return NONE
    most = max(steps, key=_size)
    if not _size(most):
        return "none changes the count"
    where = most.axis if most.gate == name else f"{most.axis} of “{label(result, most.gate)}”"
    return f"{where}: {_both_ways(most)}"


def _both_ways(step: Sensitivity) -> str:
    if not _size(step):
        return "unchanged"
    return f"{_change(step.lower)} if lower, {_change(step.higher)} if higher"


def _size(step: Sensitivity) -> float:
    return max(abs(_fraction(step.lower)), abs(_fraction(step.higher)))


def _fraction(change: float | None) -> float:
    return -1.0 if change is None else math.expm1(change)


def _change(change: float | None) -> str:
    """Return the change of a count from its natural logarithm, such as ``+14 %``."""
    pct = 100 * _fraction(change)
    if abs(pct) < 1e-9:
        return "±0 %"
    digits = 0 if abs(pct) >= 9.95 else 1
    return f"{'+' if pct > 0 else '−'}{abs(pct):,.{digits}f} %"
