"""The cut beyond the tail of a negative peak, whose width is measured on the side where no positives are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from stromagate.gating.density import Histogram, Peak, bandwidth, peaks, refine, resampled, smooth
from stromagate.model.gates import Side
from stromagate.model.sample import F64

Which = Literal["dominant", "lowest", "highest"]
HALF_NORMAL_MEDIAN = 0.674490  # median distance from the middle of a normal distribution, in standard deviations
TOP_BANDWIDTH = 0.3  # of the peak's standard deviation
_TURNED: dict[Which, Which] = {"dominant": "dominant", "lowest": "highest", "highest": "lowest"}


@dataclass(frozen=True, slots=True)
class TailRule:
    """How a tail is cut: which peak is the negative, how far from it, and on which side (axis units).

    ``false_per_million`` moves the cut further out until no more than that many of a million events lie as far away
    on the peak's other side. ``allow_skew`` multiplies the deviation by how much wider the peak is on the cut's side.
    """

    mads: float
    negative: Which = "dominant"
    side: Side = "above"
    search: tuple[float, float] | None = None
    min_peak_frac: float = 0.01
    false_per_million: float | None = None
    allow_skew: bool = False


@dataclass(frozen=True, slots=True)
class Tail:
    """A cut beside a negative peak (axis units).

    ``mirrored`` is how many events lie as far from the peak on its other side: what the negative alone puts beyond
    the cut if it is symmetrical. ``one_sided``: that other side was empty, and the cut's own side gave the width.
    ``skew`` is the peak's width at half its height on the side of the cut over that on the other side.
    """

    cut: float
    spread: float
    peak: float
    scale: float
    mirrored: int
    n_peaks: int
    one_sided: bool
    skew: float


@dataclass(frozen=True, slots=True)
class Negative:
    """A negative peak in bins: ``scale`` is its standard deviation, ``sigma`` the smoothing its top was found with.

    ``body`` is 0 in bins that hold a pile of equal values, shape (bins,), and 1 elsewhere.
    """

    peak: Peak
    scale: float
    body: F64
    sigma: float
    one_sided: bool
    skew: float
    n_peaks: int


def find_tail(hist: Histogram, rule: TailRule, rng: Generator) -> Tail | str:
    """Find the negative peak, measure its width away from the positives, and cut beyond it; or say why not.

    Parameters
    ----------
    hist : Histogram
        The axis, in its own units.
    rule : TailRule
        Which peak, which side, how far.
    rng : Generator
        For the bootstrap of the histogram.
    """
    if rule.side == "below":
        tail = find_tail(turned(hist), turned_rule(rule), rng)
        return tail if isinstance(tail, str) else replace(tail, cut=-tail.cut, peak=-tail.peak)
    negative = find_negative(hist, rule)
    if isinstance(negative, str):
        return negative
    peak, scale = negative.peak, negative.scale
    wider = max(negative.skew, 1.0) if rule.allow_skew and not negative.one_sided else 1.0
    distance = max(rule.mads * scale * wider, _mirror_distance(hist, peak, rule.false_per_million))
    return Tail(
        cut=hist.value(peak.position + distance),
        # Where the mirror set the distance, it is redrawn as the same multiple of the width.
        spread=_spread(hist, negative, distance / scale, rng) * hist.width,
        peak=hist.value(peak.position),
        scale=scale * hist.width,
        mirrored=int(beyond_mirror(hist, peak, distance)),
        n_peaks=negative.n_peaks,
        one_sided=negative.one_sided,
        skew=negative.skew,
    )


def find_negative(hist: Histogram, rule: TailRule) -> Negative | str:
    """Find the negative peak of a cut above it, and its width away from the positives; or say why not.

    Parameters
    ----------
    hist : Histogram
        The axis, turned around where the cut is to lie below the peak (``turned``).
    rule : TailRule
        Which peak.
    """
    sigma = bandwidth(hist)
    density = smooth(hist.counts, sigma)
    found = peaks(hist, density, sigma, min_peak_frac=rule.min_peak_frac)
    low, high = rule.search or (-np.inf, np.inf)
    allowed = [peak for peak in found if low <= hist.value(peak.position) <= high]
    if not allowed:
        return "no peak lies in the searched range"
    peak = _negative(hist, allowed, rule.negative)
    body = np.where(_piles(hist.counts, peak), 0.0, 1.0)
    counts = hist.counts * body
    one_sided = _is_one_sided(counts, peak)
    # The top of a peak drawn finely wanders; the width takes part in it, and the cut multiplies the width.
    sigma = max(sigma, TOP_BANDWIDTH * _scale(counts, peak.position, peak, one_sided))
    density = smooth(hist.counts, sigma)
    peak = replace(peak, position=_top(density, peak))
    scale = _scale(counts, peak.position, peak, one_sided)
    if not scale > 0:
        return "the negative peak has no width"
    return Negative(peak, scale, body, sigma, one_sided, _skew(density, peak), len(found))


def turned(hist: Histogram) -> Histogram:
    """Return the histogram of the negated axis."""
    low = -(hist.low + hist.width * hist.counts.size)
    return Histogram(
        low, hist.width, hist.counts[::-1].copy(), hist.above, hist.below, None if hist.zero is None else -hist.zero
    )


def turned_rule(rule: TailRule) -> TailRule:
    """Return the rule for the negated axis, with its cut above the peak."""
    search = None if rule.search is None else (-rule.search[1], -rule.search[0])
    return replace(rule, side="above", negative=_TURNED[rule.negative], search=search)


def beyond_mirror(hist: Histogram, peak: Peak, distance: float) -> float:
    """Return how many events of the peak lie further than ``distance`` below its top."""
    mirror = peak.position - distance + 0.5  # as an edge: bin i spans i to i + 1
    start = float(hist.below) if peak.left == 0 else 0.0
    if mirror <= peak.left:
        return start
    whole = int(mirror)
    return start + float(hist.counts[peak.left : whole].sum() + hist.counts[whole] * (mirror - whole))


def _negative(hist: Histogram, found: list[Peak], which: Which) -> Peak:
    if which == "dominant":
        return max(found, key=lambda peak: hist.counts[peak.left : peak.right].sum())
    return found[0] if which == "lowest" else found[-1]


def _piles(counts: F64, peak: Peak) -> NDArray[np.bool_]:
    """Tell which bins of a peak hold a pile of equal values, as at the end of a range: it has no width to measure."""
    basin = counts[peak.left : peak.right]
    beside = np.convolve(basin, np.array([1.0, 1.0, 0.0, 1.0, 1.0]) / 4, mode="same")[: basin.size]
    piles = np.zeros(counts.size, dtype=bool)
    piles[peak.left : peak.right] = (basin > 0.02 * basin.sum()) & (basin > 5 * beside)
    return piles


def _is_one_sided(counts: F64, peak: Peak) -> bool:
    """Tell whether the peak has next to nothing on its lower side: values piled up on the end of the range."""
    outward, _ = _half(counts, peak.position, peak, lower=True)
    return bool(outward.sum() < 0.1 * counts[peak.left : peak.right].sum())


def _half(counts: F64, top: float, peak: Peak, *, lower: bool) -> tuple[F64, float]:
    """Return the counts of one side of the top, outward from it, and the part of a bin that the first one spans."""
    middle = round(top)
    outward = counts[peak.left : middle + 1][::-1].copy() if lower else counts[middle : peak.right].copy()
    part = 0.5 + (top - middle if lower else middle - top)
    outward[0] *= part
    return outward, part


def _scale(counts: F64, top: float, peak: Peak, one_sided: bool) -> float:
    """Return the standard deviation of the peak in bins, from the median distance to its top on one side."""
    outward, part = _half(counts, top, peak, lower=not one_sided)
    cumulated = np.cumsum(outward)
    half = cumulated[-1] / 2
    if not half > 0:
        return 0.0
    i = int(np.searchsorted(cumulated, half))
    inside = 1 - (cumulated[i] - half) / outward[i]
    return float(inside * part if i == 0 else part + i - 1 + inside) / HALF_NORMAL_MEDIAN


def _skew(density: F64, peak: Peak) -> float:
    """Return how much wider the peak is above its top than below, at half its height."""
    top = round(peak.position)
    low = density[: top + 1][::-1] < density[top] / 2
    high = density[top:] < density[top] / 2
    below = int(np.argmax(low)) if low.any() else top + 1
    above = int(np.argmax(high)) if high.any() else density.size - top
    return above / max(below, 1)


def _top(density: F64, peak: Peak) -> float:
    return refine(density, peak.left + int(np.argmax(density[peak.left : peak.right])))


def _spread(hist: Histogram, negative: Negative, multiple: float, rng: Generator) -> float:
    """Return the standard deviation of the cut in bins over resampled histograms."""
    draws, peak = resampled(hist, rng), negative.peak
    densities = smooth(draws, negative.sigma)
    cuts = []
    for counts, density in zip(draws, densities, strict=True):
        top = _top(density, peak)
        cuts.append(top + multiple * _scale(counts * negative.body, top, peak, negative.one_sided))
    return float(np.std(cuts, ddof=1))


def _mirror_distance(hist: Histogram, peak: Peak, false_per_million: float | None) -> float:
    """Return how far from the top no more than the allowed share of all events lies on its lower side, in bins."""
    if false_per_million is None:
        return 0.0
    allowed = false_per_million * hist.n / 1e6
    start = float(hist.below) if peak.left == 0 else 0.0
    cumulated = start + np.cumsum(hist.counts[peak.left : round(peak.position) + 1])
    first = peak.left + int(np.searchsorted(cumulated, allowed, side="right"))
    return max(peak.position - (first - 0.5), 0.0)
