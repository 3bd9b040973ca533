"""Runs of small hand-made tubes, for the checks of all tubes together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stromagate.model.gates import GateNode, Interval
from stromagate.model.panel import Compensation
from stromagate.model.result import SampleResult
from stromagate.model.template import GatingTemplate
from stromagate.qc.run_check import RunEvidence, TubeSeen
from tests.results import make_result

VOLTS = {"PE-A": 480.0, "FITC-A": 500.0, "BV421-A": 430.0}


def seen(
    name: str, *, result: dict[str, Any] | None = None, labels: dict[str, str] | None = None, **more: Any
) -> TubeSeen:
    """Return a tube of batch b1, measured on one day."""
    known = {"batch": "b1", "role": "stained", **(labels or {})}
    made = make_result(sample_id=name, labels={key: value for key, value in known.items() if value}, **(result or {}))
    plain = {"volts": VOLTS, "cytometer": "lsr", "serial": "x1", "day": "01-mar-2026"}
    return TubeSeen(made, **{"stained": made.role == "stained", **plain, **more})


def run_of(*tubes: TubeSeen, **more: Any) -> RunEvidence:
    """Return a run of these tubes, by the template that the hand-made result speaks of."""
    return RunEvidence(tubes, template(), **more)


def template() -> GatingTemplate:
    """Return a template with the index populations of the hand-made result."""
    populations = [
        {"name": "stroma", "parent": "all", "gate": {"method": "fixed", "axis": "CD31", "high": 0.4}},
        {
            "name": "msc",
            "parent": "stroma",
            "label": "MSC (CD271+)",
            "gate": {"method": "fixed", "axis": "CD271", "low": 0.5},
        },
        {"name": "progenitors", "parent": "msc", "gate": {"method": "fixed", "axis": "CD146", "low": 0.5}},
    ]
    indices = {"msc": "msc", "progenitors": "progenitors"}
    return GatingTemplate.model_validate(
        {
            "format": "stromagate.template/1",
            "name": "bm_test",
            "version": "1.2.3",
            "status": "local",
            "title": "A test",
            "panel": {"required": ["CD31", "CD271", "CD146"]},
            "populations": populations,
            "denominators": ["stroma"],
            "indices": indices,
        }
    )


def counting(n_msc: int) -> dict[str, Any]:
    """Return a result's fields with so many MSC, and a third of them progenitors."""
    counts = {"msc": n_msc, "progenitors": n_msc // 3}
    rows = tuple(
        row.model_copy(update={"value": float(counts[row.population])})
        if row.statistic == "count" and row.population in counts
        else row
        for row in make_result().statistics
    )
    return {"statistics": rows}


def cut_at(display: float, *, state: str = "fitted") -> dict[str, Any]:
    """Return a result's fields with the one fitted gate of MSC at a place of its axis."""
    base = make_result().tree
    node = GateNode("msc", "stroma", "tail", Interval("CD271", display, None), state, "cut", 0.01)
    return {"tree": replace(base, nodes=(node,))}


def compensated(spill: float | None, channels: tuple[str, ...] = ("FITC-A", "PE-A")) -> dict[str, Any]:
    """Return a result's fields with a matrix of two dyes; None: without one."""
    base = make_result().tree
    matrix = None if spill is None else Compensation("$SPILLOVER", channels, ((1.0, spill), (0.01, 1.0)))
    return {"tree": replace(base, compensation=matrix)}


def bound(result: SampleResult, axis: str, pnn: str) -> dict[str, Any]:
    """Return a result's fields with an axis on another detector."""
    bindings = tuple(replace(item, pnn=pnn) if item.axis == axis else item for item in result.panel.bindings)
    return {"panel": replace(result.panel, bindings=bindings)}
