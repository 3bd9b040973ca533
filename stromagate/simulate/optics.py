"""From dye and autofluorescence to digits: spillover, photon statistics, gain, electronic noise, ceiling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stromagate.model.sample import F32, F64
from stromagate.simulate.antigens import Codes
from stromagate.simulate.panel import CEILING, DETECTORS, VIABILITY, Detector, spillover
from stromagate.simulate.populations import ALL_POPULATIONS
from stromagate.simulate.stain import Stain

# Amine dyes stain the surface of living cells weakly and all of a dead cell: about two decades apart.
_LIVE_LOG10, _LIVE_SD = 2.1, 0.20
_DEAD_LOG10, _DEAD_SD = 4.2, 0.25
_DEBRIS_LOG10, _DEBRIS_SD = 2.0, 0.6
# Some cells are caught dying: their membrane lets in less, of every dye alike, down to one and a half decades.
_DYING_FRAC, _DYING_DECADES = 0.15, 1.5
# Dead cells are 5 to 20 times as autofluorescent, and take up every antibody together: a diagonal in every plot.
_DEAD_AF_DECADES, _DEAD_AF_SD = 0.9, 0.15
_UPTAKE_LOG10, _UPTAKE_SHARED_SD, _UPTAKE_OWN_SD = 2.75, 0.35, 0.12
# Antigen that a dying membrane has shed.
_DEAD_ANTIGEN_FRAC = 0.6
_VIOLET_SD = 0.06

_AF_UNITS = np.array([population.af_units for population in ALL_POPULATIONS])
_AF_SD = np.array([population.af_sd_decades for population in ALL_POPULATIONS])
_DEBRIS = 0


def draw_leaks(dead: NDArray[np.bool_], rng: np.random.Generator) -> F64:
    """Return how far the membrane of every cell lets dyes in, shape (n_cells,): 0 alive, 1 dead, between them dying."""
    dying = rng.random(dead.size) < _DYING_FRAC
    decades = np.where(dying, -_DYING_DECADES * rng.random(dead.size), 0.0)
    return np.where(dead, 10.0**decades, 0.0)


def dye_signals(codes: Codes, antigen: F64, leak: F64, stain: Stain, rng: np.random.Generator) -> F64:
    """Return the dye on every cell, each in its own detector.

    Parameters
    ----------
    antigen : ndarray of float64, shape (n_cells, n_antigens), linear units
        What the cell would show with every antibody in the tube.
    leak : ndarray of float64, shape (n_cells,)
        From `draw_leaks`.

    Returns
    -------
    ndarray of float64, shape (n_cells, n_detectors), linear units
        An antibody left out leaves nothing: no antigen, no unspecific binding, no uptake by dead cells.
    """
    bound = antigen * (1.0 - (1.0 - _DEAD_ANTIGEN_FRAC) * leak[:, None])
    rows = np.flatnonzero(leak)
    shared = _UPTAKE_SHARED_SD * rng.standard_normal((rows.size, 1))
    own = _UPTAKE_OWN_SD * rng.standard_normal((rows.size, antigen.shape[1]))
    bound[rows] += leak[rows, None] * 10.0 ** (_UPTAKE_LOG10 + shared + own)
    panel = stain.panel
    dyes = np.zeros((codes.size, len(panel.detectors)))
    for antibody in np.flatnonzero(stain.mask()):
        dyes[:, panel.detector_index(panel.antibodies[antibody].pnn)] += bound[:, stain.binds[antibody]]
    # Drawn also where the dye is left out, so that a control holds cells of the same kind as its tube.
    viability = _viability_dye(codes, leak, rng)
    if stain.viability:
        dyes[:, panel.markers.index(VIABILITY)] = viability
    return dyes


def autofluorescence(
    codes: Codes, size: F64, leak: F64, rng: np.random.Generator, detectors: Sequence[Detector] = DETECTORS
) -> F64:
    """Return autofluorescence in every detector, shape (n_cells, n_detectors), linear units."""
    log10 = _AF_SD[codes] * (0.5 * size + 0.866 * rng.standard_normal(codes.size))
    rows = np.flatnonzero(leak)
    far = 1.0 + np.log10(leak[rows]) / _DYING_DECADES
    log10[rows] += far * (_DEAD_AF_DECADES + _DEAD_AF_SD * rng.standard_normal(rows.size))
    level = _AF_UNITS[codes] * 10.0**log10
    spectrum = level[:, None] * np.array([detector.autofluorescence for detector in detectors])
    # NADH and flavins do not go strictly together: violet against blue varies from cell to cell.
    violet = np.array([detector.pnn.startswith("BV") for detector in detectors])
    spectrum[:, violet] *= 10.0 ** (_VIOLET_SD * rng.standard_normal((codes.size, 1)))
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


def _viability_dye(codes: Codes, leak: F64, rng: np.random.Generator) -> F64:
    score = rng.standard_normal(codes.size)
    surface = np.where(codes == _DEBRIS, _DEBRIS_LOG10 + _DEBRIS_SD * score, _LIVE_LOG10 + _LIVE_SD * score)
    within = leak * 10.0 ** (_DEAD_LOG10 + _DEAD_SD * score)
    return np.asarray(10.0**surface + within, dtype=np.float64)
