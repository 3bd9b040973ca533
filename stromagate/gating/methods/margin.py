"""Events on the end of a detector's range are cut out: what was cut off there was not measured.

Only the lower end, and the upper end of fluorescence: large stroma reaches the top of light scatter, and is kept and
told of. Values are those that the detector wrote, before spillover is taken out of them, which smears a pile.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.random import Generator
from pydantic import Field, model_validator

from stromagate.gating.density import finite
from stromagate.gating.method import Fit, GatingMethod, PopulationView, not_evaluable
from stromagate.gating.piles import Edge, Pile, find_pile
from stromagate.gating.wording import listed, number, share
from stromagate.model.gates import MEASURED, Boolean, Bound, Geometry, Interval, Rectangle
from stromagate.model.sample import F32
from stromagate.model.template import AxisName, GateParams

_ENDS = {"lower": "bottom", "upper": "top"}


class Params(GateParams):
    """Axes and ends of their range, and how much may be removed."""

    axes: tuple[AxisName, ...] = Field(min_length=1, description="Axes looked at, one or more.")
    edges: tuple[Edge, ...] = Field(
        ("lower",),
        min_length=1,
        max_length=2,
        description="Ends of the range that are cut out: `lower`, `upper` or both. The upper end of light scatter is "
        "never cut out, for stroma is large.",
    )
    max_removed_frac: float = Field(
        0.1,
        gt=0,
        lt=1,
        description="Share of the events (0-1) above which nothing is removed and the gate is not evaluable.",
    )
    min_events: int = Field(
        1000, ge=100, description="Fewest events of the parent; below, everything is kept and that is said."
    )

    @model_validator(mode="after")
    def _ends_of_measured_light(self) -> Self:
        for given in (self.axes, self.edges):
            twice = [name for name in dict.fromkeys(given) if given.count(name) > 1]
            if twice:
                raise ValueError(f"named twice: {listed(twice, 'and')}")
        if "Time" in self.axes:
            raise ValueError("Time has no range to be piled up on: use the method `time`")
        scatter = [axis for axis in self.axes if _is_scatter(axis)]
        if scatter and "upper" in self.edges:
            raise ValueError(
                f"`upper` with {listed(scatter, 'and')} would remove large stroma: events at the top of light scatter "
                "are kept; cut out the top of fluorescence in a gate of its own"
            )
        return self


def fit(parent: PopulationView, params: Params, rng: Generator) -> Fit:
    """Find the piles and keep what lies between them, or say that there are none or too many."""
    absent = [axis for axis in params.axes if axis not in parent.axes]
    if absent:
        return not_evaluable(f"nothing removed: the tube has no axis {absent[0]}")
    values = {axis: parent.linear(_shown(parent, axis)) for axis in params.axes}
    known = {axis: finite(column) for axis, column in values.items()}
    empty = [axis for axis, column in known.items() if column.size == 0]
    if empty:
        return not_evaluable(f"nothing removed: there are no values on {empty[0]}")
    fewest = min(column.size for column in known.values())
    if fewest < params.min_events:
        few = f"{fewest:,} events are too few to tell a pile (at least {params.min_events:,})"
        return Fit(Boolean("none", ()), f"all events kept: {few}", "fallback", source="all events")
    flat = [axis for axis, column in known.items() if column.min() == column.max()]
    if flat:
        return not_evaluable(f"nothing removed: all {known[flat[0]].size:,} values on {flat[0]} are the same")
    piles = {
        axis: [pile for edge in params.edges if (pile := find_pile(column, edge)) is not None]
        for axis, column in known.items()
    }
    return _kept(parent, params, values, piles)


def explain(params: Params) -> str:
    """Say what the gate keeps."""
    ends = listed([_ENDS[edge] for edge in params.edges], "or")
    return f"{listed(params.axes, 'and')} not piled up at the {ends} of the detector's range"


def _kept(parent: PopulationView, params: Params, values: dict[str, F32], piles: dict[str, list[Pile]]) -> Fit:
    """Return the gate between the piles, unless they hold too much."""
    n = parent.n
    removed = int(np.count_nonzero(np.logical_or.reduce([_beyond(values[axis], piles[axis]) for axis in piles])))
    said = [
        f"{_events(pile.n)} ({share(pile.n / n)}) at the {_ENDS[pile.edge]} of {axis} ({number(pile.at)})"
        for axis, found in piles.items()
        for pile in found
    ]
    clear = [
        f"{_ENDS[edge]} of {listed(axes, 'and')}"
        for edge in params.edges
        if (axes := [axis for axis, found in piles.items() if edge not in {pile.edge for pile in found}])
    ]
    none = f"none at the {listed(clear, 'or')}" if clear else ""
    tops = _scatter_tops(params, values)
    if removed > params.max_removed_frac * n:
        most = f"{share(removed / n)} of {n:,} events are piled up, more than {share(params.max_removed_frac)}"
        return not_evaluable("; ".join([f"nothing removed: {most}", *said, *tops]))
    if not removed:
        return Fit(Boolean("none", ()), "; ".join([f"nothing removed: {none}", *tops]))
    odd = int(np.count_nonzero(~np.logical_and.reduce([np.isfinite(values[axis]) for axis in piles if piles[axis]])))
    without = [f"{_events(odd)} without a value removed as well"] if odd else []
    whole = [f"removed {removed:,} of {n:,} events: {listed(said, 'and')}", *without, *([none] if none else []), *tops]
    return Fit(_between(parent, piles), "; ".join(whole))


def _between(parent: PopulationView, piles: dict[str, list[Pile]]) -> Geometry:
    """Return what lies between the piles, on the axes that have any."""
    axes = tuple(_shown(parent, axis) for axis, found in piles.items() if found)
    low, high = (
        tuple(_border(parent, axis, found, edge) for axis, found in piles.items() if found)
        for edge in ("lower", "upper")
    )
    return Interval(axes[0], low[0], high[0]) if len(axes) == 1 else Rectangle(axes, low, high)


def _border(parent: PopulationView, axis: str, found: list[Pile], edge: Edge) -> Bound:
    """Return the gate's edge at one end of an axis, in display units; None where nothing is piled up."""
    borders = (pile.border for pile in found if pile.edge == edge)
    return next((parent.to_display(_shown(parent, axis), border) for border in borders), None)


def _beyond(values: F32, found: list[Pile]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    beyond = np.zeros(values.shape, dtype=np.bool_)
    for pile in found:
        beyond |= values < np.float64(pile.border) if pile.edge == "lower" else values >= np.float64(pile.border)
    return beyond & np.isfinite(values)


def _scatter_tops(params: Params, values: dict[str, F32]) -> list[str]:
    """Say how many events at the top of light scatter were kept."""
    tops = {axis: find_pile(finite(values[axis]), "upper") for axis in params.axes if _is_scatter(axis)}
    return [f"{_events(pile.n)} at the top of {axis} kept" for axis, pile in tops.items() if pile is not None]


def _shown(parent: PopulationView, axis: str) -> str:
    """Return the axis that shows what the detector wrote; the axis itself where nothing is taken out of it."""
    measured = axis + MEASURED
    return measured if measured in parent.axes else axis


def _is_scatter(axis: str) -> bool:
    return axis.startswith(("FSC", "SSC"))


def _events(n: int) -> str:
    return f"{n:,} event{'' if n == 1 else 's'}"


METHOD = GatingMethod(Params, fit, explain, "Cut out events piled up on the end of a detector's range.")
