"""Antigens beyond the usual panel, kind of cell by kind of cell, as declared data.

Which cells carry an antigen follows published immunophenotypes (HSC and LSC: Majeti 2009, Cell 138:286; Treg:
CD25 high, CD127 low; MDSC: 10.1038/ncomms12150; PDGFR-alpha low and CD271 bright MSC of adults, CD56 in part of them,
CD13 bright on stroma). How much of it in units of the scale is the product's own choice throughout, on the scale of the
usual panel: 3 dim, 3.5 to 4 plain, above 4 bright. A kind that is not listed has none.
"""

from __future__ import annotations

from collections.abc import Mapping

from stromagate.simulate.phenotype import UNSPECIFIC, Continuum, Population, Signal

_MSC = ("msc_cd146neg", "progenitors")
_T = ("t_cell", "t_cell_cd146")
_GRANULOCYTIC = ("neutrophil", "myeloid_precursor", "eosinophil")
_ERYTHROID = ("proerythroblast", "early_erythroblast", "late_erythroblast")


def _on(names: tuple[str, ...], log10: float, sd_decades: float = 0.25, **more: float) -> dict[str, Signal]:
    return {name: Signal(log10, sd_decades, **more) for name in names}


_NUCLEUS = Signal(4.1, 0.06, tail_frac=0.05, tail_log10=4.38)
"""DNA: most cells hold one set, those that divide up to two; the dye does not mind what kind of cell it is."""

FURTHER: Mapping[str, Mapping[str, Signal]] = {
    # Stroma
    "CD73": {**_on(_MSC, 3.9), **_on(("endothelium",), 3.3, 0.3), **_on(("cd146_only",), 3.3, 0.3)}
    | {**_on(("b_cell",), 2.8, 0.4), **_on(_T, 1.4, 0.3, tail_frac=0.15, tail_log10=3.0)},
    "CD90": {**_on(_MSC, 3.9, 0.28), **_on(("cd146_only",), 3.4, 0.3), **_on(("endothelium",), 2.2, 0.4)}
    | _on(("hspc",), 1.6, 0.3, tail_frac=0.05, tail_log10=2.9),
    "CD166": {**_on(_MSC, 3.4, 0.28), **_on(("endothelium",), 3.2, 0.3), **_on(("cd146_only",), 3.1, 0.3)}
    | {**_on(("monocyte",), 2.5, 0.3), **_on(("blast",), 2.2, 0.4), **_on(("hspc",), 2.3, 0.4)},
    "CD13": {**_on(_MSC, 4.2, 0.22), **_on(("endothelium",), 3.4, 0.3), **_on(("cd146_only",), 3.6, 0.3)}
    | {**_on(("neutrophil",), 3.3), **_on(("myeloid_precursor",), 3.4), **_on(("eosinophil",), 3.1)}
    | {**_on(("monocyte",), 3.5), **_on(("blast",), 3.1, 0.45), **_on(("hspc",), 2.9, 0.35)},
    "DNA": dict.fromkeys((*_MSC, *_T, *_GRANULOCYTIC, *_ERYTHROID, "monocyte", "b_cell", "plasma_cell"), _NUCLEUS)
    | dict.fromkeys(("hspc", "blast", "endothelium", "cd146_only"), _NUCLEUS)
    | {"late_erythroblast": Signal(4.05, 0.08), "megakaryocyte": Signal(4.6, 0.25)},
    "SUSD2": {**_on(_MSC, 3.7, 0.35, skew=-0.1), **_on(("cd146_only",), 2.4, 0.4)},
    "MSCA-1": _on(_MSC, 3.5, 0.4, skew=-0.15),
    "CD56": _on(_MSC, 1.7, 0.35, tail_frac=0.2, tail_log10=3.6)
    | {**_on(("plasma_cell",), 1.8, 0.5, tail_frac=0.1, tail_log10=3.3), **_on(_T, 1.3, 0.3)}
    | _on(("blast",), 1.6, 0.4, tail_frac=0.05, tail_log10=3.2),
    "CD140a": {**_on(_MSC, 1.9, 0.4), **_on(("cd146_only",), 2.3, 0.4), **_on(("megakaryocyte",), 2.1, 0.4)},
    "CD51": {**_on(_MSC, 3.3, 0.3), **_on(("endothelium",), 3.4, 0.3), **_on(("cd146_only",), 3.2, 0.3)}
    | {**_on(("monocyte",), 2.6, 0.3), **_on(("megakaryocyte",), 3.3, 0.3)},
    "STRO-1": {**_on(_MSC, 2.4, 0.45), **_on(("cd146_only",), 2.2, 0.4)}
    | {**_on(_ERYTHROID, 2.9, 0.35), **_on(("endothelium",), 2.6, 0.4)},
    "ALP": {**_on(_MSC, 3.5, 0.4, skew=-0.15), **_on(("neutrophil",), 2.0, 0.4)},
    "NG2": {**_on(_MSC, 2.3, 0.4), **_on(("cd146_only",), 3.4, 0.3)},
    "CD144": _on(("endothelium",), 3.8, 0.25),
    # Cross-talk: dim wherever it is.
    "CD339": {**_on(_MSC, 2.7, 0.35), **_on(("endothelium",), 3.0, 0.35), **_on(("cd146_only",), 2.5, 0.35)},
    "CXCL12": {**_on(_MSC, 3.0, 0.35), **_on(("endothelium",), 2.6, 0.35), **_on(("cd146_only",), 2.6, 0.35)},
    # Stem cells and blasts
    "CD38": {**_on(("hspc",), 3.7, 0.25), **_on(("blast",), 3.4, 0.35), **_on(("plasma_cell",), 4.7, 0.15)}
    | {**_on(("b_cell",), 3.3, 0.5), **_on(_T, 3.0, 0.45), **_on(("monocyte",), 3.3, 0.25)}
    | {**_on(("neutrophil",), 2.5, 0.3), **_on(("myeloid_precursor",), 3.1, 0.3), **_on(("eosinophil",), 2.6, 0.3)}
    | {**_on(("proerythroblast",), 2.4, 0.4), **_on(("early_erythroblast",), 1.5, 0.35)}
    | _on(("late_erythroblast",), 1.3, 0.3),
    "CD45RA": {**_on(_T, 2.0, 0.35, tail_frac=0.45, tail_log10=3.8), **_on(("b_cell",), 3.8, 0.25)}
    | {**_on(("hspc",), 2.2, 0.45, tail_frac=0.3, tail_log10=3.4), **_on(("monocyte",), 2.3, 0.35)}
    | _on(("blast",), 2.6, 0.5),
    "CD123": {**_on(("blast",), 3.4, 0.35), **_on(("hspc",), 2.8, 0.4), **_on(("monocyte",), 2.8, 0.3)}
    | {**_on(("eosinophil",), 2.9, 0.3), **_on(("endothelium",), 3.0, 0.35), **_on(("myeloid_precursor",), 2.4, 0.4)},
    "CD117": {**_on(("hspc",), 3.5, 0.3), **_on(("blast",), 3.4, 0.4, tail_frac=0.1, tail_log10=1.8)}
    | {**_on(("proerythroblast",), 3.3, 0.35), **_on(("myeloid_precursor",), 1.9, 0.4)},
    "CD33": {**_on(("monocyte",), 4.0, 0.2), **_on(("neutrophil",), 2.9, 0.25), **_on(("myeloid_precursor",), 3.5)}
    | {**_on(("eosinophil",), 2.9, 0.25), **_on(("blast",), 3.6, 0.3), **_on(("hspc",), 2.6, 0.45)},
    "CLEC12A": {**_on(("monocyte",), 3.8, 0.2), **_on(("neutrophil",), 3.4, 0.25), **_on(("eosinophil",), 3.3, 0.3)}
    | {**_on(("myeloid_precursor",), 3.2, 0.3), **_on(("blast",), 3.3, 0.4), **_on(("hspc",), 2.2, 0.45)},
    "TIM3": {**_on(("blast",), 2.8, 0.4), **_on(("monocyte",), 2.9, 0.3), **_on(_T, 1.7, 0.4)},
    "GPR56": {**_on(("blast",), 3.0, 0.45), **_on(("hspc",), 2.9, 0.4)}
    | _on(_T, 1.5, 0.3, tail_frac=0.15, tail_log10=3.3),
    # Immune cells
    "CD3": _on(_T, 4.0, 0.15),
    "CD4": {**_on(_T, 4.0, 0.13), **_on(("monocyte",), 2.9, 0.22)},
    "CD25": {**_on(_T, 2.0, 0.4, tail_frac=0.2, tail_log10=2.7), **_on(("b_cell",), 1.8, 0.4)}
    | _on(("blast",), 1.6, 0.4, tail_frac=0.1, tail_log10=2.9),
    "CD127": {**_on(_T, 3.3, 0.3, skew=-0.15), **_on(("b_cell",), 1.4, 0.3, tail_frac=0.1, tail_log10=2.9)},
    "CD14": {**_on(("monocyte",), 4.1, 0.2, skew=-0.1, tail_frac=0.08, tail_log10=2.6), **_on(("neutrophil",), 1.8)},
    "CD15": {**_on(("neutrophil",), 4.2, 0.2), **_on(("myeloid_precursor",), 4.0, 0.25)}
    | {**_on(("eosinophil",), 3.8, 0.25), **_on(("monocyte",), 2.6, 0.35), **_on(("blast",), 2.0, 0.5)},
    "CD16": {**_on(("neutrophil",), 4.0, 0.25, skew=-0.15), **_on(("myeloid_precursor",), 1.9, 0.4)}
    | _on(("monocyte",), 1.6, 0.3, tail_frac=0.08, tail_log10=3.4),
    "CD64": {**_on(("monocyte",), 3.8, 0.2), **_on(("myeloid_precursor",), 3.0, 0.35), **_on(("neutrophil",), 2.0)}
    | _on(("blast",), 1.9, 0.5),
    "CD11b": {**_on(("neutrophil",), 4.0, 0.22), **_on(("monocyte",), 3.8, 0.2), **_on(("eosinophil",), 3.7)}
    | {**_on(("myeloid_precursor",), 2.8, 0.5), **_on(("blast",), 1.9, 0.5)},
    "HLA-DR": {**_on(("monocyte",), 3.9, 0.22), **_on(("b_cell",), 4.2, 0.18), **_on(("hspc",), 3.7, 0.25)}
    | {**_on(("blast",), 3.5, 0.4, tail_frac=0.15, tail_log10=2.0), **_on(("plasma_cell",), 2.5, 0.5)}
    | {**_on(("endothelium",), 3.0, 0.45), **_on(("neutrophil",), 1.6), **_on(("myeloid_precursor",), 1.9)}
    | _on(_T, 1.4, 0.3, tail_frac=0.06, tail_log10=3.2),
    # PD-L1 on blasts: a few per cent of them, dim (10.1007/s12288-021-01473-2: mean 3.2 %).
    "CD274": {**_on(("blast",), 1.6, 0.35, tail_frac=0.032, tail_log10=2.9), **_on(("monocyte",), 2.5, 0.35)}
    | {**_on(_MSC, 2.7, 0.35), **_on(("endothelium",), 2.8, 0.35)},
    "CD19": _on(("b_cell",), 3.9, 0.2),
    # Adhesion
    "CD184": {**_on(("blast",), 3.0, 0.35), **_on(("b_cell",), 3.3, 0.3), **_on(("monocyte",), 3.0, 0.3)}
    | {**_on(("hspc",), 2.8, 0.35), **_on(_T, 2.8, 0.4), **_on(("neutrophil",), 2.3, 0.35)},
    "CD49d": {**_on(("blast",), 3.3, 0.4, tail_frac=0.3, tail_log10=2.0), **_on(("monocyte",), 3.6, 0.2)}
    | {**_on(("b_cell",), 3.4), **_on(_T, 3.3, 0.3), **_on(("hspc",), 3.6, 0.25), **_on(("eosinophil",), 3.5)}
    | _on(("myeloid_precursor",), 3.0, 0.35),
    "CD44": {**_on(("blast",), 4.2, 0.22), **_on(("hspc",), 4.0, 0.2), **_on(("monocyte",), 4.4, 0.15)}
    | {**_on(("neutrophil",), 4.2, 0.2), **_on(("myeloid_precursor",), 3.8), **_on(("eosinophil",), 4.2, 0.2)}
    | {**_on(_T, 4.1, 0.2), **_on(("b_cell",), 3.7), **_on(_MSC, 3.5, 0.4), **_on(_ERYTHROID, 3.2, 0.35)}
    | _on(("plasma_cell",), 3.9),
    # Hypoxia: dim, no cell without some of it.
    "CA9": {**_on(_MSC, 2.6, 0.4), **_on(("blast",), 2.2, 0.4)},
    "HIF-1a": {**_on(_MSC, 2.8, 0.35), **_on(("blast",), 2.7, 0.35), **_on(("hspc",), 2.6, 0.35)}
    | {**_on(_GRANULOCYTIC, 2.4, 0.3), **_on(("monocyte",), 2.5, 0.3), **_on(_T, 2.2, 0.3)},
}


def signal_of(population: Population, antigen: str) -> Signal | Continuum:
    """Return what a kind of cell shows of an antigen: its own entry, the table's for it, or what it is a part of."""
    if antigen in population.signals:
        return population.signals[antigen]
    by_kind = FURTHER.get(antigen, {})
    return by_kind.get(population.name) or by_kind.get(population.part_of) or UNSPECIFIC
