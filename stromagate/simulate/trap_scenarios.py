"""Scenarios by what leads a boundary astray, as declared data: controls that promise too much, floods, donors and days.

Each holds one trap, and a test measures that it is in the tubes (`tests/simulate/test_traps.py`).
"""

from __future__ import annotations

from stromagate.simulate.faults import LabFaults
from stromagate.simulate.mixes import HEALTHY_MARROW, healthy_marrow_with, leukaemic_marrow
from stromagate.simulate.phenotype import Signal
from stromagate.simulate.scenario import Scenario

# What two days in a lab differ by, from one batch to the next (6.3: gain +-0.05 to 0.15 decade, AF +-20 %).
DAYS_APART = LabFaults(
    gain_sd_decades=0.10, spillover_jitter_frac=0.10, matrix_error_frac=0.03, af_sd_frac=0.20, lot_sd_decades=0.05
)

# Early erythroblasts that have little CD71 and CD235a yet (or whose CD71 was lost): no dump takes them.
_NO_DUMP = {
    "proerythroblast": {
        "CD71": Signal(1.9, 0.35),
        "CD235a": Signal(1.8, 0.35),
        "CD45": Signal(2.4, 0.35),
        "CD105": Signal(3.3, 0.3),
    }
}
# Less than the usual blasts bind, so that it is no caricature: three to five times what the FMO promises.
_STICKY = Signal(1.22, 0.36, skew=0.1, tail_frac=0.001, tail_log10=2.9)

BOUNDARIES = (
    Scenario(
        "sticky_blasts",
        "Blasts that bind a little of every antibody: an FMO shows none of what the one left out would leave",
        leukaemic_marrow(0.45),
        signals={"blast": {"CD271": _STICKY, "CD146": _STICKY}},
        dead_frac=0.08,
    ),
    Scenario(
        "cd71_low_erythroblasts",
        "A tenth of the cells are early erythroblasts with hardly any CD71 and CD235a",
        healthy_marrow_with(proerythroblast=0.10, early_erythroblast=0.03),
        signals=_NO_DUMP,
    ),
    Scenario(
        "erythroid_marrow",
        "Two nucleated cells in three are erythroblasts",
        healthy_marrow_with(proerythroblast=0.02, early_erythroblast=0.10, late_erythroblast=0.547),
    ),
    Scenario(
        "anchor_glows_less",
        "Many MSC, one in ten with CD146: they glow more than the cells that an FMO has enough of",
        HEALTHY_MARROW,
        msc_ppm=300.0,
        cd146_share_frac=0.10,
    ),
    Scenario(
        "digested_bone",
        "Digested bone: stroma with bone-lining cells, endothelium and CD146+ cells",
        HEALTHY_MARROW,
        msc_ppm=900.0,
        endothelium_ppm=600.0,
        cd146_only_ppm=200.0,
        osteolineage_ppm=500.0,
        dead_frac=0.15,
        debris_per_nucleated=1.0,
    ),
)

CONTROLS = (
    Scenario(
        "fmo_next_day",
        "FMO tubes stained and run a day later, and dated so",
        HEALTHY_MARROW,
        fmo_batch="the_day_after",
        fmo_days_later=1,
        lab=DAYS_APART,
    ),
    Scenario(
        "fmo_other_voltage",
        "FMO tubes acquired at another voltage of the CD146 and CD271 detectors",
        HEALTHY_MARROW,
        fmo_lab=LabFaults(other_voltage_decades={"CD146": 0.30, "CD271": -0.25}),
    ),
    Scenario("fmo_tiny", "FMO tubes of a few hundred events", HEALTHY_MARROW, fmo_frac=0.002),
    Scenario("fmo_large", "FMO tubes as large as the stained tube", HEALTHY_MARROW, fmo_frac=1.0),
)

# Gates drawn once on the first of these are wrong on the others: another donor, another day, another lot each time.
DONORS_AND_DAYS = tuple(
    Scenario(
        f"donor_day_{number}",
        f"Donor {number} on day {number}: a marrow, a gain and a lot of their own",
        HEALTHY_MARROW,
        msc_ppm=120.0,
        msc_ppm_gsd=1.6,
        batch=f"day_{number:02d}",
        day=number - 1,
        lab=DAYS_APART,
    )
    for number in range(1, 11)
)
