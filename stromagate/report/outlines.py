"""A gate's geometry as shapes of a drawing: lines, boxes and paths in the display units of the plot's axes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from stromagate.model.gates import Ellipse, Geometry, Interval, Point, Polygon, QuadrantPart, Rectangle, Spans
from stromagate.model.result import AxisView, DensityView

GATE_COLOUR = "#c2410c"
_LINE = {"color": GATE_COLOUR, "width": 1.6}
_BAND = "rgba(194,65,12,0.13)"
_OUTSIDE = "rgba(92,102,112,0.14)"
_ELLIPSE_POINTS = 96
# From here on to the edge of the plot a share no longer fits beside its line.
_NARROW = 0.75

Shape = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outline:
    """Shapes of one gate and the point beside which its share is written (x, y in units of the axes or None)."""

    shapes: list[Shape] = field(default_factory=list)
    anchor: tuple[float, float | None] | None = None
    side: str = "center"


def outline(view: DensityView, spread: float | None = None) -> Outline:
    """Return the shapes of a view's gate.

    Parameters
    ----------
    view : DensityView
        The plot; its outline may lie on the plot's axes in either order.
    spread : float, optional
        Standard deviation of the boundary in display units of the gate's first axis; drawn as a band of two to either
        side where the gate is cut by straight lines.

    Returns
    -------
    Outline
        Empty where the gate has no outline, or lies on axes that the plot does not show.
    """
    gate = view.outline
    if gate is None or not {view.x.axis, view.y.axis if view.y else None}.intersection(gate.axes):
        return Outline()
    if isinstance(gate, Interval):
        return _interval(view, gate, spread)
    if isinstance(gate, Spans):
        return _spans(view, gate)
    if view.y is None or not set(gate.axes) >= {view.x.axis, view.y.axis}:
        return Outline()
    return _on_two_axes(view, gate, spread)


def _on_two_axes(view: DensityView, gate: Geometry, spread: float | None) -> Outline:
    match gate:
        case Rectangle():
            return _rectangle(view, gate, spread)
        case Polygon():
            return _closed(view, _turned(view, gate.axes, gate.vertices), gate.inside)
        case Ellipse():
            return _closed(view, _ellipse(view, gate), gate.inside)
        case QuadrantPart():
            return _quadrant(view, gate)
        case _:
            return Outline()


def is_shadow(gate: Geometry | None) -> bool:
    """Say whether a drawing shows only the shadow of a gate that lies on more than two axes."""
    return isinstance(gate, Ellipse | Rectangle) and len(gate.axes) > 2


def _interval(view: DensityView, gate: Interval, spread: float | None) -> Outline:
    along_x = gate.axis == view.x.axis
    axis = view.x if along_x else view.y
    if axis is None:
        return Outline()
    edges = [edge for edge in (gate.low, gate.high) if edge is not None]
    shapes = [_straight(edge, along_x, spread) for edge in edges if spread]
    shapes += [_straight(edge, along_x, None) for edge in edges]
    low = axis.low if gate.low is None else max(gate.low, axis.low)
    high = axis.high if gate.high is None else min(gate.high, axis.high)
    if along_x:
        if gate.low is not None and gate.high is None:
            return Outline(shapes, (low, None), "left" if _room(view.x, low) < _NARROW else "squeezed right")
        if gate.high is not None and gate.low is None:
            return Outline(shapes, (high, None), "right" if _room(view.x, high) > 1 - _NARROW else "squeezed left")
        return Outline(shapes, ((low + high) / 2, None), "center")
    return Outline(shapes, (view.x.low, high if gate.low is None else low), "below" if gate.low is None else "above")


def _room(axis: AxisView, at: float) -> float:
    """Return where a value lies between the ends of an axis, 0 to 1."""
    return (min(max(at, axis.low), axis.high) - axis.low) / (axis.high - axis.low)


def _straight(edge: float, along_x: bool, spread: float | None) -> Shape:
    """Return a line across the whole plot, or the band of two standard deviations to either side of it."""
    low, high = (edge - 2 * spread, edge + 2 * spread) if spread else (edge, edge)
    near, far, other = ("x", "y", "y domain") if along_x else ("y", "x", "x domain")
    place = {f"{near}0": low, f"{near}1": high, f"{far}0": 0, f"{far}1": 1, f"{far}ref": other, f"{near}ref": near}
    if spread:
        return {"type": "rect", **place, "fillcolor": _BAND, "line": {"width": 0}}
    return {"type": "line", **place, "line": _LINE}


def _spans(view: DensityView, gate: Spans) -> Outline:
    """Shade what is left out: the kept stretches of a good tube are nearly all of it."""
    if gate.axis != view.x.axis:
        return Outline()
    ends = [view.x.low, *(edge for span in gate.spans for edge in span), view.x.high]
    gaps = [(ends[i], ends[i + 1]) for i in range(0, len(ends), 2) if ends[i + 1] > ends[i]]
    box = {"type": "rect", "xref": "x", "yref": "y domain", "y0": 0, "y1": 1, "fillcolor": _OUTSIDE}
    shapes = [{**box, "x0": low, "x1": high, "line": {"width": 0}} for low, high in gaps]
    edges = [edge for edge in ends[1:-1] if view.x.low < edge < view.x.high]
    return Outline(
        [*shapes, *(_straight(edge, True, None) for edge in edges)], ((view.x.low + view.x.high) / 2, None), "center"
    )


def _rectangle(view: DensityView, gate: Rectangle, spread: float | None) -> Outline:
    (x0, x1), (y0, y1) = _sides(gate, view.x), _sides(gate, _y(view))
    shapes = []
    if spread:
        along_x = gate.axes[0] == view.x.axis
        shapes = [_straight(edge, along_x, spread) for edge in (gate.low[0], gate.high[0]) if edge is not None]
    line = _LINE if gate.inside else {**_LINE, "dash": "dash"}
    shapes.append({"type": "rect", "x0": x0, "x1": x1, "y0": y0, "y1": y1, "line": line, "fillcolor": "rgba(0,0,0,0)"})
    return Outline(shapes, _within(view, ((x0 + x1) / 2, y1)), "below")


def _sides(gate: Rectangle, axis: AxisView) -> tuple[float, float]:
    """Return both edges on an axis of the plot; an open side lies beyond what is shown."""
    i = gate.axes.index(axis.axis)
    beyond = 0.1 * (axis.high - axis.low)
    low, high = gate.low[i], gate.high[i]
    return (axis.low - beyond if low is None else low, axis.high + beyond if high is None else high)


def _closed(view: DensityView, points: list[Point], inside: bool) -> Outline:
    path = "M" + " L".join(f"{x:.7g},{y:.7g}" for x, y in points) + " Z"
    shape = {"type": "path", "path": path, "line": _LINE if inside else {**_LINE, "dash": "dash"}}
    top = max(points, key=lambda point: point[1])
    return Outline([shape], _within(view, top), "below")


def _ellipse(view: DensityView, gate: Ellipse) -> list[Point]:
    """Return the edge of the ellipse, or of its shadow on the two axes shown (same distance, their covariance)."""
    i, j = gate.axes.index(view.x.axis), gate.axes.index(_y(view).axis)
    a, b, d = gate.covariance[i][i], gate.covariance[i][j], gate.covariance[j][j]
    radius = math.sqrt(max(0.0, gate.distance_squared))
    # Cholesky factor of the 2 x 2 covariance: unit circle to ellipse.
    l11 = math.sqrt(max(a, 0.0))
    l21 = b / l11 if l11 else 0.0
    l22 = math.sqrt(max(d - l21 * l21, 0.0))
    turns = (2 * math.pi * k / _ELLIPSE_POINTS for k in range(_ELLIPSE_POINTS))
    return [
        (gate.mean[i] + radius * l11 * math.cos(t), gate.mean[j] + radius * (l21 * math.cos(t) + l22 * math.sin(t)))
        for t in turns
    ]


def _quadrant(view: DensityView, gate: QuadrantPart) -> Outline:
    ((x, y),) = _turned(view, gate.axes, (gate.origin,))
    i = gate.axes.index(view.x.axis)
    right, up = gate.sides[i] == "above", gate.sides[1 - i] == "above"
    x1 = view.x.high if right else view.x.low
    y1 = _y(view).high if up else _y(view).low
    box = {"type": "rect", "x0": x, "x1": x1, "y0": y, "y1": y1, "fillcolor": _BAND, "line": {"width": 0}}
    return Outline(
        [box, _straight(x, True, None), _straight(y, False, None)],
        _within(view, ((x + x1) / 2, max(y, y1))),
        "below",
    )


def _turned(view: DensityView, axes: tuple[str, ...], points: tuple[Point, ...]) -> list[Point]:
    """Return points as (x, y) of the plot, whichever of the gate's axes the plot shows across."""
    return list(points) if axes[0] == view.x.axis else [(second, first) for first, second in points]


def _within(view: DensityView, point: Point) -> Point:
    y = _y(view)
    return (min(max(point[0], view.x.low), view.x.high), min(max(point[1], y.low), y.high))


def _y(view: DensityView) -> AxisView:
    if view.y is None:
        raise ValueError("a plot of one axis has no second one")
    return view.y
