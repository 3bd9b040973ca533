"""The controls that a gate was set on, as an outline over its plot, and the words that say what it is."""

from __future__ import annotations

import base64
import math
from typing import Any

from stromagate.model.result import AxisView, ControlProfile, DensityView, SampleResult
from stromagate.report.lookup import label
from stromagate.report.wording import count_text

_LEVELS = 255
# How much of a plot of two axes the outline may take: enough to see the tail, little enough to see the events.
_MARGIN = 0.26
_LINE, _HALO = "#1b1f24", "rgba(255,255,255,0.85)"


def control_lines(view: DensityView, control: ControlProfile) -> list[dict[str, Any]]:
    """Return the outline of one control profile as traces of plotly.

    Over a histogram it stands on the same ground and is as high as this, its counts on the same log scale. Over a
    density it stands on the side of the plot along which the gate cuts.

    Parameters
    ----------
    view : DensityView
        The plot.
    control : ControlProfile
        Counted over the limits of one of the plot's axes.

    Returns
    -------
    list of dict
        A pale halo and a dashed line on it, so that the outline is seen on dark and on white; empty where the plot
        does not show the axis.
    """
    along_x = control.axis == view.x.axis
    axis = view.x if along_x else view.y
    if axis is None or axis.axis != control.axis:
        return []
    places, heights = _steps(axis, _heights(view, control))
    if view.y is not None:
        other = view.y if along_x else view.x
        heights = [other.low + _MARGIN * (other.high - other.low) * height for height in heights]
    x, y = (places, heights) if along_x else (heights, places)
    shared = {"type": "scatter", "mode": "lines", "x": x, "y": y, "hoverinfo": "skip", "showlegend": False}
    return [
        {**shared, "line": {"color": _HALO, "width": 3.2}},
        {**shared, "line": {"color": _LINE, "width": 1.3, "dash": "4px,2px"}},
    ]


def control_words(result: SampleResult, view: DensityView, control: ControlProfile) -> str:
    """Return what an outline shows: which controls, how many, read where, and how the height is to be taken."""
    kind, _, marker = control.role.partition(":")
    name = f"FMO {marker}" if kind == "fmo" else control.role
    tubes = "1 tube" if control.n_tubes == 1 else f"{control.n_tubes} tubes"
    events = f"{count_text(control.n_events)} events of {label(result, control.population)}"
    scaled = "scaled to the same height" if view.y is None else f"along {control.axis}, on a log scale of their own"
    return f"{name}, {tubes}, {events}, {scaled}"


def _heights(view: DensityView, control: ControlProfile) -> list[float]:
    """Return the height of every bin, 0 to 1: on the log scale of the events it is laid over, or on its own."""
    levels = base64.b64decode(control.profile)
    if view.y is not None or not view.peak:
        return [level / _LEVELS for level in levels]
    counts = [math.expm1(level / _LEVELS * math.log1p(control.peak)) for level in levels]
    return [math.log1p(count / control.peak * view.peak) / math.log1p(view.peak) for count in counts]


def _steps(axis: AxisView, heights: list[float]) -> tuple[list[float], list[float]]:
    """Return the corners of the bins' outline, from the ground up and back to it; empty ends are left out."""
    width = (axis.high - axis.low) / len(heights)
    filled = [i for i, height in enumerate(heights) if height > 0]
    if not filled:
        return [], []
    places, shown = [axis.low + filled[0] * width], [0.0]
    for i in range(filled[0], filled[-1] + 1):
        places += [axis.low + i * width, axis.low + (i + 1) * width]
        shown += [heights[i]] * 2
    return [*places, places[-1]], [*shown, 0.0]
