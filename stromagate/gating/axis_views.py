"""One side of a plot: how far it goes, what it is called and where its ticks are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from stromagate.model.gates import Axis
from stromagate.model.panel import Panel
from stromagate.model.result import AxisView
from stromagate.model.sample import F32
from stromagate.model.scales import Scale
from stromagate.prepare.scales import forward, inverse

# Share of the events that may lie below the plot.
_BELOW_FRAC = 0.001
# The low end is never higher than this on a scaled axis (just under zero), and never lower than this.
_LOW_MARGIN, _LOWEST = 0.05, -0.5
# Room above the top of the scale, as a share of the plot.
_ABOVE_FRAC = 0.03
_LINEAR_TICKS = 6
# A boundary further than this from the events, as a share of the plot, would only squeeze them.
_FURTHEST_FRAC = 0.5
# Limits are quantiles of about this many events, evenly taken.
_LOOKED_AT = 200_000
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def axis_view(
    name: str,
    axis: Axis,
    values: F32,
    panel: Panel,
    marks: Sequence[float] = (),
    limits: tuple[float, float] | None = None,
) -> AxisView:
    """Choose limits, title and ticks.

    Parameters
    ----------
    name : str
        Axis of the template.
    axis : Axis
        Its channel and scale.
    values : ndarray of float32, shape (n,), display units
        The events that will be plotted.
    panel : Panel
        Says which channel carries the axis.
    marks : sequence of float, display units
        Where a gate's boundary lies; the axis reaches that far, unless that is far from everything.
    limits : tuple of float, display units, optional
        From where to where, where somebody asked for a part of the axis.

    Returns
    -------
    AxisView
    """
    some = values[:: max(1, values.size // _LOOKED_AT)]
    some = some[np.isfinite(some)]
    linear = axis.scale.kind == "linear"
    if limits is None:
        low, high = _linear_limits(axis.scale, some) if linear else _limits(axis.scale, some)
        limits = _reaching(low, high, marks)
    low, high = limits
    ticks = _linear_ticks(low, high) if linear else _decade_ticks(axis.scale, low, high)
    return AxisView(axis=name, title=_title(name, axis, panel), low=low, high=high, scale=axis.scale, ticks=ticks)


def _reaching(low: float, high: float, marks: Sequence[float]) -> tuple[float, float]:
    """Return limits that show a gate's boundary with a little room, up to half a plot beyond the events."""
    width = high - low
    near = [mark for mark in marks if low - _FURTHEST_FRAC * width <= mark <= high + _FURTHEST_FRAC * width]
    room = _ABOVE_FRAC * width
    return min([low, *(mark - room for mark in near)]), max([high, *(mark + room for mark in near)])


def _title(name: str, axis: Axis, panel: Panel) -> str:
    pnn = next((binding.pnn for binding in panel.bindings if binding.axis == name), axis.pnn)
    return name if pnn == name else f"{name} ({pnn})"


def _limits(scale: Scale, finite: F32) -> tuple[float, float]:
    """Return limits of a scaled axis: from just below zero or the lowest events to just above the top."""
    zero = float(forward(scale, 0.0)[0])
    lowest = float(np.quantile(finite, _BELOW_FRAC)) if finite.size else zero
    low = max(min(lowest, zero - _LOW_MARGIN), _LOWEST)
    return _rounded(low, math.floor), _rounded(1 + _ABOVE_FRAC * (1 - low), math.ceil)


def _rounded(value: float, toward: Callable[[float], int]) -> float:
    """Return two decimals outward, so that a limit does not hang on the last bit of a quantile."""
    return float(toward(value * 100)) / 100


def _linear_limits(scale: Scale, finite: F32) -> tuple[float, float]:
    """Return limits of a linear axis: zero or the lowest events, to the top of the scale or where the events end."""
    if finite.size == 0:
        return 0.0, scale.top
    lowest, highest = (float(value) for value in np.quantile(finite, [_BELOW_FRAC, 1 - _BELOW_FRAC]))
    low = min(0.0, lowest)
    high = 1.1 * highest if 0 < highest <= 0.1 * scale.top or highest > scale.top else scale.top
    return low, high + _ABOVE_FRAC * (high - low)


def _decade_ticks(scale: Scale, low: float, high: float) -> tuple[tuple[float, str], ...]:
    """Return zero and the powers of ten that stand clear of it, both signs."""
    # Who zooms out sees more of nothing: no event lies far beyond the scale, and neither do ticks.
    ends = inverse(scale, np.clip([low, high], _LOWEST - 1, 2.0))
    zero = float(forward(scale, 0.0)[0])
    most = math.floor(math.log10(max(abs(float(ends[0])), float(ends[1]), 10)))
    ticks = [(zero, "0")] if low <= zero <= high else []
    for power in range(-2, most + 1):
        for sign in (1, -1):
            at = float(forward(scale, sign * 10.0**power)[0])
            # Closer than this, the labels of zero and its neighbours run into each other.
            if low <= at <= high and abs(at - zero) >= 0.08:
                ticks.append((at, f"{'−' if sign < 0 else ''}10{str(power).translate(_SUPERSCRIPTS)}"))
    return tuple((round(at, 6), text) for at, text in sorted(ticks))


def _linear_ticks(low: float, high: float) -> tuple[tuple[float, str], ...]:
    """Return round steps, in thousands (K) where the numbers are large."""
    rough = (high - low) / _LINEAR_TICKS
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(magnitude * factor for factor in (1, 2, 2.5, 5, 10) if magnitude * factor >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return tuple((index * step, _number(index * step)) for index in range(first, last + 1))


def _number(value: float) -> str:
    if abs(value) >= 1e7:
        return f"{value / 1e6:g}M"
    return f"{value / 1e3:g}K" if abs(value) >= 1e3 else f"{value:g}"
