"""Every scenario by name, as declared data: what is in the marrow, never what it means.

A scenario chooses a composition. No scenario knows an outcome, and no outcome is derived from one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stromagate.errors import SpecificationError, did_you_mean

# Shares of nucleated cells after red-cell lysis. Myelogram of 236 donors (about half granulocytic, a third erythroid)
# and CD45/SSC of 134 donors (lymphocytes 18.3, monocytes 4.7, CD34+ 1.5 % of leukocytes); lysis takes erythroblasts.
HEALTHY_MARROW: Mapping[str, float] = {
    "neutrophil": 0.44,
    "myeloid_precursor": 0.145,
    "eosinophil": 0.025,
    "monocyte": 0.042,
    "t_cell": 0.112,
    "t_cell_cd146": 0.003,
    "b_cell": 0.03,
    "plasma_cell": 0.005,
    "hspc": 0.013,
    "blast": 0.0,
    "proerythroblast": 0.005,
    "early_erythroblast": 0.015,
    "late_erythroblast": 0.15,
    "megakaryocyte": 0.0005,
}


def healthy_marrow_with(**shares: float) -> Mapping[str, float]:
    """Return a healthy marrow in which some populations have the given shares and the others give way alike."""
    rest = {name: share for name, share in HEALTHY_MARROW.items() if name not in shares}
    scale = (1.0 - sum(shares.values())) / sum(rest.values())
    return {**{name: share * scale for name, share in rest.items()}, **shares}


def leukaemic_marrow(blast_frac: float) -> Mapping[str, float]:
    """Return a marrow in which ``blast_frac`` of the nucleated cells are blasts, mostly at the cost of myelopoiesis."""
    rest = {**HEALTHY_MARROW, "neutrophil": 0.20, "myeloid_precursor": 0.06, "t_cell_cd146": 0.0035, "hspc": 0.002}
    scale = (1.0 - blast_frac) / sum(rest.values())
    return {**{name: share * scale for name, share in rest.items()}, "blast": blast_frac}


@dataclass(frozen=True, slots=True)
class Scenario:
    """The make-up of one donor's marrow.

    ``msc_ppm`` and the other rare cells are per million nucleated cells of the whole marrow, before any enrichment;
    ``msc_ppm_gsd`` is the geometric spread between donors (1: exactly the median). ``cd146_share_frac`` is the share of
    MSC at or above the CD146 cut where the donor's CD146 lies at the median. ``shifts_decades`` moves an antigen on
    every cell.
    """

    name: str
    title: str
    marrow: Mapping[str, float]
    msc_ppm: float = 43.0
    msc_ppm_gsd: float = 1.0
    cd146_share_frac: float = 0.30
    endothelium_ppm: float = 35.0
    cd146_only_ppm: float = 10.0
    dead_frac: float = 0.06
    debris_per_nucleated: float = 0.30
    erythrocytes_per_nucleated: float = 0.12
    doublet_frac: float = 0.02
    msc_bound_frac: float = 0.15
    age_years: int = 45
    shifts_decades: Mapping[str, float] = field(default_factory=dict)


# MSC over donors: median 1,520 per mL (96 to 20,992; 54 donors) over 35.2e6 nucleated cells per mL: 43 ppm, GSD 3.2.
SCENARIOS = (
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
    # CD146 rises in normal oxygen (Tormin 2011, 10.1182/blood-2010-08-304287).
    Scenario(
        "normoxia",
        "Healthy marrow kept a day in normal oxygen: CD146 up",
        HEALTHY_MARROW,
        shifts_decades={"CD146": 0.2},
    ),
    Scenario(
        "no_stroma",
        "Blood-like tube without stroma and endothelium",
        HEALTHY_MARROW,
        msc_ppm=0.0,
        endothelium_ppm=0.0,
        cd146_only_ppm=0.0,
    ),
)


def scenario(name: str) -> Scenario:
    """Return a scenario by name; SpecificationError with the nearest name where there is none."""
    for candidate in SCENARIOS:
        if candidate.name == name:
            return candidate
    hint = did_you_mean(name, [candidate.name for candidate in SCENARIOS])
    raise SpecificationError("simulate.scenario", f"there is no scenario '{name}'", hint=hint)
