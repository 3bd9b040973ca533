"""The cells that are looked for and those that are mistaken for them: MSC, endothelium, pericyte-like cells, as data.

Medians follow published immunophenotypes; where no figure is published they are the product's own choice. Nothing here
knows of a gate.
"""

from __future__ import annotations

from collections.abc import Mapping

from stromagate.simulate.phenotype import Continuum, Population, Signal

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

STROMAL_CELLS = (
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
