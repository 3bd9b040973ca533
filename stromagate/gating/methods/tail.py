"""A cut beyond the tail of the negative peak, in its own robust deviations: works for ten positives in a million."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from numpy.random import Generator
from pydantic import Field

from stromagate.gating.method import Fit, GatingMethod, PopulationView
from stromagate.gating.opinions import SECOND_FIELD, Second, second_opinion
from stromagate.gating.shoulders import NEAREST_MADS
from stromagate.gating.tails import TailRule
from stromagate.gating.thresholds import SearchRange, binned, tail_fit
from stromagate.model.gates import Side
from stromagate.model.template import AxisName, GateParams


class Params(GateParams):
    """Which peak is the negative, and how far from it the cut lies."""

    axis: AxisName = Field(description="The axis that is cut.")
    keep: Side = Field(description="Side of the cut that is kept; the cut itself counts as above.")
    negative: Literal["dominant", "lowest", "highest"] = Field(
        "dominant", description="Peak the cut is measured from: the one with most events, the lowest or the highest."
    )
    mads: float = Field(
        5.0, gt=0, le=20, description="Distance from the peak in its standard deviations, estimated by median distance."
    )
    side: Side = Field("above", description="Side of the peak the cut lies on; its width comes from the other side.")
    search: SearchRange | None = Field(
        None, description="Range the peak may lie in, [low, high] in display units; null: anywhere."
    )
    min_peak_frac: float = Field(
        0.01, gt=0, lt=0.5, description="Smallest share of the events that makes a peak (0-1)."
    )
    min_events: int = Field(100, ge=50, description="Fewest events of the parent.")
    false_per_million: float | None = Field(
        None,
        ge=0,
        description="Move the cut out until no more than this many of a million events lie as far on the other side.",
    )
    allow_skew: bool = Field(
        False, description="Widen the distance by how much wider the peak is, at half its height, on the cut's side."
    )
    second: Second = SECOND_FIELD


def fit(parent: PopulationView, params: Params, rng: Generator) -> Fit:
    """Cut beyond the negative peak."""
    rule = TailRule(
        params.mads,
        params.negative,
        params.side,
        params.search,
        params.min_peak_frac,
        params.false_per_million,
        params.allow_skew,
    )
    hist = binned(parent, params.axis, params.min_events, "a tail")
    if isinstance(hist, Fit):
        return hist
    fitted = tail_fit(parent, params.axis, params.keep, hist, rule, rng)
    if params.second is None:
        return fitted
    return second_opinion(parent, fitted, hist, replace(rule, mads=NEAREST_MADS), rng)


def explain(params: Params) -> str:
    """Say what the gate keeps."""
    peak = {"dominant": "largest", "lowest": "lowest", "highest": "highest"}[params.negative]
    return f"{params.axis} {params.keep} the cut {params.mads:g} deviations {params.side} its {peak} peak"


METHOD = GatingMethod(Params, fit, explain, "Cut at a distance from the negative peak, in its own robust deviations.")
