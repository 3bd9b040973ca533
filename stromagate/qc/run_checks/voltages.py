"""Whether the tubes of a batch were measured at the same detector voltages."""

from __future__ import annotations

from stromagate.model.result import RunFinding
from stromagate.qc.run_check import Batch, RunCheck, RunEvidence, TubeSeen, not_applicable, said, usual
from stromagate.qc.wording import listed


def look(evidence: RunEvidence) -> list[RunFinding]:
    """Warn of every batch in which a detector that the template reads had several voltages."""
    compared = 0
    found = []
    for batch in evidence.batches():
        stating = [tube for tube in batch.tubes if _volts(tube)]
        if len(stating) < 2:
            continue
        compared += len(stating)
        found += _differing(batch, stating)
    if not compared:
        return [not_applicable(RUN_CHECK, "No two tubes of a batch state detector voltages ($PnV).")]
    alike = f"{compared} tubes had the voltages of their batches on every detector that the template reads."
    return found or [said(RUN_CHECK, "pass", alike, measured=0.0)]


def _volts(tube: TubeSeen) -> dict[str, float]:
    """Return the voltage of each axis that is read, as ``axis (detector)``."""
    bound = tube.result.panel.bindings
    return {f"{item.axis} ({item.pnn})": tube.volts[item.pnn] for item in bound if item.pnn in tube.volts}


def _differing(batch: Batch, tubes: list[TubeSeen]) -> list[RunFinding]:
    by_tube = {tube.name: _volts(tube) for tube in tubes}
    axes = dict.fromkeys(axis for volts in by_tube.values() for axis in volts)
    words, odd, widest = [], dict[str, None](), 0.0
    for axis in axes:
        values = {name: volts[axis] for name, volts in by_tube.items() if axis in volts}
        common, others = usual(values)
        if not others:
            continue
        odd |= dict.fromkeys(others)
        widest = max(widest, *(abs(values[name] - common) for name in others))
        moved = sorted({values[name] for name in others})
        words.append(f"{axis} {' and '.join(f'{value:g}' for value in moved[:3])} V, not {common:g} V")
    if not words:
        return []
    sentence = f"In {batch.called} {listed(odd)} had other detector voltages than the rest: {listed(words)}."
    return [said(RUN_CHECK, "warn", sentence, samples=odd, measured=widest, remedy=_REMEDY)]


_REMEDY = (
    "Do not compare intensities across these tubes, and look whether their boundaries moved with the voltages; "
    "write tubes that were measured apart into batches of their own (column `batch`)."
)

RUN_CHECK = RunCheck(code="Q60", title="one set of voltages in a batch", run=look, warn=0.0, unit="V")
