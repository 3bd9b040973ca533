"""Who changes sides when boundaries move, and what that does to every population below: the reckoning of a live tube.

Whoever is on the same side of every moved gate as before is in the same populations as before, all the way down. So a
move costs the events near the boundary, not those of the tube. Who is inside is decided by ``gating.sieve`` alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stromagate.gating.columns import finite_on
from stromagate.gating.edits import BY_HAND, edited_tree
from stromagate.gating.geometry import Mask, combine
from stromagate.gating.kept_columns import KeptColumns, Part
from stromagate.gating.sieve import Sieve, make_sieve
from stromagate.gating.tree import deciding_axes, evaluable
from stromagate.gating.unsettled import unsettled
from stromagate.model.edits import GateEdit
from stromagate.model.gates import ROOT, Boolean, GateNode, GateTree, Geometry
from stromagate.model.sample import Rows

if TYPE_CHECKING:
    from stromagate.model.template import GateStep
    from stromagate.prepare.prepared import Prepared

NOT_SAVED = "moved by hand, not saved yet"
# Of a population that holds more of the tube than this, looking at the whole tube is cheaper than fetching its events.
_MOST_FRAC = 0.5
_SIEVES_KEPT = 256


@dataclass(frozen=True, slots=True)
class State:
    """A tree and who is within it: masks over the tube's events, shape (n,), of all that could be evaluated."""

    tree: GateTree
    edits: Mapping[str, Geometry]
    masks: Mapping[str, Mask]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Change:
    """Events that change sides, ascending, and which of them are in each population afterwards.

    ``counts`` are those of the populations in ``after``, of the whole tube. ``gone`` could be evaluated before only.
    """

    rows: Rows
    after: Mapping[str, Mask]
    counts: Mapping[str, int]
    gone: frozenset[str]


class OpenTube:
    """What all states of one tube share, and the reckoning from one to the next.

    Parameters
    ----------
    prepared : Prepared
        The tube.
    tree : GateTree
        As it was fitted.
    gates : mapping of str to sequence of GateStep
        The template's gates, for those that it holds itself.
    left_out : mapping of str to str
        Populations that the tube does not have, and why.
    """

    def __init__(
        self,
        prepared: Prepared,
        tree: GateTree,
        gates: Mapping[str, Sequence[GateStep]],
        left_out: Mapping[str, str],
    ) -> None:
        self.prepared, self.tree, self.gates, self.left_out = prepared, tree, gates, left_out
        self.columns = KeptColumns(prepared)
        self.whole = Part(self.columns)
        self.scales = {name: axis.scale for name, axis in tree.axes.items()}
        self._sieves: dict[Geometry, Sieve] = {}

    def edited(self, edits: Mapping[str, Geometry]) -> GateTree:
        """Return the fitted tree with boundaries elsewhere.

        Raises
        ------
        DocumentError
            Everything that is wrong with them on this tube, at once.
        """
        if not edits:
            return self.tree
        made = [
            GateEdit.model_construct(
                population=name, geometry=at, who="nobody yet", when="1970-01-01T00:00Z", why=NOT_SAVED
            )
            for name, at in edits.items()
        ]
        tree = edited_tree(self.prepared, self.tree, made, "moved gates", self.gates, self.left_out)
        nodes = (
            replace(node, sentence=NOT_SAVED, edited_by=None, source=BY_HAND) if node.name in edits else node
            for node in tree.nodes
        )
        return replace(tree, nodes=tuple(nodes))

    def moved(self, state: State, edits: Mapping[str, Geometry]) -> State:
        """Return the state with exactly these boundaries elsewhere than they were fitted."""
        tree = self.edited(edits)
        change = self.change(state, tree)
        masks, counts = dict(state.masks), dict(state.counts)
        for name in change.gone:
            del masks[name], counts[name]
        for name, after in change.after.items():
            mask = masks[name].copy() if name in masks else np.zeros(self.prepared.n, dtype=np.bool_)
            mask[change.rows] = after
            masks[name], counts[name] = frozen(mask), change.counts[name]
        order = (ROOT, *(node.name for node in tree.nodes if node.name in masks))
        return State(tree, edits, {name: masks[name] for name in order}, {name: counts[name] for name in order})

    def change(self, state: State, tree: GateTree) -> Change:
        """Return what a tree changes that differs from the state's in boundaries alone."""
        moved = [new for old, new in zip(state.tree.nodes, tree.nodes, strict=True) if old.geometry != new.geometry]
        step = _Step(self, state, tree, moved)
        able = evaluable(tree)
        after: dict[str, Mask] = {}
        counts: dict[str, int] = {}
        for name in step.affected:
            if name in able:
                after[name] = step.inside_after(tree.node(name), after)
                lost = int(np.count_nonzero(state.masks[name][step.rows])) if name in state.masks else 0
                counts[name] = state.counts.get(name, 0) - lost + int(np.count_nonzero(after[name]))
        return Change(step.rows, after, counts, frozenset(state.masks) - able)

    def sieve(self, geometry: Geometry) -> Sieve:
        """Return the sieve of a gate, kept because the gates below a moved one are asked again and again."""
        found = self._sieves.get(geometry)
        if found is None:
            if len(self._sieves) >= _SIEVES_KEPT:
                self._sieves.clear()
            found = self._sieves[geometry] = make_sieve(geometry, self.scales)
        return found


class _Step:
    """The way from a state to a tree with some gates elsewhere: first who changes sides, then where they are."""

    def __init__(self, tube: OpenTube, state: State, tree: GateTree, moved: Sequence[GateNode]) -> None:
        self.tube, self.state, self.tree, self.moved = tube, state, tree, {node.name: node for node in moved}
        self.axes = deciding_axes(tree)
        self.affected = standing_on(tree, self.moved)
        self.switched: dict[str, Mask] = {}
        self.rows: Rows = np.flatnonzero(self._switching())
        self.part = Part(tube.columns, self.rows)

    def inside_after(self, node: GateNode, after: Mapping[str, Mask]) -> Mask:
        """Return which of the events that change sides are in a population afterwards.

        Parameters
        ----------
        node : GateNode
            The population; it can be evaluated.
        after : mapping of str to ndarray of bool
            The same of the affected populations above it.
        """
        geometry, masks, rows = node.geometry, self.state.masks, self.rows
        assert geometry is not None
        parent = after[node.parent] if node.parent in after else masks[node.parent][rows]
        if isinstance(geometry, Boolean):
            return parent & self._combined(geometry, self.part, rows, after)
        # Who was in the parent is on the side of the gate where it was, or has been seen to change.
        known = masks[node.parent][rows] if node.parent in masks else np.zeros(len(rows), dtype=np.bool_)
        inside, ask = parent & known, np.flatnonzero(parent & ~known)
        was, switched = masks.get(node.name), self.switched.get(node.name)
        if switched is not None:
            inside &= switched[rows] if was is None else switched[rows] ^ was[rows]
        elif was is not None:
            inside &= was[rows]
        if ask.size:
            inside[ask] = self.tube.sieve(geometry).inside(Part(self.tube.columns, rows[ask]))
        return inside

    def _switching(self) -> Mask:
        """Return the events that change sides of any moved gate, among those in its parent as it was.

        Who comes into a parent has changed sides of a gate above, and is among them already.
        """
        switching = np.zeros(self.tube.prepared.n, dtype=np.bool_)
        for node in self.moved.values():
            was = self.state.masks.get(node.name)
            if node.geometry is not None and node.parent in self.state.masks:
                self.switched[node.name] = self._sides_changed(node, node.geometry, was)
                switching |= self.switched[node.name]
            elif was is not None:
                switching |= was
        old_axes = deciding_axes(self.state.tree)
        for name in self.affected:
            # Of an event without a finite value nobody knows whether it is out of a population, and by which axes that
            # is decided changes with a gate that is drawn on other axes.
            was_by, now_by = _decided_by(self.state.tree, name, old_axes), _decided_by(self.tree, name, self.axes)
            for axis in sorted(was_by ^ now_by):
                switching |= ~finite_on(self.tube.whole, [axis])
        return switching

    def _sides_changed(self, node: GateNode, geometry: Geometry, was: Mask | None) -> Mask:
        """Return which events of a gate's parent are on another side of it than they were, shape (n,)."""
        tube, parent = self.tube, self.state.masks[node.parent]
        if isinstance(geometry, Boolean):
            rows = np.flatnonzero(parent)
            inside = self._combined(geometry, Part(tube.columns, rows), rows, {})
        else:
            old = None if was is None else self.state.tree.node(node.name).geometry
            may = unsettled(old, geometry, tube.columns, tube.whole, tube.scales)
            if may is None and self.state.counts[node.parent] > _MOST_FRAC * tube.prepared.n:
                inside = tube.sieve(geometry).inside(tube.whole, among=parent)
                return inside if was is None else inside ^ was
            rows = np.flatnonzero(parent if may is None else parent & may)
            inside = tube.sieve(geometry).inside(Part(tube.columns, rows))
        changed = np.zeros(tube.prepared.n, dtype=np.bool_)
        changed[rows] = inside if was is None else inside ^ was[rows]
        return changed

    def _combined(self, geometry: Boolean, part: Part, rows: Rows, after: Mapping[str, Mask]) -> Mask:
        """Return which of some events are within a combination, whether they are in its parent or not.

        A population that is in ``after`` is taken as it is there, any other as it was; what was not evaluable held
        nobody.
        """
        masks, nobody = self.state.masks, np.zeros(len(rows), dtype=np.bool_)
        named = [
            after[name] if name in after else masks[name][rows] if name in masks else nobody for name in geometry.of
        ]
        decided = None
        if geometry.operation == "none":
            axes = frozenset[str]().union(*(self.axes[name] for name in geometry.of))
            decided = finite_on(part, sorted(axis for axis in axes if not self.tube.columns.finite(axis)))
        return combine(geometry.operation, named, np.ones(len(rows), dtype=np.bool_), decided)


def standing_on(tree: GateTree, names: Iterable[str]) -> tuple[str, ...]:
    """Return some populations and all that stand on them, in the tree's order."""
    found = set(names)
    for node in tree.nodes:
        if not found.isdisjoint(node.stands_on):
            found.add(node.name)
    return tuple(node.name for node in tree.nodes if node.name in found)


def masked(rows: Rows, n: int) -> Mask:
    """Return rows as a mask over a tube's events, shape (n,), read-only."""
    mask = np.zeros(n, dtype=np.bool_)
    mask[rows] = True
    return frozen(mask)


def frozen(mask: Mask) -> Mask:
    """Return the same mask so that nobody can change it."""
    mask.flags.writeable = False
    return mask


def _decided_by(tree: GateTree, name: str, axes: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return the axes on which an event must have a value to be out of what a gate leaves out."""
    geometry = tree.node(name).geometry
    if not isinstance(geometry, Boolean) or geometry.operation != "none":
        return frozenset()
    return frozenset[str]().union(*(axes[each] for each in geometry.of))
