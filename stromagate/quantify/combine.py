"""Counting and boundary together: what redrawn boundaries do to a number, and one interval from both errors.

Both are looked at on the scale where they are nearly symmetrical: the logarithm of a count or a ratio, the log odds of
a share, half an event added so that zero has its place. There the effect of the boundary is a two-piece normal
distribution about the number: its spread on either side is the root mean square of the draws on that side, which a
hundred draws give within a tenth, where their outermost quantiles would wander more. Counting (its exact limits) and
boundary are then put together side by side, as the root of the summed squares of their distances from the number (Zou
and Donner, doi:10.1002/sim.3095). So the interval is never narrower than counting alone, and the very same where no
boundary matters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stromagate.errors import UsageError
from stromagate.model.sample import F64
from stromagate.quantify.intervals import check_confidence, normal_quantile, settled

Kind = Literal["count", "share", "ratio"]
Draws = NDArray[np.int64]
Limits = tuple[float, float | None]

_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Limits of one number: of counting, of the boundary (None where none decides about it), and of both together."""

    counting: Limits
    boundary: Limits | None
    both: Limits


def uncertainty(
    kind: Kind, count: int, total: int, counting: Limits, draws: tuple[Draws, Draws] | None, confidence: float
) -> Uncertainty:
    """Return the limits of a count, share or ratio.

    Parameters
    ----------
    kind : {"count", "share", "ratio"}
        A count by itself (``total`` is 1 throughout), a share of events of which it is a part, or a ratio to others.
    count, total : int
        Events of the population and of what it is divided by; ``total`` at least 1.
    counting : tuple of float
        Limits of counting, in units of ``count / total``; the upper one may be None (nothing bounds it).
    draws : pair of ndarray of int64, shape (n_draws,), or None
        Both numbers on redrawn boundaries, of the same replay at the same place; None where no boundary decides.
    confidence : float
        Level of the limits, between 0 and 1.

    Returns
    -------
    Uncertainty
        In units of ``count / total``.

    Raises
    ------
    UsageError
        An impossible confidence, nothing to divide by, or a share of which the part is more than the whole.
    """
    check_confidence(confidence)
    _check(kind, count, total, draws)
    if draws is None:
        return Uncertainty(counting, None, counting)
    counts, totals = draws
    if not totals.all():  # a replay without denominator bounds nothing
        open_: Limits = (0.0, 1.0 if kind == "share" else None)
        return Uncertainty(counting, open_, open_)
    here = float(_place(kind, np.array([count]), np.array([total]))[0])
    away = _place(kind, counts, totals) - here
    z = normal_quantile(confidence)
    reach = tuple(
        z * math.sqrt(2 * float(np.mean(np.square(side)))) for side in (np.minimum(away, 0), np.maximum(away, 0))
    )
    value = count / total
    if reach == (0.0, 0.0):
        return Uncertainty(counting, (value, value), counting)
    low, high = (_value(kind, here + away, total) for away in (-reach[0], reach[1]))
    return Uncertainty(counting, (min(low, value), max(high, value)), _both(kind, total, here, counting, reach))


def with_fixed(drawn: Draws | None, count: int, others: Draws | None, total: int) -> tuple[Draws, Draws] | None:
    """Return two numbers on redrawn boundaries, one that no boundary decides about the same in each; None for two such.

    Parameters
    ----------
    drawn, others : ndarray of int64, shape (n_draws,), or None
        Events of either population in each redraw; None where no estimated boundary decides about it.
    count, total : int
        Their events on the boundaries as they are.
    """
    either = others if drawn is None else drawn
    if either is None:
        return None
    counts = np.full(either.shape, count, dtype=np.int64) if drawn is None else drawn
    return counts, np.full(either.shape, total, dtype=np.int64) if others is None else others


def limits_by_field(found: Uncertainty | None, per: int) -> dict[str, float | None]:
    """Return the six limits of a `Statistic` by field, ``per`` times as large; none where there is nothing."""
    pairs = {} if found is None else {"ci": found.both, "counting": found.counting, "boundary": found.boundary}
    limits: dict[str, float | None] = {}
    for name, pair in pairs.items():
        for side, limit in zip(("low", "high"), pair or (None, None), strict=True):
            limits[f"{name}_{side}"] = None if limit is None else settled(per * limit)
    return limits


def difference(one: float, one_limits: Limits, other: float, other_limits: Limits) -> Limits:
    """Return the limits of a difference of two independent numbers from the limits of each (MOVER).

    Parameters
    ----------
    one, other : float
        The numbers, in one unit.
    one_limits, other_limits : tuple of float
        Their limits at one level of confidence; an upper one may be None (nothing bounds it).

    Returns
    -------
    tuple of float
        Limits of ``one - other`` (doi:10.1002/sim.3095). The upper one is None where that of ``one`` is, and the lower
        one minus infinity where that of ``other`` is None.
    """
    low, high = one_limits
    other_low, other_high = other_limits
    down = math.inf if other_high is None else math.hypot(one - low, other_high - other)
    up = None if high is None else math.hypot(high - one, other - other_low)
    return one - other - down, None if up is None else one - other + up


def ratio(one: float, one_limits: Limits, other: float, other_limits: Limits) -> Limits:
    """Return the limits of a ratio of two independent numbers from the limits of each (MOVER-R).

    Parameters
    ----------
    one, other : float
        The numbers, in one unit; ``one`` not below zero, ``other`` above.
    one_limits, other_limits : tuple of float
        Their limits at one level of confidence, none below zero; an upper one may be None (nothing bounds it).

    Returns
    -------
    tuple of float
        Limits of ``one / other`` (doi:10.1177/0962280213502144). The lower one is zero where nothing bounds ``other``
        from above, the upper one None where nothing bounds ``one`` or where ``other`` may be zero.
    """
    (low, high), (other_low, other_high) = one_limits, other_limits
    product = one * other
    down = 0.0
    if other_high is not None and low > 0:
        # The published root, its fraction turned over: so it needs no case for limits where the denominator vanishes.
        mine, theirs = low * (2 * one - low), other_high * (2 * other - other_high)
        down = mine / (product + math.sqrt(max(product**2 - mine * theirs, 0.0)))
    if high is None or other_low <= 0:
        return down, None
    mine, theirs = high * (2 * one - high), other_low * (2 * other - other_low)
    return down, (product + math.sqrt(max(product**2 - mine * theirs, 0.0))) / theirs


def _both(kind: Kind, total: int, here: float, counting: Limits, reach: tuple[float, ...]) -> Limits:
    """Put the two distances of either side together; a side on which no boundary matters is counting's own."""
    low, high = counting
    if reach[0] > 0:
        low = min(low, _value(kind, here - math.hypot(here - _limit(kind, low, total), reach[0]), total))
    if high is not None and reach[1] > 0:
        high = max(high, _value(kind, here + math.hypot(_limit(kind, high, total) - here, reach[1]), total))
    return low, high


def _place(kind: Kind, counts: NDArray[np.integer], totals: NDArray[np.integer]) -> F64:
    """Return numbers on the scale where errors are nearly symmetrical."""
    others = {"count": np.full(counts.shape, _HALF), "share": totals - counts, "ratio": totals}[kind]
    return np.asarray(np.log((counts + _HALF) / (others + _HALF)), dtype=np.float64)


def _limit(kind: Kind, value: float, total: int) -> float:
    """Return a value on that scale, its denominator being what it is."""
    events = value * total
    others = {"count": _HALF, "share": max(total - events, 0.0), "ratio": float(total)}[kind]
    return math.log((events + _HALF) / (others + _HALF))


def _value(kind: Kind, place: float, total: int) -> float:
    """Return the value at a place of that scale, its denominator being what it is; never below zero events."""
    odds = math.exp(place)
    if kind == "share":
        return min(max(((total + 1) * odds / (1 + odds) - _HALF) / total, 0.0), 1.0)
    others = 1.0 if kind == "count" else total + _HALF
    return max(odds * others - _HALF, 0.0) / (1 if kind == "count" else total)


def _check(kind: Kind, count: int, total: int, draws: tuple[Draws, Draws] | None) -> None:
    redrawn = kind == "share" and draws is not None and bool(np.any(draws[0] > draws[1]))
    if total < 1 or count < 0 or (kind == "share" and count > total) or redrawn:
        where = ", by a redraw that holds more of the part than of the whole" if redrawn else ""
        raise UsageError(
            "quantify.counts",
            f"no limits can be given of a {kind} of {count} and {total} events{where}",
            hint="the total must be at least 1, and a share be counted among the events that it is a share of",
        )
