"""Scenarios by what is in the marrow, as declared data: compositions and ages, leukaemias, mixtures with blood."""

from __future__ import annotations

from stromagate.simulate.mixes import (
    HEALTHY_MARROW,
    cd146_share_at,
    healthy_marrow_with,
    leukaemic_marrow,
)
from stromagate.simulate.phenotype import Signal
from stromagate.simulate.scenario import Scenario

# Blasts by their kind of leukaemia, where they differ from the usual CD34+ ones.
_CD34_NEGATIVE = {"blast": {"CD34": Signal(1.5, 0.35, tail_frac=0.02, tail_log10=3.3), "CD45": Signal(3.4, 0.22)}}
_MONOBLAST = {
    "blast": {
        "CD45": Signal(3.8, 0.22, skew=-0.12),
        "CD34": Signal(1.6, 0.4, tail_frac=0.1, tail_log10=3.2),
        "CD31": Signal(3.8, 0.25),
        "CD71": Signal(2.8, 0.3),
        "CD105": Signal(2.8, 0.35),
        "CD146": Signal(1.5, 0.4, tail_frac=0.006, tail_log10=2.9),
    }
}
_WEAK_CD31 = {"endothelium": {"CD31": Signal(3.2, 0.35, skew=-0.1)}}
# Culture takes CD271 away and leaves CD146, CD105 and a clean CD45 (ISCT criteria are made for these cells); CD73
# and CD90
# are brighter than on native cells.
_CULTURED = {
    "CD45": Signal(1.3, 0.25),
    "CD271": Signal(2.5, 0.45, tail_frac=0.05, tail_log10=3.6),
    "CD105": Signal(4.3, 0.2),
    "CD73": Signal(4.3, 0.2),
    "CD90": Signal(4.7, 0.2),
}

# MSC over donors: median 1,520 per mL (96 to 20,992; 54 donors) over 35.2e6 nucleated cells per mL: 43 ppm, GSD 3.2.
MARROWS = (
    Scenario("healthy", "Healthy marrow at the median of 54 donors", HEALTHY_MARROW),
    Scenario("healthy_donor", "Healthy marrow of a random donor", HEALTHY_MARROW, msc_ppm_gsd=3.2),
    Scenario(
        "aml_mesenchymal_low",
        "AML marrow with few MSC of either kind",
        leukaemic_marrow(0.60),
        msc_ppm=12.0,
        cd146_share_frac=0.25,
        dead_frac=0.08,
        age_years=58,
    ),
    Scenario(
        "aml_progenitor_high",
        "AML marrow with many CD146+ MSC",
        leukaemic_marrow(0.45),
        msc_ppm=150.0,
        cd146_share_frac=0.70,
        dead_frac=0.08,
        age_years=51,
    ),
    Scenario(
        "aml_msc_high",
        "AML marrow with many MSC, mostly without CD146",
        leukaemic_marrow(0.45),
        msc_ppm=260.0,
        cd146_share_frac=0.12,
        dead_frac=0.08,
        age_years=66,
    ),
    Scenario(
        "aml_blast90",
        "AML marrow of nine blasts in ten",
        leukaemic_marrow(0.90),
        dead_frac=0.10,
        age_years=63,
    ),
    Scenario("low_viability", "Healthy marrow a day old: a third of the cells dead", HEALTHY_MARROW, dead_frac=0.33),
    Scenario("plasma_rich", "Marrow with many plasma cells", healthy_marrow_with(plasma_cell=0.05)),
    Scenario(
        "cd146_t_cell_rich",
        "Inflamed marrow: one T cell in ten with CD146",
        healthy_marrow_with(t_cell=0.20, t_cell_cd146=0.02),
    ),
    Scenario("endothelium_rich", "Marrow with ten endothelial cells to an MSC", HEALTHY_MARROW, endothelium_ppm=430.0),
    Scenario(
        "doublet_rich",
        "Clumped marrow: four MSC in ten bound to a blood cell",
        HEALTHY_MARROW,
        doublet_frac=0.06,
        msc_bound_frac=0.40,
    ),
    # In children most CD271 bright MSC carry CD146, in adults most do not (Maijenburg 2012).
    Scenario("child", "Marrow of a child: most MSC with CD146", HEALTHY_MARROW, cd146_share_frac=0.70, age_years=6),
    Scenario("normoxia", "Healthy marrow kept a day in normal oxygen: CD146 up", HEALTHY_MARROW, hours_to_stain=24.0),
    Scenario(
        "no_stroma",
        "Blood-like tube without stroma and endothelium",
        HEALTHY_MARROW,
        msc_ppm=0.0,
        endothelium_ppm=0.0,
        cd146_only_ppm=0.0,
    ),
)

AGES = tuple(
    Scenario(
        f"age_{age}",
        f"Healthy marrow of an adult of {age} years",
        HEALTHY_MARROW,
        cd146_share_frac=cd146_share_at(age),
        age_years=age,
    )
    for age in (20, 45, 70)
)

LEUKAEMIAS = (
    Scenario(
        "aml_cd34neg",
        "AML marrow whose blasts lack CD34",
        leukaemic_marrow(0.65),
        signals=_CD34_NEGATIVE,
        dead_frac=0.08,
        age_years=60,
    ),
    Scenario(
        "aml_monocytic",
        "Monocytic AML: CD31+ monoblasts and a third of monocytes",
        leukaemic_marrow(0.33, monocyte=0.32),
        signals=_MONOBLAST,
        dead_frac=0.08,
        age_years=62,
    ),
    Scenario(
        "aml_erythroid",
        "Erythroid AML: a flood of CD71+ CD105+ erythroblasts",
        leukaemic_marrow(0.15, proerythroblast=0.40, early_erythroblast=0.23),
        dead_frac=0.08,
        age_years=66,
    ),
)

MIXTURES = (
    Scenario(
        "clean",
        "Healthy marrow with hardly a dead cell, doublet or shred",
        HEALTHY_MARROW,
        dead_frac=0.02,
        debris_per_nucleated=0.10,
        erythrocytes_per_nucleated=0.03,
        doublet_frac=0.005,
        msc_bound_frac=0.03,
    ),
    Scenario("hemodiluted", "Marrow of which half is blood", HEALTHY_MARROW, blood_frac=0.5),
    Scenario(
        "aml_hemodiluted",
        "AML marrow of which half is blood with blasts",
        leukaemic_marrow(0.60),
        blood_frac=0.5,
        blood={"blast": 0.45, "t_cell": 0.25, "neutrophil": 0.20, "monocyte": 0.06, "b_cell": 0.04},
        dead_frac=0.08,
        age_years=58,
    ),
    Scenario(
        "ec_rich_weak_cd31",
        "Marrow with ten endothelial cells to an MSC, and CD31 weak on them",
        HEALTHY_MARROW,
        endothelium_ppm=430.0,
        signals=_WEAK_CD31,
    ),
    Scenario(
        "doublet_rich_digest",
        "Digested marrow: rich in stroma, dead cells and clumps",
        HEALTHY_MARROW,
        msc_ppm=900.0,
        endothelium_ppm=600.0,
        cd146_only_ppm=120.0,
        dead_frac=0.18,
        debris_per_nucleated=1.2,
        doublet_frac=0.10,
        msc_bound_frac=0.40,
    ),
    Scenario(
        "cultured_msc",
        "Cultured MSC with a few blood cells left: CD271 lost, CD146 on nearly all",
        {"t_cell": 0.3, "monocyte": 0.5, "neutrophil": 0.2},
        msc_ppm=960_000.0,
        cd146_share_frac=0.95,
        endothelium_ppm=0.0,
        cd146_only_ppm=0.0,
        debris_per_nucleated=0.15,
        erythrocytes_per_nucleated=0.0,
        doublet_frac=0.05,
        msc_bound_frac=0.05,
        signals={"msc_cd146neg": _CULTURED, "progenitors": _CULTURED},
    ),
)

SPIKES = tuple(
    Scenario(f"spike_{ppm}", f"Healthy marrow with {ppm} MSC per million", HEALTHY_MARROW, msc_ppm=float(ppm))
    for ppm in (0, 3, 10, 30, 100, 300, 1000)
)
