"""Whether the rare cells lie at the top of the detectors they are gated on."""

from __future__ import annotations

from stromagate.model.result import Finding
from stromagate.qc.check import Check, Evidence
from stromagate.qc.signal import at_ceiling
from stromagate.qc.targets import deciding, fluorescence, judged_rows, targets
from stromagate.qc.verdict import judge, not_applicable
from stromagate.qc.wording import percent


def look(evidence: Evidence) -> list[Finding]:
    """Judge, for each index population, the marker on its way down in which most of it lies at the top."""
    found = [_one(evidence, name) for name in targets(evidence)]
    return found or [not_applicable(CHECK, "The template names no index population to look at.")]


def _one(evidence: Evidence, name: str) -> Finding:
    rows, instead = judged_rows(CHECK, evidence, name)
    if instead is not None:
        return instead
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
        return not_applicable(CHECK, f"No marker that {name} is gated on states a range that its values keep.", name)
    worst = max(shares, key=lambda axis: shares[axis])
    where = f"{worst}'s detector" if shares[worst] else "a detector it is gated on"
    sentence = f"{percent(shares[worst])} of {name} lie at the top of {where}."
    remedy = "Their intensity is not known, and what spills from them is not compensated: lower the voltage."
    return judge(CHECK, shares[worst], sentence, remedy=remedy, population=name)


CHECK = Check(code="Q11", title="target within its detectors", run=look, warn=2.0, fail=10.0, unit="%")
