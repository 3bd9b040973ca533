"""What may go wrong with a tube, as numbers: in the run, and in the lab. All of it is off unless a scenario says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LOT_SD_DECADES = 0.05
"""Spread of an antibody between lots, shared by a batch."""


@dataclass(frozen=True, slots=True)
class RunFaults:
    """What happens while a tube is acquired; where and how strongly is drawn for each tube.

    ``drift_decades`` is how far the light of ``drift_channels`` detectors moves from the first event to the last.
    ``clogs`` and ``bubbles`` count spans. ``carryover_frac`` is the share of the tube's events that were left in the
    sample line by the tube before, whose marrow is that of ``carryover_from``.
    """

    drift_decades: float = 0.0
    drift_channels: int = 0
    clogs: int = 0
    bubbles: int = 0
    carryover_frac: float = 0.0
    carryover_from: str = "aml_progenitor_high"


@dataclass(frozen=True, slots=True)
class LabFaults:
    """What differs between batches, and what was done wrong with a tube.

    Parameters
    ----------
    gain_sd_decades, gain_shift_decades : float
        Random change of each detector's gain, and one common to all; the batch's matrix was made with it.
    lot_sd_decades : float
        Spread of antibodies between batches.
    spillover_jitter_frac : float
        Relative change of every spillover coefficient; the batch's matrix knows of it.
    matrix_error_frac : float
        Relative error of every coefficient of the matrix that the file states.
    af_sd_frac : float
        Spread of autofluorescence between donors.
    compensated_twice : bool
        The file holds values that were compensated already, and states the matrix still.
    omitted : tuple of str
        Antigens whose antibody was not pipetted.
    wrong_antibody : mapping of str to str
        Antigen to what the antibody in its colour really binds.
    transposed : tuple of str
        Two markers whose names stand on each other's detector.
    other_voltage_decades : mapping of str to float
        Marker to the gain that another voltage gives it; ``$PnV`` says so, and the matrix is that of the usual ones.
    scatter_gain : float
        Factor on both scatter detectors.
    """

    gain_sd_decades: float = 0.0
    gain_shift_decades: float = 0.0
    lot_sd_decades: float = LOT_SD_DECADES
    spillover_jitter_frac: float = 0.0
    matrix_error_frac: float = 0.0
    af_sd_frac: float = 0.0
    compensated_twice: bool = False
    omitted: tuple[str, ...] = ()
    wrong_antibody: Mapping[str, str] = field(default_factory=dict)
    transposed: tuple[str, ...] = ()
    other_voltage_decades: Mapping[str, float] = field(default_factory=dict)
    scatter_gain: float = 1.0


NO_RUN_FAULTS = RunFaults()
NO_LAB_FAULTS = LabFaults()
