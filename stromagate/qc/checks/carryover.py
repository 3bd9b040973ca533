"""Whether the rare cells crowd at the start of the run, as cells do that the tube before left in the sample line."""

from __future__ import annotations

import numpy as np

from stromagate.model.result import Finding
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.order import why_unordered
from stromagate.qc.targets import main_denominator, main_target, no_target
from stromagate.qc.verdict import judge, not_applicable, said
from stromagate.qc.wording import events, percent

_START_FRAC = 0.05
_P_VALUE = 0.01
# Of fewer, two at the start would already be said to be too many.
_FEWEST = 5


def look(evidence: Evidence) -> list[Finding]:
    """Hold the target's rate among the first twentieth of the denominator against the rest, by an exact test."""
    name, base = main_target(evidence), main_denominator(evidence)
    if name is None:
        return [no_target(CHECK)]
    reason = _why_not(evidence, name, base)
    if reason:
        return [not_applicable(CHECK, reason, name)]
    rows, order = evidence.members[name], evidence.members[base]
    start = int(order.size * _START_FRAC)
    early = int(np.count_nonzero(rows < order[start]))
    late = int(rows.size) - early
    seen = f"{early:,} of {events(rows.size)} {evidence.called(name)} lie in the first {percent(100 * _START_FRAC)}"
    p = _chance(early, int(rows.size), start / order.size)
    sentence = f"{seen} of {evidence.called(base)} (exact binomial p = {p:.2g})."
    if not late:
        return [said(CHECK, "warn" if p < _P_VALUE else "pass", sentence, remedy=_REMEDY, population=name)]
    times = (early / start) / (late / (order.size - start))
    if p >= _P_VALUE:
        return [said(CHECK, "pass", sentence, population=name, measured=times)]
    return [judge(CHECK, times, sentence, remedy=_REMEDY, population=name)]


def _why_not(evidence: Evidence, name: str, base: str) -> str:
    called, count = evidence.called(name), evidence.counts[name]
    if count is None or not evidence.counts[base]:
        return f"{called} in {evidence.called(base)} could not be evaluated."
    if count < _FEWEST:
        return f"{called} has {events(count)}, which is too few to judge by (fewer than {_FEWEST})."
    if int(evidence.members[base].size * _START_FRAC) < 1:
        return f"{evidence.called(base)} has too few events to have a start."
    return why_unordered(evidence)


def _chance(early: int, n: int, share: float) -> float:
    """Return the probability of so many or more at the start where they come evenly (exact binomial)."""
    from scipy.special import bdtrc

    return float(bdtrc(early - 1, n, share)) if early else 1.0


_REMEDY = (
    "Cells of the tube before may be counted: look at what was run before this tube, leave its first seconds out, and "
    "flush between tubes rich and poor in stroma."
)

# Own choice for a rate that is much higher at the start. What was run before the tube is Q63's matter.
CHECK = Check(
    code="Q22", stage="acquisition", title="target not left over from the tube before", run=look,
    not_of_controls=BACKGROUND, warn=3.0, unit="times the rest",
)  # fmt: skip
