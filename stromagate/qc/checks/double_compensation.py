"""Hyper-negative events along the diagonals: more compensation than the data need, as when a matrix is applied twice.

For each pair of channels the median of one among the brightest events of the other is compared with that of events dim
in everything else. Right compensation spreads bright events evenly around the dim ones, so a median well below them
means that too much was taken out; events that carry both markers only lift it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stromagate.model.gates import ROOT
from stromagate.model.result import Finding
from stromagate.model.sample import F64
from stromagate.qc.check import Check, Evidence
from stromagate.qc.targets import fluorescence
from stromagate.qc.verdict import judge, not_applicable
from stromagate.qc.wording import listed

_MOST_EVENTS = 20_000
_FEWEST_EVENTS = 2_000
_FEWEST_CHANNELS = 3
_BRIGHT_FRAC = 0.05
_DIM_FRAC = 0.10
_ROBUST_SDS = 5.0


def look(evidence: Evidence) -> list[Finding]:
    """Count the channels that are hyper-negative where another is bright."""
    axes = [item.axis for item in fluorescence(evidence) if evidence.tree.axes[item.axis].compensated]
    if len(axes) < _FEWEST_CHANNELS:
        return [not_applicable(CHECK, f"Fewer than {_FEWEST_CHANNELS} channels were compensated.")]
    rows = evidence.members[ROOT]
    rows = rows[:: max(1, rows.size // _MOST_EVENTS)]
    values = np.stack([evidence.linear(axis, rows).astype(np.float64) for axis in axes], axis=1)
    values = values[np.isfinite(values).all(axis=1)]
    if len(values) < _FEWEST_EVENTS:
        return [not_applicable(CHECK, f"Fewer than {_FEWEST_EVENTS:,} events to see diagonals in.")]
    pairs = _hyper_negative(values)
    channels = {dim for _, dim in pairs}
    if not pairs:
        return [
            judge(CHECK, 0.0, f"Of {len(axes)} compensated channels, no one is hyper-negative where another is bright.")
        ]
    shown = listed(f"{axes[dim]} where {axes[bright]} is bright" for bright, dim in pairs)
    sentence = f"{len(channels)} of {len(axes)} compensated channels are far below zero on a diagonal: {shown}."
    remedy = "Do not compensate data that were exported compensated; else make the matrix again from single stains."
    return [judge(CHECK, float(len(channels)), sentence, remedy=remedy)]


def _hyper_negative(values: F64) -> list[tuple[int, int]]:
    """Return the pairs (bright channel, hyper-negative channel); ``values`` has shape (n_events, n_channels)."""
    ranks, sizes = _ranks(values), _ranks(np.abs(values))
    n, k = values.shape
    bright_rows = [ranks[:, channel] >= (1 - _BRIGHT_FRAC) * n for channel in range(k)]
    found: list[tuple[int, int]] = []
    for dim in range(k):
        # Small on either side of zero in all other channels: a hyper-negative event is bright in some other dye.
        largest_other = np.delete(sizes, dim, axis=1).max(axis=1)
        quiet = values[np.argsort(largest_other, kind="stable")[: int(_DIM_FRAC * n)], dim]
        low, centre = np.quantile(quiet, [0.1587, 0.5])
        limit = centre - _ROBUST_SDS * (centre - low)
        medians = {bright: np.median(values[bright_rows[bright], dim]) for bright in range(k) if bright != dim}
        found += [(bright, dim) for bright, middle in medians.items() if middle < limit]
    return found


def _ranks(values: F64) -> NDArray[np.intp]:
    """Return the rank of each event in each channel, shape (n_events, n_channels)."""
    order = values.argsort(axis=0, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(len(values))[:, None], axis=0)
    return ranks


# Channels in which more than 1 % of all events lie as far below give the same answer on simulated and on real tubes,
# compensated once (none) and twice (4 to 7); medians along diagonals name the pair of colours as well.
CHECK = Check(
    code="Q02", stage="compensation", title="compensation not applied twice", run=look, warn=2.0, unit="channels"
)
