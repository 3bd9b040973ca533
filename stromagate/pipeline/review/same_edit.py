"""The same edit on other tubes: at the same place, or by the same shift from each tube's own automatic boundary."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

from stromagate.errors import SpecificationError, UsageError
from stromagate.model.gates import Bound, Ellipse, Geometry, Interval, Point, Polygon, QuadrantPart, Rectangle

Mode = Literal["same_place", "same_shift"]
MODES: tuple[Mode, ...] = get_args(Mode)


def same_edit(edited: Geometry, fitted: Geometry | None, target: Geometry | None, mode: str) -> Geometry:
    """Return the boundary of another tube.

    Parameters
    ----------
    edited, fitted : Geometry
        As a reader drew it on one tube, and as it was fitted there.
    target : Geometry or None
        As it was fitted on the other tube.
    mode : {"same_place", "same_shift"}
        The former puts it where it was drawn, in display units; the latter moves the other tube's own boundary by as
        much as the drawn one was moved.

    Raises
    ------
    UsageError
        There is no such mode.
    SpecificationError
        The other tube has no boundary of that kind to be shifted.
    """
    if mode == "same_place":
        return edited
    if mode != "same_shift":
        raise UsageError("review.mode", f"there is no mode “{mode}”", hint=f"allowed: {', '.join(MODES)}")
    if fitted is None or target is None:
        raise SpecificationError("review.no_fit", "no boundary was fitted that could be shifted", hint="same_place")
    if type(edited) is not type(fitted) or type(target) is not type(fitted) or target.axes != fitted.axes:
        raise SpecificationError(
            "review.other_kind", "its own boundary is of another kind or lies on other axes", hint="same_place"
        )
    return _shifted(edited, fitted, target)


def _shifted(edited: Geometry, fitted: Geometry, target: Geometry) -> Geometry:
    match edited, fitted, target:
        case Interval(), Interval(), Interval():
            return replace(
                target,
                low=_by(target.low, fitted.low, edited.low),
                high=_by(target.high, fitted.high, edited.high),
            )
        case Rectangle(), Rectangle(), Rectangle():
            low = tuple(map(_by, target.low, fitted.low, edited.low))
            high = tuple(map(_by, target.high, fitted.high, edited.high))
            return replace(target, low=low, high=high)
        case QuadrantPart(), QuadrantPart(), QuadrantPart():
            return replace(target, origin=_moved(target.origin, fitted.origin, edited.origin))
        case Polygon(), Polygon(), Polygon():
            was, now = _centre(fitted), _centre(edited)
            return replace(target, vertices=tuple(_moved(at, was, now) for at in target.vertices))
        case Ellipse(), Ellipse(), Ellipse():
            places = zip(target.mean, fitted.mean, edited.mean, strict=True)
            mean = tuple(_plus(at, new - old) for at, old, new in places)
            return replace(target, mean=mean, covariance=edited.covariance, distance_squared=edited.distance_squared)
    raise SpecificationError(
        "review.no_shift", f"a gate of the kind {edited.kind} cannot be shifted", hint="same_place"
    )


def _by(at: Bound, was: Bound, now: Bound) -> Bound:
    """Return a bound shifted as another was; one that was opened or closed by hand is taken as it is."""
    return _plus(at, now - was) if at is not None and was is not None and now is not None else now


def _moved(at: Point, was: Point, now: Point) -> Point:
    return _plus(at[0], now[0] - was[0]), _plus(at[1], now[1] - was[1])


def _plus(at: float, shift: float) -> float:
    """Return a place in display units without the last bits of a difference."""
    return round(at + shift, 12)


def _centre(polygon: Polygon) -> Point:
    n = len(polygon.vertices)
    return sum(x for x, _ in polygon.vertices) / n, sum(y for _, y in polygon.vertices) / n
