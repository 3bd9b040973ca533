"""A cut borrowed from a named population of the same tube, such as one decade below the lymphocytes' CD45."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from numpy.random import Generator
from pydantic import Field, model_validator

from stromagate.gating.controls import distribution, quantiles, redrawn
from stromagate.gating.density import DRAWS
from stromagate.gating.leaks import LOWER, UPPER
from stromagate.gating.method import Fit, GatingMethod, PopulationView, not_evaluable
from stromagate.gating.thresholds import half_line
from stromagate.gating.wording import number, place
from stromagate.model.controls import Distribution
from stromagate.model.gates import Side
from stromagate.model.template import AxisName, GateParams, Name


class Params(GateParams):
    """Which population, which part of it, and how far from that the cut lies."""

    axis: AxisName = Field(description="The axis that is cut.")
    keep: Side = Field(description="Side of the cut that is kept; the cut itself counts as above.")
    population: Name = Field(description="Population of this tube that the cut is measured from.")
    at: Literal["median", "lower", "upper"] = Field(
        "median", description="Part of that population the cut is measured from: its median, or one of its edges."
    )
    edge_frac: float = Field(0.025, gt=0, lt=0.5, description="Share of the population beyond an edge (0-1).")
    offset_decades: float = Field(
        0.0, ge=-4, le=4, description="Decades from there to the cut, where that part lies clear of zero."
    )
    offset_widths: float = Field(
        0.0,
        ge=-20,
        le=20,
        description="Distance from there to the cut in robust deviations on that side, as displayed.",
    )
    min_events: int = Field(100, ge=20, description="Fewest events of that population.")

    @model_validator(mode="after")
    def _one_offset(self) -> Self:
        if self.offset_decades and self.offset_widths:
            raise ValueError("give `offset_decades` or `offset_widths`, not both")
        return self

    def populations_used(self) -> tuple[str, ...]:
        """Return the population the cut is measured from."""
        return (self.population,)


def fit(parent: PopulationView, params: Params, rng: Generator) -> Fit:
    """Cut at a distance from the population, or say why it cannot tell."""
    axis = params.axis
    if axis not in parent.axes:
        return not_evaluable(f"{axis} not cut: the tube has no axis {axis}")
    known = distribution(parent.population(params.population).linear(axis))
    if known.n < params.min_events:
        few = f"{known.n:,.0f} events of {params.population} are too few"
        return not_evaluable(f"{axis} not cut: {few} to measure from (at least {params.min_events:,})")
    low, _, high = quantiles(known, (LOWER, 0.5, UPPER))
    if not low < high:
        return not_evaluable(f"{axis} not cut: {params.population} has no width")
    if params.offset_decades and not low > 0:
        return not_evaluable(
            f"{axis} not cut: {params.population} reaches zero ({number(low)} to {number(high)} units), where decades "
            "mean nothing; measure from it by `offset_widths`"
        )
    cut = _cut(parent, params, known)
    draws = [_cut(parent, params, redrawn(known, rng)) for _ in range(DRAWS)]
    spread = float(np.std(draws, ddof=1))
    return Fit(
        half_line(axis, cut, params.keep),
        f"{axis} cut at {place(parent, axis, cut)}: {_where(params)} of {params.population} ({known.n:,.0f} events)",
        spread=spread,
        source=f"{params.population}, {known.n:,.0f} events",
    )


def explain(params: Params) -> str:
    """Say what the gate keeps."""
    return f"{params.axis} {params.keep} {_where(params)} of {params.population}"


def _where(params: Params) -> str:
    """Return ``1 decade below the median``."""
    part = "the median" if params.at == "median" else f"the {params.at} edge ({100 * params.edge_frac:g} % beyond)"
    offset, unit = params.offset_decades or params.offset_widths, "decade" if params.offset_decades else "deviation"
    if not offset:
        return part
    return f"{abs(offset):g} {unit}{'' if abs(offset) == 1 else 's'} {'above' if offset > 0 else 'below'} {part}"


def _cut(parent: PopulationView, params: Params, known: Distribution) -> float:
    """Return the cut in display units."""
    part = {"median": 0.5, "lower": params.edge_frac, "upper": 1 - params.edge_frac}[params.at]
    at, low, middle, high = (float(value) for value in quantiles(known, (part, LOWER, 0.5, UPPER)))
    shown = parent.to_display(params.axis, at * 10.0**params.offset_decades)
    if not params.offset_widths:
        return shown
    ends = (middle, high) if params.offset_widths > 0 else (low, middle)
    return shown + params.offset_widths * (
        parent.to_display(params.axis, ends[1]) - parent.to_display(params.axis, ends[0])
    )


METHOD = GatingMethod(Params, fit, explain, "Cut measured from a named population of the same tube.")
