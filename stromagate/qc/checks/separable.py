"""Populations that could not be parted from their neighbours on the axis that was to part them."""

from __future__ import annotations

from stromagate.model.gates import NOT_SEPARABLE, GateNode, Interval
from stromagate.model.result import Finding
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.verdict import said
from stromagate.qc.wording import events


def look(evidence: Evidence) -> list[Finding]:
    """Warn of every gate whose method says that what it was to part cannot be parted."""
    merged = [node for node in evidence.tree.nodes if NOT_SEPARABLE in node.doubts]
    return [said(CHECK, "warn", _short(evidence, node), population=node.name, remedy=_REMEDY) for node in merged] or [
        said(CHECK, "pass", "No gate found its populations inseparable.")
    ]


def _short(evidence: Evidence, node: GateNode) -> str:
    """Say what could not be parted from what; how a boundary came about stands beside the gate."""
    called, count = evidence.called(node.name), evidence.counts[node.name]
    if count is None or not isinstance(node.geometry, Interval):
        return f"{called}: {node.sentence}"
    return (
        f"{called}: {count:,} of {events(evidence.counts[node.parent] or 0)} lie beyond the boundary on "
        f"{node.geometry.axis}, and half of them or more may be the tail of the cells on its other side."
    )


_REMEDY = "Do not use its count: more events, a control or another marker are needed to part these cells."

CHECK = Check(code="Q41", stage="gating", title="populations separable", run=look, not_of_controls=BACKGROUND)
