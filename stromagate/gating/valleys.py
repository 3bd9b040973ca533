"""The valley between two peaks of one axis, and how sure its place is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from stromagate.gating.density import Histogram, Peak, bandwidth, noise, peaks, refine, resampled, smooth
from stromagate.model.sample import F64


@dataclass(frozen=True, slots=True)
class Valley:
    """The lowest place between two main peaks (axis units); ``depth`` is its density over that of the lower peak."""

    cut: float
    spread: float
    peaks: tuple[float, float]
    depth: float
    n_peaks: int


def find_valley(
    hist: Histogram,
    rng: Generator,
    *,
    search: tuple[float, float] | None,
    max_depth: float,
    min_peak_frac: float,
) -> Valley | str:
    """Find the valley between the two main peaks, or say in a few words why there is none.

    Parameters
    ----------
    hist : Histogram
        The axis, in its own units.
    rng : Generator
        For the bootstrap of the histogram.
    search : pair of float, axis units, optional
        Where the valley may lie.
    max_depth : float
        Largest density of the valley over that of the lower peak (0-1).
    min_peak_frac : float
        Smallest share of the events that makes a peak (0-1).
    """
    sigma = bandwidth(hist)
    density = smooth(hist.counts, sigma)
    found = peaks(hist, density, sigma, min_peak_frac=min_peak_frac, max_depth=max_depth)
    if len(found) < 2:
        return f"there is one peak only, at {hist.value(found[0].position):.3g}"
    gap = _main_gap(hist, density, found, sigma, search)
    if gap is None:
        return "no valley between two peaks lies in the searched range"
    left, right, position = gap
    start, stop = round(left.position), round(right.position) + 1
    draws = smooth(resampled(hist, rng), sigma)
    positions = [start + _bottom(row[start:stop], sigma) for row in draws]
    return Valley(
        cut=hist.value(position),
        spread=float(np.std(positions, ddof=1)) * hist.width,
        peaks=(hist.value(left.position), hist.value(right.position)),
        depth=float(density[start:stop].min()) / min(left.height, right.height),
        n_peaks=len(found),
    )


def _main_gap(
    hist: Histogram, density: F64, found: list[Peak], sigma_bins: float, search: tuple[float, float] | None
) -> tuple[Peak, Peak, float] | None:
    """Return the gap that parts the events most clearly, with the highest peak on either side of it.

    Clearness is the lower of the two peaks minus the valley, so that the highest peak and the most prominent other one
    are parted; ``search`` leaves out gaps whose bottom lies elsewhere (a cut is never put on a border of the search).
    """
    best: tuple[float, Peak, Peak, float] | None = None
    for i in range(1, len(found)):
        left = max(found[:i], key=lambda peak: peak.height)
        right = max(found[i:], key=lambda peak: peak.height)
        start, stop = round(found[i - 1].position), round(found[i].position) + 1
        position = start + _bottom(density[start:stop], sigma_bins)
        if search is not None and not search[0] <= hist.value(position) <= search[1]:
            continue
        clearness = min(left.height, right.height) - float(density[start:stop].min())
        if best is None or clearness > best[0]:
            best = (clearness, left, right, position)
    return best[1:] if best else None


def _bottom(density: F64, sigma_bins: float) -> float:
    """Return the position of the lowest place: the middle of all that counting noise cannot tell from it."""
    lowest = int(np.argmin(density))
    floor = float(density[lowest])
    three_events = 3.0 / (np.sqrt(2 * np.pi) * sigma_bins)
    tolerance = min(
        max(float(noise(density[lowest], sigma_bins)), three_events), 0.05 * float(min(density[0], density[-1]))
    )
    above = np.flatnonzero(density > floor + tolerance)
    i = int(np.searchsorted(above, lowest))
    start = int(above[i - 1]) + 1 if i > 0 else 0
    stop = int(above[i]) - 1 if i < above.size else density.size - 1
    return refine(density, lowest) if start == stop else (start + stop) / 2
