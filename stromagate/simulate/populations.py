"""The cells of the marrow as declared data: scatter, autofluorescence and antigen signal of every population.

Antigen signal is log10 of linear units on the 18-bit scale of 262,144, above autofluorescence. Medians follow published
immunophenotypes; where no figure is published they are the product's own choice. Nothing here knows of a gate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Signal:
    """Antigen signal of one marker: median and spread in decades, skew, and a share of cells far from the rest.

    ``skew`` bends the distribution (-0.25 to 0.25, negative: long low tail); ``tail_frac`` of the cells have their
    median at ``tail_log10`` instead.
    """

    log10: float
    sd_decades: float = 0.25
    skew: float = 0.0
    tail_frac: float = 0.0
    tail_log10: float = 0.0


@dataclass(frozen=True, slots=True)
class Continuum:
    """Antigen signal that runs from low to high without a gap; which share is high is the scenario's choice."""

    low_log10: float
    high_log10: float
    sd_decades: float
    between_frac: float

    @property
    def cut_log10(self) -> float:
        """Half-way between the ends: at and above it a cell counts as positive in the truth."""
        return (self.low_log10 + self.high_log10) / 2


@dataclass(frozen=True, slots=True)
class Population:
    """One kind of particle.

    ``fsc`` and ``ssc`` are median pulse areas in units, with their relative spreads; ``af_units`` is the median
    autofluorescence in the brightest detector; ``dead_factor`` multiplies the tube's share of dead cells.
    """

    name: str
    title: str
    fsc: float
    ssc: float
    af_units: float
    signals: Mapping[str, Signal | Continuum] = field(default_factory=dict)
    fsc_cv: float = 0.12
    ssc_cv: float = 0.20
    ratio_cv: float = 0.03
    af_sd_decades: float = 0.15
    nucleated: bool = True
    dead_factor: float = 1.0


# What an antibody leaves on a cell without the antigen, and the cell in a thousand that bound it unspecifically.
UNSPECIFIC = Signal(1.2, 0.35, skew=0.1, tail_frac=0.001, tail_log10=2.9)

# CD146 of native MSC is a continuum from negative to bright, not two peaks (Tormin 2011, 10.1182/blood-2010-08-304287).
CD146_OF_MSC = Continuum(low_log10=2.3, high_log10=3.8, sd_decades=0.25, between_frac=0.4)

_MSC_SIGNALS: Mapping[str, Signal | Continuum] = {
    # CD45 negative to low, with a sticky upper tail: remnants of macrophages on stroma.
    "CD45": Signal(1.95, 0.30, skew=0.10, tail_frac=0.08, tail_log10=2.8),
    "CD71": Signal(1.9, 0.30),
    "CD31": Signal(1.4, 0.30),
    "CD34": Signal(1.4, 0.30),
    "CD271": Signal(4.0, 0.30, skew=-0.15),
    "CD146": CD146_OF_MSC,
    "CD105": Signal(3.9, 0.25),
}

POPULATIONS = (
    # Debris holds platelets (the CD31 tail), ghosts of red cells (CD235a) and shreds of leukocytes (CD45).
    Population(
        "debris",
        "debris and platelets",
        fsc=0.0,  # exponential above the trigger threshold, see scatter.py
        ssc=5_000,
        ssc_cv=0.6,
        af_units=25,
        af_sd_decades=0.3,
        nucleated=False,
        dead_factor=0.0,
        signals={
            "CD45": Signal(1.4, 0.5, tail_frac=0.15, tail_log10=2.8),
            "CD235a": Signal(1.6, 0.5, tail_frac=0.35, tail_log10=3.7),
            "CD31": Signal(1.5, 0.4, tail_frac=0.25, tail_log10=3.5),
        },
    ),
    Population(
        "erythrocyte",
        "red cells left by the lysis",
        fsc=22_000,
        fsc_cv=0.22,
        ssc=7_000,
        ssc_cv=0.3,
        af_units=35,
        nucleated=False,
        dead_factor=0.0,
        signals={"CD235a": Signal(4.5, 0.18)},
    ),
    Population(
        "neutrophil",
        "neutrophils and metamyelocytes",
        fsc=100_000,
        ssc=120_000,
        ssc_cv=0.22,
        af_units=220,
        signals={
            "CD45": Signal(3.9, 0.17, skew=-0.05),
            "CD71": Signal(1.5, 0.3),
            "CD31": Signal(3.2, 0.22),
            "CD105": Signal(1.9, 0.35),
        },
    ),
    Population(
        "myeloid_precursor",
        "promyelocytes and myelocytes",
        fsc=112_000,
        fsc_cv=0.15,
        ssc=105_000,
        ssc_cv=0.32,
        af_units=260,
        signals={
            "CD45": Signal(3.6, 0.2),
            "CD71": Signal(2.7, 0.35),
            "CD31": Signal(3.3, 0.25),
            "CD105": Signal(2.2, 0.35),
        },
    ),
    Population(
        "eosinophil",
        "eosinophils",
        fsc=92_000,
        ssc=170_000,
        ssc_cv=0.16,
        af_units=900,
        signals={"CD45": Signal(4.15, 0.14), "CD31": Signal(3.1, 0.25)},
    ),
    Population(
        "monocyte",
        "monocytes",
        fsc=95_000,
        fsc_cv=0.13,
        ssc=55_000,
        ssc_cv=0.22,
        af_units=240,
        signals={
            "CD45": Signal(4.2, 0.14),
            "CD71": Signal(2.2, 0.35),
            "CD31": Signal(3.8, 0.2),
            "CD105": Signal(2.8, 0.3),
            "CD146": Signal(1.5, 0.35, tail_frac=0.004, tail_log10=2.9),
            "CD271": Signal(1.5, 0.35, tail_frac=0.001, tail_log10=2.9),
        },
    ),
    Population(
        "t_cell",
        "T and NK cells",
        fsc=60_000,
        fsc_cv=0.09,
        ssc=20_000,
        ssc_cv=0.16,
        af_units=120,
        signals={"CD45": Signal(4.4, 0.12), "CD31": Signal(2.9, 0.4)},
    ),
    # 2 to 3 % of T cells carry CD146 (PMC3784215, PMC4369459).
    Population(
        "t_cell_cd146",
        "T cells with CD146",
        fsc=62_000,
        fsc_cv=0.10,
        ssc=21_000,
        ssc_cv=0.16,
        af_units=125,
        signals={
            "CD45": Signal(4.35, 0.15, skew=-0.15, tail_frac=0.02, tail_log10=3.4),
            "CD31": Signal(2.8, 0.4),
            "CD146": Signal(3.4, 0.28),
            "CD71": Signal(2.0, 0.35),
        },
    ),
    Population(
        "b_cell",
        "B cells and their precursors",
        fsc=58_000,
        fsc_cv=0.12,
        ssc=19_000,
        ssc_cv=0.16,
        af_units=115,
        signals={
            "CD45": Signal(4.25, 0.16, skew=-0.2, tail_frac=0.25, tail_log10=3.5),
            "CD31": Signal(2.7, 0.35),
            "CD34": Signal(1.2, 0.3, tail_frac=0.08, tail_log10=3.7),
            "CD71": Signal(1.9, 0.4),
        },
    ),
    Population(
        "plasma_cell",
        "plasma cells",
        fsc=88_000,
        fsc_cv=0.18,
        ssc=42_000,
        ssc_cv=0.25,
        af_units=620,
        af_sd_decades=0.25,
        dead_factor=1.5,
        signals={
            "CD45": Signal(2.7, 0.55),
            "CD31": Signal(3.5, 0.3),
            "CD71": Signal(2.9, 0.35),
            "CD105": Signal(1.8, 0.4),
        },
    ),
    Population(
        "hspc",
        "CD34+ progenitors of blood",
        fsc=75_000,
        fsc_cv=0.14,
        ssc=26_000,
        ssc_cv=0.2,
        af_units=160,
        signals={
            "CD45": Signal(3.4, 0.2),
            "CD34": Signal(3.9, 0.25),
            "CD31": Signal(3.6, 0.25),
            "CD71": Signal(2.7, 0.4),
            "CD105": Signal(2.5, 0.4),
        },
    ),
    # CD45 dim with a low tail, CD34 from negative to bright, sticky: the flood a rare gate must hold against.
    Population(
        "blast",
        "leukaemic blasts",
        fsc=78_000,
        fsc_cv=0.17,
        ssc=28_000,
        ssc_cv=0.28,
        af_units=180,
        af_sd_decades=0.18,
        signals={
            "CD45": Signal(3.3, 0.25, skew=-0.12),
            "CD34": Signal(3.5, 0.40, skew=-0.15, tail_frac=0.12, tail_log10=1.8),
            "CD31": Signal(3.2, 0.30),
            "CD71": Signal(3.2, 0.25),
            "CD105": Signal(2.6, 0.40),
            "CD146": Signal(1.4, 0.40, tail_frac=0.002, tail_log10=2.9),
            "CD271": Signal(1.4, 0.40, tail_frac=0.001, tail_log10=2.9),
        },
    ),
    # Early erythroblasts carry CD105 (10.3109/10428194.2013.781167) and CD71, little CD235a.
    Population(
        "proerythroblast",
        "pro-erythroblasts",
        fsc=85_000,
        fsc_cv=0.16,
        ssc=28_000,
        ssc_cv=0.22,
        af_units=170,
        signals={
            "CD45": Signal(2.7, 0.3),
            "CD235a": Signal(2.5, 0.4),
            "CD71": Signal(4.2, 0.2),
            "CD105": Signal(3.3, 0.3),
            "CD31": Signal(2.0, 0.4),
        },
    ),
    Population(
        "early_erythroblast",
        "basophilic erythroblasts",
        fsc=58_000,
        fsc_cv=0.15,
        ssc=17_000,
        ssc_cv=0.2,
        af_units=110,
        signals={
            "CD45": Signal(2.2, 0.35),
            "CD235a": Signal(4.0, 0.25),
            "CD71": Signal(4.2, 0.2),
            "CD105": Signal(3.3, 0.3),
        },
    ),
    Population(
        "late_erythroblast",
        "polychromatic and orthochromatic erythroblasts",
        fsc=36_000,
        fsc_cv=0.17,
        ssc=11_000,
        ssc_cv=0.22,
        af_units=75,
        signals={
            "CD45": Signal(1.5, 0.3),
            "CD235a": Signal(4.5, 0.18),
            "CD71": Signal(3.5, 0.45, skew=-0.2),
            "CD105": Signal(1.5, 0.35, tail_frac=0.02, tail_log10=2.8),
        },
    ),
    Population(
        "megakaryocyte",
        "megakaryocytes and cells coated with platelets",
        fsc=115_000,
        fsc_cv=0.25,
        ssc=52_000,
        ssc_cv=0.3,
        af_units=380,
        af_sd_decades=0.25,
        ratio_cv=0.05,
        signals={
            "CD45": Signal(3.0, 0.45),
            "CD31": Signal(3.9, 0.25),
            "CD71": Signal(2.3, 0.4),
            "CD34": Signal(1.6, 0.4, tail_frac=0.1, tail_log10=3.2),
            "CD105": Signal(2.4, 0.4),
            "CD146": Signal(1.9, 0.4),
        },
    ),
    Population(
        "endothelium",
        "endothelial cells",
        fsc=110_000,
        fsc_cv=0.22,
        ssc=55_000,
        ssc_cv=0.28,
        af_units=650,
        af_sd_decades=0.25,
        ratio_cv=0.045,
        dead_factor=1.5,
        signals={
            "CD45": Signal(1.8, 0.3),
            "CD71": Signal(2.1, 0.35),
            "CD31": Signal(4.2, 0.2),
            "CD34": Signal(3.2, 0.35, skew=-0.1),
            "CD271": Signal(2.0, 0.3),
            "CD146": Signal(4.3, 0.22),
            "CD105": Signal(4.3, 0.2),
        },
    ),
    # Neither MSC nor endothelium: pericyte-like cells with CD146 alone.
    Population(
        "cd146_only",
        "CD146+ cells without CD271 and CD31",
        fsc=112_000,
        fsc_cv=0.25,
        ssc=65_000,
        ssc_cv=0.3,
        af_units=550,
        af_sd_decades=0.25,
        ratio_cv=0.05,
        dead_factor=1.5,
        signals={
            "CD45": Signal(1.9, 0.35),
            "CD71": Signal(1.9, 0.3),
            "CD146": Signal(3.9, 0.25),
            "CD271": Signal(1.9, 0.35),
            "CD105": Signal(3.6, 0.3),
        },
    ),
    # Large, irregular and autofluorescent (3 to 8 times a leukocyte); some reach the scatter's ceiling.
    Population(
        "msc_cd146neg",
        "MSC without CD146 (CD271 bright)",
        fsc=130_000,
        fsc_cv=0.28,
        ssc=90_000,
        ssc_cv=0.34,
        af_units=750,
        af_sd_decades=0.25,
        ratio_cv=0.05,
        dead_factor=1.5,
        signals=_MSC_SIGNALS,
    ),
    Population(
        "progenitors",
        "MSC with CD146 (mesenchymal progenitors)",
        fsc=130_000,
        fsc_cv=0.28,
        ssc=90_000,
        ssc_cv=0.34,
        af_units=750,
        af_sd_decades=0.25,
        ratio_cv=0.05,
        dead_factor=1.5,
        signals=_MSC_SIGNALS,
    ),
)

MSC = ("msc_cd146neg", "progenitors")
"""The two sides of one population: a cell is drawn as MSC, and its CD146 decides which it is."""

NAMES = tuple(population.name for population in POPULATIONS)


def code_of(name: str) -> int:
    """Return the number that stands for population ``name`` in the truth."""
    return NAMES.index(name)
