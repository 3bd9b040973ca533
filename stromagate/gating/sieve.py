"""Membership fast: what is certain is decided in float32 and without a transform, the rest by ``geometry.contains``.

A cut in display units becomes a cut in scale values, because every scale is monotone. Near a cut, as near as float32
arithmetic may err, and near the edge of a polygon or an ellipse, events are decided in float64 and in display units.
The outcome is that of ``contains``, event for event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from stromagate.gating import raster
from stromagate.gating.columns import Columns
from stromagate.gating.geometry import Mask, contains, edges
from stromagate.model.gates import Ellipse, Geometry, Interval, Polygon, QuadrantPart, Rectangle, Spans
from stromagate.model.sample import F32, F64, Rows
from stromagate.model.scales import Scale
from stromagate.prepare.scales import TABLE_ERROR, display, forward, inverse

# The table of a scale holds up to this many times its top (see ``prepare.scales.display``).
_TABLE_REACH = 2.0**15
# The solver behind logicle answers within some last bits of a display unit; this many scale units, relative to the cut
# and to the width of one display unit around zero, are far more than that.
_SOLVER_REL = 1e-12
# Below this many events a grid costs more than it saves.
_FEW = 1024
_MANY_SPANS = 8
# Axes that go together more closely than this leave float64 too few digits for a bound of its error.
_WORST_CONDITION = 1e6
_LARGEST, _INFINITE = np.finfo(np.float32).max, np.float32(np.inf)

_Bounds = tuple[np.float32 | None, np.float32 | None]


class Sieve:
    """One gate on known scales.

    Parameters
    ----------
    geometry : Geometry
        Any but Boolean.
    scales : mapping of str to Scale
        Display scale of each of the gate's axes.
    """

    def __init__(self, geometry: Geometry, scales: Mapping[str, Scale]) -> None:
        self.geometry = geometry
        self.axes = geometry.axes
        self.scales = tuple(scales[axis] for axis in geometry.axes)

    def inside(self, columns: Columns, among: Mask | None = None) -> Mask:
        """Return which events are inside.

        Parameters
        ----------
        columns : Columns
            The events.
        among : ndarray of bool, shape (n,), optional
            Only these can be inside; the others are not looked at closely.

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        certain, ask = self._sift(columns)
        for axis in self.axes:
            ask = self._ask_odd(columns, axis, ask)
        if among is not None:
            certain &= among
        if ask is None:
            return certain
        rows = np.flatnonzero(ask if among is None else ask & among)
        if rows.size:
            certain[rows] = contains(self.geometry, self.points(columns, rows))
        return certain

    def _sift(self, columns: Columns) -> tuple[Mask, Mask | None]:
        """Return which events are certainly inside, and which must be asked; by default all of them."""
        return np.zeros(columns.n, dtype=np.bool_), np.ones(columns.n, dtype=np.bool_)

    def points(self, columns: Columns, rows: Rows) -> F64:
        """Return exact display values of some events, shape (k, n_axes)."""
        exact = [forward(scale, columns.exact(axis, rows)) for axis, scale in zip(self.axes, self.scales, strict=True)]
        points: F64 = np.column_stack(exact)
        return points

    def _ask_odd(self, columns: Columns, axis: str, ask: Mask | None) -> Mask | None:
        """Ask for events whose mixed value is not finite in float32: the exact one may be."""
        if columns.slack(axis) == 0 or columns.finite(axis):
            return ask
        odd = ~np.isfinite(columns.quick(axis))
        return odd if ask is None else ask | odd


class _Cut:
    """The cut ``forward(x) >= at`` as two float32 thresholds: certainly above, and perhaps above.

    The raw cut need not be the last bit of the truth: whatever comes near it is asked in display units.
    """

    def __init__(self, at: float, scale: Scale) -> None:
        self.raw = float(inverse(scale, at)[0])
        self.guard = 0.0 if scale.kind == "linear" else _SOLVER_REL * (abs(self.raw) + 1 / _steepest(scale))
        self._known: dict[float, tuple[np.float32, np.float32]] = {}

    def thresholds(self, slack: float) -> tuple[np.float32, np.float32]:
        """Return (certainly above from here, certainly below under here)."""
        if slack not in self._known:
            # A cut beyond all numbers has every event on one side, however far that may be off.
            off = slack + self.guard if np.isfinite(self.raw) else 0.0
            self._known[slack] = (_ceil32(self.raw + off), _ceil32(self.raw - off))
        return self._known[slack]


class _Box(Sieve):
    """Intervals on one axis or several."""

    def __init__(self, geometry: Interval | Rectangle | QuadrantPart, scales: Mapping[str, Scale]) -> None:
        super().__init__(geometry, scales)
        self.inside_out = not getattr(geometry, "inside", True)
        self.cuts = tuple(
            (None if low is None else _Cut(low, scale), None if high is None else _Cut(high, scale))
            for (low, high), scale in zip(edges(geometry), self.scales, strict=True)
        )

    def _sift(self, columns: Columns) -> tuple[Mask, Mask | None]:
        bounds = [self._bounds(columns, axis, *pair) for axis, pair in zip(self.axes, self.cuts, strict=True)]
        values = [columns.quick(axis) for axis in self.axes]
        certain = perhaps = _within(values, [narrow for narrow, _ in bounds])
        if any(narrow != wide for narrow, wide in bounds):
            perhaps = _within(values, [wide for _, wide in bounds])
        ask = None if perhaps is certain else certain ^ perhaps
        if self.inside_out:
            certain = np.logical_and.reduce([~perhaps, *map(np.isfinite, values)])
        return certain, ask

    def _bounds(self, columns: Columns, axis: str, low: _Cut | None, high: _Cut | None) -> tuple[_Bounds, _Bounds]:
        """Return the bounds of what is certainly inside and of what is perhaps inside; open sides end at the finite."""
        slack, open_ = columns.slack(axis), (None, None) if columns.finite(axis) else (_LARGEST, _INFINITE)
        above = low.thresholds(slack) if low else (open_[0] and -open_[0],) * 2
        below = high.thresholds(slack) if high else (open_[1],) * 2
        return (above[0], below[1]), (above[1], below[0])


class _Spans(Sieve):
    """Stretches of one axis. Time is linear and never mixed: few stretches are compared, many are searched."""

    def __init__(self, geometry: Spans, scales: Mapping[str, Scale]) -> None:
        super().__init__(geometry, scales)
        self.linear = self.scales[0].kind == "linear"
        self.borders = np.array([[_ceil32(low), _ceil32(high)] for low, high in geometry.spans], dtype=np.float32)

    def _sift(self, columns: Columns) -> tuple[Mask, Mask | None]:
        if not self.linear or columns.slack(self.axes[0]) > 0:
            return super()._sift(columns)
        x = columns.quick(self.axes[0])
        if len(self.borders) > _MANY_SPANS:
            return np.isfinite(x) & (np.searchsorted(self.borders.ravel(), x, side="right") % 2 == 1), None
        return np.logical_or.reduce([(x >= low) & (x < high) for low, high in self.borders]), None


class _Polygon(Sieve):
    """A polygon through a grid of cells (``gating.raster``)."""

    def __init__(self, geometry: Polygon, scales: Mapping[str, Scale]) -> None:
        super().__init__(geometry, scales)
        self.vertices, self.inside_out = geometry.vertices, not geometry.inside
        low, high = np.min(self.vertices, axis=0), np.max(self.vertices, axis=0)
        self.on_tables = all(map(on_table, self.scales, low, high))
        self._raster: raster.Raster | None = None

    def _sift(self, columns: Columns) -> tuple[Mask, Mask | None]:
        grid = self._grid(columns) if columns.n > _FEW and self.on_tables else None
        if grid is None:
            return super()._sift(columns)
        x, y = (shown(columns, axis, scale) for axis, scale in zip(self.axes, self.scales, strict=True))
        cells = grid.classify(x, y)
        if not self.inside_out:
            return cells == raster.IN, cells == raster.ASK
        return (cells == raster.OUT) & np.isfinite(x) & np.isfinite(y), cells == raster.ASK

    def _grid(self, columns: Columns) -> raster.Raster | None:
        """Return a grid good for the error of these columns: the last one, unless they are worse."""
        need = tuple(tolerance(columns, axis, scale) for axis, scale in zip(self.axes, self.scales, strict=True))
        have = self._raster.tolerance if self._raster else (-1.0, -1.0)
        if need[0] > have[0] or need[1] > have[1]:
            self._raster = raster.build(self.vertices, (max(need[0], have[0]), max(need[1], have[1])))
        return self._raster


class _Ellipse(Sieve):
    """An ellipse on quick display values, and a shell around its border that is asked."""

    def __init__(self, geometry: Ellipse, scales: Mapping[str, Scale]) -> None:
        super().__init__(geometry, scales)
        self.inside_out = not geometry.inside
        self.mean = np.array(geometry.mean)
        covariance = np.array(geometry.covariance)
        # In units of each axis' own spread, so that volts beside channels do no harm.
        self.spread = np.sqrt(np.diag(covariance))
        correlation = covariance / np.outer(self.spread, self.spread)
        self.radius = float(np.sqrt(geometry.distance_squared))
        ends = (self.mean - self.radius * self.spread, self.mean + self.radius * self.spread)
        self.quick = all(map(on_table, self.scales, *ends)) and np.linalg.cond(correlation) < _WORST_CONDITION
        if self.quick:
            self.turn = np.linalg.cholesky(np.linalg.inv((correlation + correlation.T) / 2))
            self.stretch = float(np.linalg.norm(self.turn, 2))

    def _sift(self, columns: Columns) -> tuple[Mask, Mask | None]:
        if columns.n <= _FEW or not self.quick:
            return super()._sift(columns)
        pairs = list(zip(self.axes, self.scales, strict=True))
        errors = np.array([tolerance(columns, *pair) for pair in pairs])
        off = self.stretch * float(np.linalg.norm(errors / self.spread))
        # Float64 from here on, with errors of its own that grow with how far from zero the ellipse lies.
        off += 1e-9 * (self.radius + self.stretch * float(np.linalg.norm(self.mean / self.spread)))
        with np.errstate(invalid="ignore", over="ignore"):
            away = np.stack([shown(columns, *pair) for pair in pairs]).astype(np.float64) - self.mean[:, None]
            distance = np.sqrt(np.square(self.turn.T @ (away / self.spread[:, None])).sum(axis=0))
        ask = np.abs(distance - self.radius) <= off
        if not self.inside_out:
            return distance < self.radius - off, ask
        return (distance > self.radius + off) & np.isfinite(away).all(axis=0), ask


_SIEVES: Mapping[type, type[Sieve]] = MappingProxyType(
    {Interval: _Box, Rectangle: _Box, QuadrantPart: _Box, Spans: _Spans, Polygon: _Polygon, Ellipse: _Ellipse}
)


def make_sieve(geometry: Geometry, scales: Mapping[str, Scale]) -> Sieve:
    """Return the sieve of a gate.

    Parameters
    ----------
    geometry : Geometry
        Any but Boolean, already checked.
    scales : mapping of str to Scale
        Display scale of each of the gate's axes.

    Returns
    -------
    Sieve
    """
    return _SIEVES[type(geometry)](geometry, scales)


def _within(values: Sequence[F32], bounds: Sequence[_Bounds]) -> Mask:
    inside: Mask | None = None
    for x, (low, high) in zip(values, bounds, strict=True):
        for side in (None if low is None else x >= low, None if high is None else x < high):
            if side is not None:
                inside = side if inside is None else np.logical_and(inside, side, out=inside)
    return np.ones(len(values[0]), dtype=np.bool_) if inside is None else inside


def shown(columns: Columns, axis: str, scale: Scale) -> F32:
    """Return quick display values, shape (n,), within ``tolerance`` of the exact ones where the scale's table holds."""
    values = columns.quick(axis)
    return values if scale.kind == "linear" else display(scale, values)


def tolerance(columns: Columns, axis: str, scale: Scale) -> float:
    """Return how far a quick display value may be off."""
    slack = columns.slack(axis)
    return slack if scale.kind == "linear" else slack * _steepest(scale) + 2 * TABLE_ERROR


def on_table(scale: Scale, low: float, high: float) -> bool:
    """Return whether a gate between two display values ends before the table of its scale does."""
    if scale.kind == "linear":
        return True
    last = forward(scale, np.array([-1.0, 1.0]) * _TABLE_REACH * scale.top)
    return bool(last[0] < low - 4 * TABLE_ERROR and high + 4 * TABLE_ERROR < last[1])


@lru_cache(maxsize=64)
def _steepest(scale: Scale) -> float:
    """Return the most display units a scale unit can make: all scales are steepest at zero."""
    if scale.kind == "linear":
        return 1.0
    zero, step = float(forward(scale, 0.0)[0]), 1e-4
    around = inverse(scale, np.array([zero - step, zero + step]))
    return 1.001 * 2 * step / float(around[1] - around[0])


def _ceil32(value: float) -> np.float32:
    """Return the smallest float32 that is not below the value: for a float32, ``x >= value`` and ``x >= it`` agree."""
    with np.errstate(over="ignore"):
        near = np.float32(max(value, -float(_LARGEST)))
    return near if float(near) >= value else np.nextafter(near, np.float32(np.inf))
