"""Synthetic marrow whose truth is known."""

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
