"""Read-outs of the niche that a tube's own disease makes unusable, such as suppressor-like cells in AML at diagnosis.

Blasts of AML are CD33+ and many lack HLA-DR (43 of 248, Wetzler 2003): without a gate on the leukaemia's own phenotype
they are counted as MDSC. Which read-outs these are is said by the template's hard warnings.
"""

from __future__ import annotations

from stromagate.model.readouts import applies, is_on_tube, reason
from stromagate.model.result import Finding
from stromagate.qc.check import NO_READOUTS, Check, Evidence
from stromagate.qc.verdict import not_applicable, said


def look(evidence: Evidence) -> list[Finding]:
    """Fail each such read-out that the tube carries."""
    names = {node.name for node in evidence.tree.nodes}
    on_tube = [each for each in evidence.template.readouts if is_on_tube(each, names, evidence.tree.axes)]
    asked = [(readout, each) for readout in on_tube for each in readout.warnings if each.hard]
    if not asked:
        return [not_applicable(CHECK, "No read-out of this template and tube is lost by a disease.")]
    found = [
        said(
            CHECK,
            "fail",
            f"{readout.title}: {each.flag or 'not to be used'} ({reason(each.when, evidence.labels)}).",
            remedy=_REMEDY,
            population=readout.rows[0].population,
        )
        for readout, each in asked
        if each.when is not None and applies(each, evidence.labels)
    ]
    titles = ", ".join(dict.fromkeys(readout.title for readout, _ in asked))
    return found or [said(CHECK, "pass", f"The sample sheet says nothing by which {titles} would be lost.")]


_REMEDY = (
    "Leave these numbers out, or gate the leukaemia's own phenotype (LAIP) out first, in a template of your own; a "
    "time after treatment is written into the sheet's column `timepoint`."
)

CHECK = Check(
    code="Q65", stage="result", title="read-outs usable in this disease", run=look, not_of_controls=NO_READOUTS
)
"""Its limits are the template's: which read-out, by which condition."""
