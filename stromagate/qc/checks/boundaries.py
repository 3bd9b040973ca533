"""Fitted boundaries that decide nothing: beyond what the detector can record, or beside all of the data."""

from __future__ import annotations

from stromagate.model.gates import GateNode
from stromagate.model.result import Finding
from stromagate.prepare.scales import inverse
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.signal import ceiling
from stromagate.qc.targets import edges_of
from stromagate.qc.verdict import not_applicable, said
from stromagate.qc.wording import events

# With fewer events in the parent a gate may well keep all or none of them.
_FEWEST_EVENTS = 500


def look(evidence: Evidence) -> list[Finding]:
    """Fail an edge over the top of its channel; warn where a fitted gate keeps all or none of many events."""
    nodes = [node for node in evidence.tree.nodes if node.state in {"fitted", "fallback"} and edges_of(node.geometry)]
    if not nodes:
        return [not_applicable(CHECK, "No gate with straight edges was fitted.")]
    found = [finding for node in nodes for finding in (_off_scale(evidence, node) or _idle(evidence, node))]
    return found or [said(CHECK, "pass", f"Each of {len(nodes)} fitted boundaries parts the events of its parent.")]


def _off_scale(evidence: Evidence, node: GateNode) -> list[Finding]:
    for axis, edges in edges_of(node.geometry).items():
        top = _top(evidence, axis)
        for edge in (edge for edge in edges if edge is not None):
            value = float(inverse(evidence.tree.axes[axis].scale, edge)[0])
            if top is not None and value > top:
                cut = f"{evidence.called(node.name)} is cut at {value:,.0f} on {axis}"
                sentence = f"{cut}, over the top of the channel ({top:,.0f})."
                return [said(CHECK, "fail", sentence, population=node.name, remedy=_MOVE)]
    return []


def _top(evidence: Evidence, axis: str) -> float | None:
    for item in evidence.panel.bindings:
        if item.axis == axis and axis != "Time":
            return ceiling(evidence.sample, evidence.sample.channels[item.channel])
    return None


def _idle(evidence: Evidence, node: GateNode) -> list[Finding]:
    kept, before = evidence.counts[node.name], evidence.counts[node.parent]
    if node.method == "time" or kept is None or before is None or before < _FEWEST_EVENTS or 0 < kept < before:
        return []
    name, parent = evidence.called(node.name), evidence.called(node.parent)
    sentence = f"{name} keeps {'all' if kept else 'none'} of the {events(before)} of {parent}."
    return [said(CHECK, "warn", sentence, population=node.name, remedy=_MOVE)]


_MOVE = "Look at the boundary in its plot; where it is wrong, so is every number below it."

CHECK = Check(code="Q37", stage="gating", title="boundaries part their parents", run=look, not_of_controls=BACKGROUND)
