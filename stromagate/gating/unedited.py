"""The tree as it was fitted, made again from one with a person's boundaries in it: what further edits are put into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from stromagate.gating.edits import LATER
from stromagate.gating.wording import called, looked_up_in_vain, parent_empty, parent_not_there
from stromagate.model.gates import GateNode, GateTree, combined


def unedited(
    tree: GateTree,
    replaced: Sequence[GateNode],
    fitted_counts: Mapping[str, int | None],
    labels: Mapping[str, str],
) -> GateTree:
    """Return a tree without its edits.

    Parameters
    ----------
    tree : GateTree
        With edits in it.
    replaced : sequence of GateNode
        The edited gates as they were fitted.
    fitted_counts : mapping of str to int or None
        Number of events by population before the edits; empty where there were none.
    labels : mapping of str to str
        What sentences call populations.

    Returns
    -------
    GateTree
        Whether it is the fitted one is told by its digest alone: a boundary that the template itself came to hold
        below an edit is taken away again, and the sentence that stood there is put together anew.
    """
    before = {node.name: node for node in replaced}
    return replace(
        tree, nodes=tuple(before.get(node.name) or _without(node, fitted_counts, labels) for node in tree.nodes)
    )


def _without(node: GateNode, fitted_counts: Mapping[str, int | None], labels: Mapping[str, str]) -> GateNode:
    """Return a node that was not edited itself as it was before others were."""
    if fitted_counts.get(node.name, 0) is not None:
        return node
    if node.geometry is None:
        return replace(node, sentence=node.sentence.removesuffix(f"; {LATER}"))
    lost = [name for name in combined(node.geometry) if fitted_counts.get(name, 0) is None]
    if fitted_counts.get(node.parent, 0) is None:
        said = parent_not_there(called(node.parent, labels))
    elif fitted_counts.get(node.parent) == 0:
        said = parent_empty(called(node.parent, labels))
    else:
        said = looked_up_in_vain(called(lost[0], labels)) if lost else node.sentence
    return replace(
        node,
        geometry=None,
        state="not_evaluable",
        sentence=said,
        spread=None,
        spread_second=None,
        source="",
        doubts=(),
    )
