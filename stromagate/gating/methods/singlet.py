"""Single cells by the ratio of pulse area to pulse height: a band over height that follows the cells' own trend.

Doublets have more area at the same height. The band is therefore built over height, where singlets outnumber them
everywhere, is tight on the doublets' side and wide on the other, and stays open where the area is at its ceiling:
large stroma cells must not be lost as doublets.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, model_validator

from stromagate.gating.method import Fit, GatingMethod, PopulationView, not_evaluable
from stromagate.gating.wording import listed, number, share
from stromagate.model.gates import Point, Polygon
from stromagate.model.sample import F64
from stromagate.model.template import AxisName, GateParams

SUBSAMPLE = 100_000
MIN_EVENTS_A_KNOT = 150
REDRAWN, REFITS = 20_000, 20  # events of a band that is fitted again, and how often
FEWEST = 20  # below this not even one ratio can be told from chance
MAX_SLOPE = 0.4  # log ratio per log height: larger cells take longer through the beam, but no steeper than this


class Params(GateParams):
    """Axes of area and height, and how wide the band is on either side."""

    axes: tuple[AxisName, AxisName] = Field(
        ("FSC-A", "FSC-H"), description="Area and height of one detector, in that order."
    )
    mads: float = Field(
        4.0, gt=0, le=20, description="Width on the doublets' side (more area), in robust deviations of the log ratio."
    )
    mads_low: float = Field(
        8.0, gt=0, le=50, description="Width on the other side (less area), in robust deviations of the log ratio."
    )
    min_events: int = Field(500, ge=100, description="Fewest events for a band that follows height; below, one ratio.")

    @model_validator(mode="after")
    def _two_axes(self) -> Self:
        if self.axes[0] == self.axes[1]:
            raise ValueError(f"the axis {self.axes[0]} is named twice: give area and height")
        return self


@dataclass(frozen=True, slots=True)
class Band:
    """Log ratio of area to height over log height: middle and edges at the knots."""

    log_height: F64
    middle: F64
    low: F64
    high: F64
    deviation: F64
    n_knot: int


def fit(parent: PopulationView, params: Params, rng: Generator) -> Fit:
    """Fit the band, or one pooled ratio where the parent is small."""
    area_axis, height_axis = params.axes
    missing = [axis for axis in params.axes if axis not in parent.axes]
    if missing:
        return not_evaluable(f"singlets not gated: the tube has no axis {listed(missing, 'and')}")
    area, height = parent.linear(area_axis), parent.linear(height_axis)
    usable = np.flatnonzero(np.isfinite(area) & np.isfinite(height) & (area > 0) & (height > 0))
    n = int(usable.size)
    if n < FEWEST:
        return not_evaluable(f"singlets not gated: {n:,} events with area and height are too few (at least {FEWEST})")
    heights = float(height[usable].min()), float(height[usable].max())
    if n > SUBSAMPLE:
        usable = usable[rng.integers(0, n, SUBSAMPLE)]
    log_height = np.log(height[usable].astype(np.float64))
    log_ratio = np.log(area[usable].astype(np.float64)) - log_height
    # Where either pulse is at its ceiling their ratio says nothing about doublets.
    unclipped = (area[usable] < _ceiling(parent, area_axis)) & (height[usable] < _ceiling(parent, height_axis))
    measured = unclipped if unclipped.sum() >= FEWEST else np.ones_like(unclipped)
    few = n < params.min_events
    band = _band(log_height[measured], log_ratio[measured], params, pooled=few)
    if not band.deviation.min() > 0:
        return not_evaluable("singlets not gated: area is the same multiple of height for most events")
    polygon = _polygon(parent, params, band, heights)
    inside = _inside(band, log_height, log_ratio)
    spread = _spread(parent, params, band, (log_height[measured], log_ratio[measured]), pooled=few, rng=rng)
    return Fit(polygon, _sentence(params, band, n, inside), "fallback" if few else "fitted", spread)


def explain(params: Params) -> str:
    """Say what the gate keeps."""
    return (
        f"{params.axes[0]} and {params.axes[1]} inside the singlet band (area over height at most {params.mads:g} "
        f"deviations above its running middle)"
    )


def _band(log_height: F64, log_ratio: F64, params: Params, *, pooled: bool) -> Band:
    groups = [np.arange(log_height.size)] if pooled else _groups(log_height)
    knots = np.array([np.median(log_height[group]) for group in groups])
    rising = np.concatenate([[True], np.diff(np.maximum.accumulate(knots)) > 0])
    knots, groups = knots[rising], [group for group, kept in zip(groups, rising, strict=True) if kept]
    middle = _bounded(knots, _steadied(np.array([_middle(log_ratio[group]) for group in groups])))
    # A group spans some heights: the trend within it is no scatter.
    residual = log_ratio - np.interp(log_height, knots, middle)
    deviation = _steadied(np.array([_deviation(residual[group]) for group in groups]))
    # Quantised pulses can make one group exact, doublets another one shapeless: none departs far from the typical one.
    typical = float(np.median(deviation))
    deviation = np.clip(deviation, 0.3 * typical, 2.0 * typical)
    # A wider knot above a narrower one would fold the edge back: no taller pulse is allowed a smaller area. Both edges
    # give way to the outside, so that no cell is lost by it.
    low = np.minimum.accumulate((knots + middle - params.mads_low * deviation)[::-1])[::-1] - knots
    high = np.maximum.accumulate(knots + middle + params.mads * deviation) - knots
    return Band(
        knots,
        middle,
        low,
        high,
        deviation,
        int(np.median([group.size for group in groups])),
    )


def _groups(log_height: F64) -> list[NDArray[np.intp]]:
    """Part the events by quantiles of height, finer at the top, where the large and rare cells are."""
    n = log_height.size
    fractions = [*np.linspace(0, 0.9, 9), 0.97, 0.99, 0.997, 1.0]
    order = np.argsort(log_height, kind="stable")
    borders = [0]
    for fraction in fractions[1:]:
        border = round(fraction * n)
        if border - borders[-1] >= MIN_EVENTS_A_KNOT:
            borders.append(border)
    borders[-1] = n
    return [order[a:b] for a, b in pairwise(borders)]


def _middle(log_ratio: F64) -> float:
    """Return the middle of the singlets: the median of the shortest half, which a third of doublets moves little."""
    ordered = np.sort(log_ratio)
    half = max(ordered.size // 2, 1)
    start = int(np.argmin(ordered[half:] - ordered[: ordered.size - half])) if ordered.size > half else 0
    return float(np.median(ordered[start : start + half + 1]))


def _deviation(residual: F64) -> float:
    """Return the standard deviation about zero, from the side where no doublets are."""
    return float(np.median(-residual[residual <= 0])) / 0.674490 if (residual <= 0).any() else 0.0


def _bounded(knots: F64, middle: F64) -> F64:
    """Return the middle with bounded steps, outward from its centre: at the top doublets may outnumber singlets."""
    bounded = middle.copy()
    start = knots.size // 2
    for i in range(start + 1, knots.size):
        step = MAX_SLOPE * (knots[i] - knots[i - 1])
        bounded[i] = np.clip(middle[i], bounded[i - 1] - step, bounded[i - 1] + step)
    for i in range(start - 1, -1, -1):
        step = MAX_SLOPE * (knots[i + 1] - knots[i])
        bounded[i] = np.clip(middle[i], bounded[i + 1] - step, bounded[i + 1] + step)
    return bounded


def _steadied(values: F64) -> F64:
    """Return the running median of three, ends kept: one odd knot does not bend the band."""
    if values.size < 3:
        return values
    inner = np.median(np.stack([values[:-2], values[1:-1], values[2:]]), axis=0)
    return np.concatenate([values[:1], inner, values[-1:]])


def _slope(band: Band) -> float:
    """Return the trend of the ratio over height at the upper end (Theil-Sen over the last knots), never downward."""
    x, y = band.log_height[-6:], band.middle[-6:]
    if x.size < 3:
        return 0.0
    i, j = np.triu_indices(x.size, 1)
    return float(np.clip(np.median((y[j] - y[i]) / (x[j] - x[i])), 0.0, MAX_SLOPE))


def _edges(band: Band, log_height: F64) -> tuple[F64, F64]:
    """Return both edges of the log ratio at given heights; flat beyond the knots but for a rising trend on top."""
    further = np.maximum(log_height - band.log_height[-1], 0.0)
    low = np.interp(log_height, band.log_height, band.low)
    return low, np.interp(log_height, band.log_height, band.high) + _slope(band) * further


def _polygon(parent: PopulationView, params: Params, band: Band, heights_seen: tuple[float, float]) -> Polygon:
    """Return the band as a polygon over area and height, open upward where the area is at its ceiling."""
    area_axis, height_axis = params.axes
    lowest = 0.5 * heights_seen[0]
    highest = 1.05 * max(parent.scale(height_axis).top, heights_seen[1])
    heights = np.unique(np.concatenate([[np.log(lowest)], band.log_height, [np.log(highest)]]))
    if parent.scale(height_axis).kind != "linear" or parent.scale(area_axis).kind != "linear":
        # A constant ratio is a straight line on linear axes only.
        heights = np.unique(np.concatenate([heights, np.linspace(heights[0], heights[-1], 48)]))
    low, high = _edges(band, heights)
    ceiling = _ceiling(parent, area_axis)
    at = np.exp(heights)
    left, right = np.minimum(at * np.exp(low), ceiling), at * np.exp(high)
    upward = [_vertex(parent, params, a, h) for a, h in zip(right, at, strict=True)]
    downward = [_vertex(parent, params, a, h) for a, h in zip(left[::-1], at[::-1], strict=True)]
    return Polygon((area_axis, height_axis), (*upward, *downward))


def _ceiling(parent: PopulationView, axis: str) -> float:
    """Return from where on a pulse counts as being at the end of its range, in linear units."""
    return 0.98 * parent.scale(axis).top


def _vertex(parent: PopulationView, params: Params, area: float, height: float) -> Point:
    return parent.to_display(params.axes[0], float(area)), parent.to_display(params.axes[1], float(height))


def _spread(
    parent: PopulationView, params: Params, band: Band, ratios: tuple[F64, F64], *, pooled: bool, rng: Generator
) -> float:
    """Return the standard deviation of the doublets' edge at the middle knot, on the area axis.

    The whole band is fitted again on redrawn events. No formula serves: the middle of the shortest half settles slower
    than a median does, and the deviation, which is measured from it, magnifies its error.
    """
    log_height, log_ratio = ratios
    n, at = log_height.size, band.log_height[band.log_height.size // 2]
    edges = []
    for _ in range(REFITS):
        drawn = rng.integers(0, n, min(n, REDRAWN))
        again = _band(log_height[drawn], log_ratio[drawn], params, pooled=pooled)
        edges.append(np.interp(at, again.log_height, again.high))
    # The shortest half of fewer events wanders more, by the cube root (Kim and Pollard 1990, 10.1214/aos/1176347498).
    relative = float(np.std(edges, ddof=1)) * (min(n, REDRAWN) / n) ** (1 / 3)
    edge, axis = float(np.exp(at + np.interp(at, band.log_height, band.high))), params.axes[0]
    return abs(parent.to_display(axis, edge * (1 + relative)) - parent.to_display(axis, edge))


def _inside(band: Band, log_height: F64, log_ratio: F64) -> float:
    low, high = _edges(band, log_height)
    return float(np.mean((log_ratio >= low) & (log_ratio <= high)))


def _sentence(params: Params, band: Band, n: int, inside: float) -> str:
    area, height = params.axes
    i = band.log_height.size // 2
    pooled = f"one ratio for all heights, because {n:,} events are few; " if n < params.min_events else ""
    return (
        f"{pooled}{area} is {number(float(np.exp(band.middle[i])))} times {height} at middle height, kept from "
        f"{number(float(np.exp(band.low[i])))} to {number(float(np.exp(band.high[i])))} times "
        f"({number(float(np.exp(band.low[-1])))} to {number(float(np.exp(band.high[-1])))} for the largest): "
        f"{share(inside)} of the events are inside"
    )


METHOD = GatingMethod(Params, fit, explain, "Single cells: a robust band of pulse area over pulse height.")
