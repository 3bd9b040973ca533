"""The valley between two peaks of one axis, and how sure its place is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.random import Generator

from stromagate.gating.density import Histogram, Peak, bandwidth, is_pile, noise, peaks, refine, resampled, smooth
from stromagate.model.sample import F64

WhichGap = Literal["clearest", "lowest", "highest"]
RIVAL = 0.5  # of the clearest gap; another one as clear may be the one that was meant


@dataclass(frozen=True, slots=True)
class Valley:
    """The lowest place between two main peaks (axis units); ``depth`` is its density over that of the lower peak.

    ``pile``: one of the peaks is a pile of values on the end of the range, and there was no other gap. ``rival`` is
    where another valley, at least half as clear, lies.
    """

    cut: float
    spread: float
    peaks: tuple[float, float]
    left_higher: bool
    depth: float
    n_peaks: int
    pile: bool
    rival: float | None


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap between neighbouring peaks and the highest peak on either side of it (bins)."""

    clearness: float
    left: Peak
    right: Peak
    position: float
    start: int
    stop: int
    rival: float | None = None


def find_valley(
    hist: Histogram,
    rng: Generator,
    *,
    search: tuple[float, float] | None,
    max_depth: float,
    min_peak_frac: float,
    which: WhichGap = "clearest",
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
    which : {"clearest", "lowest", "highest"}
        Which gap is cut where there are several.
    """
    sigma = bandwidth(hist)
    density = smooth(hist.counts, sigma)
    found = peaks(hist, density, sigma, min_peak_frac=min_peak_frac, max_depth=max_depth)
    if len(found) < 2:
        return f"there is one peak only, at {hist.value(found[0].position):.3g}"
    gap = _main_gap(hist, density, found, sigma, search, which)
    if gap is None:
        return "no valley between two peaks lies in the searched range"
    left, right = gap.left, gap.right
    draws = smooth(resampled(hist, rng), sigma)
    positions = [bottom(row[gap.start : gap.stop], sigma) for row in draws]
    return Valley(
        cut=hist.value(gap.position),
        spread=float(np.std(positions, ddof=1)) * hist.width,
        peaks=(hist.value(left.position), hist.value(right.position)),
        left_higher=left.height >= right.height,
        depth=float(density[gap.start : gap.stop].min()) / min(left.height, right.height),
        n_peaks=len(found),
        pile=is_pile(hist, left) or is_pile(hist, right),
        rival=None if gap.rival is None else hist.value(gap.rival),
    )


def bottom(density: F64, sigma_bins: float) -> float:
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


def _main_gap(
    hist: Histogram,
    density: F64,
    found: list[Peak],
    sigma_bins: float,
    search: tuple[float, float] | None,
    which: WhichGap,
) -> Gap | None:
    """Return the gap that is meant, by default the one that parts the events most clearly.

    Clearness is the lower of the two peaks minus the valley, so that the highest peak and the most prominent other one
    are parted. A pile of values on the end of the range is as high as can be and tells nothing about populations: a gap
    beside one is taken where there is no other. ``search`` leaves out gaps whose bottom lies elsewhere; a cut is never
    put on a border of the search.
    """
    piles = [is_pile(hist, peak) for peak in found]
    populations = [peak for peak, pile in zip(found, piles, strict=True) if not pile]
    gaps = _gaps(hist, density, populations, sigma_bins, search) if any(piles) else []
    gaps = gaps or _gaps(hist, density, found, sigma_bins, search)
    if not gaps:
        return None
    if which != "clearest":
        return min(gaps, key=lambda gap: gap.position if which == "lowest" else -gap.position)
    best, *others = sorted(gaps, key=lambda gap: -gap.clearness)
    rival = others[0].position if others and others[0].clearness > RIVAL * best.clearness else None
    return replace(best, rival=rival)


def _gaps(
    hist: Histogram, density: F64, found: list[Peak], sigma_bins: float, search: tuple[float, float] | None
) -> list[Gap]:
    low, high = search or (-np.inf, np.inf)
    gaps = []
    for i in range(1, len(found)):
        left = max(found[:i], key=lambda peak: peak.height)
        right = max(found[i:], key=lambda peak: peak.height)
        start, stop = round(found[i - 1].position), round(found[i].position) + 1
        position = start + bottom(density[start:stop], sigma_bins)
        if low <= hist.value(position) <= high:
            clearness = min(left.height, right.height) - float(density[start:stop].min())
            # The bootstrap looks between the gap's own neighbours, or it would find another gap of the same peaks.
            gaps.append(Gap(clearness, left, right, position, start, stop))
    return gaps
