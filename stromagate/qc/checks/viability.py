"""How many cells were alive."""

from __future__ import annotations

from stromagate.model.result import Finding
from stromagate.qc.check import Check, Evidence
from stromagate.qc.verdict import judge, not_applicable
from stromagate.qc.wording import percent

_MARKER = "Viability"


def look(evidence: Evidence) -> list[Finding]:
    """Judge the share of its parent that the first gate on the viability dye kept."""
    for node in evidence.tree.nodes:
        if node.geometry is not None and _MARKER in node.geometry.axes:
            kept, before = evidence.counts[node.name], evidence.counts[node.parent]
            parent = evidence.called(node.parent)
            if kept is None or not before:
                return [not_applicable(CHECK, f"{parent} has no events to be alive or dead.", node.name)]
            alive_pct = 100 * kept / before
            sentence = f"{percent(alive_pct)} of {parent} are {evidence.called(node.name)}."
            remedy = "Dying cells lose CD45 and take up all dyes: expect false stroma. Stain fresher material."
            return [judge(CHECK, alive_pct, sentence, remedy=remedy, population=node.name, low_is_bad=True)]
    return [not_applicable(CHECK, "No gate on a viability dye was placed.")]


# Fresh marrow has 85 to 98 % alive: clean simulated tubes 94, digested bone 82.
CHECK = Check(code="Q08", stage="result", title="viability", run=look, warn=80.0, fail=60.0, unit="%")
