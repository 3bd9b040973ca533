"""From cell types to antigen signals: skewed, heavy-tailed log-normals that go with cell size, donor by donor."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stromagate.model.sample import F64
from stromagate.simulate.further_antigens import signal_of
from stromagate.simulate.panel import ANTIGENS
from stromagate.simulate.phenotype import Continuum, Signal
from stromagate.simulate.populations import ALL_POPULATIONS, MSC, code_of
from stromagate.simulate.residuals import SCORES, gamma_deviations, look_up
from stromagate.simulate.stromal_cells import CD146_OF_MSC

Codes = NDArray[np.uint8]

SIZE_CORRELATION = 0.4
"""Correlation of every antigen with cell size; 0.3 to 0.5 are usual."""

_KURTOSIS = 0.03
"""Weight of the third Hermite polynomial: keeps the map of scores monotone for every skew up to 0.25."""


@dataclass(frozen=True, slots=True)
class AntigenTables:
    """Parameters of every population (row) and antigen (column), shape (n_populations, n_antigens).

    ``tilt`` holds, for antigens that a preparation selects on, normal score -> score among the cells that are left:
    shape (n_populations, 2, n_scores), for the main part and the tail. ``deviations`` is that of
    `residuals.gamma_deviations` in the family that has it.
    """

    log10: F64
    sd_decades: F64
    skew: F64
    tail_frac: F64
    tail_log10: F64
    cd146: Continuum
    cd146_share_frac: float
    tilt: Mapping[int, F64]
    deviations: F64 | None = None
    antigens: tuple[str, ...] = ANTIGENS

    def deviation(self, population: int, antigen: int) -> F64:
        """Return how far a cell lies from the centre, in decades, at each of SCORES; shape (n_scores,)."""
        if self.deviations is not None:
            return np.asarray(self.deviations[antigen, population], dtype=np.float64)
        sd_decades = float(self.sd_decades[population, antigen])
        return sd_decades * bend(SCORES, float(self.skew[population, antigen]))


def antigen_tables(
    shifts_decades: Mapping[str, float],
    cd146_share_frac: float,
    *,
    signals: Mapping[str, Mapping[str, Signal]] | None = None,
    family: str = "a",
    antigens: tuple[str, ...] = ANTIGENS,
) -> AntigenTables:
    """Return the parameters of a donor whose antigens are shifted by ``shifts_decades`` against the median donor.

    Parameters
    ----------
    signals : mapping of population to mapping of antigen to Signal, optional
        What replaces the usual phenotype.
    family : str
        Of the residuals, see `residuals.FAMILIES`.
    antigens : tuple of str
        The columns.
    """
    own = signals or {}
    plain = [
        [_plain(own.get(each.name, {}).get(antigen) or signal_of(each, antigen)) for antigen in antigens]
        for each in ALL_POPULATIONS
    ]
    shift = np.array([shifts_decades.get(antigen, 0.0) for antigen in antigens])

    def column(name: str) -> F64:
        return np.array([[getattr(signal, name) for signal in row] for row in plain], dtype=np.float64)

    deviations = gamma_deviations(column("sd_decades"), column("skew")) if family == "b" else None
    return AntigenTables(
        log10=column("log10") + shift,
        sd_decades=column("sd_decades"),
        skew=column("skew"),
        tail_frac=column("tail_frac"),
        tail_log10=column("tail_log10") + shift,
        cd146=CD146_OF_MSC,
        cd146_share_frac=cd146_share_frac,
        tilt={},
        deviations=deviations,
        antigens=antigens,
    )


def draw_antigens(
    codes: Codes, size: F64, tables: AntigenTables, rng: np.random.Generator
) -> tuple[F64, NDArray[np.bool_]]:
    """Draw the antigen signal of every cell.

    Parameters
    ----------
    codes : ndarray of uint8, shape (n_cells,)
        Population of every cell.
    size : ndarray of float64, shape (n_cells,)
        Normal score of its size.

    Returns
    -------
    signal : ndarray of float64, shape (n_cells, n_antigens)
        Linear units, above autofluorescence.
    cd146_high : ndarray of bool, shape (n_cells,)
        MSC at or above the cut of the CD146 continuum; False for all other cells.
    """
    n_antigens = len(tables.antigens)
    log10 = np.empty((codes.size, n_antigens))
    own = math.sqrt(1.0 - SIZE_CORRELATION**2)
    for antigen in range(n_antigens):
        score = SIZE_CORRELATION * size + own * rng.standard_normal(codes.size)
        in_tail = rng.random(codes.size) < tables.tail_frac[codes, antigen]
        if antigen in tables.tilt:
            score = _tilted(score, codes, in_tail, tables.tilt[antigen])
        centre = np.where(in_tail, tables.tail_log10[codes, antigen], tables.log10[codes, antigen])
        if tables.deviations is not None:
            log10[:, antigen] = centre + look_up(score, codes, tables.deviations[antigen])
            continue
        bent = bend(score, tables.skew[codes, antigen])
        log10[:, antigen] = centre + tables.sd_decades[codes, antigen] * bent
    return _with_continuum(codes, log10, tables, rng)


def bend(score: F64, skew: F64 | float) -> F64:
    """Turn normal scores into skewed, heavy-tailed ones of mean 0 and variance 1 (a monotone Hermite polynomial)."""
    square = score * score
    scale = np.sqrt(1.0 + 2.0 * np.square(skew) + 6.0 * _KURTOSIS**2)
    return np.asarray((score + skew * (square - 1.0) + _KURTOSIS * score * (square - 3.0)) / scale, dtype=np.float64)


def _plain(signal: Signal | Continuum) -> Signal:
    """Stand in for a continuum until `_with_continuum` draws it."""
    return Signal(signal.low_log10, signal.sd_decades) if isinstance(signal, Continuum) else signal


def _tilted(score: F64, codes: Codes, in_tail: NDArray[np.bool_], tilt: F64) -> F64:
    """Look the score up in the table of the cell's population, between grid points in a straight line."""
    step = SCORES[1] - SCORES[0]
    place = np.clip((score - SCORES[0]) / step, 0.0, SCORES.size - 1.001)
    left = place.astype(np.intp)
    part = in_tail.astype(np.intp)
    low = tilt[codes, part, left]
    return np.asarray(low + (tilt[codes, part, left + 1] - low) * (place - left), dtype=np.float64)


def _with_continuum(
    codes: Codes, log10: F64, tables: AntigenTables, rng: np.random.Generator
) -> tuple[F64, NDArray[np.bool_]]:
    """Draw CD146 of the MSC: two ends, and a part spread evenly between them."""
    antigen = tables.antigens.index("CD146")
    is_msc = np.isin(codes, [code_of(name) for name in MSC])
    rows = np.flatnonzero(is_msc)
    cd146, share = tables.cd146, tables.cd146_share_frac
    # The part between the ends gives half of itself to either side of the cut; it shrinks where one side is small.
    between = min(cd146.between_frac, 2 * share, 2 * (1 - share))
    high = share - between / 2
    which = rng.random(rows.size)
    score = rng.standard_normal(rows.size)
    if tables.deviations is None:
        spread = cd146.sd_decades * bend(score, 0.0)
    else:
        spread = look_up(score, codes[rows], tables.deviations[antigen])
    ends = np.where(which < high, cd146.high_log10, cd146.low_log10) + spread
    place = rng.random(rows.size)
    if tables.deviations is not None:  # the other family fills the middle more than the ends
        place = 0.5 * (place + rng.random(rows.size))
    middle = cd146.low_log10 + (cd146.high_log10 - cd146.low_log10) * place
    shift = tables.log10[code_of(MSC[0]), antigen] - cd146.low_log10
    drawn = np.where((which >= high) & (which < high + between), middle, ends) + shift
    log10[rows, antigen] = drawn
    cd146_high = np.zeros(codes.size, dtype=np.bool_)
    cd146_high[rows] = drawn >= cd146.cut_log10
    return np.exp(log10 * math.log(10.0)), cd146_high
