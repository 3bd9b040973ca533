"""What it means to be inside a gate: the exact definition in display units, and which geometry is impossible.

Everything faster than this module (``gating.sieve``) decides only what is certain and hands the rest to ``contains``.
An event with a value that is not finite on one of a gate's axes is on neither side of it: not inside, and not in the
complement either.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from stromagate.errors import SpecificationError
from stromagate.model.gates import (
    Boolean,
    Bound,
    Ellipse,
    Geometry,
    Interval,
    Point,
    Polygon,
    QuadrantPart,
    Rectangle,
    Spans,
)
from stromagate.model.sample import F64

Mask = NDArray[np.bool_]

# One float of the outcome is exact only if nothing is lost on the way; covariances typed by hand are rarely symmetric
# to the last digit.
_SYMMETRY_REL = 1e-9


def contains(geometry: Geometry, points: F64) -> Mask:
    """Say which points are inside.

    Parameters
    ----------
    geometry : Geometry
        Any but Boolean, which looks at populations (see ``combine``).
    points : ndarray of float64, shape (n, n_axes)
        Display units, columns in the order of ``geometry.axes``.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    finite: Mask = np.logical_and.reduce(np.isfinite(points), axis=1)
    if isinstance(geometry, Polygon):
        inside = _in_polygon(geometry.vertices, points[:, 0], points[:, 1])
    elif isinstance(geometry, Ellipse):
        inside = _in_ellipse(geometry, np.where(finite[:, None], points, 0.0))
    elif isinstance(geometry, Spans):
        inside = _in_spans(geometry.spans, points[:, 0])
    elif isinstance(geometry, Boolean):
        message = "a Boolean gate looks at populations, not at points"
        raise TypeError(message)
    else:
        inside = _in_box(geometry, points)
    return finite & (inside if getattr(geometry, "inside", True) else ~inside)


def edges(geometry: Interval | Rectangle | QuadrantPart) -> tuple[tuple[float | None, float | None], ...]:
    """Return ``(low, high)`` for each axis so that inside is ``low <= x < high``; None is an open side.

    A closed upper edge becomes the next larger float: ``x <= high`` and ``x < next(high)`` are the same.
    """
    if isinstance(geometry, Interval):
        return ((geometry.low, _upper(geometry.high, closed=geometry.closed)),)
    if isinstance(geometry, Rectangle):
        highs = (_upper(high, closed=geometry.closed) for high in geometry.high)
        return tuple(zip(geometry.low, highs, strict=True))
    return tuple(
        (origin, None) if side == "above" else (None, origin)
        for origin, side in zip(geometry.origin, geometry.sides, strict=True)
    )


def combine(operation: str, masks: Sequence[Mask], parent: Mask, decided: Mask | None = None) -> Mask:
    """Return the members of a Boolean gate among a parent's events.

    Parameters
    ----------
    operation : {"all", "any", "none"}
        All of nothing and none of nothing are the whole parent; any of nothing is empty.
    masks : sequence of ndarray of bool, shape (n,)
        Members of the named populations.
    parent : ndarray of bool, shape (n,)
        Members of the parent.
    decided : ndarray of bool, shape (n,), optional
        Events with finite values on every axis that decides the named populations. Of the others nobody knows whether
        they are in, so they are not counted as out of them either.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    if operation == "all":
        return np.asarray(np.logical_and.reduce([parent, *masks]), dtype=np.bool_)
    some: Mask = np.logical_or.reduce([np.zeros_like(parent), *masks])
    if operation == "any":
        return parent & some
    return parent & ~some if decided is None else parent & ~some & decided


def check(geometry: Geometry, where: str | None = None) -> None:
    """Refuse geometry that can hold nothing or means nothing.

    Raises
    ------
    SpecificationError
        Not finite, low above high, no area, fewer than three vertices, a covariance that is none, the same axis twice.
    """
    if len(set(geometry.axes)) != len(geometry.axes):
        _refuse("axes", f"a gate needs different axes, and has {' and '.join(geometry.axes)}", where)
    if isinstance(geometry, Polygon):
        _check_polygon(geometry, where)
    elif isinstance(geometry, Ellipse):
        _check_ellipse(geometry, where)
    elif isinstance(geometry, Spans):
        _check_spans(geometry, where)
    elif isinstance(geometry, Boolean):
        if geometry.operation not in {"all", "any", "none"}:
            _refuse("operation", f"'{geometry.operation}' is no way to combine populations", where)
    else:
        _check_box(geometry, where)


def _upper(high: Bound, *, closed: bool) -> Bound:
    return math.nextafter(high, math.inf) if closed and high is not None else high


def _in_box(geometry: Interval | Rectangle | QuadrantPart, points: F64) -> Mask:
    inside = np.ones(len(points), dtype=np.bool_)
    for column, (low, high) in enumerate(edges(geometry)):
        if low is not None:
            inside &= points[:, column] >= low
        if high is not None:
            inside &= points[:, column] < high
    return inside


def _in_spans(spans: Sequence[Point], x: F64) -> Mask:
    # Ascending and disjoint: inside is where an odd number of borders lies at or below the value. Touching spans share
    # a border, which then counts twice and changes nothing.
    borders = np.array(spans, dtype=np.float64).ravel()
    return np.asarray(np.searchsorted(borders, x, side="right") % 2 == 1)


def _in_ellipse(geometry: Ellipse, points: F64) -> Mask:
    away = points - np.array(geometry.mean)
    inverse = np.linalg.inv(np.array(geometry.covariance))
    return np.asarray(((away @ inverse) * away).sum(axis=1) <= geometry.distance_squared)


def _in_polygon(vertices: Sequence[Point], x: F64, y: F64) -> Mask:
    """Crossing parity of a ray to the right, and whatever lies exactly on an edge."""
    odd = np.zeros(len(x), dtype=np.bool_)
    border = np.zeros(len(x), dtype=np.bool_)
    # Coordinates that are not finite are masked by the caller; reckoning with them is no error.
    with np.errstate(invalid="ignore", over="ignore"):
        for (ax, ay), (bx, by) in _sides(vertices):
            # Twice the area of the triangle of side and point, positive where the point lies to the left.
            left = (bx - ax) * (y - ay) - (x - ax) * (by - ay)
            crossed = (ay <= y) != (by <= y)
            odd ^= crossed & (left > 0 if by > ay else left < 0)
            on_line = np.flatnonzero(left == 0)
            at_x, at_y = x[on_line], y[on_line]
            between_x = (min(ax, bx) <= at_x) & (at_x <= max(ax, bx))
            border[on_line[between_x & (min(ay, by) <= at_y) & (at_y <= max(ay, by))]] = True
    return odd | border


def _sides(vertices: Sequence[Point]) -> Iterable[tuple[Point, Point]]:
    return zip(vertices, (*vertices[1:], vertices[0]), strict=True)


def _check_box(geometry: Interval | Rectangle | QuadrantPart, where: str | None) -> None:
    if isinstance(geometry, Rectangle):
        sizes = {len(geometry.axes), len(geometry.low), len(geometry.high)}
        if len(sizes) > 1 or min(sizes) < 2:
            _refuse("shape", "a rectangle needs two axes or more, and a lower and an upper edge for each", where)
    bounds = edges(geometry)
    _finite((value for pair in bounds for value in pair if value is not None), where)
    if len(bounds) != len(geometry.axes):
        _refuse("shape", f"{len(geometry.axes)} axes and {len(bounds)} pairs of bounds do not go together", where)
    for axis, (low, high) in zip(geometry.axes, bounds, strict=True):
        if low is not None and high is not None and low >= high:
            _refuse("empty", f"the gate on {axis} runs from {low:g} to {high:g} and can hold no event", where)
    if isinstance(geometry, QuadrantPart) and not set(geometry.sides) <= {"above", "below"}:
        _refuse("sides", f"a quadrant's sides are above or below, not {geometry.sides}", where)


def _check_polygon(geometry: Polygon, where: str | None) -> None:
    vertices = geometry.vertices
    _finite((value for vertex in vertices for value in vertex), where)
    if len(vertices) < 3:
        _refuse("polygon", f"a polygon needs three vertices or more, and has {len(vertices)}", where)
    (x0, y0), *others = vertices
    if len(set(vertices)) < 3 or _on_a_line([(x - x0, y - y0) for x, y in others]) or _there_and_back(vertices):
        _refuse("empty", "the polygon encloses no area", where)


def _on_a_line(steps: Sequence[Point]) -> bool:
    width, height = (max(abs(step[i]) for step in steps) for i in (0, 1))
    furthest = max(steps, key=lambda step: math.hypot(step[0], step[1]))
    return all(abs(furthest[0] * y - furthest[1] * x) <= 1e-12 * width * height for x, y in steps)


def _there_and_back(vertices: Sequence[Point]) -> bool:
    """Return whether every side is walked an even number of times, so that nothing lies between."""
    walked: set[frozenset[Point]] = set()
    for a, b in _sides(vertices):
        if a != b:
            walked ^= {frozenset((a, b))}
    return not walked


def _check_ellipse(geometry: Ellipse, where: str | None) -> None:
    n = len(geometry.axes)
    _finite((*geometry.mean, *(v for row in geometry.covariance for v in row), geometry.distance_squared), where)
    if n < 2 or len(geometry.mean) != n or [len(row) for row in geometry.covariance] != [n] * n:
        _refuse("shape", "an ellipse needs two axes or more, a centre and a square covariance of that size", where)
    if geometry.distance_squared <= 0:
        _refuse(
            "empty", f"the squared distance of an ellipse must be positive, not {geometry.distance_squared:g}", where
        )
    matrix = np.array(geometry.covariance, dtype=np.float64)
    # Judged in units of each axis, so that an axis in volts beside one in thousands of channels is no fault.
    spread = np.sqrt(np.abs(np.diag(matrix)))
    if not np.all(spread > 0):
        _refuse("covariance", "the covariance has an axis without variance", where)
    correlation = matrix / np.outer(spread, spread)
    if np.abs(correlation - correlation.T).max() > _SYMMETRY_REL:
        _refuse("covariance", "the covariance is not symmetric", where)
    if np.linalg.eigvalsh(correlation).min() <= n * np.finfo(np.float64).eps:
        _refuse("covariance", "the covariance is singular or not positive: it describes no ellipse", where)


def _check_spans(geometry: Spans, where: str | None) -> None:
    borders = [value for span in geometry.spans for value in span]
    _finite(borders, where)
    if not borders:
        _refuse("empty", f"no stretch of {geometry.axis} is kept", where)
    if any(low >= high for low, high in geometry.spans) or sorted(borders) != borders:
        _refuse("spans", f"the stretches of {geometry.axis} must ascend and must not overlap", where)


def _finite(numbers: Iterable[float], where: str | None) -> None:
    for number in numbers:
        if not math.isfinite(number):
            _refuse("not_finite", f"a gate's coordinates must be finite numbers, not {number}", where)


def _refuse(code: str, message: str, where: str | None) -> NoReturn:
    raise SpecificationError(
        f"gate.{code}", message, where=where, hint="correct the coordinates of this gate, or draw it again"
    )
