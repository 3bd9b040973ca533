"""A known tree over blocks of events: which events of a block are in which population.

Nothing is ever as long as the file. While most events of a block survive, populations are masks over it; once few are
left they are copied out and the rest is forgotten. Each set of events is compensated once, for all gates below it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from stromagate.gating import geometry as shapes
from stromagate.gating.columns import finite_on
from stromagate.gating.geometry import Mask
from stromagate.gating.sieve import Sieve, make_sieve
from stromagate.gating.tree import check_tree, deciding_axes, evaluable
from stromagate.model.gates import ROOT, Boolean, GateNode, GateTree
from stromagate.model.sample import F32, F64, Rows
from stromagate.prepare.scales import check_scale
from stromagate.prepare.unmix import Unmix, largest_magnitude

# Below this share of a block, copying the survivors out is cheaper than dragging the others along.
_COPY_BELOW_FRAC = 0.4
# Below this many events the copy is not worth its call.
_COPY_FROM = 2048
# Detectors' values are searched for the largest alone only where the whole block has a larger one than this.
_LARGE = 2.0**19


class Plan:
    """A tree made ready for the channels of one file.

    Parameters
    ----------
    tree : GateTree
        Boundaries with their axes, scales and matrix.
    pnn : sequence of str
        ``$PnN`` of the file's columns.

    Raises
    ------
    SpecificationError
        The tree contradicts itself, or names a channel that the file does not have.
    """

    def __init__(self, tree: GateTree, pnn: Sequence[str]) -> None:
        check_tree(tree)
        used = deciding_axes(tree)
        needed = {axis for node in tree.nodes for axis in used[node.name]}
        axes = {name: axis for name, axis in tree.axes.items() if name in needed}
        for name, axis in axes.items():
            check_scale(axis.scale, where=name)
        self.unmix = Unmix(pnn, axes, tree.compensation)
        self.unit_slack = {name: self.unmix[name].slack(1.0) for name in axes}
        scales = {name: axis.scale for name, axis in axes.items()}
        able = evaluable(tree)
        self.steps = tuple(
            _Step(node, None if isinstance(node.geometry, Boolean) else make_sieve(node.geometry, scales), used)
            for node in tree.nodes
            if node.name in able and node.geometry is not None
        )
        self.parents = frozenset(step.parent for step in self.steps)
        self.below = {ROOT: self._mixed_below(ROOT)} | {s.name: self._mixed_below(s.name) for s in self.steps}
        self._products: dict[tuple[str, ...], tuple[slice, F32]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Every population that can be counted, the root first."""
        return (ROOT, *(step.name for step in self.steps))

    def _mixed_below(self, name: str) -> tuple[str, ...]:
        """Return the compensated axes that the gates below a population look at, in the order of need."""
        family, axes = {name}, dict[str, None]()
        for step in self.steps:
            if step.parent in family:
                family.add(step.name)
                axes |= dict.fromkeys(axis for axis in step.looks_at if not self.unmix[axis].plain)
        return tuple(axes)

    def product(self, axes: tuple[str, ...]) -> tuple[slice, F32]:
        """Return the run of columns and the weights that make several compensated axes at once."""
        if axes not in self._products:
            self._products[axes] = self.unmix.matrix(axes)
        return self._products[axes]


class _Step:
    """One node of the tree: its sieve, or the populations that it combines."""

    def __init__(self, node: GateNode, sieve: Sieve | None, used: Mapping[str, frozenset[str]]) -> None:
        self.name, self.parent, self.sieve = node.name, node.parent, sieve
        self.boolean = node.geometry if isinstance(node.geometry, Boolean) else None
        # Out of a population is only who could have been in it.
        without = self.boolean.of if self.boolean and self.boolean.operation == "none" else ()
        self.decided_by = tuple(sorted(frozenset[str]().union(*(used[name] for name in without))))
        self.looks_at = sieve.axes if sieve else self.decided_by


@dataclass(slots=True)
class _Events:
    """Some events of a block, as a gate sees them (``columns.Columns``): all of it, or the survivors copied out."""

    plan: Plan
    block: F32
    mixed: tuple[str, ...]
    largest: float | None = None
    rows: Rows | None = None
    known: dict[str, F32] = field(default_factory=dict)
    all_finite: dict[str, bool] = field(default_factory=dict)

    @property
    def n(self) -> int:
        return len(self.block)

    def quick(self, axis: str) -> F32:
        if axis not in self.known:
            weights = self.plan.unmix[axis]
            if weights.plain:
                self.known[axis] = np.ascontiguousarray(self.block[:, weights.columns[0]])
            else:
                self._mix(self.mixed if axis in self.mixed else (axis,))
        return self.known[axis]

    def _mix(self, axes: tuple[str, ...]) -> None:
        columns, weights = self.plan.product(axes)
        # A value that is not finite spoils its own row only; the sieve asks for the exact value of such rows.
        with np.errstate(invalid="ignore", over="ignore"):
            self.known.update(zip(axes, weights @ self.block[:, columns].T, strict=True))

    def finite(self, axis: str) -> bool:
        if axis not in self.all_finite:
            self.all_finite[axis] = bool(np.isfinite(self.quick(axis)).all())
        return self.all_finite[axis]

    def slack(self, axis: str) -> float:
        unit = self.plan.unit_slack[axis]
        return unit * self.bound() if unit else 0.0

    def bound(self) -> float:
        """Return a power of two that no finite detector value exceeds; few different ones, so that cuts are reused."""
        if self.largest is None:
            largest = largest_magnitude(self.block)
            if largest > _LARGE:
                columns, _ = self.plan.product(self.mixed)
                largest = largest_magnitude(self.block[:, columns])
            self.largest = 2.0 ** np.ceil(np.log2(max(largest, 1.0)))
        return self.largest

    def exact(self, axis: str, rows: Rows) -> F64:
        return self.plan.unmix[axis].exact(self.block[rows])

    def keep(self, mask: Mask, mixed: tuple[str, ...]) -> _Events:
        """Copy some events out."""
        rows = np.flatnonzero(mask)
        largest = self.largest if not mixed else self.bound()
        return _Events(
            self.plan, self.block.take(rows, axis=0), mixed, largest, rows if self.rows is None else self.rows[rows]
        )


@dataclass(slots=True)
class _Population:
    """Members of a population in one block: a mask over some events."""

    events: _Events
    mask: Mask | None
    count: int

    def full_mask(self, n: int) -> Mask:
        """Return the members as a mask over the whole block."""
        if self.events.rows is None:
            return np.ones(n, dtype=np.bool_) if self.mask is None else self.mask
        full = np.zeros(n, dtype=np.bool_)
        full[self.members()] = True
        return full

    def members(self) -> Rows:
        """Return the members as rows of the block."""
        rows = self.events.rows
        if self.mask is None:
            return np.arange(self.events.n) if rows is None else rows
        inside = np.flatnonzero(self.mask)
        return inside if rows is None else rows[inside]


def walk(plan: Plan, block: F32) -> dict[str, _Population]:
    """Gate one block.

    Parameters
    ----------
    plan : Plan
        The tree, ready for this file.
    block : ndarray of float32, shape (n, n_channels)
        Scale values, C order.

    Returns
    -------
    dict
        Members of every evaluable population, ``all`` first.
    """
    root = _Population(_Events(plan, block, plan.below[ROOT]), None, len(block))
    found = {ROOT: root}
    for step in plan.steps:
        parent = found[step.parent]
        if parent.count == 0:
            found[step.name] = _Population(parent.events, np.zeros(parent.events.n, dtype=np.bool_), 0)
        elif step.sieve is not None:
            mask = step.sieve.inside(parent.events, parent.mask)
            found[step.name] = _kept(plan, step, parent.events, mask)
        else:
            found[step.name] = _kept(plan, step, root.events, _combined(step, found, len(block)))
    return found


def _kept(plan: Plan, step: _Step, events: _Events, mask: Mask) -> _Population:
    """Return a population, copied out of its events where it is small and something below looks at it."""
    count = int(np.count_nonzero(mask))
    if step.name in plan.parents and count and events.n > _COPY_FROM and count < _COPY_BELOW_FRAC * events.n:
        return _Population(events.keep(mask, plan.below[step.name]), None, count)
    return _Population(events, mask, count)


def _combined(step: _Step, found: Mapping[str, _Population], n: int) -> Mask:
    assert step.boolean is not None
    decided = finite_on(found[ROOT].events, step.decided_by) if step.decided_by else None
    masks = [found[name].full_mask(n) for name in step.boolean.of]
    return shapes.combine(step.boolean.operation, masks, found[step.parent].full_mask(n), decided)
