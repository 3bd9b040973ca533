"""A second opinion on a cut: how far another rule would put it, and whether that matters.

It moves nothing. Where it differs by more than the cut's own uncertainty can explain, and the count with it, the
sentence says so, the spread is widened, and the fit carries the doubt for `qc` to find.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.random import Generator
from pydantic import Field

from stromagate.gating.density import Histogram
from stromagate.gating.method import Fit, PopulationView
from stromagate.gating.shoulders import find_shoulder
from stromagate.gating.tails import TailRule
from stromagate.gating.wording import place
from stromagate.model.gates import SECOND_OPINION, Interval

Second = Literal["shoulder"] | None
SECOND_FIELD: Any = Field(
    None,
    description="Rule asked for a second opinion on the cut; it moves nothing, and where it differs that is a finding.",
)

SPREADS = 3.0
CHANGED_FRAC = 0.05
"""Of the kept events: a smaller change is smaller than the counting error of 400 of them."""


def second_opinion(parent: PopulationView, fit: Fit, hist: Histogram, rule: TailRule, rng: Generator) -> Fit:
    """Return the fit of a cut with what the shoulder beside the negative says of it.

    Parameters
    ----------
    parent : PopulationView
        Population that was cut.
    fit : Fit
        A cut on one axis; anything else comes back as it is.
    hist : Histogram
        Display values of that axis.
    rule : TailRule
        Which peak the shoulder is looked for beside, on which side, and how near to it.
    rng : Generator
        For the bootstrap of the shoulder.
    """
    if not isinstance(fit.geometry, Interval) or (fit.geometry.low is None) == (fit.geometry.high is None):
        return fit
    axis, keep = fit.geometry.axis, "below" if fit.geometry.low is None else "above"
    cut = float(fit.geometry.high or 0.0) if fit.geometry.low is None else fit.geometry.low
    found = find_shoulder(hist, rule, rng)
    if isinstance(found, str):
        return replace(fit, sentence=f"{fit.sentence}; {SECOND_OPINION}: none, {found}")
    kept, would_keep = (_kept(parent, axis, at, keep) for at in (cut, found.cut))
    away = abs(found.cut - cut)
    what = "valley" if found.hump is not None else "shoulder"
    where = f"the {what} at {place(parent, axis, found.cut)}"
    moved = away > SPREADS * math.hypot(fit.spread or 0.0, found.spread)
    # Two deviations of a count: fewer events more or less are no other count.
    if not moved or abs(would_keep - kept) <= max(CHANGED_FRAC * kept, 2 * math.sqrt(kept)):
        return replace(fit, sentence=f"{fit.sentence}; {SECOND_OPINION}: {where} agrees")
    differs = f"{SECOND_OPINION} differs: {where} would keep {would_keep:,} events instead of {kept:,}"
    return replace(
        fit,
        sentence=f"{fit.sentence}; {differs}",
        # Two rules that are equally good: the deviation of their two cuts from the middle between them.
        spread=math.hypot(fit.spread or 0.0, away / 2),
        doubts=(*fit.doubts, SECOND_OPINION),
    )


def _kept(parent: PopulationView, axis: str, cut: float, keep: str) -> int:
    values = parent.display(axis)
    return int(np.count_nonzero(values < cut if keep == "below" else values >= cut))
