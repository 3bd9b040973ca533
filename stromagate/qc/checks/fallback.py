"""Boundaries that had to fall back on second-best evidence."""

from __future__ import annotations

from stromagate.model.result import Finding
from stromagate.qc.check import Check, Evidence
from stromagate.qc.targets import read_nodes
from stromagate.qc.verdict import not_applicable, said


def look(evidence: Evidence) -> list[Finding]:
    """Warn of every boundary in use that is not the one the template asked for first."""
    nodes = read_nodes(evidence)
    if evidence.is_control and not nodes:
        return [not_applicable(CHECK, "No boundary of this control is used.")]
    fallen = [node for node in nodes if node.state == "fallback"]
    remedy = "Look at the boundary in its plot, and move it where it is wrong."
    return [
        said(CHECK, "warn", f"{evidence.called(node.name)}: {node.sentence}", population=node.name, remedy=remedy)
        for node in fallen
    ] or [said(CHECK, "pass", "No boundary had to fall back on second-best evidence.")]


CHECK = Check(code="Q34", stage="gating", title="boundaries as the template asks", run=look)
