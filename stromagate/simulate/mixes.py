"""The cells of haematopoiesis in a marrow and in blood, as shares of nucleated cells."""

from __future__ import annotations

from collections.abc import Mapping

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


def leukaemic_marrow(blast_frac: float, **shares: float) -> Mapping[str, float]:
    """Return a marrow in which ``blast_frac`` of the nucleated cells are blasts, mostly at the cost of myelopoiesis.

    Further populations may be given shares of their own.
    """
    given = {**shares, "blast": blast_frac}
    rest = {**HEALTHY_MARROW, "neutrophil": 0.20, "myeloid_precursor": 0.06, "t_cell_cd146": 0.0035, "hspc": 0.002}
    scale = (1.0 - sum(given.values())) / sum(share for name, share in rest.items() if name not in given)
    # In the order of the healthy marrow: a donor's deviations are drawn in it.
    return {name: given.get(name, share * scale) for name, share in rest.items()}


# Blood after lysis, which holds no erythroblasts, no plasma cells and no stroma worth counting.
HEALTHY_BLOOD: Mapping[str, float] = {
    "neutrophil": 0.60,
    "eosinophil": 0.025,
    "monocyte": 0.075,
    "t_cell": 0.26,
    "t_cell_cd146": 0.005,
    "b_cell": 0.0345,
    "hspc": 0.0005,
}


def cd146_share_at(age_years: float) -> float:
    """Return the share of MSC with CD146 at an adult age: 0.30 at 45 years, fewer later.

    That it declines is published (Maijenburg 2012, 86 marrows); the slope is the product's own choice.
    """
    return 0.30 - 0.006 * (age_years - 45)
