"""Kinds of cells that only some panels can tell from the rest of their kind, and what makes them different, as data.

A part is like the kind it belongs to but for the signals given here. Shares follow published frequencies where there
are any (CD34+CD38- and HSC of CD34+ cells; LSC-like share of blasts: median 2.1 %, 0.01 to 52.8; Treg 2 to 10 % of
CD4+ T cells); the others, and all levels, are the product's own choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from stromagate.simulate.blood_cells import BLOOD_CELLS
from stromagate.simulate.phenotype import Population, Signal
from stromagate.simulate.stromal_cells import STROMAL_CELLS


@dataclass(frozen=True, slots=True)
class Part:
    """A share of one kind of cell: median and geometric spread between donors; what differs in its antigens."""

    name: str
    title: str
    of: str
    frac: float
    gsd: float
    signals: Mapping[str, Signal]

    def population(self) -> Population:
        """Return the cells of the part: scatter and glow of the kind it belongs to."""
        whole = next(each for each in (*BLOOD_CELLS, *STROMAL_CELLS) if each.name == self.of)
        return replace(
            whole, name=self.name, title=self.title, part_of=self.of, signals={**whole.signals, **self.signals}
        )


_CD38_LESS = {"CD38": Signal(1.9, 0.35), "CD117": Signal(3.2, 0.35), "CD71": Signal(1.9, 0.4)}

PARTS = (
    Part(
        "hsc",
        "haematopoietic stem cells: CD34+ CD38- CD90+ CD45RA-",
        "hspc",
        frac=0.02,
        gsd=1.4,
        signals={
            **_CD38_LESS,
            "CD34": Signal(4.0, 0.2),
            "CD90": Signal(3.1, 0.25),
            "CD45RA": Signal(1.6, 0.35),
            "CD123": Signal(2.2, 0.35),
            "CD33": Signal(2.0, 0.4),
            "CLEC12A": Signal(1.3, 0.3),
            "TIM3": Signal(1.2, 0.3),
        },
    ),
    Part(
        "mpp_cd38neg",
        "multipotent progenitors: CD34+ CD38- CD90- CD45RA-",
        "hspc",
        frac=0.03,
        gsd=1.4,
        signals={
            **_CD38_LESS,
            "CD90": Signal(1.4, 0.3),
            "CD45RA": Signal(1.7, 0.35),
            "CLEC12A": Signal(1.3, 0.3),
            "TIM3": Signal(1.2, 0.3),
        },
    ),
    Part(
        "lsc",
        "blasts with the phenotype of stem cells: CD34+ CD38- CD90- CD123+ CLEC12A+",
        "blast",
        frac=0.021,
        gsd=2.5,
        signals={
            "CD38": Signal(2.0, 0.35),
            "CD34": Signal(3.8, 0.3),
            "CD90": Signal(1.4, 0.3),
            "CD45RA": Signal(3.2, 0.35),
            "CD123": Signal(3.7, 0.3),
            "CLEC12A": Signal(3.4, 0.35),
            "TIM3": Signal(3.1, 0.35),
            "GPR56": Signal(3.4, 0.35),
            "CD71": Signal(2.2, 0.4),
        },
    ),
    Part(
        "t_cd8",
        "CD8 T cells",
        "t_cell",
        frac=0.33,
        gsd=1.15,
        signals={"CD4": Signal(1.4, 0.3), "CD25": Signal(1.6, 0.35), "CD127": Signal(3.1, 0.4)},
    ),
    Part(
        "nk_cell",
        "NK cells",
        "t_cell",
        frac=0.12,
        gsd=1.3,
        signals={
            "CD3": Signal(1.4, 0.3),
            "CD4": Signal(1.3, 0.3),
            "CD25": Signal(1.5, 0.35),
            "CD127": Signal(1.7, 0.4),
            "CD16": Signal(3.7, 0.3),
            "CD56": Signal(3.2, 0.35),
            "CD11b": Signal(2.9, 0.35),
            "CD45RA": Signal(3.8, 0.25),
        },
    ),
    Part(
        "treg",
        "regulatory T cells: CD4+ CD25 high CD127 low",
        "t_cell",
        frac=0.03,
        gsd=1.3,
        signals={"CD25": Signal(3.5, 0.2), "CD127": Signal(2.0, 0.3), "CD45RA": Signal(2.0, 0.4)},
    ),
    Part(
        "m_mdsc",
        "monocytic suppressor cells: CD14+ CD11b+ HLA-DR low",
        "monocyte",
        frac=0.06,
        gsd=1.5,
        signals={"HLA-DR": Signal(2.0, 0.35), "CD14": Signal(4.0, 0.2), "CD15": Signal(1.8, 0.35)},
    ),
    Part(
        "pmn_mdsc",
        "granulocytic suppressor cells of low density: CD15+ CD11b+ CD14-, scatter of a monocyte",
        "monocyte",
        frac=0.05,
        gsd=1.5,
        signals={
            "CD14": Signal(1.5, 0.3),
            "CD15": Signal(4.0, 0.25),
            "CD16": Signal(3.4, 0.4),
            "HLA-DR": Signal(1.6, 0.3),
            "CD11b": Signal(3.9, 0.22),
            "CD33": Signal(3.0, 0.3),
            "CD64": Signal(2.0, 0.35),
        },
    ),
)

# Bone-lining cells come off bone by digestion only; an aspirate holds none worth counting.
OSTEOLINEAGE = replace(
    next(each for each in STROMAL_CELLS if each.name == "cd146_only"),
    name="osteolineage",
    title="osteolineage cells of digested bone: ALP+ CD271 dim, without CD146",
    signals={
        "CD45": Signal(1.9, 0.35),
        "CD71": Signal(1.9, 0.3),
        "CD271": Signal(2.6, 0.35),
        "CD105": Signal(3.0, 0.4),
        "CD73": Signal(3.5, 0.3),
        "CD90": Signal(3.4, 0.35),
        "CD51": Signal(3.5, 0.3),
        "CD13": Signal(3.4, 0.3),
        "ALP": Signal(4.2, 0.25),
        "MSCA-1": Signal(4.2, 0.25),
        "DNA": Signal(4.1, 0.06),
    },
)

FURTHER_CELLS = (*(part.population() for part in PARTS), OSTEOLINEAGE)
