"""The boundary of earlier batches, carried over in units of two reference populations of this tube.

Where a detector's gain or offset changed between the days, references and boundary moved together: no event is
changed, and the boundary means what it meant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from pydantic import Field

from stromagate.gating.controls import distribution, quantiles, redrawn
from stromagate.gating.density import DRAWS
from stromagate.gating.method import Fit, GatingMethod, PopulationView, not_evaluable
from stromagate.gating.thresholds import half_line
from stromagate.gating.wording import number, place
from stromagate.model.controls import Distribution
from stromagate.model.gates import Side
from stromagate.model.template import AxisName, GateParams, Name

MAD_TO_SD = 1.482602  # of a normal distribution
APART = 3.0  # standard errors: references that lie nearer tell no way between them


class Params(GateParams):
    """Whose boundary, between which references, and over how many batches."""

    axis: AxisName = Field(description="The axis that is cut.")
    keep: Side = Field(description="Side of the cut that is kept; the cut itself counts as above.")
    boundary: Name = Field(description="Population whose earlier boundaries are taken: as a rule this one's own name.")
    negative: Name = Field(description="Population whose median on the axis counts as 0.")
    positive: Name = Field(description="Population whose median on the axis counts as 1.")
    batches: int = Field(10, ge=1, le=1000, description="How many of the last batches count.")
    min_batches: int = Field(3, ge=1, le=1000, description="Fewest batches.")
    min_events: int = Field(50, ge=20, description="Fewest events of each reference in this tube.")

    def populations_used(self) -> tuple[str, ...]:
        """Return the references."""
        return (self.negative, self.positive)

    def populations_named(self) -> tuple[str, ...]:
        """Return the population whose earlier boundaries are taken: they are looked up by that name."""
        return (self.boundary,)


@dataclass(frozen=True, slots=True)
class _Way:
    """The part of the way from negative to positive: the median over batches, and their robust standard deviation."""

    middle: float
    sd: float
    batches: int
    tubes: int


def fit(parent: PopulationView, params: Params, rng: Generator) -> Fit:
    """Put the boundary of earlier batches where the references of this tube say it lies."""
    axis = params.axis
    if axis not in parent.axes:
        return not_evaluable(f"{axis} not cut: the tube has no axis {axis}")
    way = _way(parent, params)
    if isinstance(way, str):
        return not_evaluable(f"{axis} not cut: {way}")
    known = {name: distribution(parent.population(name).linear(axis)) for name in (params.negative, params.positive)}
    for name, values in known.items():
        if values.n < params.min_events:
            few = f"{values.n:,.0f} events of {name} are too few to measure by (at least {params.min_events:,})"
            return not_evaluable(f"{axis} not cut: {few}")
    ends = _ends(known, params)
    draws = np.array([_ends({name: redrawn(of, rng) for name, of in known.items()}, params) for _ in range(DRAWS)])
    reach = float(ends[1] - ends[0])
    if not reach > APART * float(np.std(draws[:, 1] - draws[:, 0], ddof=1)) or not reach > 0:
        return not_evaluable(
            f"{axis} not cut: the medians of {params.negative} and {params.positive}, {number(ends[0])} and "
            f"{number(ends[1])} units, tell no way from one to the other"
        )
    cut = ends[0] + way.middle * reach
    own = float(np.std(draws[:, 0] + way.middle * (draws[:, 1] - draws[:, 0]), ddof=1))
    sd = float(np.hypot(way.sd * reach, own))
    at, below, above = (parent.to_display(axis, value) for value in (cut, cut - sd, cut + sd))
    sentence = (
        f"{axis} cut at {place(parent, axis, at)}: {number(100 * way.middle)} % of the way from {params.negative} "
        f"({number(ends[0])} units) to {params.positive} ({number(ends[1])} units), where it lay in the last "
        f"{way.batches} batches ({way.tubes} tubes, deviation between batches {number(100 * way.sd)} %)"
    )
    return Fit(
        half_line(axis, at, params.keep),
        sentence,
        spread=(above - below) / 2,
        source=f"locked over {way.batches} batches, {way.tubes} tubes",
    )


def explain(params: Params) -> str:
    """Say what the gate keeps."""
    return (
        f"{params.axis} {params.keep} where {params.boundary} began in the last {params.batches} batches, on the way "
        f"from {params.negative} to {params.positive}"
    )


def _way(parent: PopulationView, params: Params) -> _Way | str:
    """Return where the boundary lay in earlier batches, or say what is missing."""
    locks = parent.outside.locks
    if locks is None:
        return "no boundaries of earlier batches were given"
    history = [each for each in locks.boundaries if (each.population, each.axis) == (params.boundary, params.axis)]
    if not history:
        return f"the earlier batches hold no boundary of {params.boundary} on {params.axis}"
    fitting = [each for each in history if (each.negative, each.positive) == (params.negative, params.positive)]
    if not fitting:
        measured = f"{history[0].negative} and {history[0].positive}"
        return (
            f"the earlier boundaries of {params.boundary} were measured by {measured}, not by the template's references"
        )
    by_batch = list(fitting[0].ways_by_batch().values())[-params.batches :]
    if len(by_batch) < params.min_batches:
        return f"{len(by_batch)} earlier batches are too few (at least {params.min_batches})"
    ways = np.array([np.median(ways) for ways in by_batch])
    middle = float(np.median(ways))
    sd = MAD_TO_SD * float(np.median(np.abs(ways - middle)))
    return _Way(middle, sd, len(ways), sum(len(each) for each in by_batch))


def _ends(known: dict[str, Distribution], params: Params) -> tuple[float, float]:
    negative, positive = (float(quantiles(known[name], (0.5,))[0]) for name in (params.negative, params.positive))
    return negative, positive


METHOD = GatingMethod(
    Params, fit, explain, "Boundary of earlier batches, carried over between two reference populations of this tube."
)
