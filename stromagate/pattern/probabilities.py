"""How probable each pattern is: draws of the tube's rates beside draws of the cut-points."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from stromagate.model.pattern import BETWEEN, PATTERNS, Index
from stromagate.pattern.cut_points import Cuts
from stromagate.pattern.rates import Rates

Flags = NDArray[np.bool_]

ASSIGNED_FROM = 0.80
"""Probability from which a pattern is assigned. Own choice of the design, no published number."""


def probabilities(rates: Rates, cuts: Mapping[Index, Cuts]) -> dict[str, float]:
    """Return the probability of each of the four patterns, and of lying between them where there is a range.

    An index is high from its upper cut-point on and low below its lower one. Both high are a pattern of its own: the
    publications do not say what follows from it, and it is folded into neither. One value in place of draws is laid
    beside all draws of the cut-points.
    """
    high = {index: rates.of(index) >= cut.high_draws for index, cut in cuts.items()}
    low = {index: rates.of(index) < cut.low_draws for index, cut in cuts.items()}
    drawn: dict[str, Flags] = {
        "mesenchymal-low": low["P"] & low["Q"],
        "progenitor-high": high["P"] & ~high["Q"],
        "MSC-high": high["Q"] & ~high["P"],
        "both-high": high["P"] & high["Q"],
    }
    found: dict[str, float] = {name: float(np.mean(drawn[name])) for name in PATTERNS}
    if any(cut.low != cut.high for cut in cuts.values()):
        found[BETWEEN] = max(0.0, 1.0 - sum(found.values()))
    return found


def most_probable(found: Mapping[str, float]) -> tuple[str, float]:
    """Return the most probable pattern, the first of those where two are as probable."""
    name = max(found, key=lambda each: found[each])
    return name, found[name]
