"""Controls with too few events to show where the negatives end."""

from __future__ import annotations

from stromagate.model.result import Finding
from stromagate.qc.check import PAIRED, Check, Evidence
from stromagate.qc.verdict import judge, not_applicable
from stromagate.qc.wording import control_kind, events


def look(evidence: Evidence) -> list[Finding]:
    """Hold the events of each gate's anchor, in all its controls together, against what a stable cut needs."""
    if not evidence.control_needs:
        return [not_applicable(CHECK, "No gate of this template is set on a control.")]
    return [_one(evidence, gate) for gate in evidence.control_needs if _there(evidence, gate)] or [
        not_applicable(CHECK, "The gates that ask for controls are not on this tube.")
    ]


def _there(evidence: Evidence, gate: str) -> bool:
    return any(node.name == gate for node in evidence.tree.nodes)


def _one(evidence: Evidence, gate: str) -> Finding:
    anchor = evidence.control_needs[gate][0]
    used = [use for use in evidence.controls if use.role == anchor.role and not use.unused]
    kind = control_kind(anchor.role)
    if not used:
        sentence = f"No {kind} that could be used belongs to this tube."
        return not_applicable(CHECK, sentence, gate)
    n = sum(use.n_anchor.get(anchor.population, 0.0) for use in used)
    tubes = f"The {kind} holds" if len(used) == 1 else f"The {len(used)} {kind}s together hold"
    sentence = f"{tubes} {events(round(n))} of {evidence.called(anchor.population)}."
    remedy = "Acquire more events of the control, or stain one for each tube of the batch: they are pooled."
    return judge(CHECK, float(n), sentence, remedy=remedy, population=gate, low_is_bad=True)


CHECK = Check(
    code="Q13",
    stage="gating",
    title="controls large enough",
    run=look,
    not_of_controls=PAIRED,
    warn=500.0,
    fail=100.0,
    unit="events",
)
