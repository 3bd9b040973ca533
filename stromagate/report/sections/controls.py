"""The controls of the tube: how each was paired, what differs between the two, and which boundaries it set."""

from __future__ import annotations

from typing import Any

from stromagate.model.result import ControlUse, SampleResult
from stromagate.report.lookup import label, role
from stromagate.report.section import Section
from stromagate.report.wording import count_text

_KEYS = {"patient_id": "patient", "matrix": "spillover matrix", "voltages": "detector voltages"}


def _build(result: SampleResult) -> dict[str, Any] | None:
    """Leave the section out where the template sets no boundary on a control."""
    if not result.control_roles and not result.controls:
        return None
    rows = [_row(result, use) for use in result.controls if use.unused != "apart"]
    return {"rows": rows, "absent": _absent(result)}


def _row(result: SampleResult, use: ControlUse) -> dict[str, Any]:
    return {
        "id": use.sample_id,
        "role": role({"role": use.role}).text,
        "n_events": count_text(use.n_events) if use.n_events else "",
        "anchors": [f"{count_text(round(n))} {label(result, name)}" for name, n in sorted(use.n_anchor.items())],
        "matched": ", ".join(_KEYS.get(key, key) for key in use.matched),
        "mismatched": list(use.mismatched),
        "gates": [label(result, name) for name in use.gates],
        "unused": use.reason if use.unused else "",
    }


def _absent(result: SampleResult) -> list[str]:
    """Return which gates ask for controls of which none could be used, in one sentence, then the nearest ones."""
    there = {use.role for use in result.controls if not use.unused}
    placed = [
        node.name for node in result.tree.nodes if node.geometry is not None and node.name in result.control_roles
    ]
    asked = {gate: result.control_roles[gate] for gate in placed}
    without = [
        f"“{label(result, gate)}” ({' or '.join(role({'role': wanted}).text for wanted in roles)})"
        for gate, roles in asked.items()
        if not there & set(roles)
    ]
    if not without:
        return []
    near = [f"{use.sample_id} is the nearest: {use.reason}." for use in result.controls if use.unused == "apart"]
    return [f"Placed without a control, for want of one that could be used: {'; '.join(without)}.", *near]


SECTION = Section(
    title="Controls",
    order=55,
    fragment="controls.html.j2",
    build=_build,
    summary="Boundaries that were set on other tubes, and how far those tubes are like this one.",
    wide=True,
)
