"""Which tubes are simulated: every scenario, a spike series, and pairs with and without a shift of the detectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from benchmarks.accuracy.seeds import SCORING_FAMILY
from stromagate.simulate import SCENARIOS, Scenario, TubeOrder, scenario
from stromagate.simulate.scenario import DEFAULT_BATCH

Purpose = Literal["grid", "spike", "shift"]

CLEAN = frozenset({"clean", "healthy", "healthy_donor", "child", "age_20", "age_45", "age_70"})
"""Scenarios held to the bars of clean tubes; every other one is a hard one."""

SPIKES_PPM = (0.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
SPIKED = "healthy"
SHIFT_DECADES = 0.15
SHIFTED_ALONE = ("CD271", "CD146", "CD45")
"""Markers whose detector alone is turned up, each in a tube of its own."""
WHOLE, ENRICHED = "whole", "cd45_depleted"
ENRICHED_SHARE = 0.15
"""Events of a depleted tube for each of a whole one: enough for a hundred MSC and more in most scenarios."""
DONOR_DAY = "donor_day_"
"""How the scenarios are named that differ in donor and day alone: gates drawn once are replayed over them."""
USUAL_EVENTS = 200_000
"""Events that a scenario has unless it is one of few; its tubes are smaller here by as much."""
RATES_PER_S = {WHOLE: 5_000.0, ENRICHED: 1_000.0}


@dataclass(frozen=True, slots=True)
class TubePlan:
    """One tube to make and to score.

    ``shift_decades`` is a change of detector gains after the stain, of all of them or of the one of ``shifted``.
    """

    purpose: Purpose
    scenario: Scenario
    prepared: str
    n_events: int
    seed: int
    shift_decades: float = 0.0
    family: str = SCORING_FAMILY
    shifted: str = ""

    @property
    def clean(self) -> bool:
        """Whether the bars of clean tubes hold."""
        return self.scenario.name in CLEAN

    @property
    def name(self) -> str:
        """What the donor is called; with the seed it decides who it is."""
        return f"{self.scenario.name}_{self.seed}"

    @property
    def day(self) -> str:
        """The batch it is stained in: one for all marrows of a seed, but for scenarios that have a day of their own."""
        return "batch" if self.scenario.batch == DEFAULT_BATCH else self.scenario.batch


def grid_names() -> list[str]:
    """Return the scenarios that are scored when none is named.

    The spike series and the shift make tubes of their own.
    """
    return [item.name for item in SCENARIOS if not item.name.startswith(("spike_", "two_batch"))]


def tubes(
    names: Sequence[str], *, whole: Sequence[int], enriched: Sequence[int], events: int, family: str
) -> list[TubePlan]:
    """Return all tubes of a run.

    Parameters
    ----------
    names : sequence of str
        Scenarios of the grid.
    whole, enriched : sequence of int
        Seeds of whole and of depleted tubes. Whole tubes without stroma take the seeds of both.
    events : int
        Events of a whole tube; a depleted one has ``ENRICHED_SHARE`` of them.
    family : str
        Family of tubes of the simulator.
    """
    made = (*_grid(names, whole, enriched, events), *_spikes(whole, events), *_shifts(enriched, events))
    return [replace(item, family=family) for item in made]


def _grid(names: Sequence[str], whole: Sequence[int], enriched: Sequence[int], events: int) -> Iterator[TubePlan]:
    for item in map(scenario, names):
        n_events = events * item.n_events // USUAL_EVENTS
        for seed in whole if item.msc_ppm else dict.fromkeys([*whole, *enriched]):
            yield TubePlan("grid", item, WHOLE, n_events, seed)
        for seed in enriched:
            yield TubePlan("grid", item, ENRICHED, int(n_events * ENRICHED_SHARE), seed)


def _spikes(seeds: Sequence[int], events: int) -> Iterator[TubePlan]:
    for ppm in SPIKES_PPM:
        spiked = replace(scenario(SPIKED), name=f"spike_{ppm:g}", title=f"{ppm:g} MSC per million", msc_ppm=ppm)
        for seed in seeds:
            yield TubePlan("spike", spiked, WHOLE, events, seed)


def _shifts(seeds: Sequence[int], events: int) -> Iterator[TubePlan]:
    for seed in seeds:
        plan = TubePlan("shift", scenario(SPIKED), ENRICHED, int(events * ENRICHED_SHARE), seed)
        plan = replace(plan, scenario=replace(plan.scenario, name=f"{SPIKED}_shift"))
        yield plan
        for marker in ("", *SHIFTED_ALONE):
            yield replace(plan, shift_decades=SHIFT_DECADES, shifted=marker)


def tube_order(plan: TubePlan, role: str, n_events: int, batch: str = "") -> TubeOrder:
    """Return the order of a tube of a plan's marrow: stained, or a control of it; of the plan's day unless told."""
    return TubeOrder(
        scenario=plan.scenario,
        sample_id=f"{plan.name}_{role.replace(':', '_')}",
        donor=plan.name,
        role=role,
        prepared=plan.prepared,
        batch=f"{batch or plan.day}_{plan.seed}",
        n_events=n_events,
        rate_per_s=RATES_PER_S[plan.prepared],
        seed=plan.seed,
        family=plan.family,
    )
