"""From a cut on one axis to a fit: the half line that is kept, and the tail cut that two methods share."""

from __future__ import annotations

from typing import Annotated

from numpy.random import Generator
from pydantic import AfterValidator

from stromagate.gating.density import Histogram, finite, histogram
from stromagate.gating.method import Fit, PopulationView, not_evaluable
from stromagate.gating.tails import Tail, TailRule, find_tail
from stromagate.gating.wording import number, place
from stromagate.model.gates import NOT_SEPARABLE, Doubt, Interval, Side

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
    hist: Histogram,
    rule: TailRule,
    rng: Generator,
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
    hist : Histogram
        Its display values (``binned``).
    rule : TailRule
        Which peak, which side, how far.
    rng : Generator
        For the bootstrap.
    """
    tail = find_tail(hist, rule, rng)
    if isinstance(tail, str):
        return not_evaluable(f"{axis} not cut: {tail}")
    geometry, sentence = half_line(axis, tail.cut, keep), _sentence(parent, axis, rule, tail, hist)
    if tail.one_sided:
        return Fit(geometry, sentence, "fallback", tail.spread)
    doubt, doubts = drowned(hist, tail.cut, rule.side, tail.mirrored)
    return Fit(geometry, sentence + doubt, spread=tail.spread, doubts=doubts)


def drowned(hist: Histogram, cut: float, side: Side, mirrored: int) -> tuple[str, tuple[Doubt, ...]]:
    """Return what to add to a sentence, and the doubt, where the negative itself explains half of what is beyond a cut.

    Parameters
    ----------
    hist : Histogram
        The axis, in its own units.
    cut : float, axis units
        Where it is cut.
    side : {"above", "below"}
        The side of the negative peak on which the cut lies.
    mirrored : int
        How many events lie as far from the peak on its other side: what the negative alone would put beyond the cut.
    """
    if beyond(hist, cut, side) < 2 * mirrored:
        return f": {NOT_SEPARABLE} from the negative's own tail", (NOT_SEPARABLE,)
    return "", ()


def binned(parent: PopulationView, axis: str, min_events: int, what: str) -> Histogram | Fit:
    """Return the display values of an axis in fine bins, or the fit that says why there are none.

    Parameters
    ----------
    parent : PopulationView
        Population that is cut.
    axis : str
        Axis that is cut.
    min_events : int
        Fewest finite values.
    what : str
        What fewer events are too few for, such as ``"a tail"``.
    """
    if axis not in parent.axes:
        return not_evaluable(f"{axis} not cut: the tube has no axis {axis}")
    values = finite(parent.display(axis))
    if values.size < min_events:
        few = f"{values.size:,} events are too few for {what} (at least {min_events:,})"
        return not_evaluable(f"{axis} not cut: {few}")
    hist = histogram(values, shown_zero(parent, axis))
    return hist or not_evaluable(f"{axis} not cut: all {values.size:,} values are the same")


def _sentence(parent: PopulationView, axis: str, rule: TailRule, tail: Tail, hist: Histogram) -> str:
    side = rule.side
    deviations = abs(tail.cut - tail.peak) / tail.scale
    text = (
        f"{axis} cut at {place(parent, axis, tail.cut)}: {number(deviations)} deviations of {number(tail.scale)} "
        f"{side} the {'only' if tail.n_peaks == 1 else rule.negative} peak at {number(tail.peak)}"
    )
    if tail.one_sided:
        return f"{text}, whose other side is empty, so that its width was taken from the side of the cut"
    text += f"; {tail.mirrored:,} of {hist.n:,} events lie as far on its other side"
    text += f", {beyond(hist, tail.cut, side):,} beyond the cut"
    if tail.skew > SKEWED and hist.n >= SKEW_EVENTS:
        text += f"; the peak is {number(tail.skew)} times as wide on that side, so that more of it may lie there"
    return text


def beyond(hist: Histogram, cut: float, side: Side) -> int:
    """Return how many events lie beyond a cut, to the nearest bin."""
    i = int(min(max(round(hist.position(cut) + 0.5), 0), hist.counts.size))
    above = int(hist.counts[i:].sum()) + hist.above
    return above if side == "above" else hist.n - above
