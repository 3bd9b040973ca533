"""Many variants of one boundary: which events may be on either side of it, and on which side each variant has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from stromagate.gating import raster
from stromagate.gating.bits import Bits, Ladder, everywhere
from stromagate.gating.columns import Columns
from stromagate.gating.geometry import Mask, edges
from stromagate.gating.sieve import make_sieve, on_table, shown, tolerance
from stromagate.model.gates import Ellipse, Geometry, Interval, Point, Polygon, QuadrantPart, Rectangle, Spans
from stromagate.model.sample import F32, F64
from stromagate.model.scales import Scale
from stromagate.prepare.scales import inverse

# Far more than the solver behind logicle may err; who comes as near as this to an edge is looked at closely.
_GUARD_REL = 1e-6
_FEW = 1024
_CELLS = 256


class Variants:
    """One gate in many variants of its boundary.

    Parameters
    ----------
    geometries : sequence of Geometry
        All of one kind, any but Boolean, and all about as the first one.
    scales : mapping of str to Scale
        Display scale of each of the gate's axes.
    """

    def __init__(self, geometries: Sequence[Geometry], scales: Mapping[str, Scale]) -> None:
        self.axes = geometries[0].axes
        self.scales = tuple(scales[axis] for axis in self.axes)
        self.full = everywhere(len(geometries))
        self.inside_out = not getattr(geometries[0], "inside", True)

    def near(self, columns: Columns) -> Mask:
        """Return which events may be inside some variants and not others, shape (n,); rather too many than too few."""
        near = self._near(columns)
        for axis in self.axes:
            if columns.slack(axis) > 0 and not columns.finite(axis):
                near |= ~np.isfinite(columns.quick(axis))  # the exact value may be finite, anywhere
        return near

    def bits(self, points: F64) -> Bits:
        """Return the variants that hold each event, shape (n_words, n).

        Parameters
        ----------
        points : ndarray of float64, shape (n, n_axes)
            Display units, columns in the order of the gate's axes.
        """
        finite = np.logical_and.reduce(np.isfinite(points), axis=1)
        held = self._bits(np.where(finite[:, None], points, 0.0)) & self.full
        if self.inside_out:
            held = ~held & self.full
        held[:, ~finite] = 0
        return held

    def _near(self, columns: Columns) -> Mask:
        raise NotImplementedError

    def _bits(self, points: F64) -> Bits:
        raise NotImplementedError


class _Boxes(Variants):
    """Straight edges, each on one axis: a band from its lowest to its highest place is where variants differ."""

    def __init__(self, geometries: Sequence[Interval | Rectangle | QuadrantPart], scales: Mapping[str, Scale]) -> None:
        super().__init__(geometries, scales)
        each = [edges(geometry) for geometry in geometries]
        self.ladders: list[tuple[int, int, Ladder]] = []
        self.bands: list[tuple[int, float, float]] = []
        for axis, pair in enumerate(each[0]):
            for side in (0, 1):
                if pair[side] is not None:
                    places = np.array([one[axis][side] for one in each], dtype=np.float64)
                    self.ladders.append((axis, side, Ladder(places)))
                    self.bands.append((axis, float(places.min()), float(places.max())))

    def _near(self, columns: Columns) -> Mask:
        return _in_bands(columns, self.axes, self.scales, self.bands)

    def _bits(self, points: F64) -> Bits:
        held = np.repeat(self.full, len(points), axis=1)
        for axis, side, ladder in self.ladders:
            passed = ladder.at_or_below(points[:, axis])
            held &= ~passed if side else passed
        return held


class _Stretches(Variants):
    """Stretches of one axis: inside is who has passed an odd number of borders."""

    def __init__(self, geometries: Sequence[Spans], scales: Mapping[str, Scale]) -> None:
        super().__init__(geometries, scales)
        borders = np.array([geometry.spans for geometry in geometries], dtype=np.float64).reshape(len(geometries), -1)
        self.ladders = [Ladder(borders[:, i]) for i in range(borders.shape[1])]
        self.bands = [(0, float(column.min()), float(column.max())) for column in borders.T]

    def _near(self, columns: Columns) -> Mask:
        return _in_bands(columns, self.axes, self.scales, self.bands)

    def _bits(self, points: F64) -> Bits:
        held = np.zeros((self.full.size, len(points)), dtype=np.uint64)
        for ladder in self.ladders:
            held ^= ladder.at_or_below(points[:, 0])
        return held


class _Ellipses(Variants):
    """Ellipses with one centre and one shape: the larger holds the smaller."""

    def __init__(self, geometries: Sequence[Ellipse], scales: Mapping[str, Scale]) -> None:
        super().__init__(geometries, scales)
        first = geometries[0]
        self.mean, self.inverse = np.array(first.mean), np.linalg.inv(np.array(first.covariance))
        squared = np.array([geometry.distance_squared for geometry in geometries])
        self.ladder = Ladder(squared)
        self.ends = tuple(
            make_sieve(replace(first, distance_squared=float(end), inside=True), scales)
            for end in (squared.min(), squared.max())
        )

    def _near(self, columns: Columns) -> Mask:
        smallest, largest = self.ends
        return largest.inside(columns) & ~smallest.inside(columns)

    def _bits(self, points: F64) -> Bits:
        away = points - self.mean
        return ~self.ladder.below(((away @ self.inverse) * away).sum(axis=1))


class _Polygons(Variants):
    """A polygon that slides along its first axis: an event is held where an odd number of sides lies further right."""

    def __init__(self, geometries: Sequence[Polygon], scales: Mapping[str, Scale]) -> None:
        super().__init__(geometries, scales)
        first = geometries[0].vertices
        slides = np.array([geometry.vertices[0][0] - first[0][0] for geometry in geometries])
        self.sides = list(zip(first, (*first[1:], first[0]), strict=True))
        self.slide, self.ladder = (float(slides.min()), float(slides.max())), Ladder(slides)
        low, high = np.min(first, axis=0), np.max(first, axis=0)
        self.size = (float(high[0] - low[0]), float(high[1] - low[1]))
        self.on_tables = all(map(on_table, self.scales, low, high))
        self._near_cells: raster.Raster | None = None

    def _near(self, columns: Columns) -> Mask:
        cells = self._cells(columns) if columns.n > _FEW and self.on_tables else None
        if cells is None:
            return np.ones(columns.n, dtype=np.bool_)
        x, y = (shown(columns, axis, scale) for axis, scale in zip(self.axes, self.scales, strict=True))
        near: Mask = cells.classify(x, y) != 0
        rows = np.flatnonzero(near)
        near[rows] = self._beside(x[rows], y[rows], cells.tolerance)
        return near

    def _beside(self, x: F32, y: F32, off: Point) -> Mask:
        """Return which points, each off by no more than so much, a sliding side may come past."""
        past = np.zeros(len(x), dtype=np.bool_)
        off_x, off_y = (error + _GUARD_REL * size for error, size in zip(off, self.size, strict=True))
        order = np.argsort(y, kind="stable")
        ordered = y[order].astype(np.float64)
        for (ax, ay), (bx, by) in self.sides:
            first, last = np.searchsorted(ordered, (min(ay, by) - off_y, max(ay, by) + off_y))
            rows, height = order[first:last], np.clip(ordered[first:last], min(ay, by), max(ay, by))
            # A level side is anywhere along its length; another one where it has the point's height, give or take.
            slope = 0.0 if ay == by else (bx - ax) / (by - ay)
            left, right = (min(ax, bx), max(ax, bx)) if ay == by else (ax + (height - ay) * slope,) * 2
            reach = off_x + abs(slope) * off_y
            past[rows] |= (x[rows] >= left + (self.slide[0] - reach)) & (x[rows] <= right + (self.slide[1] + reach))
        return past

    def _cells(self, columns: Columns) -> raster.Raster | None:
        """Return a grid of the cells that a sliding side comes through."""
        need = tuple(tolerance(columns, axis, scale) for axis, scale in zip(self.axes, self.scales, strict=True))
        have = self._near_cells
        if have is None or need[0] > have.tolerance[0] or need[1] > have.tolerance[1]:
            still = raster.build([start for start, _ in self.sides], (need[0], need[1]))
            self._near_cells = None if still is None else _slid(still, *self.slide)
        return self._near_cells

    def _bits(self, points: F64) -> Bits:
        x, y = points.T
        held = np.zeros((self.full.size, len(points)), dtype=np.uint64)
        for (ax, ay), (bx, by) in self.sides:
            crossed = np.flatnonzero((ay <= y) != (by <= y))
            if crossed.size:
                at = ax + (y[crossed] - ay) * ((bx - ax) / (by - ay))
                held[:, crossed] ^= ~self.ladder.at_or_below(x[crossed] - at)
        for (ax, ay), (bx, by) in self.sides:
            if ay == by:  # whoever lies on a level side is inside
                on = np.flatnonzero(y == ay)
                left, right = x[on] - max(ax, bx), x[on] - min(ax, bx)
                held[:, on] |= ~self.ladder.below(left) & self.ladder.at_or_below(right)
        return held


_VARIANTS: Mapping[type, type[Variants]] = MappingProxyType(
    {
        Interval: _Boxes,
        Rectangle: _Boxes,
        QuadrantPart: _Boxes,
        Spans: _Stretches,
        Ellipse: _Ellipses,
        Polygon: _Polygons,
    }
)


def make_variants(geometries: Sequence[Geometry], scales: Mapping[str, Scale]) -> Variants:
    """Return one gate in many variants.

    Parameters
    ----------
    geometries : sequence of Geometry
        All of one kind, any but Boolean: with edges of their own where they are straight, ellipses of one centre and
        shape, polygons that slid along their first axis.
    scales : mapping of str to Scale
        Display scale of each of the gate's axes.

    Returns
    -------
    Variants
    """
    return _VARIANTS[type(geometries[0])](geometries, scales)


def _in_bands(
    columns: Columns, axes: Sequence[str], scales: Sequence[Scale], bands: Sequence[tuple[int, float, float]]
) -> Mask:
    """Return which events lie in any of some bands, each of one axis and in display units."""
    inside = np.zeros(columns.n, dtype=np.bool_)
    for axis, low, high in bands:
        x = columns.quick(axes[axis])
        start, stop = _raw_band(scales[axis], low, high, columns.slack(axes[axis]))
        inside |= (x >= start) & (x <= stop)
    return inside


def _raw_band(scale: Scale, low: float, high: float, slack: float) -> tuple[np.float32, np.float32]:
    """Return a band in scale values, wide enough for the error of quick values and of the scale's inverse."""
    start, stop = (float(value) for value in inverse(scale, [low, high]))
    with np.errstate(over="ignore"):
        below = np.float32(start - slack - _GUARD_REL * (abs(start) + 1.0))
        above = np.float32(stop + slack + _GUARD_REL * (abs(stop) + 1.0))
    return np.nextafter(below, np.float32(-np.inf)), np.nextafter(above, np.float32(np.inf))


def _slid(still: raster.Raster, lowest: float, highest: float) -> raster.Raster:
    """Return a grid whose cells are 1 where a side comes through that slides between two places along the columns.

    A cell without a side, and without one as far to either side as the slide goes, is in or out of every variant.
    """
    ask = still.cells.reshape(_CELLS, _CELLS) == raster.ASK
    per_unit = float(still.per_unit[0])
    right, left = (min(_CELLS, int(np.ceil(abs(end) * per_unit)) + 1) for end in (highest, lowest))
    steps: F32 | F64 = np.zeros((_CELLS, 3 * _CELLS + 2))
    row, column = np.nonzero(ask)
    np.add.at(steps, (row, column + _CELLS - left), 1)
    np.add.at(steps, (row, column + _CELLS + right + 1), -1)
    near = steps.cumsum(axis=1)[:, _CELLS : 2 * _CELLS] > 0
    return replace(still, cells=near.astype(np.uint8).ravel())
