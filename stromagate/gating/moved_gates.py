"""The last gates of the pattern moved by a tenth of the way from their negatives to their positives, and all counted.

How far a boundary can be moved before the story changes is asked in units of the stain itself: a tenth of a decade is
much on a dim marker and little on a bright one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stromagate.gating.draws import count_variants
from stromagate.gating.moves import moved
from stromagate.gating.sensitivity import markers
from stromagate.gating.variants import Variants, make_variants
from stromagate.model.gates import Boolean, GateNode, Geometry
from stromagate.model.pattern import MovedGate
from stromagate.prepare.scales import forward

if TYPE_CHECKING:
    from stromagate.gating.engine import Gated
    from stromagate.prepare.prepared import Prepared

SHIFT_FRAC = 0.10
"""Part of the way from the median of the negatives to that of the positives."""

_MIN_EVENTS = 20
"""Fewer events on either side have no median to measure a way by. Own choice: the floor of detection."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One axis of a gate, and how far its positives lie from its negatives in display units."""

    gate: str
    axis: str
    place: int
    distance: float


def moved_gates(
    prepared: Prepared, gated: Gated, indices: Iterable[str], counted: Iterable[str]
) -> tuple[MovedGate, ...]:
    """Move the gates that part each index population from what it lies in, towards either side, one at a time.

    Parameters
    ----------
    prepared : Prepared
        The tube.
    gated : Gated
        Its boundaries and members.
    indices : iterable of str
        Populations whose last gates are moved; those that were not evaluated are left out.
    counted : iterable of str
        Populations to count.

    Returns
    -------
    tuple of MovedGate
        Gate by gate in the tree's order, towards the negatives first. A gate without `_MIN_EVENTS` on either side, or
        whose positives do not lie above its negatives, is not there.
    """
    ways = list(_ways(prepared, gated, dict.fromkeys(indices)))
    if not ways:
        return ()
    counts = count_variants(prepared, gated, *_one_at_a_time(gated, ways))
    names = [name for name in dict.fromkeys(counted) if name in gated.members]
    found = []
    for number, way in enumerate(ways):
        for step, sign in enumerate((-1, 1)):
            here = {
                name: int(counts[name][2 * number + step]) if name in counts else len(gated.members[name])
                for name in names
            }
            found.append(
                MovedGate(
                    gate=way.gate, axis=way.axis, shift_frac=sign * SHIFT_FRAC, distance=way.distance, counts=here
                )
            )
    return tuple(found)


def last_gates(nodes: Mapping[str, GateNode], name: str) -> list[str]:
    """Return the gates with a boundary of their own that part a population from its parent."""
    node = nodes[name]
    if not isinstance(node.geometry, Boolean):
        return [name]
    return [each for each in node.geometry.of if each in nodes and not isinstance(nodes[each].geometry, Boolean)]


def _ways(prepared: Prepared, gated: Gated, indices: Iterable[str]) -> Iterator[_Way]:
    nodes, stained = {node.name: node for node in gated.tree.nodes}, markers(prepared)
    positives = {gate: name for name in indices if name in gated.members for gate in reversed(last_gates(nodes, name))}
    for node in gated.tree.nodes:
        if node.name not in positives or node.geometry is None or node.name not in gated.members:
            continue
        for place, axis in enumerate(node.geometry.axes):
            if axis in stained:
                distance = _distance(prepared, gated, node, axis, positives[node.name])
                if distance > 0:
                    yield _Way(node.name, axis, place, distance)


def _distance(prepared: Prepared, gated: Gated, node: GateNode, axis: str, positive: str) -> float:
    """Return the way from the events that a gate leaves out to the population that it makes; 0 where it is unknown."""
    above = gated.members[positive]
    below = np.setdiff1d(gated.members[node.parent], gated.members[node.name], assume_unique=True)
    middles = []
    for rows in (below, above):
        values = prepared.linear(axis, rows)
        values = values[np.isfinite(values)]
        if values.size < _MIN_EVENTS:
            return 0.0
        middles.append(float(np.median(values)))
    low, high = forward(gated.tree.axes[axis].scale, np.array(middles))
    return float(high - low)


def _one_at_a_time(gated: Gated, ways: list[_Way]) -> tuple[dict[str, Variants], int]:
    """Return each gate in as many variants as there are steps: moved in its own, as it is in all others."""
    n, scales = 2 * len(ways), {name: axis.scale for name, axis in gated.tree.axes.items()}
    geometries: dict[str, list[Geometry]] = {}
    for number, way in enumerate(ways):
        still = gated.tree.node(way.gate).geometry
        assert still is not None
        variants = geometries.setdefault(way.gate, [still] * n)
        for step, sign in enumerate((-1, 1)):
            shift = [0.0] * len(still.axes)
            shift[way.place] = sign * SHIFT_FRAC * way.distance
            variants[2 * number + step] = moved(still, tuple(shift))
    return {gate: make_variants(variants, scales) for gate, variants in geometries.items()}, n
