"""What a plot of each gate needs and nothing more: the parent's events counted in bins, and how the axes read."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stromagate.gating.axis_views import axis_view
from stromagate.gating.geometry import edges
from stromagate.model.gates import Boolean, Ellipse, GateNode, Geometry, Polygon, Spans
from stromagate.model.result import AxisView, DensityView
from stromagate.model.sample import F32
from stromagate.prepare.scales import display

if TYPE_CHECKING:
    from stromagate.gating.engine import Gated
    from stromagate.model.template import GatingTemplate, PopulationSpec
    from stromagate.prepare.prepared import Prepared


# What a gate on one axis is plotted against, the first that the tube carries.
_PARTNERS = ("SSC-A", "SSC-H", "SSC", "FSC-A", "FSC-H", "FSC")
# A plot holds no more than this in one byte.
_BRIGHTEST = 255


def density_views(
    prepared: Prepared, gated: Gated, template: GatingTemplate, *, grid: int = 128
) -> tuple[DensityView, ...]:
    """Bin the parent of every gate that has axes to be plotted on.

    Parameters
    ----------
    prepared : Prepared
        The tube.
    gated : Gated
        Boundaries and members.
    template : GatingTemplate
        Says which axes a plot has, where it says so.
    grid : int
        Bins per side.

    Returns
    -------
    tuple of DensityView
        In the order of the tree. A Boolean gate is plotted only where the template names its axes, a gate that was
        not evaluable only where its parent was.
    """
    specs = {spec.name: spec for spec in template.populations}
    binned = _Binned(prepared, gated, grid)
    views = (binned.view(node, specs[node.name]) for node in gated.tree.nodes if node.name in specs)
    return tuple(view for view in views if view is not None)


class _Binned:
    """Values of one parent at a time, so that gates side by side share them."""

    def __init__(self, prepared: Prepared, gated: Gated, grid: int) -> None:
        self.prepared, self.gated, self.grid = prepared, gated, grid
        self.parent, self.shown = "", dict[str, F32]()
        self.sides: dict[tuple[str, str, tuple[float, ...]], AxisView] = {}

    def view(self, node: GateNode, spec: PopulationSpec) -> DensityView | None:
        """Return the plot of one gate; None where there is nothing to plot."""
        axes = _plotted(node, spec, self.prepared.axes)
        if not axes or node.parent not in self.gated.members:
            return None
        sides = tuple(self._side(node, axis) for axis in axes)
        counts = self._counts(node.parent, sides)
        peak = int(counts.max(initial=0))
        return DensityView(
            population=node.name,
            parent=node.parent,
            x=sides[0],
            y=sides[1] if len(sides) == 2 else None,
            nx=counts.shape[1],
            ny=counts.shape[0],
            grid=encoded(counts, peak),
            peak=peak,
            n_parent=len(self.gated.members[node.parent]),
            n_shown=int(counts.sum()),
            outline=node.geometry,
        )

    def _side(self, node: GateNode, axis: str) -> AxisView:
        marks = marks_of(node.geometry, axis)
        key = (node.parent, axis, marks)
        if key not in self.sides:
            values = self._values(node.parent, axis)
            self.sides[key] = axis_view(axis, self.prepared.axes[axis], values, self.prepared.panel, marks)
        return self.sides[key]

    def _values(self, parent: str, axis: str) -> F32:
        """Return display values of a parent's events."""
        if self.parent != parent:
            self.parent, self.shown = parent, {}
        if axis not in self.shown:
            members = self.gated.members[parent]
            rows = None if len(members) == self.prepared.n else members
            self.shown[axis] = display(self.prepared.axes[axis].scale, self.prepared.linear(axis, rows))
        return self.shown[axis]

    def _counts(self, parent: str, sides: tuple[AxisView, ...]) -> NDArray[np.intp]:
        """Count events by bin, shape (ny, nx), row 0 at the bottom; events outside the plot are not counted."""
        n = self.grid
        columns, *rows = (bins_of(self._values(parent, side.axis), side, n) for side in sides)
        if not rows:
            return np.bincount(columns, minlength=n + 2)[None, 1:-1]
        counts = np.bincount(rows[0] * (n + 2) + columns, minlength=(n + 2) ** 2)
        return counts.reshape(n + 2, n + 2)[1:-1, 1:-1]


def _plotted(node: GateNode, spec: PopulationSpec, axes: Mapping[str, object]) -> tuple[str, ...]:
    """Return the axes of a gate's plot, those the tube carries.

    The gate's own axes come first, whatever else the template wants: a boundary must be seen on the axes it is on.
    """
    own = node.geometry.axes[:2] if node.geometry is not None else ()
    wanted = dict.fromkeys((*own, *spec.plot, *(() if len(own) == 2 else _PARTNERS if own else ())))
    if len(spec.plot) == 2 and set(own) <= set(spec.plot):
        wanted = dict.fromkeys(spec.plot)
    return tuple(axis for axis in wanted if axis in axes)[:2]


def marks_of(geometry: Geometry | None, axis: str) -> tuple[float, ...]:
    """Return where a gate's boundary lies on an axis, so that the plot reaches as far."""
    if geometry is None or axis not in geometry.axes:
        return ()
    at = geometry.axes.index(axis)
    if isinstance(geometry, Polygon):
        along = [vertex[at] for vertex in geometry.vertices]
        return min(along), max(along)
    if isinstance(geometry, Ellipse):
        reach = math.sqrt(geometry.distance_squared * geometry.covariance[at][at])
        return geometry.mean[at] - reach, geometry.mean[at] + reach
    if isinstance(geometry, Spans):
        return geometry.spans[0][0], geometry.spans[-1][1]
    if isinstance(geometry, Boolean):
        return ()
    return tuple(bound for bound in edges(geometry)[at] if bound is not None)


def bins_of(values: F32, side: AxisView, n: int) -> NDArray[np.intp]:
    """Return the bin of each value from 1 to n; 0 and n + 1 take what lies outside, and NaN."""
    with np.errstate(invalid="ignore", over="ignore"):
        position = values - np.float32(side.low)
        position *= np.float32(n / (side.high - side.low))
        position += np.float32(1)
        np.fmin(position, np.float32(n + 1), out=position)
        np.fmax(position, np.float32(0), out=position)
    return position.astype(np.intp)


def encoded(counts: NDArray[Any], peak: int) -> str:
    """Return counts on a log scale in one byte each, base64; a bin with any event is never empty."""
    if peak == 0:
        grid = np.zeros(counts.shape, dtype=np.uint8)
    else:
        level = np.rint(_BRIGHTEST * np.log1p(counts) / np.log1p(peak))
        grid = np.where(counts > 0, np.maximum(level, 1), 0).astype(np.uint8)
    return base64.b64encode(grid.tobytes()).decode("ascii")
