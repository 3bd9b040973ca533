"""Which events could change sides when a boundary is moved: of all others the answer is known already.

What is said here is never who is inside. It only spares the sieve the events that a move cannot touch: those that the
moved sides of a polygon do not pass over, and those well inside or well outside of an ellipse before and after.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from stromagate.gating.geometry import Mask
from stromagate.gating.sieve import on_table, tolerance
from stromagate.model.gates import Ellipse, Geometry, Point, Polygon
from stromagate.model.sample import F32, F64
from stromagate.model.scales import Scale

if TYPE_CHECKING:
    from stromagate.gating.kept_columns import KeptColumns, Part

# Room on either side of a boundary, in parts of its own coordinates: far more than float32 loses when a point is
# compared with it, far less than anybody could see.
_ROOM_REL = 1e-5
# Of the radius of an ellipse, that much more: float32 may lose as many digits as its axes go together closely.
_SHELL_FRAC = 2e-3
_WORST_CONDITION = 1e6
# Beyond this, in spreads, squares are no float32 any more.
_LARGEST_RADIUS = 1e15
# Values are looked at a stretch at a time, so that they stay in cache.
_STRETCH = 1 << 14

_Near = Callable[[list[F32]], Mask]
"""Told the display values of some events on each axis, says which of them may change sides."""


def unsettled(
    was: Geometry | None, now: Geometry, kept: KeptColumns, whole: Part, scales: Mapping[str, Scale]
) -> Mask | None:
    """Return which events may be inside one of two gates and not inside the other.

    Parameters
    ----------
    was, now : Geometry
        The gate before and after it was moved; None where there was none.
    kept : KeptColumns
        Columns of the tube.
    whole : Part
        All its events.
    scales : mapping of str to Scale
        Display scale by axis.

    Returns
    -------
    ndarray of bool, shape (n,), or None
        None where every event may.
    """
    if not isinstance(now, Polygon | Ellipse) or not isinstance(was, type(now)):
        return None
    if (was.axes, was.inside) != (now.axes, now.inside):
        return None
    ends = _ends(was) + _ends(now)
    sides = [(min(along), max(along)) for along in zip(*ends, strict=True)]
    if not all(on_table(scales[axis], *side) for axis, side in zip(now.axes, sides, strict=True)):
        return None
    room = [
        tolerance(whole, axis, scales[axis]) + _ROOM_REL * max(abs(low), abs(high))
        for axis, (low, high) in zip(now.axes, sides, strict=True)
    ]
    if isinstance(was, Polygon) and isinstance(now, Polygon):
        near = _passed_over(was, now, room)
    else:
        near = _in_a_shell(was, now, room)  # type: ignore[arg-type]  # both are ellipses
    if near is None:
        return None
    may = _marked([kept.shown(axis) for axis in now.axes], near)
    for axis in now.axes:
        # A mixed value that is not finite in float32 may have an exact one that is.
        if whole.slack(axis) > 0 and not whole.finite(axis):
            may |= ~np.isfinite(kept.quick(axis))
    return may


def _marked(columns: list[F32], near: _Near) -> Mask:
    may = np.empty(len(columns[0]), dtype=np.bool_)
    with np.errstate(invalid="ignore", over="ignore"):
        for start in range(0, may.size, _STRETCH):
            may[start : start + _STRETCH] = near([column[start : start + _STRETCH] for column in columns])
    return may


def _passed_over(was: Polygon, now: Polygon, room: list[float]) -> _Near | None:
    """Return what marks the events between the sides that only one of two polygons has, or near such a side.

    Who is inside is the parity of crossed sides. That of the sides which both have is the same, and the others together
    are closed: what decides is whether an odd number of them is crossed.
    """
    old, new = (Counter(_sides(polygon)) for polygon in (was, now))
    sides = list(((old - new) + (new - old)).elements())
    if not sides:
        return None
    corners = np.array(sides, dtype=np.float64).reshape(-1, 2)
    low, high = corners.min(axis=0) - room, corners.max(axis=0) + room

    def near(values: list[F32]) -> Mask:
        x, y = values
        may: Mask = (x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1])
        there = np.flatnonzero(may)
        if there.size:
            may[there] = _odd_or_close(x[there].astype(np.float64), y[there].astype(np.float64), sides, room)
        return may

    return near


def _odd_or_close(x: F64, y: F64, sides: Iterable[tuple[Point, Point]], room: list[float]) -> Mask:
    odd, close = np.zeros(x.size, dtype=np.bool_), np.zeros(x.size, dtype=np.bool_)
    for (ax, ay), (bx, by) in sides:
        left = (bx - ax) * (y - ay) - (x - ax) * (by - ay)
        odd ^= ((ay <= y) != (by <= y)) & (left > 0 if by > ay else left < 0)
        beside = np.abs(left) <= room[0] * abs(by - ay) + room[1] * abs(bx - ax)
        beside &= (x >= min(ax, bx) - room[0]) & (x <= max(ax, bx) + room[0])
        close |= beside & (y >= min(ay, by) - room[1]) & (y <= max(ay, by) + room[1])
    return odd | close


def _in_a_shell(was: Ellipse, now: Ellipse, room: list[float]) -> _Near | None:
    """Return what marks the events near either of two ellipses, or inside one of them alone."""
    shells = [_Shell.of(each, room) for each in (was, now)]
    if None in shells:
        return None
    one, other = shells

    def near(values: list[F32]) -> Mask:
        assert one is not None
        assert other is not None
        (in_one, out_one), (in_other, out_other) = one.sides(values), other.sides(values)
        return ~((in_one & in_other) | (out_one & out_other))

    return near


class _Shell:
    """An ellipse as two others, one well inside it and one well outside."""

    def __init__(self, ellipse: Ellipse, spread: F64, turn: F64, off: float) -> None:
        radius = float(np.sqrt(ellipse.distance_squared))
        self.mean = [np.float32(at) for at in ellipse.mean]
        self.turn = (turn / spread[:, None]).astype(np.float32)
        inner = max(radius * (1 - _SHELL_FRAC) - off, 0.0)
        self.inner, self.outer = np.float32(inner**2), np.float32((radius * (1 + _SHELL_FRAC) + off) ** 2)

    @classmethod
    def of(cls, ellipse: Ellipse, room: list[float]) -> _Shell | None:
        """Return the shell of an ellipse whose coordinates are off by at most the room; None where none can be told."""
        covariance = np.array(ellipse.covariance)
        spread = np.sqrt(np.diag(covariance))
        correlation = covariance / np.outer(spread, spread)
        if not np.linalg.cond(correlation) < _WORST_CONDITION:
            return None
        turn = np.linalg.cholesky(np.linalg.inv((correlation + correlation.T) / 2))
        off = float(np.linalg.norm(turn, 2)) * float(np.linalg.norm(np.array(room) / spread))
        # Values that are off by as much as the ellipse is wide tell nothing.
        return cls(ellipse, spread, turn, off) if off < np.sqrt(ellipse.distance_squared) < _LARGEST_RADIUS else None

    def sides(self, values: list[F32]) -> tuple[Mask, Mask]:
        """Return which events are certainly inside, and which certainly outside; what is no number is outside."""
        away = [column - at for column, at in zip(values, self.mean, strict=True)]
        distance: F32 | None = None
        for column in range(len(away)):
            # The factor is a triangle: what stands above its diagonal is zero.
            along = away[column] * self.turn[column, column]
            for row in range(column + 1, len(away)):
                along += away[row] * self.turn[row, column]
            along *= along
            distance = along if distance is None else distance + along
        assert distance is not None
        return distance < self.inner, ~(distance <= self.outer)


def _sides(polygon: Polygon) -> Iterable[tuple[Point, Point]]:
    return zip(polygon.vertices, (*polygon.vertices[1:], polygon.vertices[0]), strict=True)


def _ends(geometry: Polygon | Ellipse) -> list[tuple[float, ...]]:
    """Return points between which a boundary lies on every axis."""
    if isinstance(geometry, Polygon):
        return list(geometry.vertices)
    mean = np.array(geometry.mean)
    reach = np.sqrt(geometry.distance_squared * np.diag(np.array(geometry.covariance)))
    return [tuple((mean - reach).tolist()), tuple((mean + reach).tolist())]
