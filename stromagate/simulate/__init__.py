"""Synthetic marrow whose truth is known.

======================================================= ==============================================================
``scenarios``, ``panel``                                what can be asked for: compositions, and the colours of the tube
``blood_cells``, ``stromal_cells``, ``phenotype``,      the cells, as data
``populations``
``marrow``, ``antigens``                                one donor: shares of cells, and the signal of each antigen
``acquisition``, ``doublets``, ``scatter``, ``optics``  the instrument: rate, two cells at once, pulses, dyes to digits
``tube``, ``truth``, ``keywords``, ``seeds``            one tube with what every event is, the same on every machine
``sample_set``, ``set_readme``                          many tubes on disk, with sheet, truth and manifest
======================================================= ==============================================================
"""

from stromagate.simulate.sample_set import sample_set, write_tube
from stromagate.simulate.scenarios import SCENARIOS, Scenario, scenario
from stromagate.simulate.truth import Truth, load_truth
from stromagate.simulate.tube import Tube, TubeOrder, simulate_tube

__all__ = [
    "SCENARIOS",
    "Scenario",
    "Truth",
    "Tube",
    "TubeOrder",
    "load_truth",
    "sample_set",
    "scenario",
    "simulate_tube",
    "write_tube",
]
