"""Every scenario by name: what is in the marrow and what happens to the tube, never what it means.

No scenario knows an outcome, and no outcome is derived from one.
"""

from __future__ import annotations

from stromagate.errors import SpecificationError, did_you_mean
from stromagate.simulate.marrow_scenarios import AGES, LEUKAEMIAS, MARROWS, MIXTURES, SPIKES
from stromagate.simulate.scenario import Scenario
from stromagate.simulate.trap_scenarios import BOUNDARIES, CONTROLS, DONORS_AND_DAYS
from stromagate.simulate.tube_scenarios import BATCHES, MISTAKES, RUNS

THEMES = {
    "Marrows": (*MARROWS, *MIXTURES),
    "Further leukaemias": LEUKAEMIAS,
    "Ages": AGES,
    "Spike series": SPIKES,
    "The run": RUNS,
    "Batch and instrument": BATCHES,
    "Mistakes": MISTAKES,
    "Traps of a boundary": BOUNDARIES,
    "Controls": CONTROLS,
    "Donors and days": DONORS_AND_DAYS,
}
"""Scenarios in the order in which they are listed."""

SCENARIOS: tuple[Scenario, ...] = tuple(made for theme in THEMES.values() for made in theme)


def scenario(name: str) -> Scenario:
    """Return a scenario by name; SpecificationError with the nearest name where there is none."""
    for candidate in SCENARIOS:
        if candidate.name == name:
            return candidate
    hint = did_you_mean(name, [candidate.name for candidate in SCENARIOS])
    raise SpecificationError("simulate.scenario", f"there is no scenario '{name}'", hint=hint)
