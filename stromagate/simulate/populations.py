"""Every kind of particle in the order of its code, and what the two sides of the MSC are called."""

from __future__ import annotations

from stromagate.simulate.blood_cells import BLOOD_CELLS
from stromagate.simulate.stromal_cells import STROMAL_CELLS

POPULATIONS = (*BLOOD_CELLS, *STROMAL_CELLS)

MSC = ("msc_cd146neg", "progenitors")
"""The two sides of one population: a cell is drawn as MSC, and its CD146 decides which it is."""

NAMES = tuple(population.name for population in POPULATIONS)


def code_of(name: str) -> int:
    """Return the number that stands for population ``name`` in the truth."""
    return NAMES.index(name)
