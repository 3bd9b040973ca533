"""Limits of blank, of detection and of quantification, from what blanks hold of a population.

A blank is a tube that should hold none of it. Its events are scaled to the events of the tube that is judged, so that
all limits are counts of that tube:

- limit of blank (LOB): the 95th percentile of what background alone counts. Poisson; negative binomial where blanks
  differ by more than counting (variance over mean above 1.5); and never below the blanks' own 95th percentile where
  these are many: 20 at least, of 3 days and 2 lots at least. What blanks of their size leave open of their mean is in
  it (a gamma distribution about the count, Jeffreys' prior). With the mean taken as known, background alone would pass
  the limit in 12 of 100 tubes where one control of the tube's size shows it, and in 27 where that has a fifth of it.
- limit of detection (LOD): the smallest mean, background included, that is counted above the LOB in 95 of 100 tubes.
- limit of quantification (LLOQ): the smallest mean at which the net count (less the background, which is itself only
  known from blanks) has the CV that 50 events have without background, 14 %.

The floors of 20 and 50 events stand below all of it: blanks can only raise them. The three limits are those of CLSI
EP17-A2 in the practice of doi:10.1182/bloodadvances.2016003715; the rule for the LLOQ is this program's own choice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stromagate.errors import UsageError
from stromagate.model.detection import LLOQ_FLOOR_EVENTS, LOD_FLOOR_EVENTS, DetectionLimits, LimitsMethod
from stromagate.model.sample import F64

_PERCENTILE = 0.95
_MISS = 0.05
OVERDISPERSED = 1.5
"""Variance over mean of blanks above which they are taken for more different than counting makes them."""
MIN_DISPERSION_BLANKS = 3
"""Own choice: two blanks that differ tell next to nothing of how blanks differ."""
MIN_BLANKS, MIN_DAYS, MIN_LOTS = 20, 3, 2
_MOST_COUNTS = 20_000
"""Higher counts are looked at in groups, far narrower than the spread of such counts: a control of a handful of events
leaves a LOB of millions. Own choice."""


@dataclass(frozen=True, slots=True)
class Blank:
    """One blank: events that look like the population, of how many; the day and lot it stands for, empty if unknown."""

    count: int
    total: int
    day: str = ""
    lot: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """Background to expect in a tube.

    Attributes
    ----------
    mean : float
        Events.
    counted : int
        Events in all blanks together, from which this was scaled.
    scale : float
        Events of the tube per event of all blanks together: above 1 the blanks are smaller than the tube.
    dispersion : float or None
        Variance over mean of the blanks; None where there are too few, or no events.
    spread : float
        Squared CV by which blanks differ beyond counting; 0 unless over-dispersed.
    n : int
        Number of blanks.
    """

    mean: float
    counted: int
    scale: float
    dispersion: float | None
    spread: float
    n: int


def expect(blanks: Sequence[Blank], total: int) -> Expected | None:
    """Return the background that blanks let expect in a tube; None where they hold no events at all.

    Parameters
    ----------
    blanks : sequence of Blank
        All of one kind.
    total : int
        Events of the tube, counted where the blanks' totals were.

    Raises
    ------
    UsageError
        Impossible counts.
    """
    if any(not 0 <= blank.count <= blank.total for blank in blanks) or total < 0:
        raise UsageError(
            "quantify.blanks",
            "a blank has more events of a population than events at all, or fewer than none",
            hint="every count must be between 0 and its total",
        )
    counted, of = sum(blank.count for blank in blanks), sum(blank.total for blank in blanks)
    if not of:
        return None
    used = [blank for blank in blanks if blank.total]
    means = np.array([counted * blank.total / of for blank in used])
    off = np.array([blank.count for blank in used]) - means
    dispersion, spread = None, 0.0
    if len(used) >= MIN_DISPERSION_BLANKS and counted:
        dispersion = float(np.sum(off**2 / means)) / (len(used) - 1)
        if dispersion > OVERDISPERSED:
            beyond = len(used) / (len(used) - 1) * float(np.sum(off**2)) - counted
            spread = max(0.0, beyond / float(np.sum(means**2)))
    return Expected(counted * total / of, counted, total / of, dispersion, spread, len(used))


def predicted(expected: Expected) -> tuple[float, float]:
    """Return mean and squared CV of the background of one tube when its mean is only known from blanks.

    Half an event is added to the blanks' count (Jeffreys' prior); the squared CV is that of their mean and of how they
    differ. It nears the mean and the blanks' own spread where these hold many events.
    """
    events = expected.counted + 0.5
    return events * expected.scale, 1 / events + expected.spread * (1 + 1 / expected.n)


def limit_of_blank(mean: float, spread: float = 0.0) -> int:
    """Return the 95th percentile of a background.

    Parameters
    ----------
    mean : float
        Expected events.
    spread : float
        Squared CV beyond counting: 0 for Poisson, else negative binomial.

    Returns
    -------
    int
        The smallest count that background alone exceeds in no more than 5 of 100 tubes.
    """
    high = 1
    while _background_up_to(np.array([high]), mean, spread)[0] < _PERCENTILE:
        high *= 2
    low = -1
    while high - low > 1:
        middles = np.unique(np.linspace(low, high, 66).astype(np.int64)[1:-1])
        middles = middles[(middles > low) & (middles < high)]
        enough = _background_up_to(middles, mean, spread) >= _PERCENTILE
        low, high = int(max(middles[~enough], default=low)), int(min(middles[enough], default=high))
    return high


def limit_of_detection(lob: int, mean: float, spread: float = 0.0) -> float:
    """Return the smallest mean of a tube, background included, that stays at the LOB in no more than 5 of 100 tubes.

    Parameters
    ----------
    lob : int
        Limit of blank.
    mean, spread : float
        Of the background, as for `limit_of_blank`; what is detected is Poisson above it.
    """
    from scipy.special import gammaincc

    highest = np.unique(np.linspace(0, lob, min(lob, _MOST_COUNTS) + 1).astype(np.int64))
    chances = np.diff(_background_up_to(highest, mean, spread), prepend=0.0)
    counts = (np.concatenate([[0], highest[:-1] + 1]) + highest) / 2

    def missed(net: float) -> float:
        return float(np.sum(chances * gammaincc(lob - counts + 1.0, net)))

    return mean + _smallest(missed, _MISS)


def limit_of_quantification(expected: Expected) -> float:
    """Return the smallest mean, background included, at which the net count has a CV of no more than 14 %.

    The net count's variance is that of the tube's own events, what blanks differ by, and what they leave open of their
    mean: 50 events without any background.
    """
    mean = expected.mean
    blanks = mean * expected.scale + expected.spread * mean**2 * (1 + 1 / max(expected.n, 1))
    half = LLOQ_FLOOR_EVENTS / 2
    return mean + half + math.sqrt(half**2 + LLOQ_FLOOR_EVENTS * (mean + blanks))


def percentile_of_blanks(blanks: Sequence[Blank], total: int) -> float | None:
    """Return the blanks' own 95th percentile in events of a tube; None where they are too few, or too much alike.

    The rank is ``0.5 + 0.95 n``, with a straight line between neighbours.
    """
    rates = sorted(blank.count * total / blank.total for blank in blanks if blank.total)
    days, lots = ({getattr(blank, key) for blank in blanks} - {""} for key in ("day", "lot"))
    if len(rates) < MIN_BLANKS or len(days) < MIN_DAYS or len(lots) < MIN_LOTS:
        return None
    return float(np.interp(0.5 + _PERCENTILE * len(rates), np.arange(1, len(rates) + 1), rates))


def limits(population: str, blanks: Sequence[Blank], total: int, source: str = "") -> DetectionLimits:
    """Return the limits that blanks of one kind set for a population of a tube, the floors below them.

    Parameters
    ----------
    population : str
        What is counted.
    blanks : sequence of Blank
        Of one kind; without any, or without events, the floors alone are returned.
    total : int
        Events of the tube, counted where the blanks' totals were.
    source : str
        Role of the controls.
    """
    expected = expect(blanks, total)
    if expected is None:
        return DetectionLimits(
            population=population, lob_events=0, lod_events=LOD_FLOOR_EVENTS, lloq_events=LLOQ_FLOOR_EVENTS
        )
    lob = limit_of_blank(*predicted(expected))
    method: LimitsMethod = "negative binomial" if expected.spread else "Poisson"
    own = percentile_of_blanks(blanks, total)
    if own is not None and math.floor(own) >= lob:
        lob, method = math.floor(own), "non-parametric"
    lod = max(LOD_FLOOR_EVENTS, limit_of_detection(lob, expected.mean, expected.spread))
    return DetectionLimits(
        population=population,
        lob_events=lob,
        lod_events=_settled(lod),
        lloq_events=_settled(max(limit_of_quantification(expected), lod)),
        blank_events=_settled(expected.mean),
        method=method,
        source=source,
        n_blanks=expected.n,
    )


def strictest(found: Iterable[DetectionLimits]) -> DetectionLimits:
    """Return the limits with the highest LOB, then LLOQ: whatever background is known counts, and none is left out."""
    return max(found, key=lambda each: (each.lob_events, each.lloq_events, each.method != "floors"))


def _background_up_to(counts: NDArray[np.int64], mean: float, spread: float) -> F64:
    """Return the chances that background alone counts no more than so many events, counts from 0 on, shape (n,)."""
    from scipy.special import betainc, gammaincc

    if mean == 0:
        return np.ones(len(counts))
    if spread == 0:
        return np.asarray(gammaincc(counts + 1.0, mean), dtype=np.float64)
    size = 1 / spread
    return np.asarray(betainc(size, counts + 1.0, size / (size + mean)), dtype=np.float64)


def _smallest(missed: Callable[[float], float], chance: float) -> float:
    """Return where a falling chance comes down to a given one, to twelve digits; 0 where it is below from the start."""
    if missed(0.0) <= chance:
        return 0.0
    low, high = 0.0, 1.0
    while missed(high) > chance:
        low, high = high, 2 * high
    while high - low > 1e-13 * high:
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        low, high = (middle, high) if missed(middle) > chance else (low, middle)
    return high


def _settled(value: float) -> float:
    """Return a limit to ten digits: beyond those the chances may differ between machines."""
    return float(f"{value:.10g}")
