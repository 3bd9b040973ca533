"""What a lab does without the tool, on the same compensated values: gates drawn once, and quadrants set on FMO tubes.

Both are given a fair chance. The fixed gates are placed with the truth of their tube at hand, better than a hand could;
the quadrants get an FMO tube of the same donor for every colour, and the fixed gates' scatter and viability.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Values = Mapping[str, NDArray[np.float32]]
Mask = NDArray[np.bool_]

COLOURS = ("CD45", "CD235a", "CD31", "CD34", "CD271", "CD146")
AXES = ("FSC-A", "FSC-H", "Viability", *COLOURS)
SMALLEST_CELL = 25_000.0
"""Forward scatter below which there is debris."""
FMO_PERCENTILE = 99.5
FMO_EVENTS = 10_000
_BELOW = ("ratio", "Viability", "CD45", "CD235a", "CD31", "CD34")
_ABOVE = ("FSC-A", "CD271")
_STEPS = 10.0 ** np.linspace(-0.6, 0.6, 25)
_ROUNDS = 3
_OUTER_PCT = 2.0


@dataclass(frozen=True, slots=True)
class Cuts:
    """One cut a marker, in compensated scale values: upper edges but for FSC-A, CD271 and CD146.

    ``at["ratio"]`` is the largest FSC-A over FSC-H of a single cell.
    """

    at: Mapping[str, float]

    def viable(self, values: Values) -> Mask:
        """Living single cells without red cells: what MSC are counted per million of."""
        return self._all(values, ("ratio", "Viability", "CD235a"), ()) & (values["FSC-A"] >= SMALLEST_CELL)

    def msc(self, values: Values) -> Mask:
        """CD45- CD235a-, CD31- CD34-, CD271+."""
        return self._all(values, _BELOW, _ABOVE)

    def progenitors(self, values: Values) -> Mask:
        """MSC in the upper right quadrant of CD271 and CD146."""
        return self.msc(values) & (values["CD146"] >= self.at["CD146"])

    def _all(self, values: Values, below: tuple[str, ...], above: tuple[str, ...]) -> Mask:
        inside = np.ones(values["FSC-A"].size, dtype=np.bool_)
        for name in below:
            inside &= _side(values, name) < self.at[name]
        for name in above:
            inside &= _side(values, name) >= self.at[name]
        return inside


def fixed_gates(values: Values, msc: Mask, progenitors: Mask) -> Cuts:
    """Draw the box around the stroma of one clean tube, then move each edge to where the tube is gated best.

    Parameters
    ----------
    values : mapping of str to ndarray of float32, shape (n_events,)
        `AXES` of the clean tube.
    msc, progenitors : ndarray of bool, shape (n_events,)
        What is really there.
    """
    at = {name: float(np.percentile(_side(values, name)[msc], 100 - _OUTER_PCT)) for name in _BELOW}
    at |= {name: float(np.percentile(_side(values, name)[msc], _OUTER_PCT)) for name in _ABOVE}
    at["CD146"] = float(np.median(values["CD146"][msc]))
    for _ in range(_ROUNDS):
        for name in (*_BELOW, *_ABOVE):
            at[name] = _best(at, name, values, msc)
    called = Cuts(at).msc(values)
    right = [float(((values["CD146"] >= at["CD146"] * step) == progenitors)[called].mean()) for step in _STEPS]
    at["CD146"] *= _nearest_best(right)
    return Cuts(at)


def fmo_quadrants(fixed: Cuts, without: Mapping[str, Values]) -> Cuts:
    """Set each colour at the 99.5th percentile of the living single cells of the tube without that antibody.

    Parameters
    ----------
    fixed : Cuts
        Lends scatter and viability, which no FMO tube shows.
    without : mapping of str to mapping of str to ndarray
        For each of `COLOURS` the values of its FMO tube.
    """
    scatter = replace(fixed, at={**fixed.at, "CD235a": np.inf})
    found = {
        name: float(np.percentile(values[name][scatter.viable(values)], FMO_PERCENTILE))
        for name, values in without.items()
    }
    return Cuts({**fixed.at, **found})


def _best(at: Mapping[str, float], name: str, values: Values, msc: Mask) -> float:
    rows = np.flatnonzero(Cuts({**at, name: np.inf if name in _BELOW else -np.inf}).msc(values))
    side, true, total = _side(values, name)[rows], msc[rows], int(msc.sum())
    scores = []
    for step in _STEPS:
        inside = side < at[name] * step if name in _BELOW else side >= at[name] * step
        scores.append(2 * int((inside & true).sum()) / (int(inside.sum()) + total))
    return at[name] * _nearest_best(scores)


def _nearest_best(scores: list[float]) -> float:
    best = [step for step, score in zip(_STEPS, scores, strict=True) if score == max(scores)]
    return float(min(best, key=lambda step: abs(np.log(step))))


def _side(values: Values, name: str) -> NDArray[np.float32]:
    if name != "ratio":
        return values[name]
    return np.asarray(values["FSC-A"] / np.maximum(values["FSC-H"], 1.0), dtype=np.float32)
