"""Which events could change sides when a boundary is moved: of all others the answer is known already.

What is said here is never who is inside. It only spares the sieve the events that a move cannot touch: those that the
moved sides of a polygon do not pass over, and those well inside or well outside of an ellipse before and after.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

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

T = TypeVar("T", np.bool_, np.float32)


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
    columns = [kept.shown(axis) for axis in now.axes]
    with np.errstate(invalid="ignore", over="ignore"):
        if isinstance(was, Polygon) and isinstance(now, Polygon):
            may = _passed_over(was, now, columns, room)
        else:
            assert isinstance(was, Ellipse)
            assert isinstance(now, Ellipse)
            may = _in_a_shell(was, now, columns, room, kept)
    if may is None:
        return None
    for axis in now.axes:
        # A mixed value that is not finite in float32 may have an exact one that is.
        if whole.slack(axis) > 0 and not whole.finite(axis):
            may |= ~np.isfinite(kept.quick(axis))
    return may


def _passed_over(was: Polygon, now: Polygon, columns: list[F32], room: list[float]) -> Mask | None:
    """Return which events lie between the sides that only one of two polygons has, or near such a side.

    Who is inside is the parity of crossed sides. That of the sides which both have is the same, and the others together
    are closed: what decides is whether an odd number of them is crossed.
    """
    old, new = (Counter(_sides(polygon)) for polygon in (was, now))
    sides = list(((old - new) + (new - old)).elements())
    if not sides:
        return None
    corners = np.array(sides, dtype=np.float64).reshape(-1, 2)
    # As float32, so that columns are compared as they are; its last bit is within the room many times over.
    low, high = (corners.min(axis=0) - room).astype(np.float32), (corners.max(axis=0) + room).astype(np.float32)

    def near(values: list[F32]) -> Mask:
        x, y = values
        may: Mask = x >= low[0]
        for also in (x <= high[0], y >= low[1], y <= high[1]):
            may &= also
        there = np.flatnonzero(may)
        if there.size:
            may[there] = _odd_or_close(x[there].astype(np.float64), y[there].astype(np.float64), sides, room)
        return may

    return _by_stretches(columns, np.bool_, near)


def _odd_or_close(x: F64, y: F64, sides: Iterable[tuple[Point, Point]], room: list[float]) -> Mask:
    odd, close = np.zeros(x.size, dtype=np.bool_), np.zeros(x.size, dtype=np.bool_)
    for (ax, ay), (bx, by) in sides:
        left = (bx - ax) * (y - ay) - (x - ax) * (by - ay)
        odd ^= ((ay <= y) != (by <= y)) & (left > 0 if by > ay else left < 0)
        beside = np.abs(left) <= room[0] * abs(by - ay) + room[1] * abs(bx - ax)
        beside &= (x >= min(ax, bx) - room[0]) & (x <= max(ax, bx) + room[0])
        close |= beside & (y >= min(ay, by) - room[1]) & (y <= max(ay, by) + room[1])
    return odd | close


def _in_a_shell(was: Ellipse, now: Ellipse, columns: list[F32], room: list[float], kept: KeptColumns) -> Mask | None:
    """Return which events are near either of two ellipses, or inside one of them alone.

    How far events lie from the centre of the ellipse as it was is kept for the next step of the drag. In these units
    the moved one holds a ball and lies in another, both about that centre: only events between the two are looked at.
    """
    shells = [_Shell.of(each, room) for each in (was, now)]
    if shells[0] is None or shells[1] is None:
        return None
    one, other = shells[0], shells[1]
    distance = kept.made(("distance", was), lambda: _by_stretches(columns, np.float32, one.distance))
    inner, outer = one.balls(other)
    may = (distance >= inner) & (distance <= outer)
    rows = np.flatnonzero(may)
    if rows.size:
        in_one, out_one = one.sides(distance[rows])
        in_other, out_other = other.sides(
            _by_stretches([column[rows] for column in columns], np.float32, other.distance)
        )
        may[rows] = ~((in_one & in_other) | (out_one & out_other))
    return may


class _Shell:
    """An ellipse as two others, one well inside it and one well outside; distances are squares, in its own units."""

    def __init__(self, ellipse: Ellipse, whiten: F64, off: float) -> None:
        self.centre, self.whiten = np.array(ellipse.mean), whiten
        self.mean, self.turn = self.centre.astype(np.float32), whiten.astype(np.float32)
        self.radius, self.off = float(np.sqrt(ellipse.distance_squared)), off

    @classmethod
    def of(cls, ellipse: Ellipse, room: list[float]) -> _Shell | None:
        """Return the shell of an ellipse whose coordinates are off by at most the room; None where none can be told."""
        covariance = np.array(ellipse.covariance)
        spread = np.sqrt(np.diag(covariance))
        correlation = covariance / np.outer(spread, spread)
        if not np.linalg.cond(correlation) < _WORST_CONDITION:
            return None
        turn = np.linalg.cholesky(np.linalg.inv((correlation + correlation.T) / 2)).T
        off = float(np.linalg.norm(turn, 2)) * float(np.linalg.norm(np.array(room) / spread))
        # Values that are off by as much as the ellipse is wide tell nothing.
        useful = off < np.sqrt(ellipse.distance_squared) < _LARGEST_RADIUS
        return cls(ellipse, turn / spread, off) if useful else None

    def balls(self, other: _Shell) -> tuple[np.float32, np.float32]:
        """Return the largest ball that is inside of both ellipses, and the smallest with both inside, with room."""
        away = float(np.linalg.norm(self.whiten @ (other.centre - self.centre)))
        stretch = np.linalg.svd(self.whiten @ np.linalg.inv(other.whiten), compute_uv=False)
        smallest = min(self.radius, other.radius * float(stretch.min()) - away)
        largest = max(self.radius, other.radius * float(stretch.max()) + away)
        return self._inner(smallest), self._outer(largest)

    def distance(self, values: list[F32]) -> F32:
        """Return the squared distance of events from the centre, shape (n,)."""
        away = [column - at for column, at in zip(values, self.mean, strict=True)]
        total = np.zeros(len(away[0]), dtype=np.float32)
        for row in range(len(away)):
            # The factor is a triangle: what stands below its diagonal is zero.
            along = away[row] * self.turn[row, row]
            for column in range(row + 1, len(away)):
                along += away[column] * self.turn[row, column]
            along *= along
            total += along
        return total

    def sides(self, distance: F32) -> tuple[Mask, Mask]:
        """Return which events are certainly inside, and which certainly outside; what is no number is outside."""
        return distance < self._inner(self.radius), ~(distance <= self._outer(self.radius))

    def _inner(self, radius: float) -> np.float32:
        return np.float32(max(radius * (1 - _SHELL_FRAC) - self.off, 0.0) ** 2)

    def _outer(self, radius: float) -> np.float32:
        return np.float32((radius * (1 + _SHELL_FRAC) + self.off) ** 2)


def _by_stretches(columns: list[F32], kind: type[T], made: Callable[[list[F32]], NDArray[T]]) -> NDArray[T]:
    """Return what is made of some columns, a stretch at a time."""
    whole = np.empty(len(columns[0]), dtype=kind)
    for start in range(0, whole.size, _STRETCH):
        whole[start : start + _STRETCH] = made([column[start : start + _STRETCH] for column in columns])
    return whole


def _sides(polygon: Polygon) -> Iterable[tuple[Point, Point]]:
    return zip(polygon.vertices, (*polygon.vertices[1:], polygon.vertices[0]), strict=True)


def _ends(geometry: Polygon | Ellipse) -> list[tuple[float, ...]]:
    """Return points between which a boundary lies on every axis."""
    if isinstance(geometry, Polygon):
        return list(geometry.vertices)
    mean = np.array(geometry.mean)
    reach = np.sqrt(geometry.distance_squared * np.diag(np.array(geometry.covariance)))
    return [tuple((mean - reach).tolist()), tuple((mean + reach).tolist())]
