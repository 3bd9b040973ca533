"""Which events could change sides when a boundary is moved: of all others the answer is known already.

What is said here is never who is inside. It only spares the sieve the events that a move cannot touch: those outside
the box of the sides of a polygon that moved, and those outside both of two ellipses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from stromagate.gating.geometry import Mask
from stromagate.gating.sieve import on_table, tolerance
from stromagate.model.gates import Ellipse, Geometry, Point, Polygon
from stromagate.model.scales import Scale

if TYPE_CHECKING:
    from stromagate.gating.kept_columns import KeptColumns, Part

# A box is drawn this much larger on every side, in parts of its own coordinates: far more than float64 loses when a
# point is compared with a side, far less than anybody could see.
_ROOM_REL = 1e-6


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
    box = _box(was, now)
    if box is None:
        return None
    may: Mask | None = None
    odd: Mask | None = None
    for axis, (low, high) in zip(now.axes, box, strict=True):
        scale = scales[axis]
        if not on_table(scale, low, high):
            return None
        room = tolerance(whole, axis, scale) + _ROOM_REL * max(abs(low), abs(high))
        values = kept.shown(axis)
        # Thresholds are rounded outward: a float32 at the very edge of the box is still in it.
        within = (values >= _down(low - room)) & (values <= -_down(-(high + room)))
        may = within if may is None else may & within
        if whole.slack(axis) > 0 and not whole.finite(axis):
            unclear = ~np.isfinite(kept.quick(axis))
            odd = unclear if odd is None else odd | unclear
    return may if odd is None or may is None else may | odd


def _box(was: Geometry | None, now: Geometry) -> tuple[Point, ...] | None:
    """Return the box, from where to where on each axis, outside of which nothing changes; None where there is none."""
    if isinstance(was, Polygon) and isinstance(now, Polygon) and _alike(was, now):
        corners = _moved_corners(was, now)
        return _around(corners) if corners else None
    if isinstance(was, Ellipse) and isinstance(now, Ellipse) and _alike(was, now):
        return _around([corner for each in (was, now) for corner in _ends(each)])
    return None


def _alike(was: Polygon | Ellipse, now: Polygon | Ellipse) -> bool:
    return (was.axes, was.inside) == (now.axes, now.inside)


def _moved_corners(was: Polygon, now: Polygon) -> list[Point]:
    """Return the ends of all sides that only one of two polygons has.

    Who is inside is the parity of crossed sides. That of the sides which both have is the same, and the others together
    are closed: a point outside their box is crossed by an even number of them.
    """
    old, new = (Counter(_sides(polygon)) for polygon in (was, now))
    return [corner for side in ((old - new) + (new - old)) for corner in side]


def _sides(polygon: Polygon) -> Iterable[tuple[Point, Point]]:
    return zip(polygon.vertices, (*polygon.vertices[1:], polygon.vertices[0]), strict=True)


def _ends(ellipse: Ellipse) -> tuple[tuple[float, ...], tuple[float, ...]]:
    mean = np.array(ellipse.mean)
    reach = np.sqrt(ellipse.distance_squared * np.diag(np.array(ellipse.covariance)))
    return tuple((mean - reach).tolist()), tuple((mean + reach).tolist())


def _around(corners: Iterable[tuple[float, ...]]) -> tuple[Point, ...]:
    return tuple((min(along), max(along)) for along in zip(*corners, strict=True))


def _down(value: float) -> np.float32:
    """Return a float32 that is not above the value."""
    with np.errstate(over="ignore"):
        near = np.float32(value)
    return near if float(near) <= value else np.nextafter(near, np.float32(-np.inf))
