"""The distribution of one axis: a fine histogram made once, its smoothed density, and the peaks that are real.

Everything that follows (cuts, their bootstrap) works on the histogram, so that a million events are touched once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from stromagate.model.sample import F32, F64

MIN_BINS, MAX_BINS = 1024, 16384
BINS_PER_IQR = 64  # finer than any bandwidth used below, so that binning adds nothing to the error of a cut
DRAWS = 40  # the spread is known to 11 % of itself, enough to widen an interval by it
FAR_IQR = 1000  # interquartile ranges; further out nothing is a population
_SUBSAMPLE = 65536


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of equal bins; bin i spans ``low + i * width`` to ``low + (i + 1) * width`` (axis units).

    ``below`` and ``above`` are finite values outside the bins: far outliers that would make the bins useless.
    ``zero`` is where a scale with a linear region around zero shows 0; such a scale may split one population there.
    """

    low: float
    width: float
    counts: F64
    below: int
    above: int
    zero: float | None = None

    @property
    def n(self) -> int:
        """Number of finite values."""
        return round(float(self.counts.sum())) + self.below + self.above

    def value(self, position: float) -> float:
        """Return the axis value at a position in bins, where ``i`` is the middle of bin i."""
        return self.low + (position + 0.5) * self.width

    def position(self, value: float) -> float:
        """Return the position in bins of an axis value."""
        return (value - self.low) / self.width - 0.5


@dataclass(frozen=True, slots=True)
class Peak:
    """A mode of the density: where it is, how high, and from where to where its basin reaches (bins)."""

    position: float
    height: float
    left: int
    right: int


def finite(values: F32) -> F32:
    """Return the values without NaN and infinities."""
    mask = np.isfinite(values)
    return values if mask.all() else values[mask]


def histogram(values: F32, zero: float | None = None) -> Histogram | None:
    """Bin finite values finely enough for every later step.

    Parameters
    ----------
    values : ndarray of float32, shape (n,), axis units
        Finite values.
    zero : float, axis units, optional
        Where a logicle or asinh axis shows 0.

    Returns
    -------
    Histogram or None
        None where there are fewer than two different values.
    """
    if values.size == 0:
        return None
    low, high = float(values.min()), float(values.max())
    if not low < high:
        return None
    sample = np.sort(values[:: -(-values.size // _SUBSAMPLE)]).astype(np.float64)
    quarter, three_quarters = np.quantile(sample, (0.25, 0.75))
    iqr = float(three_quarters - quarter)
    wanted = (high - low) / iqr * BINS_PER_IQR if iqr > 0 else float(MIN_BINS)
    if wanted > MAX_BINS:
        # Far outliers: bins cover the body and what is next to it; the rest is counted at the ends.
        inner_low, inner_high = np.quantile(sample, (0.002, 0.998))
        margin = max(0.1 * (inner_high - inner_low), 10 * iqr)
        low = max(low, float(inner_low - margin), float(quarter - FAR_IQR * iqr))
        high = min(high, float(inner_high + margin), float(three_quarters + FAR_IQR * iqr))
        wanted = (high - low) / iqr * BINS_PER_IQR
    bins = int(2 ** np.clip(np.ceil(np.log2(wanted)), np.log2(MIN_BINS), np.log2(MAX_BINS)))
    return replace(_dequantised(_count(values, low, high, bins)), zero=zero)


def bandwidth(hist: Histogram) -> float:
    """Return the smoothing bandwidth in bins: Silverman's rule on a robust width, never finer than the data's grain."""
    counts, total = hist.counts, hist.counts.sum()
    index = np.arange(counts.size)
    mean = float(counts @ index / total)
    deviation = float(np.sqrt(max(counts @ (index - mean) ** 2 / total, 0.0)))
    iqr = quantile(counts, 0.75) - quantile(counts, 0.25)
    width = min(deviation, iqr / 1.34) if iqr > 0 else deviation
    rule = 0.9 * width * float(total**-0.2)
    return max(rule, 0.8 * _grain(counts), 1.0)


def smooth(counts: F64, sigma_bins: float) -> F64:
    """Return counts smoothed by a Gaussian along the last axis, shape as given; mass at the ends is reflected."""
    n = counts.shape[-1]
    pad = min(int(np.ceil(5 * sigma_bins)), n)
    padded = np.concatenate([counts[..., :pad][..., ::-1], counts, counts[..., n - pad :][..., ::-1]], axis=-1)
    size = _fast_size(padded.shape[-1])
    frequency = np.fft.rfftfreq(size)
    kernel = np.exp(-2.0 * (np.pi * sigma_bins * frequency) ** 2)
    smoothed = np.fft.irfft(np.fft.rfft(padded, size, axis=-1) * kernel, size, axis=-1)[..., pad : pad + n]
    # What the transform leaves of its rounding would be thousands of peaks where nothing is.
    smoothed[smoothed < 1e-12 * smoothed.max(axis=-1, keepdims=True)] = 0.0
    return np.asarray(smoothed)


def resampled(hist: Histogram, rng: Generator) -> F64:
    """Return bootstrap draws of the counts, each bin Poisson, shape (DRAWS, bins)."""
    return rng.poisson(hist.counts, (DRAWS, hist.counts.size)).astype(np.float64)


def noise(density: F64, sigma_bins: float) -> F64:
    """Return the standard deviation of a smoothed count under Poisson counting."""
    return np.asarray(np.sqrt(np.maximum(density, 0.0) / (2.0 * np.sqrt(np.pi) * sigma_bins)))


def peaks(
    hist: Histogram, density: F64, sigma_bins: float, *, min_peak_frac: float, max_depth: float = 0.8
) -> list[Peak]:
    """Return the peaks that are real, left to right.

    A peak is real if the valley that parts it from a higher one is at most ``max_depth`` of its height, if the step is
    no counting noise (4 standard deviations), and if at least ``min_peak_frac`` of the events lie in its basin. What
    is not is merged into its neighbour, the least prominent first.
    """
    tops, dips = _extrema(density)
    cumulated = np.concatenate([[0.0], np.cumsum(hist.counts)])
    least = max(min_peak_frac * hist.n, 10.0)
    while len(tops) > 1:
        heights, saddles, which = _saddles(density, tops, dips)
        prominences = heights - saddles
        masses = np.diff(cumulated[[0, *dips, density.size]])
        failing = (
            (prominences < (1 - max_depth) * heights)
            | (prominences < 4 * noise(heights + saddles, sigma_bins))
            | (masses < least)
        )
        # The highest peak stands above all of them: it is never merged, whatever its dips.
        failing[int(np.argmax(heights))] = False
        if not failing.any():
            break
        i = int(np.argmin(np.where(failing, prominences, np.inf)))
        del tops[i], dips[which[i]]
    _unsplit(hist, density, tops, dips)
    borders = [0, *dips, density.size]
    return [Peak(refine(density, top), float(density[top]), borders[i], borders[i + 1]) for i, top in enumerate(tops)]


def is_pile(hist: Histogram, peak: Peak) -> bool:
    """Tell whether a peak is a pile of values on the end of the range: half of it within four bins."""
    if peak.left > 0 and peak.right < hist.counts.size:
        return False
    basin = hist.counts[peak.left : peak.right]
    narrow = np.convolve(basin, np.ones(min(4, basin.size)), mode="same")
    return bool(narrow.max() > 0.5 * basin.sum())


def refine(density: F64, top: int) -> float:
    """Return the position of an extremum between bins by the parabola through it and its neighbours."""
    if not 0 < top < density.size - 1:
        return float(top)
    before, here, after = density[top - 1 : top + 2]
    bend = before - 2 * here + after
    moved = float(np.clip((before - after) / (2 * bend), -0.5, 0.5)) if bend != 0 else 0.0
    return top + moved


def quantile(counts: F64, fraction: float) -> float:
    """Return the position in bins below which ``fraction`` of the counts lie, linear within a bin."""
    edges = np.concatenate([[0.0], np.cumsum(counts)])
    target = fraction * edges[-1]
    i = int(np.clip(np.searchsorted(edges, target, side="left") - 1, 0, counts.size - 1))
    inside = (target - edges[i]) / counts[i] if counts[i] > 0 else 0.5
    return float(i + inside - 0.5)


def _count(values: F32, low: float, high: float, bins: int) -> Histogram:
    width = (high - low) / bins
    # One bin on either side takes what lies beyond; clipping first keeps huge values from overflowing.
    limits = np.finfo(np.float32)
    least, most = max(low - width, float(limits.min)), min(high + width, float(limits.max))
    clipped = np.clip(values, least, most).astype(np.float64)
    clipped -= low - width
    clipped /= width
    index = clipped.astype(np.int32)
    np.minimum(index, bins + 1, out=index)
    counts = np.bincount(index, minlength=bins + 2).astype(np.float64)
    if float(values.max()) <= high:  # the largest value stands on the last edge and belongs to the last bin
        counts[bins] += counts[bins + 1]
        counts[bins + 1] = 0
    if float(values.min()) >= low:
        counts[1] += counts[0]
        counts[0] = 0
    return Histogram(low, width, counts[1:-1].copy(), int(counts[0]), int(counts[-1]))


def _grain(counts: F64) -> float:
    """Return the gap between occupied bins that 95 % of the counts do not exceed: old instruments count in steps."""
    occupied = np.flatnonzero(counts)
    if occupied.size < 3:
        return 1.0
    gaps = np.diff(occupied)
    weights = counts[occupied[1:]]
    order = np.argsort(gaps, kind="stable")
    cumulated = np.cumsum(weights[order])
    return float(gaps[order][np.searchsorted(cumulated, 0.95 * cumulated[-1])])


def _dequantised(hist: Histogram) -> Histogram:
    """Spread counts of few possible values over the gaps between these: integers on a log scale stand in a comb.

    A spike is a well-filled bin between empty ones; it is widened half the way to a neighbour that is a spike as well,
    and as far on the other side where there is none. A single pile of values beside a true gap stays where it is.
    """
    counts = hist.counts
    occupied = np.flatnonzero(counts)
    if occupied.size < 8:
        return hist
    gaps = np.diff(occupied)
    spike = counts[occupied] >= 5
    paired = spike[1:] & spike[:-1] & (gaps > 1) & (gaps <= counts.size // 4)
    if paired.sum() < 8:
        return hist
    reach = np.where(paired, (gaps - 1) / 2, 0.0)
    left, right = np.concatenate([[0.0], reach]), np.concatenate([reach, [0.0]])
    left, right = occupied - np.where(left > 0, left, right), occupied + 1 + np.where(right > 0, right, left)
    left[1:] = np.maximum(left[1:], right[:-1])  # the gap beside a last spike may be narrower than its other one
    ends = np.stack([left, right], axis=1).ravel()
    reached = np.stack([np.cumsum(counts[occupied]) - counts[occupied], np.cumsum(counts[occupied])], axis=1).ravel()
    at_borders = np.interp(np.arange(counts.size + 1), ends, reached)
    spread = np.diff(at_borders)
    # Half of a pile on the end of the range lies beyond it.
    below = round(float(at_borders[0]))
    above = hist.n - hist.below - below - round(float(spread.sum()))
    return replace(hist, counts=spread, below=hist.below + below, above=above)


def _unsplit(hist: Histogram, density: F64, tops: list[int], dips: list[int]) -> None:
    """Merge two peaks that stand on either side of zero at like distances: one population, split by the scale.

    Noise around zero is one peak on a linear axis, and two on a logicle or asinh axis whose linear region is narrow.
    """
    if hist.zero is None:
        return
    zero = hist.position(hist.zero)
    i = next((i for i in range(len(dips)) if tops[i] < zero < tops[i + 1]), None)
    if i is not None and tops[i + 1] - zero <= 2 * (zero - tops[i]):
        lower = i if density[tops[i]] < density[tops[i + 1]] else i + 1
        del tops[lower], dips[i]


def _fast_size(n: int) -> int:
    return 1 << (n - 1).bit_length()


def _extrema(density: F64) -> tuple[list[int], list[int]]:
    """Return maxima and the minima between them; a flat stretch counts once, at its middle."""
    change = np.flatnonzero(np.diff(density) != 0)
    starts = np.concatenate([[0], change + 1])
    middles = (starts + np.concatenate([change, [density.size - 1]])) // 2
    levels = density[starts]
    padded = np.concatenate([[-np.inf], levels, [-np.inf]])
    is_top = (padded[1:-1] > padded[:-2]) & (padded[1:-1] > padded[2:])
    tops = np.flatnonzero(is_top)
    dips = [int(middles[a + int(np.argmin(levels[a:b]))]) for a, b in pairwise(tops)]
    return [int(middles[i]) for i in tops], dips


def _saddles(density: F64, tops: list[int], dips: list[int]) -> tuple[F64, F64, NDArray[np.intp]]:
    """Return every peak's height, the density of the higher of its two dips, and which dip that is."""
    heights, depths = density[tops], density[dips]
    left, right = np.concatenate([[-np.inf], depths]), np.concatenate([depths, [-np.inf]])
    place = np.arange(len(tops))
    return heights, np.maximum(left, right), np.where(left >= right, place - 1, place)
