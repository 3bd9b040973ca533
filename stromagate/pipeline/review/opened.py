"""One tube under review: what moved boundaries give, its plots, and its controls laid over them."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

from stromagate.errors import DocumentError, SpecificationError, did_you_mean
from stromagate.fcs import read_fcs
from stromagate.gating import replay
from stromagate.gating.live import Limits, LiveTube
from stromagate.model.gates import ROOT, GateTree, Geometry
from stromagate.model.result import ControlUse, DensityView, SampleResult
from stromagate.model.template import Document
from stromagate.pipeline.background import any_time
from stromagate.pipeline.review.files import FileFinder
from stromagate.pipeline.review.preview import Moment, Preview, rows
from stromagate.pipeline.threads import one_blas_thread
from stromagate.prepare.prepared import prepared_on

Boundaries = Mapping[str, Geometry]
"""Boundaries that lie elsewhere than they were fitted, by population, display units."""

_STATES_KEPT = 2


class GateOnPlot(Document):
    """A gate of the plotted population that can be drawn on the plot's axes."""

    population: str
    label: str
    geometry: Geometry
    edited: bool
    n: int | None


class ReviewView(Document):
    """A plot of a population, its gates on these axes, and another population gated back onto it."""

    plot: DensityView
    gates: tuple[GateOnPlot, ...] = ()
    over: DensityView | None = None


class ControlView(Document):
    """A control on the tube's boundaries, over the limits of the tube's plot."""

    sample_id: str
    role: str
    n_events: int
    plot: DensityView
    counts: dict[str, int]


class ReviewTube:
    """One tube under review. Several threads may ask at once.

    Parameters
    ----------
    result : SampleResult
        As the run has it.
    live : LiveTube
        The tube on its fitted tree.
    files : FileFinder
        Finds its controls.
    names : mapping of str to str, optional
        Names of the controls' files by the SHA-256 of their content.
    """

    def __init__(
        self, result: SampleResult, live: LiveTube, files: FileFinder, names: Mapping[str, str] | None = None
    ) -> None:
        self.result, self._fitted, self._files, self._names = result, live, files, names or {}
        self._last: tuple[LiveTube, ...] = (live,)
        self._controls: dict[str, LiveTube] = {}
        self._lock, self._control_lock = threading.Lock(), threading.Lock()

    @property
    def sample_id(self) -> str:
        """Name of the tube."""
        return self.result.sample_id

    @property
    def fitted(self) -> GateTree:
        """The tree before any edit: what edits are bound to."""
        return self._fitted.tree

    def tree(self, edits: Boundaries) -> GateTree:
        """Return the tree with some boundaries elsewhere, and what the template holds below them.

        Raises
        ------
        DocumentError
            Everything that is wrong with them on this tube, at once.
        """
        return self._with(edits).tree

    def counts(self, edits: Boundaries) -> dict[str, int | None]:
        """Return the events of every population, ``all`` first; None where one is not evaluable.

        Raises
        ------
        DocumentError
            As `tree`.
        """
        return _counts(self._with(edits))

    def preview(self, edits: Boundaries, population: str, geometry: Geometry | None) -> Preview:
        """Count a population and all that stand on it with its boundary elsewhere. Nothing is kept.

        Parameters
        ----------
        edits : mapping of str to Geometry
            The boundaries before the move; an earlier one of the population itself among them.
        population : str
            Whose boundary is moved.
        geometry : Geometry or None
            Where to, display units; None sets it back to the fitted one.

        Returns
        -------
        Preview

        Raises
        ------
        DocumentError
            As `tree`.
        """
        begin = time.perf_counter()
        others = {name: each for name, each in edits.items() if name != population}
        live = self._before(edits, geometry)
        before = Moment(live.tree, _counts(live))
        if geometry is None or (live is self._fitted and others):
            moved = self._with(others if geometry is None else {**others, population: geometry})
            after, names = Moment(moved.tree, _counts(moved)), moved.downstream(population)
        else:
            tree, changed = live.look(population, geometry)
            names = live.downstream(population, tree)
            after = Moment(tree, {**before.counts, **{name: changed.get(name) for name in names}})
        config = self.result.record.config
        found = tuple(rows(self.result, names, before, after))
        return Preview(
            sample_id=self.sample_id,
            population=population,
            populations=found,
            counts=dict(after.counts),
            confidence=config.confidence,
            interval=config.interval,
            milliseconds=round((time.perf_counter() - begin) * 1e3, 1),
        )

    def view(
        self,
        parent: str,
        x: str,
        y: str | None = None,
        *,
        edits: Boundaries | None = None,
        x_range: Limits | None = None,
        y_range: Limits | None = None,
        grid: int = 128,
        population: str | None = None,
    ) -> ReviewView:
        """Plot a population.

        Parameters
        ----------
        parent, x, y, x_range, y_range, grid
            As for ``LiveTube.density``.
        edits : mapping of str to Geometry, optional
            Boundaries elsewhere than they were fitted.
        population : str, optional
            Population to be gated back onto the plot.

        Raises
        ------
        SpecificationError
            As ``LiveTube.density``.
        DocumentError
            As `tree`.
        """
        live = self._with(edits or {})
        plot = live.density(parent, x, y, x_range=x_range, y_range=y_range, grid=grid)
        over = None
        if population is not None:
            x_range, y_range = _limits(plot)
            over = live.density(parent, x, y, x_range=x_range, y_range=y_range, grid=grid, rows_of=population)
        return ReviewView(plot=plot, gates=tuple(self._gates(live, parent, (x, y))), over=over)

    def controls(self) -> tuple[ControlUse, ...]:
        """Return the controls that can be laid over a plot: those paired with the tube, in the run's order."""
        return tuple(use for use in self.result.controls if not use.unused)

    def control_view(
        self,
        role: str,
        parent: str,
        x: str,
        y: str | None = None,
        *,
        edits: Boundaries | None = None,
        x_range: Limits | None = None,
        y_range: Limits | None = None,
        grid: int = 128,
    ) -> ControlView:
        """Plot the same population of a control, such as the FMO of the marker, on the tube's own boundaries.

        Its gate on time is left open: that belongs to how the tube itself was acquired.

        Parameters
        ----------
        role : str
            Role of the control, such as ``fmo:CD146``.
        parent, x, y, edits, x_range, y_range, grid
            As for `view`; limits that are not given are those of the tube's plot.

        Raises
        ------
        InputError
            The control's file is not at hand, or refused.
        SpecificationError
            No control of that role is paired with the tube, or as `view`.
        """
        use = self._control(role)
        if x_range is None or (y is not None and y_range is None):
            plot = self._with(edits or {}).density(parent, x, y, x_range=x_range, y_range=y_range, grid=grid)
            x_range, y_range = _limits(plot)
        live = self._control_tube(use).with_edits(_but_time(edits or {}))
        return ControlView(
            sample_id=use.sample_id,
            role=use.role,
            n_events=live.prepared.n,
            plot=live.density(parent, x, y, x_range=x_range, y_range=y_range, grid=grid),
            counts=dict(live.counts),
        )

    def _with(self, edits: Boundaries) -> LiveTube:
        """Return the tube with some boundaries elsewhere: while one is dragged, all others stay the same.

        Two states are kept, those before and after a move: a page asks for both in turn.
        """
        wanted = dict(edits)
        with self._lock:
            found = next((live for live in self._last if live.edits == wanted), None) or self._last[0].with_edits(
                wanted
            )
            self._last = (found, *(live for live in self._last if live is not found))[:_STATES_KEPT]
            return found

    def _before(self, edits: Boundaries, geometry: Geometry | None) -> LiveTube:
        """Return the tube as it stands before a move.

        What was drawn below a boundary that is only being drawn cannot stand without it: the tube is then as fitted.
        """
        try:
            return self._with(edits)
        except DocumentError:
            if geometry is None:
                raise
            return self._fitted

    def _gates(self, live: LiveTube, parent: str, axes: Sequence[str | None]) -> list[GateOnPlot]:
        there, labels = frozenset(axes), self.result.labels_of_populations
        return [
            GateOnPlot(
                population=node.name,
                label=labels.get(node.name, node.name),
                geometry=node.geometry,
                edited=node.name in live.edits,
                n=live.counts.get(node.name),
            )
            for node in live.tree.nodes
            if node.parent == parent and node.geometry is not None and node.geometry.axes
            if there.issuperset(node.geometry.axes)
        ]

    def _control(self, role: str) -> ControlUse:
        uses = [use for use in self.controls() if use.role == role]
        if not uses:
            roles = [use.role for use in self.controls()]
            said = f"no control of the role '{role}' is paired with this tube"
            raise SpecificationError("review.no_control", said, where=self.sample_id, hint=did_you_mean(role, roles))
        at_hand = [use for use in uses if self._files.find(use.sha256, self._names.get(use.sha256, "")) is not None]
        return (at_hand or uses)[0]

    def _control_tube(self, use: ControlUse) -> LiveTube:
        with self._control_lock:
            if use.sha256 not in self._controls:
                path = self._files.found(use.sha256, self._names.get(use.sha256, ""), use.sample_id)
                tree, config = any_time(self._fitted.tree), self.result.record.config
                with one_blas_thread():
                    sample = read_fcs(path, policy=config.policy, dataset=config.dataset, gain=tree.gain)
                    prepared = prepared_on(sample, tree, self.result.panel)
                    self._controls[use.sha256] = LiveTube(
                        prepared, tree, replay.members(prepared, tree), gates=self._fitted.gates
                    )
            return self._controls[use.sha256]


def _counts(live: LiveTube) -> dict[str, int | None]:
    counts = live.counts
    return {name: counts.get(name) for name in (ROOT, *(node.name for node in live.tree.nodes))}


def _limits(plot: DensityView) -> tuple[Limits, Limits | None]:
    return (plot.x.low, plot.x.high), None if plot.y is None else (plot.y.low, plot.y.high)


def _but_time(edits: Boundaries) -> dict[str, Geometry]:
    return {name: geometry for name, geometry in edits.items() if geometry.axes != ("Time",)}
