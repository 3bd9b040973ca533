"""Which tube's gate is most likely wrong: what the run itself knows against a boundary, added up, with the reasons.

Nothing is decided here. A score puts the tubes in the order in which a reader's time is best spent; its weights are own
choices, of which only their order is meant.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stromagate.model.detection import LLOQ_FLOOR_EVENTS
from stromagate.model.gates import GateNode, GateTree, straight_edges
from stromagate.model.result import SampleResult

MIN_TUBES = 5
"""Fewer tubes show no usual place of a cut."""

_ODD_Z = 3.0
_WIDE = 0.05
"""Spread of a boundary in display units from which it is called unsure: a twentieth of the whole axis."""
_NEAR_LLOQ = 2.0
_MAD_TO_SD = 1.4826
_FLOOR_DISPLAY = 0.005
"""Cuts that all lie within a pixel are not made odd by a hair."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """One gate on one tube: how likely it is wrong (0 is not at all), and why, a sentence each."""

    sample_id: str
    score: float
    reasons: tuple[str, ...]


def suspects(results: Sequence[SampleResult], gate: str) -> list[Suspect]:
    """Return every tube that has the gate, most likely wrong first, tubes alike in the run's order.

    Parameters
    ----------
    results : sequence of SampleResult
        Of one template.
    gate : str
        A population: its gate is looked at.
    """
    there = [(result, node) for result in results if (node := _node(result.tree, gate)) is not None]
    odd = _odd([node for _, node in there])
    found = []
    for place, (result, node) in enumerate(there):
        told = [*_state(node), *odd[place], *_doubts(node), *_near_limit(result, gate)]
        found.append(Suspect(result.sample_id, sum(weight for weight, _ in told), tuple(text for _, text in told)))
    return sorted(found, key=lambda each: -each.score)


def gates_to_review(results: Sequence[SampleResult]) -> list[str]:
    """Return the gates that have a boundary on any tube, in the tree's order, those with plots alone."""
    shown = {view.population for result in results for view in result.views}
    named = dict.fromkeys(node.name for result in results for node in result.tree.nodes)
    return [name for name in named if name in shown]


Told = tuple[float, str]


def _node(tree: GateTree, name: str) -> GateNode | None:
    return next((node for node in tree.nodes if node.name == name), None)


def _state(node: GateNode) -> Iterator[Told]:
    if node.state == "not_evaluable":
        yield 6.0, f"it could not be placed: {node.sentence}"
    elif node.state == "fallback":
        yield 3.0, f"it fell back on {node.method}"
    if node.spread is not None and node.spread > _WIDE:
        yield 2.0 * node.spread / _WIDE, f"its place is unsure by {node.spread:.2g} of the axis"


def _doubts(node: GateNode) -> Iterator[Told]:
    weights = {"not separable": 4.0, "second opinion": 2.0}
    words = {"not separable": "its populations do not part", "second opinion": "another rule would put it elsewhere"}
    for doubt in node.doubts:
        yield weights.get(doubt, 1.0), words.get(doubt, doubt)


def _near_limit(result: SampleResult, gate: str) -> Iterator[Told]:
    """Yield a population that this gate makes and that is near the limit of quantification: there a slip decides."""
    limits: Mapping[str, float] = {each.population: each.lloq_events for each in result.detection}
    for name in dict.fromkeys([gate, *result.indices.values()]):
        if name != gate and gate not in _above(result.tree, name):
            continue
        count, least = result.count(name), limits.get(name, float(LLOQ_FLOOR_EVENTS))
        if count is not None and count > 0 and name in result.indices.values() and count < _NEAR_LLOQ * least:
            label = result.labels_of_populations.get(name, name)
            yield 1.0, f"“{label}” has {count:,} events, near the limit of quantification"
            return


def _above(tree: GateTree, name: str) -> set[str]:
    """Return the populations that a population stands on."""
    nodes = {node.name: node for node in tree.nodes}
    found, waiting = set[str](), [name]
    while waiting:
        node = nodes.get(waiting.pop())
        for each in node.stands_on if node else ():
            if each not in found:
                found.add(each)
                waiting.append(each)
    return found


def _odd(nodes: Sequence[GateNode]) -> list[list[Told]]:
    """Return for each tube how far its cuts lie from where they usually do, by median and MAD of each edge."""
    found: list[list[Told]] = [[] for _ in nodes]
    places = [dict[tuple[str, str], float]() for _ in nodes]
    for place, node in zip(places, nodes, strict=True):
        for axis, side, at in straight_edges(node.geometry) if node.geometry is not None else ():
            place.setdefault((axis, side), at)
    for edge in dict.fromkeys(edge for place in places for edge in place):
        cuts = [place.get(edge, math.nan) for place in places]
        known = np.array([cut for cut in cuts if math.isfinite(cut)])
        if known.size < MIN_TUBES:
            continue
        middle = float(np.median(known))
        scale = max(_MAD_TO_SD * float(np.median(np.abs(known - middle))), _FLOOR_DISPLAY)
        for number, cut in enumerate(cuts):
            z = (cut - middle) / scale
            if math.isfinite(z) and abs(z) >= _ODD_Z:
                where = "higher" if z > 0 else "lower"
                said = f"its cut on {edge[0]} lies {abs(z):.1f} robust deviations {where} than on the other tubes"
                found[number].append((min(abs(z), 10.0), said))
    return found
