"""From dye and autofluorescence to digits: spillover, photon statistics, gain, electronic noise, ceiling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stromagate.model.sample import F32, F64
from stromagate.simulate.antigens import Codes
from stromagate.simulate.panel import (
    ANTIBODIES,
    CEILING,
    DETECTORS,
    VIABILITY,
    Detector,
    Stain,
    detector_index,
    spillover,
)
from stromagate.simulate.populations import POPULATIONS

_VIABILITY = next(i for i, detector in enumerate(DETECTORS) if detector.marker == VIABILITY)
_TARGET = np.array([detector_index(antibody.pnn) for antibody in ANTIBODIES])

# Amine dyes stain the surface of living cells weakly and all of a dead cell: about two decades apart.
_LIVE_LOG10, _LIVE_SD = 2.1, 0.20
_DEAD_LOG10, _DEAD_SD = 4.2, 0.25
_DYING_FRAC, _DYING_LOG10 = 0.12, 3.4
# Dead cells are 5 to 20 times as autofluorescent, and take up every antibody together: a diagonal in every plot.
_DEAD_AF_DECADES, _DEAD_AF_SD = 0.9, 0.15
_UPTAKE_LOG10, _UPTAKE_SHARED_SD, _UPTAKE_OWN_SD = 2.75, 0.35, 0.12
# Antigen that a dying membrane has shed.
_DEAD_ANTIGEN_FRAC = 0.6
_VIOLET_SD = 0.06

_AF_UNITS = np.array([population.af_units for population in POPULATIONS])
_AF_SD = np.array([population.af_sd_decades for population in POPULATIONS])
_AF_SPECTRUM = np.array([detector.autofluorescence for detector in DETECTORS])
_IS_VIOLET = np.array([detector.pnn.startswith("BV") for detector in DETECTORS])
_DEBRIS = 0


def dye_signals(codes: Codes, antigen: F64, dead: NDArray[np.bool_], stain: Stain, rng: np.random.Generator) -> F64:
    """Return the dye on every cell, each in its own detector.

    Parameters
    ----------
    antigen : ndarray of float64, shape (n_cells, n_antigens), linear units
        What the cell would show with every antibody in the tube.

    Returns
    -------
    ndarray of float64, shape (n_cells, n_detectors), linear units
        An antibody left out leaves nothing: no antigen, no unspecific binding, no uptake by dead cells.
    """
    bound = np.where(dead[:, None], antigen * _DEAD_ANTIGEN_FRAC, antigen)
    rows = np.flatnonzero(dead)
    shared = _UPTAKE_SHARED_SD * rng.standard_normal((rows.size, 1))
    own = _UPTAKE_OWN_SD * rng.standard_normal((rows.size, len(ANTIBODIES)))
    bound[rows] += 10.0 ** (_UPTAKE_LOG10 + shared + own)
    dyes = np.zeros((codes.size, len(DETECTORS)))
    for antibody in np.flatnonzero(stain.mask()):
        dyes[:, _TARGET[antibody]] += bound[:, antibody]
    # Drawn also where the dye is left out, so that a control holds cells of the same kind as its tube.
    viability = _viability_dye(codes, dead, rng)
    if stain.viability:
        dyes[:, _VIABILITY] = viability
    return dyes


def autofluorescence(codes: Codes, size: F64, dead: NDArray[np.bool_], rng: np.random.Generator) -> F64:
    """Return autofluorescence in every detector, shape (n_cells, n_detectors), linear units."""
    log10 = _AF_SD[codes] * (0.5 * size + 0.866 * rng.standard_normal(codes.size))
    rows = np.flatnonzero(dead)
    log10[rows] += _DEAD_AF_DECADES + _DEAD_AF_SD * rng.standard_normal(rows.size)
    level = _AF_UNITS[codes] * 10.0**log10
    spectrum = level[:, None] * _AF_SPECTRUM
    # NADH and flavins do not go strictly together: violet against blue varies from cell to cell.
    spectrum[:, _IS_VIOLET] *= 10.0 ** (_VIOLET_SD * rng.standard_normal((codes.size, 1)))
    return np.asarray(spectrum, dtype=np.float64)


def light(dyes: F64, glow: F64, matrix: F64 | None = None) -> F64:
    """Return the expected signal in every detector, shape (n_cells, n_detectors), linear units.

    ``matrix`` is that of `panel.spillover` unless given: row = dye, column = detector.
    """
    return np.asarray(dyes @ (spillover() if matrix is None else matrix) + glow, dtype=np.float64)


def detect(expected: F64, rng: np.random.Generator, detectors: Sequence[Detector] = DETECTORS) -> F32:
    """Turn expected light into what the instrument writes.

    Parameters
    ----------
    expected : ndarray of float64, shape (n_events, n_detectors), linear units

    Returns
    -------
    ndarray of float32, shape (n_events, n_detectors)
        Whole numbers of units; below zero where noise takes a dark detector there, never above the ceiling.
    """
    gain = np.array([detector.units_per_photoelectron for detector in detectors])
    dark = np.array([detector.electronic_sd_units for detector in detectors])
    photoelectrons = rng.poisson(expected / gain)
    units = photoelectrons * gain + dark * rng.standard_normal(expected.shape)
    return np.asarray(np.minimum(np.rint(units), CEILING), dtype=np.float32)


def _viability_dye(codes: Codes, dead: NDArray[np.bool_], rng: np.random.Generator) -> F64:
    score = rng.standard_normal(codes.size)
    log10 = _LIVE_LOG10 + _LIVE_SD * score
    log10 = np.where(codes == _DEBRIS, 2.0 + 0.6 * score, log10)
    dying = rng.random(codes.size) < _DYING_FRAC
    stained = np.where(dying, _DYING_LOG10, _DEAD_LOG10) + _DEAD_SD * score
    return np.asarray(10.0 ** np.where(dead, stained, log10), dtype=np.float64)
