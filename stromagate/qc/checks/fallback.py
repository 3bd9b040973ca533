"""Boundaries that had to fall back on second-best evidence."""

from __future__ import annotations

from stromagate.model.result import Finding
from stromagate.qc.check import Check, Evidence
from stromagate.qc.verdict import said


def look(evidence: Evidence) -> list[Finding]:
    """Warn of every boundary that is not the one the template asked for first."""
    fallen = [node for node in evidence.tree.nodes if node.state == "fallback"]
    remedy = "Look at the boundary in its plot, and move it where it is wrong."
    return [
        said(CHECK, "warn", f"{evidence.called(node.name)}: {node.sentence}", population=node.name, remedy=remedy)
        for node in fallen
    ] or [said(CHECK, "pass", "No boundary had to fall back on second-best evidence.")]


CHECK = Check(code="Q34", stage="gating", title="boundaries as the template asks", run=look)
