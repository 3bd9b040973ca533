"""What a tree must be before it is walked: names, parents and axes in order; and what follows from it."""

from __future__ import annotations

from typing import NoReturn

from stromagate.errors import SpecificationError
from stromagate.gating.geometry import check
from stromagate.model.gates import ROOT, Boolean, GateNode, GateTree


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
        needs = {node.parent, *(node.geometry.of if isinstance(node.geometry, Boolean) else ())}
        if node.geometry is not None and needs <= able:
            able.add(node.name)
    return frozenset(able)


def deciding_axes(tree: GateTree) -> dict[str, frozenset[str]]:
    """Return for each population all axes that decide who is in it: its own gate's and those of the gates above."""
    axes: dict[str, frozenset[str]] = {ROOT: frozenset()}
    for node in tree.nodes:
        own = frozenset(node.geometry.axes) if node.geometry is not None else frozenset()
        named = node.geometry.of if isinstance(node.geometry, Boolean) else ()
        axes[node.name] = axes[node.parent].union(own, *(axes[name] for name in named))
    return axes


def deciding_gates(tree: GateTree, name: str) -> frozenset[str]:
    """Return the populations whose own boundaries decide who is in a population: itself, and those it stands on."""
    nodes = {node.name: node for node in tree.nodes}
    found, waiting = set[str](), [name]
    while waiting:
        node = nodes.get(waiting.pop())
        if node is not None and node.name not in found:
            found.add(node.name)
            waiting += [node.parent, *(node.geometry.of if isinstance(node.geometry, Boolean) else ())]
    return frozenset(name for name in found if not isinstance(nodes[name].geometry, Boolean))


def _check_references(node: GateNode, tree: GateTree, above: set[str]) -> None:
    assert node.geometry is not None
    for axis in node.geometry.axes:
        if axis not in tree.axes:
            _refuse("axis", f"the tree does not say what its axis '{axis}' is", node)
    for name in node.geometry.of if isinstance(node.geometry, Boolean) else ():
        if name not in above:
            _refuse("population", f"it combines '{name}', which does not stand above it", node)


def _refuse(code: str, message: str, node: GateNode) -> NoReturn:
    raise SpecificationError(
        f"tree.{code}", message, where=node.name, hint="parents and combined populations stand above their children"
    )
