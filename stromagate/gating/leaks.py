"""Where negatives end: the value that so many events of a control reach, and what that value is in another tube."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stromagate.gating.controls import below, quantiles
from stromagate.gating.method import PopulationView
from stromagate.model.controls import Distribution
from stromagate.model.sample import F64

SEEN_EVENTS = 10
"""Down to so many events beyond it, a value is read off the events; further out, off a tail fitted to the last ones."""

FITTED_EVENTS = 50
"""Events whose mean distance beyond the first of them is the tail's: uncertain by 14 %."""

SCARCE_EVENTS = 100 * FITTED_EVENTS
"""Below so many events the last `FITTED_EVENTS` are more than one in a hundred: a negative's flank, not its tail."""

FLANK_FRAC = 0.1
"""Part of scarce events that lies on the flank a normal distribution is laid through."""

_DECILES = tuple(part / 10 for part in range(1, 10))
LOWER, UPPER = 0.158655, 0.841345  # shares of a normal distribution below one deviation under and over its middle


@dataclass(frozen=True, slots=True)
class Match:
    """How the negative of a tube differs from that of its controls (linear units): ``cut`` is where theirs moves to."""

    shift: float
    stretch: float
    cut: float


def reached_by(of: Distribution, n_events: float, view: PopulationView, axis: str) -> float:
    """Return the linear value at or beyond which ``n_events`` lie; the fewer, the further out.

    Below `SEEN_EVENTS` the tail is taken to fall off exponentially in display units, as the last `FITTED_EVENTS` do: a
    log-normal one falls off faster, so that the value errs to the outside. Of fewer than `SCARCE_EVENTS` these last
    ones are a wide piece, and it would err by half a decade and more; there the tail is taken to reach no further than
    that of a normal distribution in display units that has the same flank.
    """
    drawn = of.weights > 0
    values, counts = of.values[drawn][::-1].astype(np.float64), np.cumsum(of.weights[drawn][::-1])
    seen = min(float(SEEN_EVENTS), float(counts[-1]) / 2)
    at = float(np.interp(max(n_events, seen), counts, values))
    if n_events >= seen:
        return at
    last = view.to_display(axis, at)
    reached = last + _fall(values, counts, view, axis) * math.log(seen / n_events)
    flank = _by_flank(of, n_events, view, axis)
    return view.to_linear(axis, reached if flank is None else max(last, min(reached, flank)))


def matched(control: Distribution, tube: Distribution, cut: float) -> Match | None:
    """Return where a cut of a control's negative lies on the negative of a tube, never further in.

    An antibody that was left out leaves no unspecific binding either: the negative it would have stained lies lower
    and is narrower than the tube's. Both are measured by their middle and by either half without what lies beyond the
    cut; the half that grew more decides, because what sticks is skewed.

    Parameters
    ----------
    control, tube : Distribution
        The same population in both.
    cut : float, linear units
        Where the control's negative ends.

    Returns
    -------
    Match or None
        None where one of the negatives has no width.
    """
    there = _middle_and_widths(below(control, cut))
    moved = Match(0.0, 1.0, cut)
    # What lies beyond the cut is no negative; three rounds settle it, because the cut moves by parts of a width.
    for _ in range(3):
        here = _middle_and_widths(below(tube, moved.cut))
        if not all(width > 0 for width in (*there[1:], *here[1:])):
            return None
        shift, stretch = here[0] - there[0], max(here[1] / there[1], here[2] / there[2])
        moved = Match(shift, stretch, max(cut, here[0] + (cut - there[0]) * stretch))
    return moved


def own_reach(of: Distribution, false_frac: float) -> float:
    """Return the value that a share of few events' own glow reaches, from their middle and spread (linear units).

    Autofluorescence is log-normal, and two or three dozen cells know their middle and their spread far better than
    their ninety-ninth percentile. Both come from the straight line through nine of their quantiles, which a few strays
    on either side do not move; where the lowest of these is not above zero, from the line on linear values.
    """
    from scipy.special import ndtri

    deciles = quantiles(of, _DECILES)
    scores, wanted = ndtri(_DECILES), float(ndtri(1 - false_frac))
    values = np.log(deciles) if deciles[0] > 0 else deciles
    # The scores lie symmetrically about zero, so the line's height there is the mean and its slope a plain product.
    reached = float(values.mean() + wanted * (scores @ values) / (scores @ scores))
    return math.exp(reached) if deciles[0] > 0 else reached


def _by_flank(of: Distribution, n_events: float, view: PopulationView, axis: str) -> float | None:
    """Return the display value that ``n_events`` of a normal distribution with this flank reach.

    None where there are enough events to see the tail itself, or too few on the flank.
    """
    from scipy.special import ndtr, ndtri

    if of.n >= SCARCE_EVENTS or FLANK_FRAC * of.n < 2 * SEEN_EVENTS:
        return None
    scores = np.linspace(ndtri(1 - FLANK_FRAC), ndtri(1 - SEEN_EVENTS / of.n), 9)
    shown = np.array([view.to_display(axis, float(value)) for value in quantiles(of, tuple(ndtr(scores)))])
    apart = scores - scores.mean()
    # So many events know a slope no better than this, and what errs, errs to the outside.
    slope = float(apart @ shown / (apart @ apart)) * (1 + 1 / math.sqrt(FLANK_FRAC * of.n))
    return float(shown.mean() + slope * (ndtri(1 - n_events / of.n) - scores.mean()))


def _middle_and_widths(of: Distribution) -> tuple[float, float, float]:
    low, middle, high = (float(value) for value in quantiles(of, (LOWER, 0.5, UPPER)))
    return middle, middle - low, high - middle


def _fall(values: F64, counts: F64, view: PopulationView, axis: str) -> float:
    """Return the mean distance of the last events beyond the first of them, in display units."""
    last = int(np.searchsorted(counts, min(FITTED_EVENTS, counts[-1] / 2), side="right"))
    last = max(min(last, values.size - 1), 0)
    shown = np.array([view.to_display(axis, float(value)) for value in values[: last + 1]])
    weights = np.diff(np.concatenate([[0.0], counts[: last + 1]]))
    return float((shown - shown[last]) @ weights / weights.sum())
