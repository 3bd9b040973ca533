"""Acquisition over time: parted into stretches, and which of them leave the usual flow rate or the usual signals.

Signals are judged by shares: how many events of a stretch lie above the tube's own quartiles. That needs no scale, and
a marker with two populations is no special case.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stromagate.model.sample import F32, F64

Flags = NDArray[np.bool_]
EVENTS_A_STRETCH = 500
FEWEST_STRETCHES, MOST_STRETCHES = 50, 400
SAMPLED = 600  # events of a stretch whose signals are looked at: a share is known to 0.02
FEWEST_SAMPLED = 30
RATE_FACTOR = 1.5  # a smaller change of the flow rate harms nothing
SHARE_STEP = 0.10  # smallest change of a share that counts: about a quarter of a population's width


@dataclass(frozen=True, slots=True)
class Stretches:
    """Borders (n + 1, axis units) of equal stretches of time, events in each, and the stretch of every event."""

    borders: F64
    counts: F64
    of_event: NDArray[np.intp]


def part(time: F32, wanted: int | None) -> Stretches | None:
    """Part finite times into stretches whose borders lie between clock ticks; None where that gives fewer than ten.

    Parameters
    ----------
    time : ndarray of float32, shape (n,), axis units
        Finite, in order of acquisition.
    wanted : int, optional
        Number of stretches; by default of about 500 events each, 50 to 400.
    """
    first, last = float(time.min()), float(time.max())
    if not first < last:
        return None
    number = wanted or int(np.clip(time.size // EVENTS_A_STRETCH, FEWEST_STRETCHES, MOST_STRETCHES))
    tick = _tick(time, first, last)
    width = (last - first + tick) / number
    if width < 200 * tick:
        # A stretch with one tick more than its neighbour would look like a surge.
        width = max(np.ceil(width / tick), 1) * tick
    number = int(np.ceil((last - first + tick) / width - 1e-6))
    borders = first - tick / 2 + width * np.arange(number + 1, dtype=np.float64)
    end = max(last + tick / 2, float(np.nextafter(np.float32(last), np.float32(np.inf))))
    if number > 1 and end - borders[-2] < width / 2:
        borders = np.delete(borders, -2)
    borders[-1] = end
    if borders.size < 11:
        return None
    of_event = np.minimum((time.astype(np.float64) - borders[0]) / width, borders.size - 2).astype(np.intp)
    return Stretches(borders, np.bincount(of_event, minlength=borders.size - 1).astype(np.float64), of_event)


def runs_backwards(time: F32) -> bool:
    """Tell whether more than one event in a thousand is clearly earlier than one acquired before it."""
    span = float(time.max()) - float(time.min())
    back = np.maximum.accumulate(time).astype(np.float64) - time
    return bool(np.mean(back > 0.02 * span) > 0.001)


def unsteady_rate(stretches: Stretches, mads: float) -> tuple[Flags, F64]:
    """Return which stretches have an unusual flow rate, and every rate over the usual one around it."""
    rate = np.log((stretches.counts + 0.5) / np.diff(stretches.borders))
    filled = stretches.counts > 0
    level = _running_median(np.where(filled, rate, np.median(rate[filled])))
    deviation = rate - level
    # Counting alone scatters a rate by one over the root of the count.
    scatter = max(_mad(deviation[filled]), float(1 / np.sqrt(np.median(stretches.counts[filled]))))
    return np.abs(deviation) > max(mads * scatter, np.log(RATE_FACTOR)), np.exp(deviation)


def unsteady_signal(stretches: Stretches, signal: F32, mads: float) -> Flags:
    """Return in which stretches the shares of events above the tube's quartiles are unusual.

    Parameters
    ----------
    stretches : Stretches
        As parted.
    signal : ndarray of float32, shape (n,), any monotone units
        Signal of the same events; NaN and infinities are left out.
    mads : float
        Robust deviations that count as unusual.
    """
    n = stretches.counts.size
    step = max(1, signal.size // (n * SAMPLED))
    values, place = signal[::step], stretches.of_event[::step]
    usable = np.isfinite(values)
    values, place = values[usable], place[usable]
    looked_at = np.bincount(place, minlength=n)
    enough = looked_at >= FEWEST_SAMPLED
    flags = np.zeros(n, dtype=bool)
    if enough.sum() < n / 2:
        return flags
    for border in np.quantile(values, (0.25, 0.5, 0.75)):
        shares = np.bincount(place[values > border], minlength=n) / np.maximum(looked_at, 1)
        usual = float(np.median(shares[enough]))
        counting = np.sqrt(max(usual * (1 - usual), 0.01) / np.maximum(looked_at, 1))
        scatter = np.maximum(_mad(shares[enough] - usual), counting)
        flags |= enough & (np.abs(shares - usual) > np.maximum(mads * scatter, SHARE_STEP))
    return flags


def lasting(flags: Flags, min_run: int) -> Flags:
    """Return the unsteady runs: gaps of up to two closed, shorter ones left out, one stretch added on either side."""
    closed = flags.copy()
    for start, stop in runs(~flags):
        if stop - start <= 2 and start > 0 and stop < flags.size:
            closed[start:stop] = True
    kept = np.zeros_like(flags)
    for start, stop in runs(closed):
        if flags[start:stop].sum() >= min_run:
            kept[max(start - 1, 0) : stop + 1] = True
    for start, stop in runs(~kept):
        if stop - start <= 2:  # too short to be judged, at an end or between two cuts
            kept[start:stop] = True
    return kept


def runs(flags: Flags) -> list[tuple[int, int]]:
    """Return start and stop of every run of true flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def _tick(time: F32, first: float, last: float) -> float:
    """Return the step of the clock, or a rounding error's worth where times are continuous."""
    steps = np.diff(time)
    steps = steps[steps > 0]
    tick = float(np.quantile(steps, 0.05)) if steps.size else last - first
    return (last - first) / max(round((last - first) / tick), 1)


def _running_median(values: F64) -> F64:
    window = min(max(21, values.size // 4) | 1, (values.size - 1) | 1)
    medians = np.median(np.lib.stride_tricks.sliding_window_view(values, window), axis=1)
    # The ends take the window next to them: one mirrored at the end would hold a clog there twice.
    return np.asarray(medians[np.clip(np.arange(values.size) - window // 2, 0, medians.size - 1)])


def _mad(values: F64) -> float:
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))
