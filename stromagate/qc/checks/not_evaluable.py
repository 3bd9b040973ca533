"""Populations without a number."""

from __future__ import annotations

from stromagate.model.gates import ROOT, GateNode
from stromagate.model.result import Finding
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.targets import path_to, targets
from stromagate.qc.verdict import said


def look(evidence: Evidence) -> list[Finding]:
    """Warn of every population that could not be evaluated.

    Fail where an index or a denominator is gone, unless there was nothing to part because all above it is empty: then
    none of it were found.
    """
    vital = {*targets(evidence), *evidence.template.denominators}
    gone = [node for node in evidence.tree.nodes if node.state == "not_evaluable"]
    return [_one(evidence, node, vital=node.name in vital and not _was_empty(evidence, node)) for node in gone] or [
        said(CHECK, "pass", f"All {len(evidence.tree.nodes)} populations could be evaluated.")
    ]


def _was_empty(evidence: Evidence, node: GateNode) -> bool:
    """Whether the nearest population above that could be evaluated has no events."""
    counts = (evidence.counts[above.name] for above in reversed(path_to(evidence, node.parent)))
    return next((count for count in counts if count is not None), evidence.counts[ROOT]) == 0


def _one(evidence: Evidence, node: GateNode, *, vital: bool) -> Finding:
    sentence = f"{evidence.called(node.name)} could not be evaluated: {node.sentence}"
    remedy = "Acquire more events, or draw the boundary by hand."
    return said(CHECK, "fail" if vital else "warn", sentence, population=node.name, remedy=remedy)


CHECK = Check(code="Q35", stage="gating", title="every population evaluated", run=look, not_of_controls=BACKGROUND)
