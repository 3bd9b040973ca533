"""What makes replicates comparable, and what their background lets one say of all together."""

from __future__ import annotations

from collections.abc import Sequence

from stromagate.model.detection import DetectionLimits
from stromagate.model.gates import GateNode, GateTree
from stromagate.model.result import SampleResult


def placed_alike(results: Sequence[SampleResult], populations: Sequence[str]) -> str:
    """Say where the gates that decide about some populations were placed by different methods; empty where nowhere.

    Parameters
    ----------
    results : sequence of SampleResult
        Tubes of one template.
    populations : sequence of str
        The populations, a denominator among them.
    """
    told = [{node.name: _how(node) for name in populations for node in _deciding(one.tree, name)} for one in results]
    for name in dict.fromkeys(name for one in told for name in one):
        ways = [one.get(name, "nothing: it is not on this tube") for one in told]
        if len(set(ways)) > 1:
            label = results[0].labels_of_populations.get(name, name)
            other = next(place for place, way in enumerate(ways) if way != ways[0])
            here, there = results[0].sample_id, results[other].sample_id
            return f"{label} was placed by {ways[0]} in {here} and by {ways[other]} in {there}"
    return ""


def _deciding(tree: GateTree, name: str) -> list[GateNode]:
    """Return the gates a population rests on, itself first, parents and combined populations with it."""
    by_name = {node.name: node for node in tree.nodes}
    found: dict[str, GateNode] = {}
    waiting = [name]
    while waiting:
        node = by_name.get(waiting.pop())
        if node is not None and node.name not in found:
            found[node.name] = node
            waiting += node.stands_on
    return list(found.values())


def _how(node: GateNode) -> str:
    """Return by what a boundary was placed, in words that are equal where it was placed alike."""
    if node.state == "edited":
        return "hand"
    return node.method + (" (fallback)" if node.state == "fallback" else "")


def pooled_limits(results: Sequence[SampleResult], population: str) -> DetectionLimits | None:
    """Return the limits of detection of all tubes together: those of the tubes added up; None where none has blanks.

    Background of replicates comes from the same controls, so its errors go the same way and do not cancel.
    """
    told = [one for result in results for one in result.detection if one.population == population]
    blank = [one for one in told if one.blank_events is not None]
    if not blank:
        return None
    return DetectionLimits(
        population=population,
        lob_events=sum(one.lob_events for one in blank),
        lod_events=sum(one.lod_events for one in blank),
        lloq_events=sum(one.lloq_events for one in blank),
        blank_events=sum(one.blank_events or 0.0 for one in blank),
        method=blank[0].method,
        source=blank[0].source,
        n_blanks=max(one.n_blanks for one in blank),
    )
