"""Whether the rare events came evenly over the acquisition: clumps and carry-over come in bursts."""

from __future__ import annotations

import numpy as np

from stromagate.model.result import Finding
from stromagate.model.sample import F64
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.targets import judged_rows, main_denominator, main_target, no_target
from stromagate.qc.verdict import judge, not_applicable, said

_BLOCKS = 20
_P_VALUE = 0.01


def look(evidence: Evidence) -> list[Finding]:
    """Compare the target's places in the order of the denominator's events with evenly spread ones."""
    name, base = main_target(evidence), main_denominator(evidence)
    if name is None:
        return [no_target(CHECK)]
    rows = judged_rows(CHECK, evidence, name)
    if isinstance(rows, Finding):
        return [rows]
    order = evidence.members.get(base)
    if order is None or order.size < _BLOCKS:
        reason = f"{evidence.called(base)} has too few events to give the order of acquisition."
        return [not_applicable(CHECK, reason, name)]
    # Places among the denominator's events, not times: a changing flow rate alone clusters nothing.
    places = np.clip((np.searchsorted(order, rows) + 0.5) / order.size, 0.0, 1.0)
    blocks = np.bincount(np.minimum((places * _BLOCKS).astype(np.intp), _BLOCKS - 1), minlength=_BLOCKS)
    fano = float(blocks.var(ddof=1) / blocks.mean())
    p = _kolmogorov_smirnov(places)
    sentence = (
        f"Over {_BLOCKS} equal parts of the acquisition the variance of {evidence.called(name)} is {fano:.2f} "
        f"times its mean (1 by chance; Kolmogorov-Smirnov p = {p:.2g})."
    )
    remedy = _remedy(evidence.called(name), fano)
    if p < _P_VALUE and not (CHECK.warn is not None and fano > CHECK.warn):
        return [said(CHECK, "warn", sentence, remedy=remedy, population=name)]
    return [judge(CHECK, fano, sentence, remedy=remedy, population=name)]


def _remedy(called: str, fano: float) -> str:
    """Say by how much to widen: nothing in the report is widened by it."""
    wider = f"{fano**0.5:.1f} times as wide" if fano > 1 else "wider, by no known factor"
    return (
        "Clumps or carry-over: no interval of this report is widened by it. Take those of "
        f"{called} and of what it holds to be {wider}; filter, wash, run again."
    )


def _kolmogorov_smirnov(places: F64) -> float:
    """Return the p-value of an even spread, for small n after Stephens (doi:10.1111/j.2517-6161.1970.tb00821.x)."""
    from scipy.special import kolmogorov

    ordered, n = np.sort(places), places.size
    steps = np.arange(n + 1) / n
    distance = max(float((steps[1:] - ordered).max()), float((ordered - steps[:-1]).max()))
    root = n**0.5
    return float(kolmogorov(distance * (root + 0.12 + 0.11 / root)))


CHECK = Check(
    code="Q21",
    stage="acquisition",
    title="target even over time",
    run=look,
    not_of_controls=BACKGROUND,
    warn=2.0,
    unit="variance / mean",
)
