"""A tube made ready for gating: axes bound to channels, spillover taken out on request, scales chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from stromagate.model.config import RunConfig
from stromagate.model.gates import MEASURED, Axis, GateTree
from stromagate.model.panel import Compensation, Panel
from stromagate.model.sample import F32, F64, Rows, Sample
from stromagate.model.scales import Scale
from stromagate.model.template import GatingTemplate
from stromagate.prepare.bind import bind_template
from stromagate.prepare.compensate import choose_compensation
from stromagate.prepare.display_scales import choose_scales
from stromagate.prepare.scales import display
from stromagate.prepare.unmix import Unmix, Weights, largest_magnitude

_STRETCH = 1 << 14
# Gating methods that look at what a detector wrote: values at the end of its range are no pile any more once spillover
# has been taken out of them.
_OF_DETECTORS = frozenset({"margin"})


@dataclass(frozen=True, slots=True)
class Prepared:
    """A tube and what its axes mean. Values are made when asked for, for the events asked for, and not kept."""

    sample: Sample
    panel: Panel
    axes: Mapping[str, Axis]
    compensation: Compensation | None
    unmix: Unmix = field(repr=False)
    largest: float

    @property
    def n(self) -> int:
        """Number of events."""
        return self.sample.n_events

    def linear(self, axis: str, rows: Rows | None = None) -> F32:
        """Return compensated scale values of an axis.

        Parameters
        ----------
        axis : str
            Axis of the template.
        rows : ndarray of intp, shape (k,), optional
            Events; all of them by default.

        Returns
        -------
        ndarray of float32, shape (k,) or (n,)
            Within ``slack(axis)`` of ``exact(axis, rows)``.
        """
        weights, events = self.unmix[axis], self.sample.events
        if weights.plain:
            column = events[:, weights.columns[0]]
            return column if rows is None else column[rows]
        return self._sum(weights, rows)

    def _sum(self, weights: Weights, rows: Rows | None) -> F32:
        """Return a weighted sum of columns, a stretch at a time so that it stays in cache.

        No BLAS: its order of summation, and so its last bits, depends on the processor, and fits would follow.
        """
        total = np.empty(self.n if rows is None else len(rows), dtype=np.float32)
        product = np.empty(min(_STRETCH, total.size), dtype=np.float32)
        with np.errstate(invalid="ignore", over="ignore"):
            for start in range(0, total.size, _STRETCH):
                part = total[start : start + _STRETCH]
                part[:] = 0
                chosen = slice(start, start + part.size) if rows is None else rows[start : start + part.size]
                for column, weight in zip(weights.columns, weights.weights, strict=True):
                    part += np.multiply(
                        self.sample.events[chosen, column], np.float32(weight), out=product[: part.size]
                    )
        return total

    def exact(self, axis: str, rows: Rows) -> F64:
        """Return compensated scale values in float64, shape (k,)."""
        weights = self.unmix[axis]
        if weights.plain:  # one column of many: the others need not be fetched
            return np.asarray(self.sample.events[rows, weights.columns[0]], dtype=np.float64)
        return weights.exact(self.sample.events[rows])

    def slack(self, axis: str) -> float:
        """Return the most that ``linear`` may differ from ``exact`` on this tube, in scale values."""
        return self.unmix[axis].slack(self.largest)

    def display(self, axis: str, rows: Rows | None = None) -> F32:
        """Return display units, shape (k,); see ``prepare.scales.display`` for their precision."""
        return display(self.scale(axis), self.linear(axis, rows))

    def scale(self, axis: str) -> Scale:
        """Return the display scale of an axis."""
        return self.axes[axis].scale


def prepare(sample: Sample, template: GatingTemplate, config: RunConfig | None = None) -> Prepared:
    """Bind the template's axes on a tube, choose its matrix, and choose the scales.

    Parameters
    ----------
    sample : Sample
        A tube as read.
    template : GatingTemplate
        Names the markers and the scales.
    config : RunConfig, optional
        Bindings by hand, panel file, matrix.

    Returns
    -------
    Prepared

    Raises
    ------
    SpecificationError
        A marker is on no channel or on two; the matrix is malformed, singular or would be applied twice; a scale's
        parameters are impossible.
    """
    config = config or RunConfig()
    panel = bind_template(sample, template, config)
    compensation = choose_compensation(sample, panel, config)
    inside = frozenset(compensation.channels) if compensation else frozenset()
    bare = {item.axis: Axis(item.pnn, Scale(), item.pnn in inside) for item in panel.bindings}
    unmix = Unmix(sample.pnn, bare, compensation)
    unscaled = Prepared(sample, panel, bare, compensation, unmix, _largest(sample, unmix))
    scales = choose_scales(sample, panel, template.scales, unscaled.linear)
    axes = {name: Axis(axis.pnn, scales[name], axis.compensated) for name, axis in bare.items()}
    measured = _measured(template, axes)
    if measured:
        axes |= measured
        unmix = Unmix(sample.pnn, axes, compensation)
    return Prepared(sample, panel, axes, compensation, unmix, unscaled.largest)


def prepared_on(sample: Sample, tree: GateTree, panel: Panel) -> Prepared:
    """Return a tube as a known tree sees it: on the tree's own axes, scales and matrix, with nothing chosen again.

    Parameters
    ----------
    sample : Sample
        The tube, read with the tree's gain convention.
    tree : GateTree
        Boundaries with their axes.
    panel : Panel
        What the channels are called.

    Raises
    ------
    SpecificationError
        An axis or the matrix names a channel the file does not have.
    """
    unmix = Unmix(sample.pnn, tree.axes, tree.compensation)
    return Prepared(sample, panel, tree.axes, tree.compensation, unmix, _largest(sample, unmix))


def _measured(template: GatingTemplate, axes: Mapping[str, Axis]) -> dict[str, Axis]:
    """Return the axes of detectors that gates look at, but for those that an axis of the template shows as they are."""
    found: dict[str, Axis] = {}
    for population in template.populations:
        gates = list(population.gate.chain())
        if any(gate.method in _OF_DETECTORS for gate in gates):
            # A fallback takes over the axes of the gate it stands in for.
            for name in [name for gate in gates for name in gate.params.get("axes") or ()]:
                axis = axes.get(name)
                if axis is not None and axis.compensated:
                    found[name + MEASURED] = Axis(axis.pnn, axis.scale, compensated=False)
    return found


def _largest(sample: Sample, unmix: Unmix) -> float:
    """Return the largest magnitude among the columns that are mixed, infinities left out."""
    mixed = sorted({int(column) for axis in unmix.axes if not unmix[axis].plain for column in unmix[axis].columns})
    return max((largest_magnitude(sample.events[:, column]) for column in mixed), default=0.0)
