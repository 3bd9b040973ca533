"""Each marker left out in turn: what a population would hold if the gates on that marker let everything through.

The boundaries stay where they are, and the tree is only counted again. What a marker takes away is what would leak in
without it, and a marker that takes nothing away is one that the count does not stand on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stromagate.gating.columns import finite_on
from stromagate.gating.conditions import Condition, conditions, marker_of
from stromagate.gating.geometry import Mask
from stromagate.gating.population import Population, no_others
from stromagate.gating.sensitivity import markers
from stromagate.gating.sieve import make_sieve
from stromagate.model.gates import ROOT, GateTree
from stromagate.model.sample import Rows

if TYPE_CHECKING:
    from stromagate.gating.engine import Gated
    from stromagate.prepare.prepared import Prepared

_NONE_FAILED = -1


@dataclass(frozen=True, slots=True)
class WithoutMarker:
    """Events of a population when no gate on one marker counts. ``gates`` are those, in their order."""

    population: str
    marker: str
    gates: tuple[str, ...]
    count: int


def without_each_marker(prepared: Prepared, gated: Gated, populations: Iterable[str]) -> tuple[WithoutMarker, ...]:
    """Count populations again with each of their markers left out.

    A gate on two markers is left out whole with either. Populations that are not a plain list of gates (alternatives,
    or outside of a combination) are passed over, because there a gate that lets everything through has no one meaning.

    Parameters
    ----------
    prepared : Prepared
        The tube.
    gated : Gated
        Its boundaries and members.
    populations : iterable of str
        Populations to look at; those that were not evaluated are left out.

    Returns
    -------
    tuple of WithoutMarker
        Population by population in the order given, markers in the order of the gates.
    """
    stained = markers(prepared)
    return tuple(item for name in populations if name in gated.members for item in _one(prepared, gated, name, stained))


def _one(prepared: Prepared, gated: Gated, name: str, stained: frozenset[str]) -> list[WithoutMarker]:
    asked = conditions(gated.tree, name)
    if not asked.whole:
        return []
    by_marker: dict[str, list[Condition]] = {}
    for condition in asked.each:
        for marker in _markers_of(gated.tree, condition, stained):
            by_marker.setdefault(marker, []).append(condition)
    kept, alone = _failures(prepared, gated, name, stained)
    if kept != len(gated.members[name]):  # not the population after all: better no number than a wrong one
        return []
    return [
        WithoutMarker(
            population=name,
            marker=marker,
            gates=tuple(dict.fromkeys(condition.gate for condition in parts)),
            count=kept + sum(n for failed, n in alone.items() if failed <= set(parts)),
        )
        for marker, parts in by_marker.items()
    ]


def _failures(
    prepared: Prepared, gated: Gated, name: str, stained: frozenset[str]
) -> tuple[int, dict[frozenset[Condition], int]]:
    """Return how many events meet all conditions, and how many fail just those of a set that one marker excuses."""
    every = conditions(gated.tree, name).each
    base = _base(gated.tree, name, stained)
    rest = [item for item in every if item not in conditions(gated.tree, base).each]
    plain = [item for item in rest if not _markers_of(gated.tree, item, stained)]
    rows = gated.members[base]
    for condition in plain:
        rows = rows[_meets(prepared, gated.tree, base, rows, condition)]
    excuses = {item: _markers_of(gated.tree, item, stained) for item in rest if item not in plain}
    failed: list[frozenset[Condition]] = [frozenset()]
    which = np.zeros(len(rows), dtype=np.intp)
    for condition in excuses:
        meets = _meets(prepared, gated.tree, base, rows, condition)
        moved = np.full(len(failed), _NONE_FAILED, dtype=np.intp)
        for place in np.unique(which[~meets]):
            together = failed[place] | {condition}
            # An event that no one marker excuses is out whichever is left out.
            if frozenset.intersection(*(excuses[item] for item in together)):
                moved[place] = len(failed)
                failed.append(together)
        which[~meets] = moved[which[~meets]]
        keep = which != _NONE_FAILED
        rows, which = rows[keep], which[keep]
    counted = np.bincount(which, minlength=len(failed))
    return int(counted[0]), {items: int(n) for items, n in zip(failed, counted, strict=True) if items}


def _base(tree: GateTree, name: str, stained: frozenset[str]) -> str:
    """Return the nearest population above that no marker decides about."""
    while name != ROOT:
        name = tree.node(name).parent
        asked = conditions(tree, name)
        if asked.whole and not any(_markers_of(tree, item, stained) for item in asked.each):
            return name
    return ROOT


def _markers_of(tree: GateTree, condition: Condition, stained: frozenset[str]) -> frozenset[str]:
    geometry = tree.node(condition.gate).geometry
    assert geometry is not None
    return frozenset(marker_of(axis) for axis in geometry.axes if axis in stained or marker_of(axis) in stained)


def _meets(prepared: Prepared, tree: GateTree, base: str, rows: Rows, condition: Condition) -> Mask:
    """Return which rows meet a condition; values that are not finite are on neither side of a gate."""
    geometry = tree.node(condition.gate).geometry
    assert geometry is not None
    events = Population(prepared, base, rows, no_others)
    inside = make_sieve(geometry, {axis: tree.axes[axis].scale for axis in geometry.axes}).inside(events)
    if condition.keep:
        return inside
    return ~inside & finite_on(events, geometry.axes)
