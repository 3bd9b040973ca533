"""Events piled up on the lowest value of a channel: cut off there, not measured."""

from __future__ import annotations

import numpy as np

from stromagate.model.result import Finding
from stromagate.qc.check import Check, Evidence
from stromagate.qc.targets import fluorescence, scatter
from stromagate.qc.verdict import judge, not_applicable
from stromagate.qc.wording import listed, percent

# With fewer events a single one is already a percent.
_FEWEST_EVENTS = 1_000


def look(evidence: Evidence) -> list[Finding]:
    """Judge the channel in use that has most events at exactly its lowest value."""
    sample = evidence.sample
    used = {item.pnn: item.channel for item in [*scatter(evidence), *fluorescence(evidence)]}
    if sample.n_events < _FEWEST_EVENTS or not used:
        return [not_applicable(CHECK, f"Fewer than {_FEWEST_EVENTS:,} events, or no channel in use.")]
    shares = {}
    for pnn, column in used.items():
        values = sample.events[:, column]
        lowest = np.fmin.reduce(values)
        if not np.isnan(lowest):
            shares[pnn] = 100 * int(np.count_nonzero(values == lowest)) / sample.n_events
    if not shares:
        return [not_applicable(CHECK, "No channel in use holds numbers.")]
    worst = max(shares, key=lambda pnn: shares[pnn])
    over = [f"{pnn} {percent(share)}" for pnn, share in shares.items() if CHECK.warn is not None and share > CHECK.warn]
    sentence = (
        f"Events at exactly the lowest value of their channel: {listed(over)}."
        if over
        else f"The most events at exactly the lowest value of a channel: {percent(shares[worst])} ({worst})."
    )
    remedy = "Values were cut off at the baseline: medians and boundaries near it are not to be trusted."
    return [judge(CHECK, shares[worst], sentence, remedy=remedy)]


CHECK = Check(code="Q33", stage="acquisition", title="few events on the lower margin", run=look, warn=1.0, unit="%")
