"""Values piled up on the end of a detector's range: cut off there by the electronics, not measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stromagate.model.sample import F32

Edge = Literal["lower", "upper"]

OUTERMOST = 3
"""Different values at an end that may be a pile: some converters saturate on two neighbouring numbers."""
BESIDE = 5
FEWEST = 10
"""Events; fewer equal ones may be chance where values are counted in steps."""
STEEP = 5.0
"""Times as many events as the values beside it have in the mean: own choice, as for piles within a peak (``tails``)."""

BESIDE_REL = 1e-5
"""Of the value at the pile, or of one unit: the same boundary in every tube, and told from the pile on any scale."""


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
    found, counts = _outermost(values if edge == "lower" else -values)
    pile = None
    for place in range(min(OUTERMOST, len(found) - 1)):
        beside = counts[place + 1 : place + 1 + BESIDE]
        if counts[place] >= FEWEST and counts[place] > STEEP * sum(beside) / len(beside):
            pile = place
    if pile is None:
        return None
    sign = 1.0 if edge == "lower" else -1.0
    at, after = found[pile], found[pile + 1]
    border = min((at + after) / 2, at + BESIDE_REL * max(abs(at), 1.0))
    return Pile(edge, sign * at, sign * border, sum(counts[: pile + 1]))


def _outermost(values: F32) -> tuple[list[float], list[int]]:
    """Return the lowest different values, ascending, and how often each is there; enough to judge the outermost few."""
    found: list[float] = []
    counts: list[int] = []
    while values.size and len(found) < OUTERMOST + BESIDE:
        lowest = values.min()
        rest = values[values > lowest]
        found.append(float(lowest))
        counts.append(values.size - rest.size)
        values = rest
    return found, counts
