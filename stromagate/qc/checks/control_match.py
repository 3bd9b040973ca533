"""Controls that were not measured as the tube was: another day, other voltages, another matrix, other detectors."""

from __future__ import annotations

from collections.abc import Sequence

from stromagate.model.result import ControlUse, Finding
from stromagate.qc.check import PAIRED, Check, Evidence
from stromagate.qc.verdict import not_applicable, said
from stromagate.qc.wording import control_kind, listed


def look(evidence: Evidence) -> list[Finding]:
    """Warn of controls that differ from the tube, role by role; fail where they were read on other detectors."""
    if not evidence.control_needs:
        return [not_applicable(CHECK, "No gate of this template is set on a control.")]
    compared = [use for use in evidence.controls if use.unused in {"", "detectors"}]
    if not compared:
        return [not_applicable(CHECK, "No control of those the gates ask for belongs to this tube.")]
    roles = dict.fromkeys(use.role for use in compared)
    odd = {role: [use for use in compared if use.role == role and use.mismatched] for role in roles}
    found = [_finding(role, uses) for role, uses in odd.items() if uses]
    which = "The control" if len(compared) == 1 else f"All {len(compared)} controls"
    were = "was" if len(compared) == 1 else "were"
    alike = f"{which} of this tube {were} measured as it was, as far as the files and the sheet say."
    return found or [said(CHECK, "pass", alike)]


def _finding(role: str, uses: Sequence[ControlUse]) -> Finding:
    apart = any(use.unused == "detectors" for use in uses)
    differences = "; ".join(dict.fromkeys(word for use in uses for word in use.mismatched))
    names = listed(use.sample_id for use in uses)
    sentence = f"The {control_kind(role)} {names} was not measured as this tube was: {differences}."
    remedy = (
        "Pair the tube with controls of its own day and settings (column `controls` of the sheet), or look at the "
        "boundary in its plot."
    )
    if apart:
        sentence = f"{sentence[:-1]}; a control on other detectors sets no boundary."
    return said(CHECK, "fail" if apart else "warn", sentence, remedy=remedy)


CHECK = Check(code="Q12", stage="gating", title="controls measured as the tube", run=look, not_of_controls=PAIRED)
