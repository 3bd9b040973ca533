"""Read-outs of the niche that a tube's sample does not allow as they stand.

Blood raises the share of regulatory T cells (Moon 2011, Korean J Lab Med 31(4)), HIF-1a is gone minutes after
reoxygenation unless the cells were fixed at the bedside, and osteoblasts come off bone by digestion only. Which
read-outs these are is said by the template's warnings that have a condition; their numbers bear its flag.
"""

from __future__ import annotations

from stromagate.model.readouts import applies, is_on_tube, reason
from stromagate.model.result import Finding
from stromagate.qc.check import NO_READOUTS, Check, Evidence
from stromagate.qc.verdict import not_applicable, said


def look(evidence: Evidence) -> list[Finding]:
    """Warn of each such read-out that the tube carries."""
    names = {node.name for node in evidence.tree.nodes}
    on_tube = [each for each in evidence.template.readouts if is_on_tube(each, names, evidence.tree.axes)]
    asked = [(readout, each) for readout in on_tube for each in readout.warnings if each.when and not each.hard]
    if not asked:
        return [not_applicable(CHECK, "No read-out of this template and tube hangs on how the sample was taken.")]
    found = [
        said(
            CHECK,
            "warn",
            f"{readout.title}: {each.flag or 'read with care'} ({reason(each.when, evidence.labels)}).",
            remedy=_REMEDIES[each.when],
            population=readout.rows[0].population,
        )
        for readout, each in asked
        if each.when is not None and applies(each, evidence.labels)
    ]
    titles = ", ".join(dict.fromkeys(readout.title for readout, _ in asked))
    return found or [said(CHECK, "pass", f"The sample sheet allows {titles} as they stand.")]


_REMEDIES = {
    "aml_at_diagnosis": "Compare with marrow that was taken after treatment, or not at all.",
    "blood_in_marrow": "Compare with no other marrow; draw a first pull of 1 to 2 mL next time.",
    "not_digested": "Count them in a digest (`digest` in the sheet's column `specimen`), and not in an aspirate.",
    "not_fixed_at_bedside": "Fix the next sample at the bedside, and write `bedside` into the column `fixation`.",
}

CHECK = Check(code="Q66", stage="result", title="read-outs as the sample allows", run=look, not_of_controls=NO_READOUTS)
"""Its limits are the template's: which read-out, by which condition."""
