"""The whole tree counted on many variants of its boundaries at once: redrawn by their spreads, or moved one at a time.

Most events lie on the same side of every boundary in every variant; those stay as they were counted. The others, a few
in a hundred, are looked at closely: each gate gives an event one bit a variant (``gating.bits``), and the tree is an
``and``, ``or`` and ``not`` of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stromagate.gating.bits import Bits, everywhere, totals
from stromagate.gating.columns import finite_on
from stromagate.gating.geometry import Mask, combine
from stromagate.gating.moves import redrawn_boundaries
from stromagate.gating.population import Population, no_others
from stromagate.gating.sieve import Sieve, make_sieve
from stromagate.gating.tree import deciding_axes, evaluable
from stromagate.gating.variants import Variants, make_variants
from stromagate.model.gates import ROOT, Boolean, GateNode, GateTree
from stromagate.model.sample import Rows

if TYPE_CHECKING:
    from stromagate.gating.engine import Gated
    from stromagate.prepare.prepared import Prepared

Counts = NDArray[np.int64]
_BLOCK_ROWS = 1 << 15


def boundary_draws(prepared: Prepared, gated: Gated, n: int, *, seed: int = 0) -> dict[str, Counts]:
    """Count every population on redrawn boundaries.

    Every estimated boundary is off by a draw of its own in each replay of the tree (``gating.moves``); fixed and drawn
    ones, and those that a person moved, stay.

    Parameters
    ----------
    prepared : Prepared
        The tube.
    gated : Gated
        Its boundaries and members.
    n : int
        Number of replays; 0 for none.
    seed : int
        Seed of the run.

    Returns
    -------
    dict of str to ndarray of int64, shape (n,)
        Events of each population that an estimated boundary decides about, replay by replay: populations of one replay
        belong together.
    """
    if n == 0:
        return {}
    scales = {name: axis.scale for name, axis in gated.tree.axes.items()}
    redrawn = redrawn_boundaries(gated.tree, n, seed)
    there = {name: make_variants(drawn, scales) for name, drawn in redrawn.items() if name in gated.members}
    return count_variants(prepared, gated, there, n)


def count_variants(prepared: Prepared, gated: Gated, variants: Mapping[str, Variants], n: int) -> dict[str, Counts]:
    """Count every population that some gates' variants decide about, the tree's other gates staying where they are.

    Parameters
    ----------
    prepared : Prepared
        The tube.
    gated : Gated
        Its boundaries and members.
    variants : mapping of str to Variants
        Gates by population, ``n`` variants each, on either side of the gate as it is.
    n : int
        Number of variants.

    Returns
    -------
    dict of str to ndarray of int64, shape (n,)
    """
    affected = _affected(gated.tree, variants)
    counts = {name: np.full(n, len(gated.members[name]), dtype=np.int64) for name in affected}
    rows, walk = _unsettled(prepared, gated, variants), _Walk(prepared, gated.tree, variants, n)
    for start in range(0, len(rows), _BLOCK_ROWS):
        for name, plain, held in walk.block(rows[start : start + _BLOCK_ROWS]):
            if name in counts:
                counts[name] += totals(held, n) - np.count_nonzero(plain)
    return counts


def _affected(tree: GateTree, moving: Mapping[str, object]) -> list[str]:
    """Return the populations that any of some gates decides about, in the tree's order."""
    able, found = evaluable(tree), dict[str, None]()
    for node in tree.nodes:
        if node.name in able and (node.name in moving or not found.keys().isdisjoint(node.stands_on)):
            found[node.name] = None
    return list(found)


def _unsettled(prepared: Prepared, gated: Gated, variants: Mapping[str, Variants]) -> Rows:
    """Return the sorted rows that are near any varied boundary while they are in its parent.

    Whoever is in a population in some variants and not in others is near the first boundary that parts them, and in
    that gate's parent in all variants.
    """
    near = np.zeros(prepared.n, dtype=np.bool_)
    by_parent: dict[str, list[str]] = {}
    for node in gated.tree.nodes:
        if node.name in variants:
            by_parent.setdefault(node.parent, []).append(node.name)
    for parent, names in by_parent.items():
        rows = None if parent == ROOT else gated.members[parent]
        columns = Population(prepared, parent, rows, no_others)
        for name in names:
            found = np.flatnonzero(variants[name].near(columns))
            near[found if rows is None else rows[found]] = True
    return np.flatnonzero(near)


class _Walk:
    """A tree ready to be walked over blocks of rows in all variants at once."""

    def __init__(self, prepared: Prepared, tree: GateTree, variants: Mapping[str, Variants], n: int) -> None:
        self.prepared, self.variants, self.full = prepared, variants, everywhere(n)
        able, scales = evaluable(tree), {name: axis.scale for name, axis in tree.axes.items()}
        self.nodes = [node for node in tree.nodes if node.name in able]
        self.axes = deciding_axes(tree)
        self.sieves: dict[str, Sieve] = {
            node.name: make_sieve(node.geometry, scales)
            for node in self.nodes
            if node.geometry is not None and not isinstance(node.geometry, Boolean)
        }

    def block(self, rows: Rows) -> Iterator[tuple[str, Mask, Bits]]:
        """Yield each population's name, its members as the tree is, and its members in every variant."""
        events = Population(self.prepared, ROOT, rows, no_others)
        plain: dict[str, Mask] = {ROOT: np.ones(len(rows), dtype=np.bool_)}
        held: dict[str, Bits] = {ROOT: np.repeat(self.full, len(rows), axis=1)}
        for node in self.nodes:
            if isinstance(node.geometry, Boolean):
                inside, bits = self._combined(node.geometry, events, plain, held)
            else:
                inside, bits = self._gated(node, events, held[node.parent])
            plain[node.name], held[node.name] = plain[node.parent] & inside, held[node.parent] & bits
            yield node.name, plain[node.name], held[node.name]

    def _gated(self, node: GateNode, events: Population, parent: Bits) -> tuple[Mask, Bits]:
        """Return who is within a gate as it is, and in every variant where it has any."""
        sieve, variants = self.sieves[node.name], self.variants.get(node.name)
        inside = sieve.inside(events)
        bits = np.where(inside, self.full, np.uint64(0))
        if variants is not None:
            near = np.flatnonzero(variants.near(events) & parent.any(axis=0))
            if near.size:
                bits[:, near] = variants.bits(sieve.points(events, near))
        return inside, bits

    def _combined(
        self, geometry: Boolean, events: Population, plain: Mapping[str, Mask], held: Mapping[str, Bits]
    ) -> tuple[Mask, Bits]:
        """Return who is within a combination, as the populations are and in every variant of them."""
        decided = None
        if geometry.operation == "none":
            axes = sorted(frozenset[str]().union(*(self.axes[name] for name in geometry.of)))
            decided = finite_on(events, axes)
        inside = combine(geometry.operation, [plain[name] for name in geometry.of], plain[ROOT], decided)
        named = [held[name] for name in geometry.of]
        if geometry.operation == "all":
            return inside, np.bitwise_and.reduce([held[ROOT], *named])
        bits = np.bitwise_or.reduce([np.zeros_like(held[ROOT]), *named])
        if decided is not None:
            bits = np.where(decided, ~bits & self.full, np.uint64(0))
        return inside, bits
