"""Display scales as functions: exact both ways, the raw value of a display cut, and a fast table for plots and fits.

Logicle and asinh are those of Gating-ML 2.0; the exact logicle is FlowUtils' C code (Moore and Parks 2012,
doi:10.1002/cyto.a.22030).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from stromagate.errors import SpecificationError
from stromagate.model.sample import F32, F64
from stromagate.model.scales import Scale

Values = TypeVar("Values", F32, F64)

TABLE_ERROR = 1e-6
"""Bound of ``|display - forward|``, in display units, up to 2**15 times the top (tested)."""

# The table has a node at every float32 whose low 15 bits are zero, 256 an octave: from well inside the linear region
# around zero up to 16 octaves over the top.
_LOW_BITS = 15
_OCTAVE = 1 << (23 - _LOW_BITS)
_OCTAVES_BELOW, _OCTAVES_ABOVE = 10, 16
_CHUNK = 1 << 16
# With a width of exactly zero the C solver does not converge on values this near to zero (as a share of the first
# decade); the function is straight there.
_STRAIGHT = 1e-9


def check_scale(scale: Scale, where: str | None = None) -> None:
    """Refuse parameters for which the scale is not a monotone function.

    Raises
    ------
    SpecificationError
        Names the parameter and its allowed range.
    """
    t, w, m, a = scale.top, scale.width_decades, scale.decades, scale.negative_decades
    problem = None
    if not (np.isfinite([t, w, m, a]).all() and t > 0):
        problem = f"top is {t:g}; it must be above zero"
    elif scale.kind != "linear" and m <= 0:
        problem = f"decades is {m:g}; it must be above zero"
    elif scale.kind == "logicle" and not 0 <= w <= m / 2:
        problem = f"width is {w:g}; it must lie between 0 and half of decades ({m / 2:g})"
    elif scale.kind == "logicle" and not -w <= a <= m - 2 * w:
        problem = f"negative_decades is {a:g}; it must lie between {-w:g} and {m - 2 * w:g}"
    elif scale.kind == "asinh" and not 0 <= a <= m:
        problem = f"negative_decades is {a:g}; it must lie between 0 and {m:g}"
    if problem:
        raise SpecificationError(
            "scale.parameter",
            f"the {scale.kind} scale cannot be used: {problem}",
            where=where,
            hint="correct the scale in the template, or leave `top` and `width` to the data",
        )


def forward(scale: Scale, values: ArrayLike) -> F64:
    """Return scale values in display units, exact to the last bits.

    Parameters
    ----------
    scale : Scale
        Parameters of the map.
    values : array_like, shape (n,)
        Scale values; NaN stays NaN, infinities stay infinite.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    linear = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if scale.kind == "linear":
        return linear.copy()
    if scale.kind == "asinh":
        return _asinh(scale, linear)
    from flowutils import transforms

    args = (scale.top, scale.decades, scale.width_decades, scale.negative_decades)
    out: F64 = transforms._logicle(linear, *args)
    reach = scale.top * 10.0**-scale.decades * _STRAIGHT
    tiny = np.abs(linear) < reach
    if scale.width_decades == 0 and tiny.any():
        zero, edge = transforms._logicle(np.array([0.0, reach]), *args)
        out[tiny] = zero + (edge - zero) * linear[tiny] / reach
    return _keep_non_finite(out, linear)


def inverse(scale: Scale, display: ArrayLike) -> F64:
    """Return display units as scale values; the inverse of `forward`.

    Parameters
    ----------
    scale : Scale
        Parameters of the map.
    display : array_like, shape (n,)
        Display units.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    shown = np.atleast_1d(np.asarray(display, dtype=np.float64))
    if scale.kind == "linear":
        return shown.copy()
    if scale.kind == "asinh":
        ln10, decades = np.log(10), scale.decades + scale.negative_decades
        with np.errstate(over="ignore"):
            stretched = np.sinh(shown * decades * ln10 - scale.negative_decades * ln10)
        return np.asarray(stretched * scale.top / np.sinh(scale.decades * ln10), dtype=np.float64)
    from flowutils import transforms

    args = (scale.top, scale.decades, scale.width_decades, scale.negative_decades)
    return _keep_non_finite(transforms._logicle_inverse(shown, *args), shown)


def raw_cut(scale: Scale, display: float) -> float:
    """Return the smallest scale value whose display value is at least ``display``.

    A comparison in display units, ``forward(x) >= display``, is then ``x >= raw_cut`` without transforming anything.
    The solver behind logicle is monotone only up to its last bits, so an event within a few of those of the cut must
    be decided with `forward`.

    Parameters
    ----------
    scale : Scale
        Parameters of the map.
    display : float
        A cut in display units.

    Returns
    -------
    float
        A cut in scale values.
    """
    if scale.kind == "linear" or not np.isfinite(display):
        return float(display)
    guess = float(inverse(scale, display)[0])
    if not np.isfinite(guess):
        return guess
    low, high, step = guess, guess, max(abs(guess), 1e-3) * 2.0**-40
    while float(forward(scale, low)[0]) >= display and step < 1e30:
        low, step = low - step, step * 4
    step = max(abs(guess), 1e-3) * 2.0**-40
    while float(forward(scale, high)[0]) < display and step < 1e30:
        high, step = high + step, step * 4
    while (middle := low + (high - low) / 2) not in {low, high}:
        low, high = (low, middle) if float(forward(scale, middle)[0]) >= display else (middle, high)
    return high


def display(scale: Scale, values: F32) -> F32:
    """Return scale values in display units, fast: straight lines between table nodes on the bits of the float.

    Parameters
    ----------
    scale : Scale
        Parameters of the map.
    values : ndarray of float32, shape (n,)
        Scale values; NaN stays NaN, infinities stay infinite.

    Returns
    -------
    ndarray of float32, shape (n,)
        Within `TABLE_ERROR` of `forward`, which is far below what a plot or a fit can see. Membership near an edge
        is not decided here.
    """
    linear = np.ascontiguousarray(values, dtype=np.float32)
    if scale.kind == "linear":
        return linear.copy()
    base, slope = _table(scale)
    out = np.empty(linear.shape, dtype=np.float32)
    for start in range(0, linear.size, _CHUNK):
        piece = linear[start : start + _CHUNK]
        row = (piece.view(np.uint32) >> np.uint32(_LOW_BITS)).astype(np.intp)
        part = np.multiply(piece, slope.take(row), out=out[start : start + _CHUNK])
        part += base.take(row)
    return out


@lru_cache(maxsize=32)
def _table(scale: Scale) -> tuple[F32, F32]:
    """Return intercept and slope of a straight line for every upper half of a float32, 512 KiB each.

    Around zero and beyond the last node the nearest line goes on; NaN and infinities map to themselves.
    """
    start = np.floor(np.log2(scale.top) - scale.decades * np.log2(10)) - _OCTAVES_BELOW
    stop = np.floor(np.log2(scale.top)) + _OCTAVES_ABOVE
    first, last = ((int(np.clip(octave, -126, 127)) + 127) * _OCTAVE for octave in (start, stop))
    nodes = np.arange(first, last + 1, dtype=np.uint32) << np.uint32(_LOW_BITS)
    edges = np.concatenate([[0.0], nodes.view(np.float32).astype(np.float64)])
    # Line 0 is the piece between zero and the first node, line 1 the one after it.
    halves = np.arange(1 << (31 - _LOW_BITS))
    line = np.clip(halves - (first - 1), 0, len(edges) - 2)
    odd = halves >= 255 * _OCTAVE
    base, slope = [], []
    for sign in (1.0, -1.0):
        at = forward(scale, sign * edges)
        rise = np.diff(at) / np.diff(sign * edges)
        slope.append(np.where(odd, 1.0, rise[line]))
        base.append(np.where(odd, 0.0, (at[:-1] - rise * sign * edges[:-1])[line]))
    return np.concatenate(base).astype(np.float32), np.concatenate(slope).astype(np.float32)


def _asinh(scale: Scale, linear: F64) -> F64:
    ln10 = np.log(10)
    stretched = np.arcsinh(linear * (np.sinh(scale.decades * ln10) / scale.top))
    return np.asarray(
        (stretched + scale.negative_decades * ln10) / ((scale.decades + scale.negative_decades) * ln10),
        dtype=np.float64,
    )


def _keep_non_finite(out: Values, values: Values) -> Values:
    """Put NaN and infinities back: the C code answers -1 for them."""
    odd = ~np.isfinite(values)
    if odd.any():
        out[odd] = values[odd]
    return out
