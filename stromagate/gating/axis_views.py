"""One side of a plot: how far it goes, what it is called and where its ticks are."""

from __future__ import annotations

import math

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
_LINEAR_TICKS = 5
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def axis_view(name: str, axis: Axis, values: F32, panel: Panel) -> AxisView:
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

    Returns
    -------
    AxisView
    """
    finite = values[np.isfinite(values)]
    low, high = _linear_limits(axis.scale, finite) if axis.scale.kind == "linear" else _limits(axis.scale, finite)
    ticks = _linear_ticks(low, high) if axis.scale.kind == "linear" else _decade_ticks(axis.scale, low, high)
    return AxisView(axis=name, title=_title(name, axis, panel), low=low, high=high, scale=axis.scale, ticks=ticks)


def _title(name: str, axis: Axis, panel: Panel) -> str:
    pnn = next((binding.pnn for binding in panel.bindings if binding.axis == name), axis.pnn)
    return name if pnn == name else f"{name} ({pnn})"


def _limits(scale: Scale, finite: F32) -> tuple[float, float]:
    """Return limits of a scaled axis: from just below zero or the lowest events to just above the top."""
    zero = float(forward(scale, 0.0)[0])
    lowest = float(np.quantile(finite, _BELOW_FRAC)) if finite.size else zero
    low = max(min(lowest, zero - _LOW_MARGIN), _LOWEST)
    return _rounded(low, math.floor), _rounded(1 + _ABOVE_FRAC * (1 - low), math.ceil)


def _rounded(value: float, toward: object) -> float:
    """Return two decimals outward, so that a limit does not hang on the last bit of a quantile."""
    assert callable(toward)
    return float(toward(value * 100)) / 100


def _linear_limits(scale: Scale, finite: F32) -> tuple[float, float]:
    """Return limits of a linear axis: zero or the lowest events, to the top of the scale or just above the data."""
    if finite.size == 0:
        return 0.0, scale.top
    low = min(0.0, float(np.quantile(finite, _BELOW_FRAC)))
    largest = float(finite.max())
    high = scale.top if 0.1 * scale.top < largest <= scale.top else max(largest, 1e-9)
    return low, high + _ABOVE_FRAC * (high - low)


def _decade_ticks(scale: Scale, low: float, high: float) -> tuple[tuple[float, str], ...]:
    """Return zero and the powers of ten that stand clear of it, both signs."""
    ends = inverse(scale, np.array([low, high]))
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
