"""Two plain baselines on the same events and axes, as a lab would script them in an afternoon.

Both see compensated values on the same scale as the gates do, and get our parents, so that only the cut is compared.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stromagate.model.gates import Side

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

LEAST = 50
"""Events below which neither is fitted: nothing is found then."""
COMPONENTS = range(2, 6)
_FITTED = 4_000
_GRID = 512
_SMALLEST_PEAK = 0.01
_ONE_PEAK_PERCENTILE = 95.0


def gaussian_mixture(values: F64, sides: Sequence[Side], seed: int = 0) -> Mask:
    """Gate by scikit-learn's GaussianMixture, its number of components by BIC.

    A component belongs to the population where its mean lies on the wanted side of half way between the lowest and the
    highest mean, on every axis; an event goes with its likeliest component.

    Parameters
    ----------
    values : ndarray of float64, shape (n_events, n_axes), display units
    sides : sequence of {"above", "below"}, one an axis
    seed : int
        Of the start, and of the events it is fitted to where there are very many.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    inside = np.zeros(len(values), dtype=np.bool_)
    if len(values) < LEAST:
        return inside
    rng = np.random.default_rng(seed)
    drawn = values if len(values) <= _FITTED else values[rng.choice(len(values), _FITTED, replace=False)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        models = [GaussianMixture(k, random_state=seed).fit(drawn) for k in COMPONENTS]
    best = min(models, key=lambda model: float(model.bic(drawn)))
    half = (best.means_.min(axis=0) + best.means_.max(axis=0)) / 2
    wanted = _on_side(best.means_, half, sides)
    return np.asarray(wanted[best.predict(values)])


def minimum_density(values: F64, sides: Sequence[Side]) -> Mask:
    """Gate at the lowest density between the two highest peaks of every axis.

    The density is a kernel estimate with Silverman's bandwidth. An axis with one peak only is cut at its 95th
    percentile, as such scripts do.

    Parameters
    ----------
    values : ndarray of float64, shape (n_events, n_axes), display units
    sides : sequence of {"above", "below"}, one an axis
    """
    if len(values) < LEAST:
        return np.zeros(len(values), dtype=np.bool_)
    cuts = np.array([density_cut(column) for column in values.T])
    return _on_side(values, cuts, sides)


def density_cut(values: F64) -> float:
    """Return the lowest density between the two highest peaks; the 95th percentile where there is one peak."""
    low, high = np.percentile(values, [0.05, 99.95])
    inner = values[(values >= low) & (values <= high)]
    counts, edges = np.histogram(inner, bins=_GRID, range=(low, high))
    middles = (edges[:-1] + edges[1:]) / 2
    quartiles = np.percentile(values, [25, 75])
    scatter = min(float(values.std()), float(quartiles[1] - quartiles[0]) / 1.34)
    width = 0.9 * scatter * values.size**-0.2
    if not width > 0:
        return float(np.percentile(values, _ONE_PEAK_PERCENTILE))
    reach = np.exp(-0.5 * ((middles[:, None] - middles[None, :]) / width) ** 2)
    density = reach @ counts
    rises = np.concatenate([[True], density[1:] > density[:-1]])
    falls = np.concatenate([density[:-1] >= density[1:], [True]])
    peaks = np.flatnonzero(rises & falls & (density > _SMALLEST_PEAK * density.max()))
    if peaks.size < 2:
        return float(np.percentile(values, _ONE_PEAK_PERCENTILE))
    first, second = sorted(peaks[np.argsort(density[peaks])[-2:]])
    return float(middles[first + np.argmin(density[first : second + 1])])


def _on_side(values: F64, cuts: F64, sides: Sequence[Side]) -> Mask:
    above = values >= cuts
    wanted = np.array([side == "above" for side in sides])
    return np.asarray((above == wanted).all(axis=1))
