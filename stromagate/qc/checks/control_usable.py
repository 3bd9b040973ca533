"""Controls that belong to the tube and could not be read or gated, or hold another tube's bytes."""

from __future__ import annotations

from stromagate.model.result import Finding
from stromagate.qc.check import PAIRED, Check, Evidence
from stromagate.qc.verdict import not_applicable, said
from stromagate.qc.wording import control_kind, listed


def look(evidence: Evidence) -> list[Finding]:
    """Warn of each control that failed; what the gates did without it is told where they fell back."""
    roles = dict.fromkeys(need.role for needs in evidence.control_needs.values() for need in needs)
    found = [
        said(
            CHECK,
            "warn",
            f"The {control_kind(use.role)} {use.sample_id} could not be used: {use.reason.rstrip('.')}.",
            remedy="Look at the control's own line in the run's index, mend or replace its file, and run again.",
        )
        for use in evidence.controls
        if use.unused in {"failed", "duplicate"}
    ]
    if found:
        return found
    if not roles:
        return [not_applicable(CHECK, "No gate of this template is set on a control.")]
    there = {use.role for use in evidence.controls if use.unused != "apart"}
    if not there & set(roles):
        wanted = listed(_with_nearest(evidence, role) for role in roles)
        return [not_applicable(CHECK, f"None of the controls that the gates ask for belongs to this tube: {wanted}.")]
    return [said(CHECK, "pass", "Every control of this tube could be read and gated.")]


def _with_nearest(evidence: Evidence, role: str) -> str:
    """Return a role, and why the nearest control of it was not taken where there is one."""
    near = next((use for use in evidence.controls if use.role == role and use.unused == "apart"), None)
    return control_kind(role) + (f" ({near.sample_id} is the nearest: {near.reason})" if near else "")


CHECK = Check(code="Q43", stage="gating", title="controls could be used", run=look, not_of_controls=PAIRED)
