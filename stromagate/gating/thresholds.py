"""From a cut on one axis to a fit: the half line that is kept, and the tail cut that two methods share."""

from __future__ import annotations

from typing import Annotated

from numpy.random import Generator
from pydantic import AfterValidator

from stromagate.gating.density import Histogram, finite, histogram
from stromagate.gating.method import Fit, PopulationView, not_evaluable
from stromagate.gating.tails import Tail, TailRule, find_tail
from stromagate.gating.wording import number, place
from stromagate.model.gates import Interval, Side

SKEWED = 1.25  # a gamma negative this skewed puts 2,000 of a million events beyond five deviations of its mirror
SKEW_EVENTS = 1000  # fewer tell nothing about it


def _rising(search: tuple[float, float]) -> tuple[float, float]:
    if not search[0] < search[1]:
        raise ValueError("`search` needs [low, high] with low below high")
    return search


SearchRange = Annotated[tuple[float, float], AfterValidator(_rising)]
"""A range of display units in which a method looks."""


def half_line(axis: str, cut: float, keep: Side) -> Interval:
    """Return the kept side of a cut; the cut itself counts as above."""
    return Interval(axis, cut, None) if keep == "above" else Interval(axis, None, cut)


def shown_zero(parent: PopulationView, axis: str) -> float | None:
    """Return where an axis with a linear region around zero shows 0; None on a linear axis."""
    return None if parent.scale(axis).kind == "linear" else parent.to_display(axis, 0.0)


def tail_fit(
    parent: PopulationView,
    axis: str,
    keep: Side,
    rule: TailRule,
    rng: Generator,
    *,
    hist: Histogram | None = None,
    min_events: int,
) -> Fit:
    """Cut beside a negative peak.

    Parameters
    ----------
    parent : PopulationView
        Population that is cut.
    axis : str
        Axis that is cut.
    keep : {"above", "below"}
        Side that is kept.
    rule : TailRule
        Which peak, which side, how far.
    rng : Generator
        For the bootstrap.
    hist : Histogram, optional
        Display values of the axis, where they have been binned already.
    min_events : int
        Fewest finite values.
    """
    if axis not in parent.axes:
        return not_evaluable(f"{axis} not cut: the tube has no axis {axis}")
    if hist is None:
        values = finite(parent.display(axis))
        if values.size < min_events:
            return _too_few(axis, values.size, min_events)
        hist = histogram(values, shown_zero(parent, axis))
    elif hist.n < min_events:
        return _too_few(axis, hist.n, min_events)
    if hist is None:
        return not_evaluable(f"{axis} not cut: all values are the same")
    tail = find_tail(hist, rule, rng)
    if isinstance(tail, str):
        return not_evaluable(f"{axis} not cut: {tail}")
    geometry, sentence = half_line(axis, tail.cut, keep), _sentence(parent, axis, rule, tail, hist)
    return Fit(geometry, sentence, "fallback" if tail.one_sided else "fitted", tail.spread)


def _too_few(axis: str, n: int, min_events: int) -> Fit:
    return not_evaluable(f"{axis} not cut: {n:,} events are too few for a tail (at least {min_events:,})")


def _sentence(parent: PopulationView, axis: str, rule: TailRule, tail: Tail, hist: Histogram) -> str:
    side = rule.side
    deviations = abs(tail.cut - tail.peak) / tail.scale
    text = (
        f"{axis} cut at {place(parent, axis, tail.cut)}: {number(deviations)} deviations of {number(tail.scale)} "
        f"{side} the {'only' if tail.n_peaks == 1 else rule.negative} peak at {number(tail.peak)}"
    )
    if tail.one_sided:
        return f"{text}, whose other side is empty, so that its width was taken from the side of the cut"
    beyond = _beyond(hist, tail.cut, side)
    text += f"; {tail.mirrored:,} of {hist.n:,} events lie as far on its other side, {beyond:,} beyond the cut"
    if tail.skew > SKEWED and hist.n >= SKEW_EVENTS:
        text += f"; the peak is {number(tail.skew)} times as wide on that side, so that more of it may lie there"
    # The mirror says what the negative alone would put there; where that is half of what is there, nobody can count.
    return f"{text}: not separable from the negative's own tail" if beyond < 2 * tail.mirrored else text


def _beyond(hist: Histogram, cut: float, side: Side) -> int:
    i = int(min(max(round(hist.position(cut) + 0.5), 0), hist.counts.size))
    above = int(hist.counts[i:].sum()) + hist.above
    return above if side == "above" else hist.n - above
