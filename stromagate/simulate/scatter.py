"""From cell size to the pulses of the two scatter detectors: area, height and width, of one cell or of two together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stromagate.model.sample import F32, F64
from stromagate.simulate.antigens import Codes
from stromagate.simulate.panel import CEILING
from stromagate.simulate.populations import ALL_POPULATIONS

TRIGGER_UNITS = 5_000
"""Smallest forward scatter that makes an event."""
WIDTH_UNITS = 65_536
"""Width of a pulse whose area equals its height."""

# A cell of 7.5 um (a lymphocyte, 60,000 units) in a beam 8 um high sets area = height; a larger cell makes a longer
# pulse, so that its area exceeds its height: by 1.1 for granulocytes, 1.2 to 1.4 for MSC. A ball is half as bright at
# three quarters of its diameter.
_BEAM_UM = 8.0
_REFERENCE_UM, _REFERENCE_UNITS, _SIZE_POWER = 7.5, 60_000.0, 0.5
_BALL = 0.75
_DEBRIS_SCALE_UNITS = 4_500.0
_FWHM_PER_SD = 2.355
_DEAD_FSC, _DEAD_SSC = 0.72, 1.15

_FSC = np.array([population.fsc for population in ALL_POPULATIONS])
_FSC_CV = np.array([population.fsc_cv for population in ALL_POPULATIONS])
_SSC = np.array([population.ssc for population in ALL_POPULATIONS])
_SSC_CV = np.array([population.ssc_cv for population in ALL_POPULATIONS])
_RATIO_CV = np.array([population.ratio_cv for population in ALL_POPULATIONS])


@dataclass(frozen=True, slots=True)
class Pulses:
    """Scatter of single particles: areas (units), area over height, and diameter (um); each of shape (n,)."""

    fsc_a: F64
    ssc_a: F64
    fsc_ratio: F64
    ssc_ratio: F64
    diameter_um: F64

    def take(self, rows: NDArray[np.intp]) -> Pulses:
        """Return the particles of ``rows``."""
        return Pulses(*(getattr(self, name)[rows] for name in self.__slots__))


def draw_pulses(codes: Codes, size: F64, dead: NDArray[np.bool_], rng: np.random.Generator) -> Pulses:
    """Draw the scatter of single particles.

    Parameters
    ----------
    size : ndarray of float64, shape (n,)
        Normal score of each particle's size within its population.
    """
    fsc = _FSC[codes] * np.exp(_FSC_CV[codes] * size)
    debris = np.flatnonzero(_FSC[codes] == 0)
    # Debris has no smallest size: what is seen is the part above the trigger of an exponential.
    fsc[debris] = TRIGGER_UNITS + _DEBRIS_SCALE_UNITS * rng.standard_exponential(debris.size)
    ssc = _SSC[codes] * np.exp(_SSC_CV[codes] * (0.4 * size + 0.917 * rng.standard_normal(codes.size)))
    shrunk = dead & (_FSC[codes] > 0)
    fsc, ssc = np.where(shrunk, fsc * _DEAD_FSC, fsc), np.where(shrunk, ssc * _DEAD_SSC, ssc)
    diameter = _REFERENCE_UM * (fsc / _REFERENCE_UNITS) ** _SIZE_POWER
    long = _length_um(diameter) / _length_um(np.array([_REFERENCE_UM]))
    jitter = _RATIO_CV[codes]
    return Pulses(
        fsc,
        ssc,
        long * np.exp(jitter * rng.standard_normal(codes.size)),
        long * np.exp(jitter * rng.standard_normal(codes.size)),
        diameter,
    )


def pulses_of(fsc_a: F64, ssc_a: F64) -> Pulses:
    """Return pulses of particles that were measured, with the length that belongs to their size."""
    diameter = _REFERENCE_UM * (fsc_a / _REFERENCE_UNITS) ** _SIZE_POWER
    long = _length_um(diameter) / _length_um(np.array([_REFERENCE_UM]))
    return Pulses(fsc_a, ssc_a, long, long, diameter)


def columns(first: Pulses, second: Pulses, rows: NDArray[np.intp], gap_um: F64, gain: float = 1.0) -> F32:
    """Return what the scatter detectors write.

    Parameters
    ----------
    first : Pulses
        The particle of every event, shape (n_events,).
    second, rows, gap_um : Pulses, ndarray of shape (n_pairs,)
        A second particle of some events, which event, and how far behind the first it flies.
    gain : float
        Of both detectors, against the usual one.

    Returns
    -------
    ndarray of float32, shape (n_events, 5)
        FSC-A, FSC-H, FSC-W, SSC-A, SSC-H in whole units within the ceiling.
    """
    fsc_a, fsc_h = first.fsc_a.copy(), first.fsc_a / first.fsc_ratio
    ssc_a, ssc_h = first.ssc_a.copy(), first.ssc_a / first.ssc_ratio
    front = first.take(rows)
    fsc_h[rows] = _peak(fsc_h[rows], second.fsc_a / second.fsc_ratio, front, second, gap_um)
    ssc_h[rows] = _peak(ssc_h[rows], second.ssc_a / second.ssc_ratio, front, second, gap_um)
    fsc_a[rows] += second.fsc_a
    ssc_a[rows] += second.ssc_a
    width = WIDTH_UNITS * fsc_a / fsc_h
    stacked = np.column_stack([gain * fsc_a, gain * fsc_h, width, gain * ssc_a, gain * ssc_h])
    return np.clip(np.rint(stacked), 0, CEILING).astype(np.float32)


def _peak(front_height: F64, back_height: F64, front: Pulses, back: Pulses, gap_um: F64) -> F64:
    """Return the highest point of two bell-shaped pulses that overlap."""
    front_sd, back_sd = (_length_um(pulses.diameter_um) / _FWHM_PER_SD for pulses in (front, back))
    peak = np.zeros_like(gap_um)
    for step in np.linspace(0.0, 1.0, 17):
        at = step * gap_um
        height = front_height * np.exp(-0.5 * (at / front_sd) ** 2)
        height += back_height * np.exp(-0.5 * ((at - gap_um) / back_sd) ** 2)
        np.maximum(peak, height, out=peak)
    return peak


def _length_um(diameter_um: F64) -> F64:
    return np.asarray(np.sqrt(_BEAM_UM**2 + (_BALL * diameter_um) ** 2), dtype=np.float64)
