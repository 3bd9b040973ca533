"""Synthetic marrow whose truth is known.

======================================================= ==============================================================
``scenarios``, ``marrow_scenarios``,                    what can be asked for, by name: compositions, and what happens
``tube_scenarios``, ``trap_scenarios``                  to a tube or leads a boundary astray, as data
``scenario``, ``mixes``, ``faults``, ``scenario_check`` what a scenario is made of, and whether it can be
``panel``, ``panels``, ``detectors``, ``stain``         the colours of a tube, the shelf of panels, what was pipetted
``blood_cells``, ``stromal_cells``, ``part_cells``,     the cells, as data
``further_antigens``, ``phenotype``, ``populations``
``marrow``, ``antigens``, ``residuals``                 one donor: shares of cells, and the signal of each antigen
``acquisition``, ``disturbances``, ``doublets``,        the instrument: rate, faults of the run, two cells at once,
``scatter``, ``optics``, ``instrument``                 pulses, dyes to digits, gains and matrix of a batch
``tube``, ``chunk``, ``truth``, ``keywords``, ``seeds`` one tube with what every event is, the same on every machine
``background``, ``background_cells``, ``spike_in``,     a real tube, what its events may be, simulated stroma in it
``spike_cells``
``request``, ``delivery``, ``truth_table``,             tubes as somebody asks for them, on disk with sheet, truth of
``truth_report``, ``cd146_truth``                       every event, true counts, CD146 by kind and by level
``sample_set``, ``set_readme``                          the demonstration set with its manifest
======================================================= ==============================================================
"""

from stromagate.simulate.cd146_truth import cd146_log10, share_above
from stromagate.simulate.delivery import Delivered, deliver
from stromagate.simulate.panel import Panel
from stromagate.simulate.panels import PANELS, panel
from stromagate.simulate.request import Request, orders_of
from stromagate.simulate.residuals import FAMILIES
from stromagate.simulate.sample_set import sample_set, write_tube
from stromagate.simulate.scenario import Scenario
from stromagate.simulate.scenarios import SCENARIOS, THEMES, scenario
from stromagate.simulate.spike_in import Spiked, SpikeOrder, spike_in, write_spiked
from stromagate.simulate.truth import Truth, load_truth
from stromagate.simulate.tube import Tube, TubeOrder, simulate_tube

__all__ = [
    "FAMILIES",
    "PANELS",
    "SCENARIOS",
    "THEMES",
    "Delivered",
    "Panel",
    "Request",
    "Scenario",
    "SpikeOrder",
    "Spiked",
    "Truth",
    "Tube",
    "TubeOrder",
    "cd146_log10",
    "deliver",
    "load_truth",
    "orders_of",
    "panel",
    "sample_set",
    "scenario",
    "share_above",
    "simulate_tube",
    "spike_in",
    "write_spiked",
    "write_tube",
]
