"""A cut at the lowest place or the shoulder of the density beside the negative peak; never at the end of a range."""

from __future__ import annotations

from typing import Literal

from numpy.random import Generator
from pydantic import Field

from stromagate.gating.method import Fit, GatingMethod, PopulationView, not_evaluable
from stromagate.gating.shoulders import NEAREST_MADS, Shoulder, find_shoulder
from stromagate.gating.tails import TailRule
from stromagate.gating.thresholds import SearchRange, beyond, binned, drowned, half_line
from stromagate.gating.wording import number, place
from stromagate.model.gates import NOT_SEPARABLE, Side
from stromagate.model.template import AxisName, GateParams


class Params(GateParams):
    """Which peak is the negative, and on which side of it the shoulder is looked for."""

    axis: AxisName = Field(description="The axis that is cut.")
    keep: Side = Field(description="Side of the cut that is kept; the cut itself counts as above.")
    negative: Literal["dominant", "lowest", "highest"] = Field(
        "dominant", description="Peak beside which the cut lies: the one with most events, the lowest or the highest."
    )
    side: Side = Field("above", description="Side of the peak the cut lies on.")
    search: SearchRange | None = Field(
        None, description="Range the peak may lie in, [low, high] in display units; null: anywhere."
    )
    from_mads: float = Field(
        NEAREST_MADS, ge=1, le=20, description="Nearest distance of the cut from the peak, in its standard deviations."
    )
    min_peak_frac: float = Field(
        0.01, gt=0, lt=0.5, description="Smallest share of the events that makes the negative peak (0-1)."
    )
    min_events: int = Field(500, ge=500, description="Fewest events of the parent.")


def fit(parent: PopulationView, params: Params, rng: Generator) -> Fit:
    """Cut at the shoulder, or say that there is none."""
    axis = params.axis
    hist = binned(parent, axis, params.min_events, "a shoulder")
    if isinstance(hist, Fit):
        return hist
    rule = TailRule(params.from_mads, params.negative, params.side, params.search, params.min_peak_frac)
    found = find_shoulder(hist, rule, rng)
    if isinstance(found, str):
        return not_evaluable(f"{axis} not cut: {NOT_SEPARABLE}: {found}", NOT_SEPARABLE)
    doubt, doubts = drowned(hist, found.cut, params.side, found.mirrored)
    counted = (
        f"{found.mirrored:,} of {hist.n:,} events lie as far on its other side, "
        f"{beyond(hist, found.cut, params.side):,} beyond the cut"
    )
    sentence = f"{_sentence(parent, params, found)}; {counted}{doubt}"
    return Fit(half_line(axis, found.cut, params.keep), sentence, spread=found.spread, doubts=doubts)


def explain(params: Params) -> str:
    """Say what the gate keeps."""
    peak = {"dominant": "largest", "lowest": "lowest", "highest": "highest"}[params.negative]
    return f"{params.axis} {params.keep} the valley or shoulder {params.side} its {peak} peak"


def _sentence(parent: PopulationView, params: Params, found: Shoulder) -> str:
    what = "where the density's fall slows down" if found.hump is None else "lowest place"
    to = "" if found.hump is None else f" before the peak at {number(found.hump)}"
    return (
        f"{params.axis} cut at {place(parent, params.axis, found.cut)}: {what}{to}, "
        f"{number(abs(found.cut - found.peak) / found.scale)} deviations of {number(found.scale)} {params.side} the "
        f"{params.negative} peak at {number(found.peak)}"
    )


METHOD = GatingMethod(Params, fit, explain, "Cut at the valley or shoulder of the density beside the negative peak.")
