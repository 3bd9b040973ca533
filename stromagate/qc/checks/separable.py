"""Populations that could not be parted from their neighbours on the axis that was to part them."""

from __future__ import annotations

from stromagate.model.gates import NOT_SEPARABLE
from stromagate.model.result import Finding
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.verdict import said


def look(evidence: Evidence) -> list[Finding]:
    """Warn of every gate whose method says that what it was to part cannot be parted."""
    merged = [node for node in evidence.tree.nodes if NOT_SEPARABLE in node.doubts]
    return [
        said(CHECK, "warn", f"{evidence.called(node.name)}: {node.sentence}", population=node.name, remedy=_REMEDY)
        for node in merged
    ] or [said(CHECK, "pass", "No gate found its populations inseparable.")]


_REMEDY = "Do not use its count: more events, a control or another marker are needed to part these cells."

CHECK = Check(code="Q41", stage="gating", title="populations separable", run=look, not_of_controls=BACKGROUND)
