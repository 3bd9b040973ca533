"""Values piled up on the end of a detector's range: cut off there by the electronics, not measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from stromagate.model.sample import F32

Edge = Literal["lower", "upper"]

OUTERMOST = 3
"""Different values at an end that may be a pile: some converters saturate on two neighbouring numbers."""
BESIDE = 5
FEWEST = 10
"""Events; fewer equal ones may be chance where values are counted in steps."""
STEEP = 5.0
"""Times as many events as the values beside it have in the mean: own choice, as for piles within a peak (``tails``)."""

EQUAL_REL = 1e-9
"""Of how far the values reach: nearer ones are equal. No detector counts in steps as fine, and a display scale need not
part them."""
_LOOKED_AT = 10_000


@dataclass(frozen=True, slots=True)
class Pile:
    """A pile of equal values at one end, with whatever lies beyond it (axis units).

    ``border`` is where a gate that leaves the pile out has its edge, just beside it; ``n`` is how many events are cut
    off.
    """

    edge: Edge
    at: float
    border: float
    n: int


def find_pile(values: F32, edge: Edge) -> Pile | None:
    """Find the pile at one end of the values.

    Parameters
    ----------
    values : ndarray of float32, shape (n,), axis units
        Finite values.
    edge : {"lower", "upper"}
        Which end.

    Returns
    -------
    Pile or None
        None where the values thin out towards the end, or are all the same.
    """
    near = EQUAL_REL * _reach(values)
    found, counts = _outermost(values if edge == "lower" else -values, near)
    pile = None
    for place in range(min(OUTERMOST, len(found) - 1)):
        beside = counts[place + 1 : place + 1 + BESIDE]
        if counts[place] >= FEWEST and counts[place] > STEEP * sum(beside) / len(beside):
            pile = place
    if pile is None:
        return None
    sign = 1.0 if edge == "lower" else -1.0
    return Pile(edge, sign * found[pile], sign * (found[pile] + near), sum(counts[: pile + 1]))


def _reach(values: F32) -> float:
    """Return how far from zero values lie, a few far out left out of account."""
    some = np.abs(values[:: max(1, values.size // _LOOKED_AT)])
    return float(np.quantile(some, 0.99)) if some.size else 0.0


def _outermost(values: F32, near: float) -> tuple[list[float], list[int]]:
    """Return the lowest different values, ascending, and how often each is there; enough to judge the outermost few."""
    found: list[float] = []
    counts: list[int] = []
    while values.size and len(found) < OUTERMOST + BESIDE:
        lowest = float(values.min())
        # As float64: a float32 bound may round to the value itself.
        rest = values[values > np.float64(lowest + near)]
        found.append(lowest)
        counts.append(values.size - rest.size)
        values = rest
    return found, counts
