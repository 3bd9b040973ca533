"""How much the counts that the pattern is read from change when one edge of one gate moves by a tenth of a decade."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from stromagate.gating.draws import count_variants
from stromagate.gating.moves import EdgeMove, edge_moves
from stromagate.gating.tree import deciding_gates
from stromagate.gating.variants import Variants, make_variants
from stromagate.model.gates import Geometry
from stromagate.model.result import Sensitivity

if TYPE_CHECKING:
    from stromagate.gating.engine import Gated
    from stromagate.prepare.prepared import Prepared

STEP_DECADES = 0.1


def sensitivities(prepared: Prepared, gated: Gated, populations: Iterable[str]) -> tuple[Sensitivity, ...]:
    """Move every straight fluorescence edge that decides about some populations, one at a time, and count them again.

    Edges of scatter and of time are left alone, for a decade means nothing there, and so are edges at or below zero.

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
    tuple of Sensitivity
        Population by population in the order given, gates in the tree's order, an entry an edge.
    """
    wanted = {name: deciding_gates(gated.tree, name) for name in populations if name in gated.members}
    stained = markers(prepared)
    moves = [
        (node.name, move)
        for node in gated.tree.nodes
        if any(node.name in gates for gates in wanted.values())
        for move in edge_moves(node.geometry, gated.tree.axes, STEP_DECADES)
        if move.axis in stained
    ]
    if not moves:
        return ()
    counts = count_variants(prepared, gated, *_one_at_a_time(gated, moves))
    found = []
    for name, gates in wanted.items():
        here = len(gated.members[name])
        for place, (gate, move) in enumerate(moves):
            if gate in gates:
                lower, higher = (_change(int(counts[name][2 * place + way]), here) for way in (0, 1))
                found.append(Sensitivity(population=name, gate=gate, axis=move.axis, lower=lower, higher=higher))
    return tuple(found)


def _one_at_a_time(gated: Gated, moves: list[tuple[str, EdgeMove]]) -> tuple[dict[str, Variants], int]:
    """Return each gate in as many variants as there are steps: moved in its own, as it is in all others."""
    n, scales = 2 * len(moves), {name: axis.scale for name, axis in gated.tree.axes.items()}
    geometries: dict[str, list[Geometry]] = {}
    for place, (gate, move) in enumerate(moves):
        still = gated.tree.node(gate).geometry
        assert still is not None
        variants = geometries.setdefault(gate, [still] * n)
        variants[2 * place], variants[2 * place + 1] = move.lower, move.higher
    return {gate: make_variants(variants, scales) for gate, variants in geometries.items()}, n


def markers(prepared: Prepared) -> frozenset[str]:
    """Return the axes that are neither scatter nor time."""
    channels = prepared.sample.channels
    return frozenset(
        item.axis
        for item in prepared.panel.bindings
        if not item.axis.startswith(("FSC", "SSC")) and item.axis != "Time" and not channels[item.channel].is_time
    )


def _change(count: int, before: int) -> float | None:
    return math.log(count / before) if count and before else None
