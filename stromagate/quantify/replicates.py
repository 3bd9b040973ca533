"""What makes replicates comparable, and what their background lets one say of all together."""

from __future__ import annotations

import math
from collections.abc import Sequence

from stromagate.model.detection import LLOQ_FLOOR_EVENTS, LOD_FLOOR_EVENTS, DetectionLimits
from stromagate.model.gates import GateNode, GateTree
from stromagate.model.result import SampleResult
from stromagate.quantify.detection import Expected, limit_of_blank, limit_of_detection, predicted


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
    """Return the limits of detection of all tubes together; None where no tube has blanks.

    Background adds up as counts do. What blanks leave open of it does not cancel: replicates share their controls, so
    its standard deviations are added, not its variances. Where blanks differ by more than counting, or hold nothing,
    the limits of blank of the tubes are added up, which is more than their sum's.
    """
    told = [one for result in results for one in result.detection if one.population == population]
    blank = [one for one in told if one.blank_events is not None]
    if not blank:
        return None
    mean = sum(one.blank_events or 0.0 for one in blank)
    open_ = sum(math.sqrt(_left_open(one)) for one in blank) ** 2
    by_law = mean > 0 and open_ > 0 and all(one.method == "Poisson" for one in blank)
    lob = _limit_of_blank(mean, open_) if by_law else sum(one.lob_events for one in blank)
    half = LLOQ_FLOOR_EVENTS / 2
    lloq = mean + half + math.sqrt(half**2 + LLOQ_FLOOR_EVENTS * (mean + open_))
    lod = max(float(LOD_FLOOR_EVENTS), limit_of_detection(lob, mean))
    return DetectionLimits(
        population=population,
        lob_events=lob,
        lod_events=lod,
        lloq_events=max(lloq, lod),
        blank_events=mean,
        method=blank[0].method,
        source=blank[0].source,
        n_blanks=max(one.n_blanks for one in blank),
    )


def _limit_of_blank(mean: float, open_: float) -> int:
    """Return the limit of blank of a mean that blanks know with a variance: it tells their events and their size."""
    counted, scale = mean**2 / open_, open_ / mean
    expected = Expected(mean, round(counted), scale, None, 0.0, 1)
    return limit_of_blank(*predicted(expected))


def _left_open(one: DetectionLimits) -> float:
    """Return the variance that blanks leave to the background of a tube: the rule for its LLOQ, solved for it."""
    mean, half = one.blank_events or 0.0, LLOQ_FLOOR_EVENTS / 2
    return max(0.0, (max(one.lloq_events - mean - half, 0.0) ** 2 - half**2) / LLOQ_FLOOR_EVENTS - mean)
