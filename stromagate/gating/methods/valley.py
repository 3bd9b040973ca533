"""A cut at the valley between the two main peaks of one axis; forbidden on small parents, never a guess."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from numpy.random import Generator
from pydantic import Field

from stromagate.gating.method import Fit, GatingMethod, PopulationView, not_evaluable
from stromagate.gating.opinions import SECOND_FIELD, Second, second_opinion
from stromagate.gating.shoulders import NEAREST_MADS
from stromagate.gating.tails import TailRule
from stromagate.gating.thresholds import SearchRange, binned, half_line
from stromagate.gating.valleys import Valley, find_valley
from stromagate.gating.wording import number, place, share
from stromagate.model.gates import NOT_SEPARABLE, Side
from stromagate.model.template import AxisName, GateParams


class Params(GateParams):
    """Where a valley may lie, and when it counts."""

    axis: AxisName = Field(description="The axis that is cut.")
    keep: Side = Field(description="Side of the cut that is kept; the cut itself counts as above.")
    search: SearchRange | None = Field(
        None, description="Range the valley may lie in, [low, high] in display units; null: anywhere."
    )
    which: Literal["clearest", "lowest", "highest"] = Field(
        "clearest",
        description="Which valley, where there are several: the clearest, or the lowest or highest on the axis.",
    )
    min_events: int = Field(
        500, ge=500, description="Fewest events of the parent; a valley of fewer than 500 is noise."
    )
    max_depth: float = Field(
        0.8, gt=0, lt=1, description="Largest density of the valley over that of the lower peak; above it, no valley."
    )
    min_peak_frac: float = Field(
        0.005, gt=0, lt=0.5, description="Smallest share of the events that makes a peak (0-1)."
    )
    second: Second = SECOND_FIELD


def fit(parent: PopulationView, params: Params, rng: Generator) -> Fit:
    """Cut at the valley, or say why there is none."""
    axis = params.axis
    hist = binned(parent, axis, params.min_events, "a valley")
    if isinstance(hist, Fit):
        return hist
    valley = find_valley(
        hist,
        rng,
        search=params.search,
        max_depth=params.max_depth,
        min_peak_frac=params.min_peak_frac,
        which=params.which,
    )
    if isinstance(valley, str):
        return not_evaluable(f"{axis} not cut: {NOT_SEPARABLE}: {valley}", NOT_SEPARABLE)
    fitted = Fit(half_line(axis, valley.cut, params.keep), _sentence(parent, params, valley), spread=valley.spread)
    if valley.pile or valley.rival is not None:
        fitted = replace(fitted, state="fallback")
    return fitted if params.second is None else second_opinion(parent, fitted, hist, _beside(valley), rng)


def explain(params: Params) -> str:
    """Say what the gate keeps."""
    where = f" from {params.search[0]:g} to {params.search[1]:g}" if params.search else ""
    valley = "valley between its two main peaks" if params.which == "clearest" else f"{params.which} valley"
    return f"{params.axis} {params.keep} the {valley}{where}"


def _beside(valley: Valley) -> TailRule:
    """Return the rule for a second opinion: beside the higher of the two peaks, towards the other."""
    higher = valley.peaks[0 if valley.left_higher else 1]
    reach = abs(valley.cut - higher)
    side: Side = "above" if valley.left_higher else "below"
    return TailRule(NEAREST_MADS, "dominant", side, (higher - reach / 2, higher + reach / 2), min_peak_frac=0.0)


def _peak(at: float) -> str:
    """Return where a peak lies, with three digits and no exponent: ``0.21``, ``110,000``."""
    return number(float(f"{at:.3g}"))


def _sentence(parent: PopulationView, params: Params, valley: Valley) -> str:
    low, high = map(_peak, valley.peaks)
    more = f"; {valley.n_peaks} peaks in all" if valley.n_peaks > 2 else ""
    more += "; one of them is a pile of values on the end of the range" if valley.pile else ""
    if valley.rival is not None:
        more += f"; the one at {_peak(valley.rival)} is nearly as clear: say with `which` or `search` which is meant"
    return (
        f"{params.axis} cut at {place(parent, params.axis, valley.cut)}: valley between peaks at {low} and {high}, "
        f"{share(valley.depth)} as high as the lower of them{more}"
    )


METHOD = GatingMethod(Params, fit, explain, "Cut at the lowest density between the two main peaks of one axis.")
