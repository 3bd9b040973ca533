"""Which boundaries a plot draws: a gate's own, or those of the populations that a combination is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stromagate.model.gates import Boolean, GateNode, Geometry, Interval
from stromagate.model.result import DensityView
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


def drawable(view: DensityView, parts: Sequence[GateNode]) -> list[GateNode]:
    """Return the parts that have a boundary on the axes of the plot."""
    return [part for part in parts if outline(_of(view, part.geometry)).shapes]


def borders(view: DensityView, parts: Sequence[GateNode]) -> Outline:
    """Return the outline of a plot's population, drawn from its parts.

    The share is written beside the one boundary there is; where several make the population no single side of one is
    the kept one, and it stands in the corner.
    """
    outlines = [(part, outline(_of(view, part.geometry), part.spread)) for part in parts]
    outlines = [(part, drawn) for part, drawn in outlines if drawn.shapes]
    if not outlines:
        return Outline()
    shapes = [shape for _, drawn in outlines for shape in drawn.shapes]
    gate = view.outline
    if not isinstance(gate, Boolean):
        return Outline(shapes, outlines[0][1].anchor, outlines[0][1].side)
    (part, drawn), is_single = outlines[0], len(parts) == 1 and gate.of == (outlines[0][0].name,)
    if is_single and gate.operation in {"all", "any"}:
        return Outline(shapes, drawn.anchor, drawn.side)
    other = _other_side(part.geometry) if is_single else None
    if other is not None:
        beyond = outline(_of(view, other))
        return Outline(shapes, beyond.anchor, beyond.side)
    return Outline(shapes, (view.x.low, None), "left")


def _of(view: DensityView, geometry: Geometry | None) -> DensityView:
    return view.model_copy(update={"outline": geometry})


def _other_side(gate: Geometry | None) -> Interval | None:
    """Return what one cut leaves; None where the gate is more than one cut."""
    if isinstance(gate, Interval) and (gate.low is None) != (gate.high is None):
        return Interval(gate.axis, gate.high, gate.low)
    return None
