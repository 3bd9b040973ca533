"""Median intensities of a population: the robust number beside a gate, for a median needs no boundary on the marker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from stromagate.gating.tree import deciding_axes
from stromagate.model.gates import GateNode, GateTree
from stromagate.model.result import Statistic
from stromagate.model.sample import F32, Rows
from stromagate.model.template import GatingTemplate
from stromagate.quantify.states import count_state

INTERVAL = "order statistics"


def medians(
    tree: GateTree,
    rows_of: Callable[[str], Rows | None],
    markers: tuple[str, ...],
    *,
    linear: Callable[[str, Rows], F32],
    confidence: float,
) -> dict[str, list[Statistic]]:
    """Return the median of each marker that the tube carries, by population.

    Parameters
    ----------
    tree : GateTree
        Knows the populations and the axes of this tube.
    rows_of : callable
        Sorted rows of a population; None where it could not be evaluated.
    markers : tuple of str
        Markers wanted.
    linear : callable
        ``linear(axis, rows)``: compensated scale values, float32, shape (n_rows,).
    confidence : float
        Level of the intervals.

    Returns
    -------
    dict
        In scale values (the file's own units after gain and compensation), markers in the order asked for; ``n`` counts
        the events with a finite value.
    """
    made: dict[str, list[Statistic]] = {node.name: [] for node in tree.nodes}
    gated = _gated_rows(tree, rows_of)
    for marker in dict.fromkeys(markers):
        if marker in tree.axes:
            # Compensated once for all nested populations. Always by rows: products of whole columns are left to BLAS,
            # whose last bits differ between machines.
            values = np.empty(int(gated[-1]) + 1 if gated.size else 0, dtype=np.float32)
            values[gated] = linear(marker, gated)
            for node in tree.nodes:
                rows = rows_of(node.name)
                made[node.name].append(_row(node, marker, None if rows is None else values[rows], confidence))
    return made


def uncut_medians(
    node: GateNode, tree: GateTree, template: GatingTemplate, found: Mapping[str, Sequence[Statistic]]
) -> list[Statistic]:
    """Return what stands beside a share that rests on a cut: the marker's median in the whole that is cut.

    Parameters
    ----------
    node : GateNode
        The population; only indices that are a part of another index, as progenitors are of MSC, have such a number.
    tree : GateTree
        Knows which markers decide about either.
    template : GatingTemplate
        Names the indices.
    found : mapping of str to sequence of Statistic
        Medians by population.

    Returns
    -------
    list of Statistic
        ``median_of_parent`` of the population, one for every marker that decides about it and not about its parent;
        ``denominator`` is the parent whose median it is, ``n`` its events.
    """
    indices = set(template.indices.values())
    if node.name not in indices or node.parent not in indices:
        return []
    axes = deciding_axes(tree)
    own = axes[node.name] - axes[node.parent]
    return [
        row.model_copy(
            update={
                "population": node.name,
                "parent": node.parent,
                "statistic": "median_of_parent",
                "denominator": node.parent,
            }
        )
        for row in found[node.parent]
        if row.marker in own
    ]


def _gated_rows(tree: GateTree, rows_of: Callable[[str], Rows | None]) -> Rows:
    """Return the sorted rows that are in any population but the root."""
    there = [rows for rows in (rows_of(node.name) for node in tree.nodes) if rows is not None and rows.size]
    inside = np.zeros(max((int(rows[-1]) + 1 for rows in there), default=0), dtype=np.bool_)
    for rows in there:
        inside[rows] = True
    return np.flatnonzero(inside)


def median(values: F32, confidence: float = 0.95) -> tuple[float, float | None, float | None, int]:
    """Return a median with its interval from order statistics, which assumes nothing of the distribution.

    Parameters
    ----------
    values : ndarray of float32, shape (n,)
        Scale values; NaN and infinities are left out. At least one must be finite.
    confidence : float
        Least coverage, between 0 and 1.

    Returns
    -------
    tuple
        Median, lower and upper bound (None where so few events bound nothing), number of finite values.
    """
    finite = np.isfinite(values)
    kept = values if finite.all() else values[finite]
    n, middle = int(kept.size), kept.size // 2
    depth = _depth(n, confidence)
    wanted = {middle, (n - 1) // 2} | ({depth - 1, n - depth} if depth else set())
    ordered = np.partition(kept, sorted(wanted))
    centre = (float(ordered[(n - 1) // 2]) + float(ordered[middle])) / 2
    if not depth:
        return centre, None, None, n
    return centre, float(ordered[depth - 1]), float(ordered[n - depth]), n


def _depth(n: int, confidence: float) -> int:
    """Return the rank from either end at which the interval of a median starts; 0 where n is too small.

    The largest d with P(Binomial(n, 1/2) < d) at most half of what may be left out.
    """
    from scipy.special import bdtr, ndtri

    tail = (1 - confidence) / 2
    d = max(0, int(n / 2 + float(ndtri(tail)) * n**0.5 / 2))  # the normal curve's answer, then exact
    while bdtr(d, n, 0.5) <= tail:
        d += 1
    while d > 0 and bdtr(d - 1, n, 0.5) > tail:
        d -= 1
    return d


def _row(node: GateNode, marker: str, values: F32 | None, confidence: float) -> Statistic:
    centre, low, high, n = (
        median(values, confidence)
        if values is not None and np.isfinite(values).any()
        else (None, None, None, None if values is None else 0)
    )
    return Statistic(
        population=node.name,
        parent=node.parent,
        statistic="median",
        marker=marker,
        value=centre,
        unit="scale value",
        ci_low=low,
        ci_high=high,
        state="not evaluable" if centre is None else count_state(n),
        n=n,
        interval="" if low is None else INTERVAL,
    )
