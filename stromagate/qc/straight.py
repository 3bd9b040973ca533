"""Straight edges in the file's own units: which rows lie within them, and what a shifted edge would keep."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from stromagate.model.gates import GateNode
from stromagate.model.sample import Rows
from stromagate.prepare.scales import raw_cut
from stromagate.qc.check import Evidence
from stromagate.qc.targets import Edges, edges_of

Cut = tuple[dict[str, Edges], bool]
"""Edges by axis in scale values, and whether their inside or their outside is kept."""


def cut(evidence: Evidence, node: GateNode, *, keep: bool = True) -> Cut:
    """Return a gate's straight edges in scale values; empty where it has none."""
    scales = {axis: evidence.tree.axes[axis].scale for axis in edges_of(node.geometry)}
    edges = {
        axis: (
            None if low is None else raw_cut(scales[axis], low),
            None if high is None else raw_cut(scales[axis], high),
        )
        for axis, (low, high) in edges_of(node.geometry).items()
    }
    return edges, keep


def within(evidence: Evidence, rows: Rows, cuts: Iterable[Cut]) -> Rows:
    """Return the rows on the kept side of all cuts.

    Parameters
    ----------
    evidence : Evidence
        Knows the values.
    rows : ndarray of intp, shape (n,)
        Rows to choose from.
    cuts : iterable of Cut
        The rarest first, so that few rows are looked up after it.

    Returns
    -------
    ndarray of intp, shape (k,)
        In their order; a value that is no number lies on neither side.
    """
    for edges, keep in cuts:
        inside, numbers = np.ones(rows.size, dtype=np.bool_), np.ones(rows.size, dtype=np.bool_)
        for axis, (low, high) in edges.items():
            values = evidence.linear(axis, rows)
            numbers &= np.isfinite(values)
            if low is not None:
                inside &= values >= low
            if high is not None:
                inside &= values < high
        rows = rows[numbers & (inside == keep)]
    return rows
