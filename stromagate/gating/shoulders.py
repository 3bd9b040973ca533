"""The shoulder beside a negative peak: where the density stops falling as the negative falls.

Read off the logarithm of the density, in deviations of the negative: neither the height of the peak nor the units of
the axis play a part. Where another hump rises beyond the negative, the cut is the lowest place before it; where none
does, the place where the fall slows down most. There may be neither, and then there is no cut.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from stromagate.gating.density import Histogram, bandwidth, peaks, refine, resampled, smooth
from stromagate.gating.tails import Negative, TailRule, beyond_mirror, find_negative, turned, turned_rule
from stromagate.gating.valleys import bottom
from stromagate.model.sample import F64

NEAREST_MADS = 2.0
"""Nearer to a negative than this many deviations no cut parts anything from it."""
WIDTH = 0.5
"""Smoothing in deviations of the negative: a normal peak widens by an eighth, and ten events make a hump."""
HUMP_DEPTH = 0.9
FEWEST_EVENTS = 10.0
"""Within one smoothing width; where fewer are, the density's slope is not known."""
SLOWING = 0.5
"""Of the fall per deviation: a normal peak's own fall steepens by 0.8 a deviation and never slows down."""
SURE = 4.0


@dataclass(frozen=True, slots=True)
class Shoulder:
    """A cut beside a negative peak (axis units).

    ``hump`` is where another peak lies beyond it, None for a shoulder; ``mirrored`` is how many events lie as far from
    the negative on its other side.
    """

    cut: float
    spread: float
    peak: float
    scale: float
    mirrored: int
    hump: float | None


@dataclass(frozen=True, slots=True)
class _Found:
    """Where the cut is, between which bins it may move, and the hump beyond (bins)."""

    position: float
    start: int
    stop: int
    hump: float | None


def find_shoulder(hist: Histogram, rule: TailRule, rng: Generator) -> Shoulder | str:
    """Find the lowest place or the shoulder beyond a negative peak, or say in a few words why there is none.

    Parameters
    ----------
    hist : Histogram
        The axis, in its own units.
    rule : TailRule
        Which peak and which side; ``mads`` is how near to the peak the cut may lie.
    rng : Generator
        For the bootstrap of the histogram.
    """
    if rule.side == "below":
        found = find_shoulder(turned(hist), turned_rule(rule), rng)
        if isinstance(found, str):
            return found
        return replace(found, cut=-found.cut, peak=-found.peak, hump=None if found.hump is None else -found.hump)
    negative = find_negative(hist, rule)
    if isinstance(negative, str):
        return negative
    sigma = max(bandwidth(hist), WIDTH * negative.scale)
    hist = _with_room(hist, sigma)
    density = smooth(hist.counts, sigma)
    place = _hump(hist, density, sigma, negative, rule) or _slowing(density, sigma, negative, rule)
    if place is None:
        return "the density falls away without a valley or a shoulder"
    return Shoulder(
        cut=hist.value(place.position),
        spread=_spread(hist, sigma, negative, place, rng) * hist.width,
        peak=hist.value(negative.peak.position),
        scale=negative.scale * hist.width,
        mirrored=int(beyond_mirror(hist, negative.peak, place.position - negative.peak.position)),
        hump=None if place.hump is None else hist.value(place.hump),
    )


def _with_room(hist: Histogram, sigma: float) -> Histogram:
    """Return the histogram with empty bins above: reflected at the last event, every density would stop falling."""
    return replace(hist, counts=np.concatenate([hist.counts, np.zeros(int(np.ceil(5 * sigma)))]))


def _hump(hist: Histogram, density: F64, sigma: float, negative: Negative, rule: TailRule) -> _Found | None:
    """Return the lowest place before the next peak beyond the negative."""
    top = negative.peak.position
    found = peaks(hist, density, sigma, min_peak_frac=0.0, max_depth=HUMP_DEPTH)
    beyond = [peak for peak in found if peak.position > top + rule.mads * negative.scale]
    if not beyond:
        return None
    start, stop = round(top + rule.mads * negative.scale), round(beyond[0].position) + 1
    if stop - start < 3:
        return None
    return _Found(start + bottom(density[start:stop], sigma), start, stop, beyond[0].position)


def _slowing(density: F64, sigma: float, negative: Negative, rule: TailRule) -> _Found | None:
    """Return where the fall of the logarithm slows down most, if it does by more than counting noise."""
    start = round(negative.peak.position + max(rule.mads - 1, 1.0) * negative.scale)
    enough = density[start:] * sigma >= FEWEST_EVENTS
    stop = start + (int(np.argmin(enough)) if not enough.all() else enough.size)
    if stop - start < 3:
        return None
    fall = _fall(density[start:stop], negative.scale)
    error = _error(density[start:stop], sigma, negative.scale)
    steepest = np.maximum.accumulate(fall - SURE * error / 2)
    slowed = steepest - (fall + SURE * error / 2)
    if slowed.max() < SLOWING:
        return None
    last = int(np.argmax(slowed > SLOWING))
    first = int(np.argmax(fall[: last + 1]))
    while last + 1 < fall.size and fall[last + 1] < fall[last]:
        last += 1
    position = _knee(fall[first : last + 1]) + start + first
    return None if position < start else _Found(position, start + first, start + last + 1, None)


def _fall(density: F64, scale: float) -> F64:
    """Return how much the logarithm of the density falls per deviation of the negative, shape as given."""
    return np.asarray(-np.gradient(np.log(density)) * scale)


def _error(density: F64, sigma: float, scale: float) -> F64:
    """Return the counting error of the fall: that of the derivative of a Gaussian kernel over the density."""
    return np.asarray(scale / sigma * np.sqrt(1 / (4 * np.sqrt(np.pi) * sigma * density)))


def _knee(fall: F64) -> float:
    """Return where a fall slows down most."""
    if fall.size < 3:
        return (fall.size - 1) / 2
    slowing = -np.gradient(fall)
    return refine(slowing, int(np.argmax(slowing)))


def _spread(hist: Histogram, sigma: float, negative: Negative, place: _Found, rng: Generator) -> float:
    """Return the standard deviation of the cut in bins over resampled histograms."""
    positions = []
    for density in smooth(resampled(hist, rng), sigma):
        part = density[place.start : place.stop]
        if place.hump is not None:
            positions.append(bottom(part, sigma))
        else:
            positions.append(_knee(_fall(np.maximum(part, 1e-9), negative.scale)))
    return float(np.std(positions, ddof=1))
