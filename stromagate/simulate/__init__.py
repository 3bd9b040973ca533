"""Synthetic marrow whose truth is known.

======================================================= ==============================================================
``scenarios``, ``marrow_scenarios``,                    what can be asked for, by name: compositions, and what happens to
``tube_scenarios``, ``scenario``, ``mixes``, ``faults`` a tube, as data; what a scenario is made of
``panel``                                               the colours of the tube
``blood_cells``, ``stromal_cells``, ``phenotype``,      the cells, as data
``populations``
``marrow``, ``antigens``, ``residuals``                 one donor: shares of cells, and the signal of each antigen
``acquisition``, ``disturbances``, ``doublets``,        the instrument: rate, faults of the run, two cells at once,
``scatter``, ``optics``, ``instrument``                 pulses, dyes to digits, gains and matrix of a batch
``tube``, ``chunk``, ``truth``, ``keywords``, ``seeds`` one tube with what every event is, the same on every machine
``sample_set``, ``set_readme``                          many tubes on disk, with sheet, truth and manifest
======================================================= ==============================================================
"""

from stromagate.simulate.sample_set import sample_set, write_tube
from stromagate.simulate.scenario import Scenario
from stromagate.simulate.scenarios import SCENARIOS, scenario
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
