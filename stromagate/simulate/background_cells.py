"""A guess at what the events of a real tube are: enough to give them the colours that the tube lacks, no more."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stromagate.model.sample import F64
from stromagate.simulate.antigens import Codes
from stromagate.simulate.background import Background
from stromagate.simulate.panel import DETECTORS
from stromagate.simulate.populations import POPULATIONS, code_of

_KINDS = ("debris", "erythrocyte", "neutrophil", "monocyte", "t_cell", "hspc", "late_erythroblast")
_CD45_OF_KIND = np.array([1.4, 1.2, 3.9, 4.2, 4.4, 3.4, 1.5])
_CD146_T_FRAC = 0.026
_DEAD_ABOVE = 10.0**3.3


def guess_kinds(background: Background, rows: slice | NDArray[np.intp], rng: np.random.Generator) -> tuple[Codes, F64]:
    """Guess what every background event is, by scatter and CD45, and its size within its kind.

    Only how autofluorescent a cell is and what it carries of the colours that the tube lacks follow from the guess.
    """
    events = background.sample.events[rows]
    codes = np.array([code_of(name) for name in _KINDS], dtype=np.uint8)
    axes = [(background.scatter["FSC-A"], _FSC_OF_KIND, 0.10), (background.scatter["SSC-A"], _SSC_OF_KIND, 0.15)]
    distance = np.zeros((events.shape[0], codes.size))
    for column, centre, width in axes:
        ours = np.log10(np.maximum(events[:, column].astype(np.float64) / background.factor[column], 1e3))
        distance += np.minimum(np.abs(ours[:, None] - np.log10(centre)) / width, 6.0)
    cd45 = [i for i, column in enumerate(background.colours) if _is(background, column, "CD45")]
    if cd45:
        signal = background.compensated(rows)[:, cd45[0]] / background.factor[background.colours[cd45[0]]]
        ours = np.log10(np.maximum(signal, 10.0))
        distance += np.minimum(np.abs(ours[:, None] - _CD45_OF_KIND) / 0.3, 6.0)
    chosen = distance.argmin(axis=1)
    fsc = events[:, background.scatter["FSC-A"]].astype(np.float64) / background.factor[background.scatter["FSC-A"]]
    size = np.clip(np.log(np.maximum(fsc, 1e3) / _FSC_OF_KIND[chosen]) / 0.15, -3.0, 3.0)
    kinds = codes[chosen]
    swapped = (kinds == code_of("t_cell")) & (rng.random(kinds.size) < _CD146_T_FRAC)
    kinds[swapped] = code_of("t_cell_cd146")
    return kinds, size


def guess_dead(
    background: Background, rows: slice, codes: Codes, dead_frac: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Say which background events are dead: by the tube's viability dye, else at random."""
    for i, column in enumerate(background.colours):
        if _is(background, column, "Viability"):
            return np.asarray(background.compensated(rows)[:, i] / background.factor[column] > _DEAD_ABOVE)
    factors = np.array([population.dead_factor for population in POPULATIONS])
    return np.asarray(rng.random(codes.size) < dead_frac * factors[codes])


def _is(background: Background, column: int, marker: str) -> bool:
    place = background.carries.get(column)
    return place is not None and DETECTORS[place].marker == marker


def _of_kinds(name: str) -> F64:
    return np.array([getattr(POPULATIONS[code_of(kind)], name) for kind in _KINDS], dtype=np.float64)


_FSC_OF_KIND = np.maximum(_of_kinds("fsc"), 9_500.0)
_SSC_OF_KIND = _of_kinds("ssc")
