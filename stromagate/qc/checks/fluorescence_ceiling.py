"""Whether the rare cells lie at the top of the detectors they are gated on."""

from __future__ import annotations

from stromagate.model.result import Finding
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.signal import at_ceiling
from stromagate.qc.targets import deciding, each_target, fluorescence, judged_rows
from stromagate.qc.verdict import judge, not_applicable
from stromagate.qc.wording import percent


def look(evidence: Evidence) -> list[Finding]:
    """Judge, for each index population, the marker on its way down in which most of it lies at the top."""
    return each_target(CHECK, evidence, _one)


def _one(evidence: Evidence, name: str) -> Finding:
    rows = judged_rows(CHECK, evidence, name)
    if isinstance(rows, Finding):
        return rows
    gates = [node.geometry for node, keep in deciding(evidence, name) if keep and node.geometry]
    gated = {axis for gate in gates for axis in gate.axes}
    channels = evidence.sample.channels
    measured = {
        item.axis: at_ceiling(evidence.sample, channels[item.channel], rows)
        for item in fluorescence(evidence)
        if item.axis in gated
    }
    shares = {axis: share for axis, share in measured.items() if share is not None}
    if not shares:
        reason = f"No marker that {evidence.called(name)} is gated on states a range that its values keep."
        return not_applicable(CHECK, reason, name)
    worst = max(shares, key=lambda axis: shares[axis])
    where = f"{worst}'s detector" if shares[worst] else "a detector it is gated on"
    sentence = f"{percent(shares[worst])} of {evidence.called(name)} lie at the top of {where}."
    remedy = "Their intensity is not known, and what spills from them is not compensated: lower the voltage."
    return judge(CHECK, shares[worst], sentence, remedy=remedy, population=name)


CHECK = Check(
    code="Q11",
    stage="acquisition",
    title="target within its detectors",
    run=look,
    not_of_controls=BACKGROUND,
    warn=2.0,
    fail=10.0,
    unit="%",
)
