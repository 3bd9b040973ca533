"""``thresholds.csv``: every boundary of every tube as numbers, in display units and in the file's own units.

One row an edge that has a number: the lower before the upper, the first axis before the second, the stretches of a time
gate in order. A gate without straight edges (polygon, ellipse) or with none at all has one row that names its axes and
leaves the values empty: its outline stands in ``result.json``. A boundary that could not be placed has one row with the
source ``not evaluable``; the source of a boundary that names none is its method. Combinations of populations have no
boundary and no row. The spread belongs to the first axis; the second has one where its edge was estimated on its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from stromagate.export.cells import Cell
from stromagate.export.exporter import Exporter
from stromagate.export.table import table
from stromagate.model.gates import Axis, Boolean, GateNode, straight_edges
from stromagate.model.result import SampleResult
from stromagate.prepare.scales import inverse

_COLUMNS = (
    "sample_id",
    "population",
    "axis",
    "value_display",
    "value_raw",
    "spread",
    "source",
    "fallback",
    "edited_by",
)


def render(results: Sequence[SampleResult]) -> bytes:
    """Return one row an edge, tubes and gates in their order."""
    rows = (row for result in results for node in result.tree.nodes for row in _rows(result, node))
    return table(_COLUMNS, rows)


def _rows(result: SampleResult, node: GateNode) -> Iterator[list[Cell]]:
    if isinstance(node.geometry, Boolean):
        return
    start: list[Cell] = [result.sample_id, node.name]
    end: list[Cell] = [node.state == "fallback", node.edited_by]
    if node.geometry is None:
        yield [*start, None, None, None, None, "not evaluable", *end]
        return
    source = node.source or node.method
    edges = [(axis, at) for axis, _, at in straight_edges(node.geometry) if math.isfinite(at)]
    for axis, value in edges:
        first = axis == node.geometry.axes[0]
        spread = _finite(node.spread if first else node.spread_second if axis == node.geometry.axes[1] else None)
        yield [*start, axis, value, _raw(result.tree.axes[axis], value), spread, source, *end]
    if not edges:
        yield [*start, ",".join(node.geometry.axes), None, None, _finite(node.spread), source, *end]


def _raw(axis: Axis, value: float) -> float | None:
    """Return a display value in scale values; None beyond what the scale can show.

    Nine digits are more than events have (float32), and the last of sixteen differ between processors.
    """
    raw = _finite(float(inverse(axis.scale, value)[0]))
    return None if raw is None else float(f"{raw:.9g}")


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


EXPORTER = Exporter(
    filename="thresholds.csv",
    summary="every boundary, in display units and in the file's own, with its spread and source",
    render=render,
)
