"""A tube held open while boundaries move: counts at once, and plots of any population on any axes.

The outcome of a move is that of ``gating.edits.apply``, event for event.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from stromagate.errors import SpecificationError, did_you_mean
from stromagate.gating.axis_views import axis_view
from stromagate.gating.geometry import Mask
from stromagate.gating.kept_columns import KeptColumns
from stromagate.gating.live_sides import OpenTube, State, masked, standing_on
from stromagate.gating.tree import evaluable
from stromagate.gating.views import bins_of, encoded, marks_of
from stromagate.model.gates import ROOT, Boolean, GateTree, Geometry
from stromagate.model.result import AxisView, DensityView
from stromagate.model.sample import F32, Rows

if TYPE_CHECKING:
    from stromagate.model.template import GateStep
    from stromagate.prepare.prepared import Prepared

GRID_MIN, GRID_MAX = 16, 512
"""Bins per side of a plot."""

Limits = tuple[float, float]


class LiveTube:
    """A tube, its tree, and what becomes of both while a person moves boundaries.

    One thread may move boundaries (`keep`) while others ask: each answer is of the state it found.

    Parameters
    ----------
    prepared : Prepared
        The tube, on the tree's axes and scales.
    tree : GateTree
        As it was fitted: what edits are put into.
    members : mapping of str to ndarray of intp, shape (n_population,)
        Sorted rows of its populations (``gating.replay.members``).
    gates : mapping of str to sequence of GateStep, optional
        The template's gates, for those that it holds itself: they come back below a boundary drawn where none was.
    left_out : mapping of str to str, optional
        Populations that this tube does not have, and why.
    """

    def __init__(
        self,
        prepared: Prepared,
        tree: GateTree,
        members: Mapping[str, Rows],
        *,
        gates: Mapping[str, Sequence[GateStep]] | None = None,
        left_out: Mapping[str, str] | None = None,
    ) -> None:
        able = evaluable(tree)
        masks = {
            name: masked(members[name], prepared.n)
            for name in (ROOT, *(node.name for node in tree.nodes))
            if name in able
        }
        self._tube = OpenTube(prepared, tree, gates or {}, left_out or {})
        self._state = State(tree, {}, masks, {name: len(members[name]) for name in masks})
        self._lock = threading.Lock()

    @property
    def tree(self) -> GateTree:
        """The tree as it is now; moved gates are ``edited``."""
        return self._state.tree

    @property
    def edits(self) -> Mapping[str, Geometry]:
        """Boundaries that lie elsewhere than they were fitted, by population."""
        return MappingProxyType(dict(self._state.edits))

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of events by population, ``all`` first; one that is not evaluable has no entry."""
        return MappingProxyType(dict(self._state.counts))

    @property
    def members(self) -> Mapping[str, Rows]:
        """Sorted rows by population, made when asked for; one that is not evaluable has no entry."""
        return {name: np.flatnonzero(mask) for name, mask in self._state.masks.items()}

    @property
    def prepared(self) -> Prepared:
        """The tube."""
        return self._tube.prepared

    @property
    def columns(self) -> KeptColumns:
        """Its columns, kept from one question to the next."""
        return self._tube.columns

    @property
    def gates(self) -> Mapping[str, Sequence[GateStep]]:
        """The template's gates, as far as they are known."""
        return self._tube.gates

    def downstream(self, population: str, tree: GateTree | None = None) -> tuple[str, ...]:
        """Return a population and all that stand on it, in the tree's order, those without a boundary included."""
        return standing_on(tree or self._state.tree, [population])

    def warm(self) -> None:
        """Make the columns that gates look at now, as far as there is room, so that the first drag need not wait."""
        for axis in dict.fromkeys(axis for node in self.tree.nodes if node.geometry for axis in node.geometry.axes):
            self.columns.finite(axis)

    def recount(self, population: str, geometry: Geometry) -> dict[str, int]:
        """Count a population and all that stand on it with its gate elsewhere. Nothing is kept.

        Parameters
        ----------
        population : str
            Whose gate is moved.
        geometry : Geometry
            Where to, display units.

        Returns
        -------
        dict of str to int
            In the tree's order. A population that is not evaluable then has no entry.

        Raises
        ------
        DocumentError
            Everything that is wrong with the boundary on this tube, as ``gating.edits.apply`` says it.
        """
        return self.look(population, geometry)[1]

    def look(self, population: str, geometry: Geometry) -> tuple[GateTree, dict[str, int]]:
        """Return the tree with a gate elsewhere, and what `recount` counts. Nothing is kept.

        Raises
        ------
        DocumentError
            As `recount`.
        """
        state = self._state
        tree = self._tube.edited({**state.edits, population: geometry})
        counts, able = {**state.counts, **self._tube.change(state, tree).counts}, evaluable(tree)
        return tree, {name: counts[name] for name in standing_on(tree, [population]) if name in able}

    def keep(self, population: str, geometry: Geometry) -> None:
        """Move a gate for good: until `keep` puts it elsewhere.

        Raises
        ------
        DocumentError
            As `recount`; nothing is moved then.
        """
        with self._lock:
            self._state = self._tube.moved(self._state, {**self._state.edits, population: geometry})

    def with_edits(self, edits: Mapping[str, Geometry]) -> LiveTube:
        """Return the same tube with exactly these boundaries elsewhere than they were fitted; this one stays.

        Parameters
        ----------
        edits : mapping of str to Geometry
            By population; empty for the tree as it was fitted.

        Raises
        ------
        DocumentError
            As `recount`.
        """
        other = object.__new__(LiveTube)
        other._tube, other._lock = self._tube, threading.Lock()
        other._state = self._tube.moved(self._state, dict(edits))
        return other

    def density(
        self,
        parent: str,
        x: str,
        y: str | None = None,
        *,
        x_range: Limits | None = None,
        y_range: Limits | None = None,
        grid: int = 128,
        rows_of: str | None = None,
    ) -> DensityView:
        """Count a population's events in bins of one axis or two.

        Parameters
        ----------
        parent : str
            Whose events are plotted; it also sets how far the axes go.
        x, y : str
            Axes of the tree; ``y`` None for a plot of one axis.
        x_range, y_range : tuple of float, display units, optional
            A part of the axis, when somebody has zoomed in.
        grid : int
            Bins per side, 16 to 512.
        rows_of : str, optional
            Only those of the parent's events that are also in this population: gated back onto the plot.

        Returns
        -------
        DensityView
            ``population`` is that of the events, ``n_parent`` how many of them the parent holds, ``n_shown`` those
            within the limits. It has no outline: many gates may lie on a plot.

        Raises
        ------
        SpecificationError
            A population or an axis that this tube does not have, or limits that leave nothing to be seen.
        """
        state = self._state
        if not GRID_MIN <= grid <= GRID_MAX:
            said = f"a plot of {grid} bins a side cannot be made"
            raise SpecificationError("live.grid", said, hint=f"give {GRID_MIN} to {GRID_MAX}")
        held = _mask(state, parent)
        wanted = held if rows_of is None else held & _mask(state, rows_of)
        values, of_parent = self._values(wanted), self._values(held)
        sides = [
            self._side(state, parent, axis, values if rows_of is None else of_parent, limits)
            for axis, limits in ((x, x_range), (y, y_range))
            if axis is not None
        ]
        bins = [bins_of(values(side.axis), side, grid) for side in sides]
        cells = bins[0] if len(bins) == 1 else bins[1] * (grid + 2) + bins[0]
        counted = np.bincount(cells, minlength=(grid + 2) ** len(bins)).reshape(-1, grid + 2)
        counts = counted[:, 1:-1] if len(bins) == 1 else counted[1:-1, 1:-1]
        peak = int(counts.max(initial=0))
        return DensityView(
            population=rows_of or parent,
            parent=parent,
            x=sides[0],
            y=sides[1] if len(sides) == 2 else None,
            nx=counts.shape[1],
            ny=counts.shape[0],
            grid=encoded(counts, peak),
            peak=peak,
            n_parent=int(np.count_nonzero(wanted)),
            n_shown=int(counts.sum()),
            outline=None,
        )

    def _values(self, mask: Mask) -> Callable[[str], F32]:
        """Return what makes the display values of the events of a mask, axis by axis and each once."""
        whole = bool(mask.all())

        @cache
        def values(axis: str) -> F32:
            shown = self._tube.columns.shown(axis)
            return shown if whole else shown[mask]

        return values

    def _side(
        self, state: State, parent: str, axis: str, values: Callable[[str], F32], limits: Limits | None
    ) -> AxisView:
        """Return one side of a plot, as far as the gates on it reach, or as far as was asked for."""
        axes = self.prepared.axes
        if axis not in axes:
            raise SpecificationError("live.axis", f"this tube carries no {axis}", hint=did_you_mean(axis, axes))
        if limits is not None and not (math.isfinite(limits[1] - limits[0]) and limits[0] < limits[1]):
            said = f"a plot from {limits[0]:g} to {limits[1]:g} on {axis} shows nothing"
            raise SpecificationError("live.range", said, hint="the lower end stands first, in display units")
        marks = [
            mark
            for node in state.tree.nodes
            if node.parent == parent and not isinstance(node.geometry, Boolean)
            for mark in marks_of(node.geometry, axis)
        ]
        # Limits that are given need no events.
        seen = np.empty(0, dtype=np.float32) if limits is not None else values(axis)
        return axis_view(axis, axes[axis], seen, self.prepared.panel, marks, limits)


def _mask(state: State, population: str) -> Mask:
    """Return which events are in a population, shape (n,)."""
    if population in state.masks:
        return state.masks[population]
    names = [ROOT, *(node.name for node in state.tree.nodes)]
    if population in names:
        said, hint = f"'{population}' could not be evaluated on this tube", "draw its boundary, or look at another one"
    else:
        said, hint = f"no population is named '{population}'", did_you_mean(population, names)
    raise SpecificationError("live.population", said, hint=hint)
