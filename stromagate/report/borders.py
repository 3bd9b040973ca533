"""Which boundaries a plot draws: a gate's own, or those of the populations that a combination is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stromagate.model.gates import Boolean, GateNode, Geometry, Interval
from stromagate.model.result import AxisView, DensityView
from stromagate.report.outlines import Outline, outline


def parts_of(node: GateNode, nodes: Mapping[str, GateNode]) -> list[GateNode]:
    """Return the nodes whose boundaries make this population: itself, or what a combination comes down to.

    Parameters
    ----------
    node : GateNode
        Any node.
    nodes : mapping of str to GateNode
        All nodes of the tree by name.

    Returns
    -------
    list of GateNode
        Without combinations, each once; empty where nothing could be placed.
    """
    found: dict[str, GateNode] = {}
    waiting, seen = [node], {node.name}
    while waiting:
        one = waiting.pop(0)
        if isinstance(one.geometry, Boolean):
            fresh = [name for name in one.geometry.of if name in nodes and name not in seen]
            seen.update(fresh)
            waiting += [nodes[name] for name in fresh]
        elif one.geometry is not None:
            found[one.name] = one
    return list(found.values())


def own_parts(node: GateNode, nodes: Mapping[str, GateNode]) -> list[GateNode]:
    """Return those of the parts whose boundary alone decides, among the events of the node's parent, who is in them.

    A part that stands below further gates is not parted by its own line there: drawn, it would be read as the gate.
    """
    above = _gates(node.parent, nodes)
    found: dict[str, GateNode] = {}
    waiting, seen = [node], {node.name}
    while waiting:
        one = waiting.pop(0)
        if isinstance(one.geometry, Boolean):
            fresh = [name for name in one.geometry.of if name in nodes and name not in seen]
            seen.update(fresh)
            waiting += [nodes[name] for name in fresh if _gates(nodes[name].parent, nodes) <= above]
        elif one.geometry is not None:
            found[one.name] = one
    return list(found.values())


def _gates(name: str, nodes: Mapping[str, GateNode]) -> set[str]:
    """Return the gates with a boundary of their own that decide who is in a population."""
    waiting, seen = [name], set[str]()
    while waiting:
        one = nodes.get(waiting.pop())
        if one is not None and one.name not in seen:
            seen.add(one.name)
            waiting += one.stands_on
    return {one for one in seen if not isinstance(nodes[one].geometry, Boolean)}


def drawable(view: DensityView, parts: Sequence[GateNode]) -> list[GateNode]:
    """Return the parts that have a boundary on the axes of the plot."""
    return [part for part in parts if outline(_of(view, part.geometry)).shapes]


def borders(view: DensityView, node: GateNode, nodes: Mapping[str, GateNode]) -> Outline:
    """Return the outline of a plot's population, drawn from its parts.

    The share is written beside the boundary on its kept side, or in a corner of the plot that the combination keeps;
    nowhere in the plot where no corner is known to be kept.
    """
    parts = own_parts(node, nodes)
    outlines = [outline(_of(view, part.geometry), part.spread) for part in parts]
    outlines = [drawn for drawn in outlines if drawn.shapes]
    if not outlines:
        return Outline()
    if not isinstance(node.geometry, Boolean):
        return outlines[0]
    shapes = [shape for drawn in outlines for shape in drawn.shapes]
    if node.geometry.operation != "none" and node.geometry.of == tuple(part.name for part in parts[:1]):
        return Outline(shapes, outlines[0].anchor, outlines[0].side)
    for anchor, side, point in _corners(view):
        if _holds(node, point, nodes, frozenset()):
            return Outline(shapes, anchor, side)
    return Outline(shapes)


def _of(view: DensityView, geometry: Geometry | None) -> DensityView:
    return view.model_copy(update={"outline": geometry})


def _corners(view: DensityView) -> Iterator[tuple[tuple[float, float | None], str, dict[str, float]]]:
    """Yield corners as (where the share is written, to which side, the values there by axis), the upper ones first."""
    (left, right), name = _ends(view.x), view.x.axis
    if view.y is None:
        yield (view.x.high, None), "right", {name: right}
        yield (view.x.low, None), "left", {name: left}
        return
    down, up = _ends(view.y)
    yield (view.x.high, None), "right", {name: right, view.y.axis: up}
    yield (view.x.low, None), "left", {name: left, view.y.axis: up}
    yield (view.x.high, view.y.low), "above", {name: right, view.y.axis: down}
    yield (view.x.low, view.y.low), "above", {name: left, view.y.axis: down}


def _ends(axis: AxisView) -> tuple[float, float]:
    inset = 0.02 * (axis.high - axis.low)
    return axis.low + inset, axis.high - inset


def _holds(
    node: GateNode, point: Mapping[str, float], nodes: Mapping[str, GateNode], above: frozenset[str]
) -> bool | None:
    """Say whether a population keeps a point, as far as the axes of the plot can tell; None where they tell nothing."""
    gate = node.geometry
    if isinstance(gate, Interval) and gate.axis in point:
        at = point[gate.axis]
        return (gate.low is None or gate.low <= at) and (gate.high is None or at < gate.high)
    if not isinstance(gate, Boolean) or node.name in above:
        return None
    held = [_holds(nodes[name], point, nodes, above | {node.name}) for name in gate.of if name in nodes]
    known = [answer for answer in held if answer is not None]
    if not known:
        return None
    return {"all": all(known), "any": any(known), "none": not any(known)}[gate.operation]
