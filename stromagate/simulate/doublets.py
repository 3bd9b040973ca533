"""Two particles in one event: cells that stick together, and cells that pass the beam by chance at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stromagate.model.sample import F64
from stromagate.simulate.antigens import Codes
from stromagate.simulate.marrow import Marrow
from stromagate.simulate.populations import ALL_POPULATIONS, MSC, code_of

PULSE_WINDOW_S = 10e-6
"""Time within which a second particle falls into the same event."""
_STREAM_UM_PER_S = 5e6
_NUCLEATED = np.array([population.nucleated for population in ALL_POPULATIONS])


@dataclass(frozen=True, slots=True)
class Partners:
    """Second particles: the event each belongs to, its population, and whether it came by chance; shape (n_pairs,)."""

    rows: NDArray[np.intp]
    codes: Codes
    by_chance: NDArray[np.bool_]


def no_partners() -> Partners:
    """Return no second particle at all."""
    return Partners(np.empty(0, np.intp), np.empty(0, np.uint8), np.empty(0, np.bool_))


def draw_partners(
    codes: Codes, marrow: Marrow, doublet_frac: float, rate_per_s: F64, rng: np.random.Generator
) -> Partners:
    """Draw which events hold two particles, and what the second one is.

    Parameters
    ----------
    codes : ndarray of uint8, shape (n_events,)
        First particle of every event.
    doublet_frac : float
        Share of nucleated cells stuck to another one; MSC have their own (``marrow.msc_bound_frac``).
    rate_per_s : ndarray of float64, shape (n_events,)
        Event rate at the moment of each event.

    Notes
    -----
    An event holds two particles at most. At 5,000 events a second, triplets are two in a thousand.
    """
    is_msc = np.isin(codes, [code_of(name) for name in MSC])
    stuck_frac = np.where(_NUCLEATED[codes], doublet_frac, 0.0)
    stuck_frac[is_msc] = marrow.msc_bound_frac
    chance_frac = 1.0 - np.exp(-rate_per_s * PULSE_WINDOW_S)
    stuck = rng.random(codes.size) < stuck_frac
    chance = rng.random(codes.size) < chance_frac
    rows = np.flatnonzero(stuck | chance)
    by_chance = chance[rows] & ~stuck[rows]
    to_nucleated = np.where(_NUCLEATED, marrow.shares, 0.0)
    second = np.where(
        by_chance,
        draw_codes(marrow.shares, rows.size, rng),
        draw_codes(to_nucleated / to_nucleated.sum(), rows.size, rng),
    )
    return Partners(rows, second.astype(np.uint8), by_chance)


def gaps_um(front_um: F64, back_um: F64, by_chance: NDArray[np.bool_], rng: np.random.Generator) -> F64:
    """Return the distance between the two particles along the stream, shape (n_pairs,), um.

    Stuck cells are drawn out along the stream by the flow, so that most lie one behind the other.
    """
    aligned = 0.7 + 0.3 * rng.random(front_um.size)
    touching = 0.5 * (front_um + back_um) * aligned
    apart = _STREAM_UM_PER_S * PULSE_WINDOW_S * rng.random(front_um.size)
    return np.where(by_chance, apart, touching)


def draw_codes(shares: F64, n: int, rng: np.random.Generator) -> Codes:
    """Draw ``n`` particles from ``shares`` (summing to 1)."""
    edges = np.cumsum(shares)
    return np.searchsorted(edges / edges[-1], rng.random(n), side="right").astype(np.uint8)
