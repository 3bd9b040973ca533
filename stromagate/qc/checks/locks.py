"""Boundaries of earlier batches that were locked with another version of the template."""

from __future__ import annotations

from stromagate.model.result import Finding
from stromagate.qc.check import Check, Evidence
from stromagate.qc.verdict import not_applicable, said

_METHOD = "locked"


def look(evidence: Evidence) -> list[Finding]:
    """Warn where the populations that a locked boundary was measured by may have been gated otherwise."""
    if evidence.locks is None:
        return [not_applicable(CHECK, "The run was given no boundaries of earlier batches.")]
    used = [evidence.called(node.name) for node in evidence.tree.nodes if node.method == _METHOD and node.geometry]
    if not used:
        return [not_applicable(CHECK, "No boundary of this tube was taken from earlier batches.")]
    name = evidence.locks.template
    if evidence.locks.template_sha256 == evidence.template_sha256:
        return [said(CHECK, "pass", f"The boundaries of earlier batches were locked with this version of '{name}'.")]
    return [
        said(
            CHECK,
            "warn",
            f"The boundaries of earlier batches were locked with another version of '{name}' ({', '.join(used)}): what "
            "they were measured by may be gated otherwise now.",
            remedy="Run the earlier batches with this version of the template and lock their boundaries again.",
        )
    ]


CHECK = Check(code="Q46", stage="gating", title="earlier boundaries are of this template", run=look)
