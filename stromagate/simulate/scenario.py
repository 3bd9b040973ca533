"""What a scenario is: the make-up of one donor's marrow, and what happens to its tubes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stromagate.simulate.faults import NO_LAB_FAULTS, NO_RUN_FAULTS, LabFaults, RunFaults
from stromagate.simulate.mixes import HEALTHY_BLOOD
from stromagate.simulate.phenotype import Signal

CD146_PER_DAY_DECADES = 0.2
"""How far CD146 rises in a day of normal oxygen: 0.1 to 0.3 decade (Tormin 2011, 10.1182/blood-2010-08-304287)."""
DEFAULT_EVENTS = 200_000
DEFAULT_BATCH = "batch_01"


@dataclass(frozen=True, slots=True)
class Scenario:
    """The make-up of one donor's marrow.

    ``msc_ppm`` and the other rare cells are per million nucleated cells of the whole marrow, before any enrichment;
    ``msc_ppm_gsd`` is the geometric spread between donors (1: exactly the median). ``cd146_share_frac`` is the share of
    MSC at or above the CD146 cut where the donor's CD146 lies at the median. ``shifts_decades`` moves an antigen on
    every cell, ``signals`` replaces the signal of an antigen on a population.

    ``blood_frac`` of the nucleated cells came from ``blood`` drawn along with the marrow. ``hours_to_stain`` passed
    in normal oxygen. ``run`` and ``lab`` are what goes wrong. ``n_events`` is how many a stained tube holds unless
    another number is asked for, ``fmo_frac`` how many an FMO tube holds beside it (0: none was stained). Scenarios
    of the same ``donor`` share their donor; ``batch`` is the day and lot, ``fmo_batch`` that of the FMO tubes;
    ``day`` is what the files give as their date, counted from the first day, ``fmo_days_later`` how much later the
    FMO tubes are, and ``fmo_lab`` is what happened to the FMO tubes alone.
    """

    name: str
    title: str
    marrow: Mapping[str, float]
    msc_ppm: float = 43.0
    msc_ppm_gsd: float = 1.0
    cd146_share_frac: float = 0.30
    endothelium_ppm: float = 35.0
    cd146_only_ppm: float = 10.0
    osteolineage_ppm: float = 0.0
    dead_frac: float = 0.06
    debris_per_nucleated: float = 0.30
    erythrocytes_per_nucleated: float = 0.12
    doublet_frac: float = 0.02
    msc_bound_frac: float = 0.15
    age_years: int = 45
    shifts_decades: Mapping[str, float] = field(default_factory=dict)
    signals: Mapping[str, Mapping[str, Signal]] = field(default_factory=dict)
    blood_frac: float = 0.0
    blood: Mapping[str, float] = field(default_factory=lambda: HEALTHY_BLOOD)
    hours_to_stain: float = 0.0
    run: RunFaults = NO_RUN_FAULTS
    lab: LabFaults = NO_LAB_FAULTS
    n_events: int = DEFAULT_EVENTS
    fmo_frac: float = 0.5
    donor: str = ""
    batch: str = DEFAULT_BATCH
    fmo_batch: str = ""
    day: int = 0
    fmo_days_later: int = 0
    fmo_lab: LabFaults | None = None
