"""One population in two results: gate by gate down its ladder, and each boundary edge by edge."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from stromagate.gating.tree import deciders
from stromagate.model.gates import (
    ROOT,
    Axis,
    Boolean,
    Ellipse,
    GateNode,
    GateTree,
    Geometry,
    Polygon,
    straight_edges,
)
from stromagate.model.result import SampleResult
from stromagate.model.scales import same_map
from stromagate.prepare.scales import forward, inverse

Side = Literal["from", "below"]

_SAME_REL, _SAME_ABS = 1e-9, 1e-12
"""Edges nearer to each other than this are one edge: what writing and scaling back lose. Own choice."""


@dataclass(frozen=True, slots=True)
class EdgeShift:
    """One edge of a gate in both results.

    ``before`` and ``after`` are in display units of the first result's scale, None where the side is open there.
    ``decades`` is the way between the two values, None on linear axes and where a value is not above zero. Of an
    ellipse or a polygon (``outline``) the edges are those of the box around it.
    """

    axis: str
    side: Side
    before: float | None
    after: float | None
    decades: float | None
    outline: bool = False


@dataclass(frozen=True, slots=True)
class GateStep:
    """One gate of a ladder in both results: what share (0-1) of its parent it keeps, and what of it moved.

    ``log_ratio`` is the natural logarithm of share over share, None where one of them is zero or not known; a gate that
    one result lacks keeps everything there. ``differs`` says whether the boundary is another one; ``note`` says what
    else about it is.
    """

    gate: str
    parent: str
    share_before: float | None
    share_after: float | None
    log_ratio: float | None
    differs: bool
    edges: tuple[EdgeShift, ...] = ()
    note: str = ""

    @property
    def changes(self) -> bool:
        """Whether the gate keeps another share than before."""
        return self.share_before != self.share_after

    @property
    def size(self) -> float:
        """How much it changes: the logarithm without its sign, infinite where all or nothing is kept."""
        if not self.changes:
            return 0.0
        return math.inf if self.log_ratio is None else abs(self.log_ratio)


def ladder(before: SampleResult, after: SampleResult, population: str) -> tuple[GateStep, ...]:
    """Return every gate that decides about a population in either result, from all events down.

    Parameters
    ----------
    before, after : SampleResult
        Two results of one file.
    population : str
        It has that name in both.

    Returns
    -------
    tuple of GateStep
    """
    return tuple(_step(before, after, name) for name in _path(before.tree, after.tree, population))


def first_change(steps: tuple[GateStep, ...]) -> GateStep | None:
    """Return the first gate of a ladder whose share changes; one whose boundary differs goes before others.

    Below a boundary that moved, shares change though no other boundary did.
    """
    return next(iter(_changing(steps)), None)


def greatest_change(steps: tuple[GateStep, ...]) -> GateStep | None:
    """Return the gate whose share changes most, among those whose boundary differs where there are any."""
    return max(_changing(steps), key=lambda step: step.size, default=None)


def _changing(steps: tuple[GateStep, ...]) -> list[GateStep]:
    changing = [step for step in steps if step.changes]
    return [step for step in changing if step.differs] or changing


def edge_shifts(before: GateNode, after: GateNode, trees: tuple[GateTree, GateTree]) -> tuple[EdgeShift, ...]:
    """Return the edges of a gate that lie elsewhere than before.

    Edges are paired by axis and side, those of several stretches in their order.
    """
    ours, theirs = (dict(_edges(node.geometry)) for node in (before, after))
    found = []
    for key in dict.fromkeys([*ours, *theirs]):
        axis, side, _, outline = key
        scales = tuple(tree.axes.get(axis) for tree in trees)
        shift = _shift(ours.get(key), theirs.get(key), scales[0], scales[1])
        if shift is not None:
            found.append(EdgeShift(axis, side, *shift, outline=outline))
    return tuple(found)


_Key = tuple[str, Side, int, bool]


def _edges(geometry: Geometry | None) -> Iterator[tuple[_Key, float]]:
    """Yield every edge with its axis, its side, which of several it is, and whether it is that of an outline."""
    if geometry is None:
        return
    outline = isinstance(geometry, Ellipse | Polygon)
    seen: dict[tuple[str, Side], int] = {}
    for axis, side, at in _box(geometry) if outline else straight_edges(geometry):
        number = seen[axis, side] = seen.get((axis, side), -1) + 1
        yield (axis, side, number, outline), at


def _box(geometry: Geometry) -> Iterator[tuple[str, Side, float]]:
    if isinstance(geometry, Polygon):
        for i, axis in enumerate(geometry.axes):
            values = [vertex[i] for vertex in geometry.vertices]
            yield axis, "from", min(values)
            yield axis, "below", max(values)
    elif isinstance(geometry, Ellipse):
        for i, axis in enumerate(geometry.axes):
            reach = math.sqrt(max(0.0, geometry.distance_squared * geometry.covariance[i][i]))
            yield axis, "from", geometry.mean[i] - reach
            yield axis, "below", geometry.mean[i] + reach


def _shift(
    before: float | None, after: float | None, ours: Axis | None, theirs: Axis | None
) -> tuple[float | None, float | None, float | None] | None:
    """Return both places on the first scale and the decades between them; None where they are one place."""
    if before is not None and after is not None and ours is not None and theirs is not None:
        if not same_map(ours.scale, theirs.scale):
            after = float(forward(ours.scale, inverse(theirs.scale, after))[0])
        if math.isclose(before, after, rel_tol=_SAME_REL, abs_tol=_SAME_ABS):
            return None
        low, high = (float(inverse(ours.scale, at)[0]) for at in (before, after))
        has_decades = ours.scale.kind != "linear" and low > 0 and high > 0
        return before, after, math.log10(high / low) if has_decades else None
    if before is None and after is not None and theirs is not None and ours is not None:
        after = float(forward(ours.scale, inverse(theirs.scale, after))[0])
    return before, after, None


def _path(before: GateTree, after: GateTree, population: str) -> list[str]:
    """Return the gates of both ladders in one order: the second's, the first's own where they stood in the first."""
    ours, theirs = (_own_path(tree, population) for tree in (before, after))
    merged = list(theirs)
    for place, name in enumerate(ours):
        if name not in merged:
            above = next((each for each in reversed(ours[:place]) if each in merged), None)
            merged.insert(0 if above is None else merged.index(above) + 1, name)
    return merged


def _own_path(tree: GateTree, population: str) -> list[str]:
    wanted = deciders(tree, population)
    return [node.name for node in tree.nodes if node.name in wanted]


def _step(before: SampleResult, after: SampleResult, name: str) -> GateStep:
    ours, theirs = (_node(result.tree, name) for result in (before, after))
    shares = tuple(_share(result, node) for result, node in ((before, ours), (after, theirs)))
    low, high = shares
    there = theirs or ours
    parent = ROOT if there is None else there.parent
    made = GateStep(name, parent, low, high, math.log(high / low) if low and high else None, differs=False)
    if ours is None or theirs is None:
        return replace(made, differs=True, note="only in the second" if ours is None else "only in the first")
    edges = edge_shifts(ours, theirs, (before.tree, after.tree))
    note = "; ".join(_notes(ours, theirs, (before.tree, after.tree)))
    return replace(made, differs=bool(edges or note), edges=edges, note=note)


def _notes(before: GateNode, after: GateNode, trees: tuple[GateTree, GateTree]) -> Iterator[str]:
    """Yield what of a gate is another beside its edges."""
    if before.parent != after.parent:
        yield f"of {before.parent}, then of {after.parent}"
    ours, theirs = before.geometry, after.geometry
    if ours is None or theirs is None:
        if ours is not theirs:
            yield "without a boundary in the first" if ours is None else "without a boundary in the second"
        return
    if isinstance(ours, Boolean) and isinstance(theirs, Boolean):
        if ours != theirs:
            yield "combines other populations"
        return
    if ours.kind != theirs.kind:
        yield f"{_SHAPES[ours.kind]}, then {_SHAPES[theirs.kind]}"
    elif getattr(ours, "inside", True) != getattr(theirs, "inside", True):
        yield "the other side of the outline is kept"
    elif isinstance(ours, Ellipse | Polygon) and ours != theirs:
        yield "another outline"
    for axis in dict.fromkeys([*ours.axes, *theirs.axes]):
        one, other = (tree.axes.get(axis) for tree in trees)
        if one and other and one.pnn != other.pnn:
            yield f"{axis} read from {one.pnn}, then from {other.pnn}"


_SHAPES = {
    "interval": "a cut on one axis",
    "spans": "stretches of one axis",
    "rectangle": "a rectangle",
    "polygon": "a polygon",
    "ellipse": "an ellipse",
    "quadrant": "a part of a cross",
    "boolean": "a combination",
}


def _node(tree: GateTree, name: str) -> GateNode | None:
    return next((node for node in tree.nodes if node.name == name), None)


def _share(result: SampleResult, node: GateNode | None) -> float | None:
    """Return the share of its parent that a gate keeps; 1 where the result lacks it, None where it is not known."""
    if node is None:
        return 1.0
    kept, parent = result.count(node.name), events_of(result, node.parent)
    return None if kept is None or not parent else kept / parent


def events_of(result: SampleResult, population: str) -> int | None:
    """Return the number of events of a population, or of all."""
    count = result.count(population)
    return result.n_events if count is None and population == ROOT else count
