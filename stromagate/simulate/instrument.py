"""The instrument as one batch found it, and what a lab did wrong with one tube: gains, spillover, matrix, names."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from stromagate.model.sample import F64
from stromagate.simulate.faults import LabFaults
from stromagate.simulate.panel import STROMA_CORE_8, Detector, Panel
from stromagate.simulate.seeds import stream
from stromagate.simulate.stain import Stain

PMT_POWER = 7.0
"""Gain of a photomultiplier grows with about this power of its voltage."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """How light becomes numbers in one tube, and what its file says of that.

    Attributes
    ----------
    detectors : tuple of Detector
        With the voltages that were set, and units per photoelectron at the gain they really gave.
    spillover : ndarray of float64, shape (n_detectors, n_detectors)
        Before gain: row = dye, column = detector.
    gain : ndarray of float64, shape (n_detectors,)
        Factor against the usual gain.
    stated : ndarray of float64, shape (n_detectors, n_detectors)
        The matrix in the file; `true_matrix` is what it should be.
    labels : tuple of str
        ``$PnS`` of every column.
    """

    detectors: tuple[Detector, ...]
    spillover: F64
    gain: F64
    stated: F64
    labels: tuple[str, ...]
    autofluorescence: float = 1.0
    scatter_gain: float = 1.0
    compensated: bool = False

    @property
    def true_matrix(self) -> F64:
        """Spillover as it is measured, gains and all."""
        return at_gain(self.spillover, self.gain)


def instrument_for(
    faults: LabFaults, family: str, *, seed: int, batch: str, donor: str, panel: Panel = STROMA_CORE_8
) -> Instrument:
    """Return the instrument of a batch, with the faults of a tube; a function of the arguments alone."""
    rng = stream(seed, "instrument", batch)
    n = len(panel.detectors)
    drawn = faults.gain_sd_decades * rng.standard_normal(n)
    off = ~np.eye(n, dtype=np.bool_)
    jitter = np.where(off, np.exp(faults.spillover_jitter_frac * rng.standard_normal((n, n))), 1.0)
    error = np.where(off, 1.0 + faults.matrix_error_frac * rng.standard_normal((n, n)), 1.0)
    known = panel.voltage_decades(family)
    unknown = drawn + faults.gain_shift_decades
    other = np.array([faults.other_voltage_decades.get(detector.marker, 0.0) for detector in panel.detectors])
    true = panel.spillover(family) * jitter
    gain = 10.0 ** (known + unknown + other)
    glow = math.exp(faults.af_sd_frac * stream(seed, "glow", donor).standard_normal())
    detectors = tuple(
        replace(
            detector,
            units_per_photoelectron=detector.units_per_photoelectron * float(gain[i]),
            voltage=round(detector.voltage * 10.0 ** (float(known[i] + other[i]) / PMT_POWER)),
        )
        for i, detector in enumerate(panel.detectors)
    )
    return Instrument(
        detectors,
        true,
        gain,
        at_gain(true, 10.0 ** (known + unknown)) * error,
        _labels(faults.transposed, panel),
        autofluorescence=glow,
        scatter_gain=faults.scatter_gain,
        compensated=faults.compensated_twice,
    )


def at_gain(matrix: F64, gain: F64) -> F64:
    """Return the spillover that is measured where detectors have these gains."""
    return np.asarray(matrix * gain[None, :] / gain[:, None], dtype=np.float64)


def mistaken(stain: Stain, faults: LabFaults) -> Stain:
    """Return what really went into a tube that should have had ``stain``."""
    panel = stain.panel
    meant = [antibody.antigen for antibody in panel.antibodies]
    flags = tuple(flag and antigen not in faults.omitted for flag, antigen in zip(stain.antibodies, meant, strict=True))
    binds = tuple(panel.antigens.index(faults.wrong_antibody.get(antigen, antigen)) for antigen in meant)
    return Stain(flags, stain.viability, binds, panel)


def _labels(transposed: tuple[str, ...], panel: Panel) -> tuple[str, ...]:
    """Names of the columns, each of the transposed ones in the place of the other."""
    other = dict(zip(transposed, reversed(transposed), strict=True))
    return tuple(other.get(label, label) for label in panel.channel_labels())
