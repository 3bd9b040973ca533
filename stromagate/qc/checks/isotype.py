"""Isotype controls in the place of FMO controls."""

from __future__ import annotations

from stromagate.model.result import Finding
from stromagate.qc.check import PAIRED, Check, Evidence
from stromagate.qc.verdict import not_applicable, said
from stromagate.qc.wording import listed

_WHY = "it measures what an antibody sticks to, and not how far other dyes spread into its detector"


def look(evidence: Evidence) -> list[Finding]:
    """Warn where an isotype control is all there is, or where a gate was set on one."""
    isotypes = [use for use in evidence.controls if use.role.startswith("isotype:")]
    if not isotypes:
        return [not_applicable(CHECK, "No isotype control belongs to this tube.")]
    fmos = {use.role for use in evidence.controls if not use.unused}
    alone = [use for use in isotypes if not use.unused or f"fmo:{use.role.partition(':')[2]}" not in fmos]
    if not alone:
        names = listed(use.sample_id for use in isotypes)
        return [said(CHECK, "pass", f"No boundary was set on the isotype control {names}; FMO controls are there.")]
    markers = listed(dict.fromkeys(use.role.partition(":")[2] for use in alone))
    used = any(not use.unused for use in alone)
    sentence = f"An isotype control is what there is for {markers}, no FMO control; {_WHY}" + (
        ", and a boundary was set on it." if used else ", so no boundary was set on it."
    )
    return [said(CHECK, "warn", sentence, remedy="Stain an FMO control, which holds all antibodies but the one.")]


CHECK = Check(
    code="Q14", stage="gating", title="no isotype control in the place of an FMO", run=look, not_of_controls=PAIRED
)
