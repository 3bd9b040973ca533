"""What a plot shows of the controls that its gate was set on: their values on the axis that was cut, in bins."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from stromagate.gating.controls import pooled
from stromagate.gating.views import bins_of, encoded
from stromagate.model.gates import GateNode, GateTree
from stromagate.model.result import ControlProfile, DensityView
from stromagate.prepare.scales import display

if TYPE_CHECKING:
    from stromagate.gating.method import Outside
    from stromagate.model.template import ControlNeed, GateStep

MOST_BINS = 128
"""An outline needs no more bins than that, however fine the plot is."""


def with_controls(
    views: Sequence[DensityView], tree: GateTree, gates: Mapping[str, Sequence[GateStep]], outside: Outside
) -> tuple[DensityView, ...]:
    """Add to every plot the controls that its gate was set on.

    Parameters
    ----------
    views : sequence of DensityView
        The plots.
    tree : GateTree
        Boundaries as they were placed; a boundary's source names the controls.
    gates : mapping of str to sequence of GateStep
        Each population's gate and what it falls back on.
    outside : Outside
        The controls that the gates were given.

    Returns
    -------
    tuple of DensityView
        A plot whose gate was not set on controls, or was moved by hand since, is as it was.
    """
    nodes = {node.name: node for node in tree.nodes}
    return tuple(
        view.model_copy(update={"controls": tuple(_profiles(view, nodes[view.population], gates, outside))})
        for view in views
    )


def _profiles(
    view: DensityView, node: GateNode, gates: Mapping[str, Sequence[GateStep]], outside: Outside
) -> Iterator[ControlProfile]:
    """Yield one profile an axis of the plot that was cut on controls, read where the gate read them."""
    # The first population that a gate asks for on an axis is where it reads the negatives: its anchor.
    anchors: dict[str, ControlNeed] = {}
    for need in _needs(node, gates.get(node.name, ())):
        anchors.setdefault(need.axis, need)
    for need in anchors.values():
        side = next((side for side in (view.x, view.y) if side is not None and side.axis == need.axis), None)
        ours = [tube.distribution(need.population, need.axis) for tube in outside.controls if tube.role == need.role]
        values = pooled([each for each in ours if each is not None])
        if side is None or not values.n:
            continue
        n_bins = min(view.nx, MOST_BINS)
        bins = bins_of(display(side.scale, values.values), side, n_bins)
        counts = np.bincount(bins, values.weights, minlength=n_bins + 2)[1:-1]
        peak = max(1, math.ceil(counts.max()))
        yield ControlProfile(
            role=need.role,
            axis=need.axis,
            population=need.population,
            n_tubes=sum(each is not None for each in ours),
            n_events=round(values.n),
            profile=encoded(counts, peak),
            peak=peak,
        )


def _needs(node: GateNode, steps: Sequence[GateStep]) -> list[ControlNeed]:
    """Return what the gate that was taken read from controls: its source names their role."""
    if node.geometry is None or node.state == "edited":
        return []
    needs = [need for step in steps if step.method == node.method for need in step.params.controls_used()]
    return [need for need in needs if need.axis in node.geometry.axes and f"{need.role} x" in node.source]
