"""Boundaries that are found on all single events for others to be combined from: told after the lineage, folded."""

from __future__ import annotations

from stromagate.gating.tree import deciders
from stromagate.model.gates import Boolean
from stromagate.model.result import SampleResult
from stromagate.report.lookup import label
from stromagate.report.wording import within

_NO_MARKER = ("FSC-", "SSC-", "Time")


def folded(result: SampleResult) -> frozenset[str]:
    """Return the populations that stand in the tree for their boundaries alone, before any marker was asked for.

    Nothing stands below them, combinations alone use them, no rate and no index is read from them, and no marker
    decides about their parent. What is found further down the lineage stays in its place.
    """
    nodes = result.tree.nodes
    by_name = {node.name: node for node in nodes}

    def axes(name: str) -> set[str]:
        gates = (by_name[each].geometry for each in deciders(result.tree, name))
        return {axis for gate in gates if gate is not None for axis in gate.axes}

    used = {name for node in nodes if isinstance(node.geometry, Boolean) for name in node.geometry.of}
    kept = {node.parent for node in nodes} | {*result.indices.values(), *result.denominators}
    return frozenset(
        node.name
        for node in nodes
        if node.name in used - kept
        and not isinstance(node.geometry, Boolean)
        and all(axis.startswith(_NO_MARKER) for axis in axes(node.parent))
    )


def folded_title(result: SampleResult) -> str:
    """Return what the folded ones are called, with what they were found on."""
    names = folded(result)
    parents = dict.fromkeys(node.parent for node in result.tree.nodes if node.name in names)
    on = " and ".join(f"all {within(label(result, name))}".replace("all all", "all") for name in parents)
    return f"Boundaries found on {on}, from which others are combined ({len(names)})"
