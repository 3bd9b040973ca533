"""The second family of residuals: gamma-distributed antigen with a heavy tail, where the first is a bent normal.

A tool tuned on one family is scored on the other, so that it cannot have learnt the simulator by heart.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from stromagate.model.sample import F64

FAMILIES = {
    "a": "bent normal residuals, the panel's usual spillover and voltages",
    "b": "gamma residuals with heavy tails, other spillover, other voltages",
}

SCORES = np.linspace(-6.0, 6.0, 241)
"""Grid of normal scores that distributions are tabulated on."""

_HEAVY_FRAC, _HEAVY_TIMES = 0.03, 2.2
"""Share of cells that scatter more widely than the rest (1 to 3 %), and by how much."""
_SHAPES = np.geomspace(0.3, 400.0, 400)


def gamma_deviations(sd_decades: F64, skew: F64) -> F64:
    """Tabulate deviations from the mean log signal over normal scores.

    Parameters
    ----------
    sd_decades, skew : ndarray of float64, shape (n_populations, n_antigens)
        As in `phenotype.Signal`. A gamma-distributed signal has a long low tail in decades; where ``skew`` is above
        zero the tail points up instead.

    Returns
    -------
    ndarray of float64, shape (n_antigens, n_populations, n_scores), decades
        Increasing in the score, with mean 0 and the spread asked for.
    """
    kinds = {(float(sd), bool(up)) for sd, up in zip(sd_decades.ravel(), (skew > 0).ravel(), strict=True)}
    tables = {kind: _deviation(*kind) for kind in kinds}
    populations, antigens = sd_decades.shape
    table = np.empty((antigens, populations, SCORES.size))
    for row in range(populations):
        for column in range(antigens):
            table[column, row] = tables[float(sd_decades[row, column]), bool(skew[row, column] > 0)]
    return table


def look_up(score: F64, codes: NDArray[np.uint8], table: F64) -> F64:
    """Return the table's value at each score, between grid points in a straight line.

    Parameters
    ----------
    table : ndarray of float64, shape (n_populations, n_scores)
    """
    step = SCORES[1] - SCORES[0]
    place = np.clip((score - SCORES[0]) / step, 0.0, SCORES.size - 1.001)
    left = place.astype(np.intp)
    low = table[codes, left]
    return np.asarray(low + (table[codes, left + 1] - low) * (place - left), dtype=np.float64)


def _deviation(sd: float, upwards: bool) -> F64:
    """One distribution: the gamma whose log has the spread, mixed with a wider one of the same kind."""
    from scipy.special import ndtr

    narrow = sd / math.sqrt(1.0 + _HEAVY_FRAC * (_HEAVY_TIMES**2 - 1.0))
    grid = np.linspace(-14.0 * sd, 14.0 * sd, 4001)
    cumulative = (1.0 - _HEAVY_FRAC) * _log_gamma_cdf(grid, narrow)
    cumulative += _HEAVY_FRAC * ndtr(grid / (_HEAVY_TIMES * narrow))
    ranks = ndtr(SCORES)
    rising, first = np.unique(cumulative, return_index=True)
    values = np.interp(ranks, rising, grid[first])
    values = values if not upwards else -values[::-1]
    weight = np.exp(-0.5 * SCORES**2)
    values = values - np.average(values, weights=weight)
    return np.asarray(values * sd / math.sqrt(np.average(values**2, weights=weight)), dtype=np.float64)


def _log_gamma_cdf(decades: F64, sd: float) -> F64:
    from scipy.special import gammainc, polygamma, psi

    spreads = np.sqrt(polygamma(1, _SHAPES)) / math.log(10.0)
    shape = float(np.interp(-sd, -spreads, _SHAPES))
    return np.asarray(gammainc(shape, np.exp(decades * math.log(10.0) + psi(shape))), dtype=np.float64)
