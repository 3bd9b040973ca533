"""Every kind of particle in the order of its code, and what the two sides of the MSC are called."""

from __future__ import annotations

from stromagate.simulate.blood_cells import BLOOD_CELLS
from stromagate.simulate.part_cells import FURTHER_CELLS
from stromagate.simulate.stromal_cells import STROMAL_CELLS

POPULATIONS = (*BLOOD_CELLS, *STROMAL_CELLS)
"""The kinds that every tube counts."""
ALL_POPULATIONS = (*POPULATIONS, *FURTHER_CELLS)
"""With those that are only there where a panel or a scenario asks for them."""

MSC = ("msc_cd146neg", "progenitors")
"""The two sides of one population: a cell is drawn as MSC, and its CD146 decides which it is."""

NAMES = tuple(population.name for population in POPULATIONS)
ALL_NAMES = tuple(population.name for population in ALL_POPULATIONS)


def code_of(name: str) -> int:
    """Return the number that stands for population ``name`` in the truth."""
    return ALL_NAMES.index(name)
