"""What a population asks of an event, gate by gate: which edges it must be within, and which markers it must carry."""

from __future__ import annotations

from dataclasses import dataclass

from stromagate.gating.geometry import edges
from stromagate.model.gates import (
    MEASURED,
    ROOT,
    Boolean,
    GateNode,
    GateTree,
    Interval,
    QuadrantPart,
    Rectangle,
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One gate with edges of its own: an event must be within it, or (``keep`` is False) outside."""

    gate: str
    keep: bool

    def turned(self) -> Condition:
        """Return the opposite condition."""
        return Condition(self.gate, not self.keep)


@dataclass(frozen=True, slots=True)
class Conditions:
    """All conditions of a population, from the first gate down, each once.

    ``whole`` says whether they are all there is: an event is in the population exactly when it meets every one. It is
    False where alternatives ("any of") or the outside of a combination decide, and then the list is only a part of it.
    """

    each: tuple[Condition, ...]
    whole: bool


def conditions(tree: GateTree, name: str) -> Conditions:
    """Return what a population asks of an event.

    Parameters
    ----------
    tree : GateTree
        Boundaries; a gate that could not be placed asks nothing, and then the list is not whole.
    name : str
        The population; the root asks nothing.
    """
    if name == ROOT:
        return Conditions((), whole=True)
    node = tree.node(name)
    above = conditions(tree, node.parent)
    if node.geometry is None:
        return Conditions(above.each, whole=False)
    if not isinstance(node.geometry, Boolean):
        return _joined(above, Conditions((Condition(name, keep=True),), whole=True))
    for part in node.geometry.of:
        above = _joined(above, _of_part(tree, node.geometry, part, above))
    return above


def carried(tree: GateTree, name: str) -> frozenset[str]:
    """Return the axes on which a population asks for more than some value: markers that its cells must carry.

    Gates without straight edges (ellipses, polygons) ask for neither more nor less, and name no axis.
    """
    return frozenset(
        axis
        for condition in conditions(tree, name).each
        for axis, (low, high) in edges_by_axis(tree.node(condition.gate)).items()
        if (low is not None if condition.keep else low is None and high is not None)
    )


def edges_by_axis(node: GateNode) -> dict[str, tuple[float | None, float | None]]:
    """Return the straight edges of a gate by axis (display units); those of a raw axis under its marker's name."""
    match node.geometry:
        case Interval() | QuadrantPart() | Rectangle(inside=True):
            names = (marker_of(axis) for axis in node.geometry.axes)
            return dict(zip(names, edges(node.geometry), strict=True))
        case _:
            return {}


def marker_of(axis: str) -> str:
    """Return the marker of an axis, whether it shows compensated values or those measured."""
    return axis.removesuffix(MEASURED)


def _joined(one: Conditions, other: Conditions) -> Conditions:
    return Conditions(tuple(dict.fromkeys((*one.each, *other.each))), one.whole and other.whole)


def _of_part(tree: GateTree, gate: Boolean, part: str, above: Conditions) -> Conditions:
    """Return what one of the combined populations asks, beside what is asked already."""
    asked = conditions(tree, part)
    if gate.operation == "all" or (gate.operation == "any" and len(gate.of) == 1):
        return asked
    if gate.operation == "any":
        return Conditions((), whole=False)
    left = [condition for condition in asked.each if condition not in above.each]
    # Out of a combination of several is who misses any one of them: no list of conditions says that.
    single = len(left) == 1 and asked.whole
    return Conditions(tuple(condition.turned() for condition in left) if single else (), whole=single)
