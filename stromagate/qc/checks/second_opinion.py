"""Boundaries that another rule would put elsewhere."""

from __future__ import annotations

from stromagate.model.gates import SECOND_OPINION
from stromagate.model.result import Finding
from stromagate.qc.check import Check, Evidence
from stromagate.qc.targets import read_nodes
from stromagate.qc.verdict import not_applicable, said


def look(evidence: Evidence) -> list[Finding]:
    """Warn of every boundary in use that its second opinion contradicts."""
    contradicted = [node for node in read_nodes(evidence) if SECOND_OPINION in node.doubts]
    if contradicted:
        return [
            said(CHECK, "warn", f"{evidence.called(node.name)}: {node.sentence}", population=node.name, remedy=_REMEDY)
            for node in contradicted
        ]
    asked = [step for spec in evidence.template.populations for step in spec.gate.chain() if step.params.get("second")]
    if not asked:
        return [not_applicable(CHECK, "The template asks for no second opinion on a boundary.")]
    return [said(CHECK, "pass", "No second opinion contradicts a boundary.")]


_REMEDY = "Look at the boundary in its plot: one of the two places is wrong, or the populations cannot be parted there."

CHECK = Check(code="Q42", stage="gating", title="second opinions agree", run=look)
