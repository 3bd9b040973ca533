"""How a kind of cell is described: scatter, autofluorescence, and the signal of every antigen.

Antigen signal is log10 of linear units on the 18-bit scale of 262,144, above autofluorescence.
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
    ``part_of`` is the kind that these cells are a share of (`part_cells`).
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
    part_of: str = ""


# What an antibody leaves on a cell without the antigen, and the cell in a thousand that bound it unspecifically.
UNSPECIFIC = Signal(1.2, 0.35, skew=0.1, tail_frac=0.001, tail_log10=2.9)
