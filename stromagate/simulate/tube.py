"""One tube from scenario to events and truth, in chunks that any number of workers may make in any order."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from stromagate.errors import SpecificationError, UsageError, did_you_mean
from stromagate.model.sample import F32
from stromagate.simulate.acquisition import Run, plan_run
from stromagate.simulate.chunk import Plan, Source, make_chunk
from stromagate.simulate.disturbances import draw_disturbance, no_disturbance
from stromagate.simulate.faults import NO_RUN_FAULTS
from stromagate.simulate.instrument import Instrument, instrument_for, mistaken
from stromagate.simulate.marrow import Marrow, draw_marrow, preparation
from stromagate.simulate.panel import STROMA_CORE_8, Panel
from stromagate.simulate.panels import panel as panel_of
from stromagate.simulate.populations import MSC, NAMES
from stromagate.simulate.residuals import FAMILIES
from stromagate.simulate.scenario import DEFAULT_BATCH, DEFAULT_EVENTS, Scenario
from stromagate.simulate.scenario_check import check_panel, check_scenario
from stromagate.simulate.scenarios import scenario
from stromagate.simulate.seeds import stream
from stromagate.simulate.stain import stain_for
from stromagate.simulate.truth import Truth, join

CHUNK_EVENTS = 50_000
MAX_EVENTS = 50_000_000


@dataclass(frozen=True, slots=True)
class TubeOrder:
    """What to simulate: a tube of a donor of a scenario.

    ``donor`` and ``batch`` decide what all tubes of that donor and batch share; ``sample_id`` the cells that are
    drawn. ``family`` is that of `residuals.FAMILIES`: tune on one, score on the other. ``panel`` names one of
    `panels.PANELS`; ``day`` counts from the simulator's first day and is only what the file says.
    """

    scenario: Scenario
    sample_id: str
    donor: str
    role: str = "stained"
    prepared: str = "whole"
    batch: str = DEFAULT_BATCH
    n_events: int = DEFAULT_EVENTS
    rate_per_s: float = 2_000.0
    seed: int = 1
    family: str = "a"
    panel: str = STROMA_CORE_8.name
    day: int = 0


@dataclass(frozen=True, slots=True)
class Tube:
    """A simulated tube: ``events`` of shape (n_events, n_channels) in the columns of ``panel``, and their truth.

    ``instrument`` and ``run`` hold what was wrong with it. ``signals`` is the state of every event before light and
    noise, shape (n_events, n_antigens) in the order of ``panel.antigens``, linear units, where it was asked for.
    ``cd146_of_msc`` is that of CD146 on the events of ``truth.is_one_of(*MSC)``, in their order, and always there.
    """

    order: TubeOrder
    events: F32
    truth: Truth
    marrow: Marrow
    instrument: Instrument
    run: Run
    cd146_of_msc: F32
    signals: F32 | None = None

    @property
    def panel(self) -> Panel:
        """What the tube was stained for."""
        return panel_of(self.order.panel)


def simulate_tube(order: TubeOrder, *, workers: int = 1, keep_signals: bool = False) -> Tube:
    """Simulate one tube.

    Parameters
    ----------
    workers : int
        Threads that make chunks; the events do not depend on it.
    keep_signals : bool
        Keep the antigens of every event, which takes half as much memory as the events again.

    Returns
    -------
    Tube
        Events in order of time; memory is that of the events and a few chunks.

    Raises
    ------
    UsageError
        The number of events, the rate or the seed is out of range.
    SpecificationError
        No such role, preparation or family.
    """
    plan = _plan(order)
    colours = panel_of(order.panel)
    starts = range(0, order.n_events, CHUNK_EVENTS)
    events = np.empty((order.n_events, len(colours.channel_names())), dtype=np.float32)
    signals = np.empty((order.n_events, len(colours.antigens)), dtype=np.float32) if keep_signals else None

    cd146 = colours.antigens.index("CD146")

    def make(start: int) -> tuple[Truth, F32]:
        end = min(start + CHUNK_EVENTS, order.n_events)
        chunk = make_chunk(plan, start, end - start)
        events[start:end] = chunk.events
        if signals is not None:
            signals[start:end] = chunk.signals
        return chunk.truth, chunk.signals[chunk.truth.is_one_of(*MSC), cd146]

    parts = _in_order(make, starts, workers)
    truth = join([part for part, _ in parts], _counted(order.scenario, colours))
    of_msc = np.concatenate([part for _, part in parts])
    return Tube(order, events, truth, plan.source.marrow, plan.instrument, plan.run, of_msc, signals)


def check_order(order: TubeOrder) -> None:
    """Refuse an order that cannot be carried out, before anything is made.

    Raises
    ------
    UsageError
        The number of events, the rate or the seed is out of range.
    SpecificationError
        No such role, preparation or family, or a scenario that cannot be.
    """
    check_scenario(order.scenario)
    colours = panel_of(order.panel)
    check_panel(order.scenario, colours)
    stain_for(order.role, colours)
    preparation(order.prepared)
    if not 1 <= order.n_events <= MAX_EVENTS:
        raise UsageError("simulate.events", f"{order.n_events:,} events asked for", hint=f"1 to {MAX_EVENTS:,}")
    if not 1.0 <= order.rate_per_s <= 100_000.0:
        raise UsageError("simulate.rate", f"{order.rate_per_s:g} events a second asked for", hint="1 to 100,000")
    if order.seed < 0:
        raise UsageError("simulate.seed", f"the seed is {order.seed}", hint="a whole number from 0")
    if order.family not in FAMILIES:
        hint = did_you_mean(order.family, FAMILIES)
        raise SpecificationError("simulate.family", f"there is no family '{order.family}'", hint=hint)


def _counted(made: Scenario, colours: Panel) -> tuple[str, ...]:
    """Return the kinds that the truth of a tube counts."""
    bone = ("osteolineage",) if made.osteolineage_ppm > 0 else ()
    return (*NAMES, *colours.parts, *bone)


def _in_order(make: Callable[[int], tuple[Truth, F32]], starts: range, workers: int) -> list[tuple[Truth, F32]]:
    if workers <= 1:
        return [make(start) for start in starts]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(make, starts))


def _plan(order: TubeOrder) -> Plan:
    check_order(order)
    made, colours = order.scenario, panel_of(order.panel)
    run_rng = stream(order.seed, "run", order.sample_id)
    found = None
    if made.run != NO_RUN_FAULTS:
        duration = max(order.n_events / order.rate_per_s, 1.0)
        found = draw_disturbance(
            made.run, duration, stream(order.seed, "disturbance", order.sample_id), len(colours.detectors)
        )
    return Plan(
        seed=order.seed,
        sample_id=order.sample_id,
        n_events=order.n_events,
        source=_source(order, made, order.donor, order.role),
        before=_tube_before(order),
        run=plan_run(order.n_events, order.rate_per_s, run_rng, found or no_disturbance(len(colours.detectors))),
        instrument=instrument_for(
            made.lab, order.family, seed=order.seed, batch=order.batch, donor=order.donor, panel=colours
        ),
    )


def _tube_before(order: TubeOrder) -> Source | None:
    """Return the stained tube of another donor that was acquired before, where something of it is left."""
    faults = order.scenario.run
    if faults.carryover_frac == 0.0:
        return None
    return _source(order, scenario(faults.carryover_from), f"before {order.donor}", "stained")


def _source(order: TubeOrder, made: Scenario, donor: str, role: str) -> Source:
    colours = panel_of(order.panel)
    marrow = draw_marrow(
        made,
        preparation(order.prepared),
        seed=order.seed,
        donor=donor,
        batch=order.batch,
        family=order.family,
        panel=colours,
    )
    return Source(marrow, made.dead_frac, made.doublet_frac, mistaken(stain_for(role, colours), made.lab))
