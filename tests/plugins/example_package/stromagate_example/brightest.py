"""A gating method: the brightest so many per mille of the parent on one axis."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from pydantic import Field

from stromagate.gating.method import Fit, GatingMethod, PopulationView, not_evaluable
from stromagate.model.gates import Interval
from stromagate.model.template import AxisName, GateParams


class Params(GateParams):
    """How many are kept."""

    axis: AxisName = Field(description="The axis that is cut.")
    per_mille: float = Field(10.0, gt=0, le=1000, description="Share of the parent's events that is kept.")


def fit(parent: PopulationView, params: Params, _rng: Generator) -> Fit:
    """Cut at a quantile of the parent's events."""
    values = parent.display(params.axis)
    values = values[np.isfinite(values)]
    if not values.size:
        return not_evaluable("The parent holds no events.")
    cut = float(np.quantile(values, 1 - params.per_mille / 1000))
    return Fit(Interval(axis=params.axis, low=cut, high=None), f"The brightest {params.per_mille:g} per mille.")


def explain(params: Params) -> str:
    """Say what the gate keeps."""
    return f"the brightest {params.per_mille:g} per mille on {params.axis}"


METHOD = GatingMethod(Params, fit, explain, "The brightest so many per mille on one axis.")
