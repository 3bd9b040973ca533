"""What a tree must be before it is walked: names, parents and axes in order; and what follows from it."""

from __future__ import annotations

from typing import NoReturn

from stromagate.errors import SpecificationError
from stromagate.gating.geometry import check
from stromagate.model.gates import ROOT, Boolean, GateNode, GateTree, combined


def check_tree(tree: GateTree) -> None:
    """Refuse a tree that contradicts itself.

    Raises
    ------
    SpecificationError
        A name twice, a parent or a population of a Boolean gate that does not stand above, an axis the tree does not
        explain, impossible geometry.
    """
    above = {ROOT}
    for node in tree.nodes:
        if node.name in above:
            _refuse("name", f"two populations are called '{node.name}'", node)
        if node.parent not in above:
            _refuse("parent", f"its parent '{node.parent}' does not stand above it", node)
        if node.geometry is not None:
            check(node.geometry, where=node.name)
            _check_references(node, tree, above)
        above.add(node.name)


def evaluable(tree: GateTree) -> frozenset[str]:
    """Return the populations with a boundary whose parents, and whatever they combine, have one too."""
    able = {ROOT}
    for node in tree.nodes:
        if node.geometry is not None and able.issuperset(node.stands_on):
            able.add(node.name)
    return frozenset(able)


def deciding_axes(tree: GateTree) -> dict[str, frozenset[str]]:
    """Return for each population all axes that decide who is in it: its own gate's and those of the gates above."""
    axes: dict[str, frozenset[str]] = {ROOT: frozenset()}
    for node in tree.nodes:
        own = frozenset(node.geometry.axes) if node.geometry is not None else frozenset()
        axes[node.name] = own.union(*(axes[name] for name in node.stands_on))
    return axes


def deciders(tree: GateTree, name: str) -> frozenset[str]:
    """Return the populations that decide who is in a population: itself, and all it stands on, the root left out."""
    nodes = {node.name: node for node in tree.nodes}
    found, waiting = set[str](), [name]
    while waiting:
        node = nodes.get(waiting.pop())
        if node is not None and node.name not in found:
            found.add(node.name)
            waiting += node.stands_on
    return frozenset(found)


def deciding_gates(tree: GateTree, name: str) -> frozenset[str]:
    """Return those of the populations that decide about another whose gates have a boundary of their own."""
    return frozenset(each for each in deciders(tree, name) if not isinstance(tree.node(each).geometry, Boolean))


def _check_references(node: GateNode, tree: GateTree, above: set[str]) -> None:
    assert node.geometry is not None
    for axis in node.geometry.axes:
        if axis not in tree.axes:
            _refuse("axis", f"the tree does not say what its axis '{axis}' is", node)
    for name in combined(node.geometry):
        if name not in above:
            _refuse("population", f"it combines '{name}', which does not stand above it", node)


def _refuse(code: str, message: str, node: GateNode) -> NoReturn:
    raise SpecificationError(
        f"tree.{code}", message, where=node.name, hint="parents and combined populations stand above their children"
    )
