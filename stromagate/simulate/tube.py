"""One tube from scenario to events and truth, in chunks that any number of workers may make in any order."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stromagate.errors import UsageError
from stromagate.model.sample import F32
from stromagate.simulate import acquisition, doublets, optics, scatter
from stromagate.simulate.antigens import Codes, draw_antigens
from stromagate.simulate.marrow import Marrow, draw_marrow, preparation
from stromagate.simulate.panel import Stain, channel_names, stain_for
from stromagate.simulate.populations import MSC, POPULATIONS, code_of
from stromagate.simulate.scenarios import Scenario
from stromagate.simulate.seeds import stream
from stromagate.simulate.truth import BY_CHANCE, DEAD, DEAD_SECOND, NO_PARTICLE, STUCK, Truth, join

CHUNK_EVENTS = 50_000
MAX_EVENTS = 50_000_000

_DEAD_FACTOR = np.array([population.dead_factor for population in POPULATIONS])
_NUCLEATED = np.array([population.nucleated for population in POPULATIONS])
_SCATTER_COLUMNS = 5


@dataclass(frozen=True, slots=True)
class TubeOrder:
    """What to simulate: a tube of a donor of a scenario.

    ``donor`` and ``batch`` decide what all tubes of that donor share; ``sample_id`` the cells that are drawn.
    """

    scenario: Scenario
    sample_id: str
    donor: str
    role: str = "stained"
    prepared: str = "whole"
    batch: str = "batch_01"
    n_events: int = 200_000
    rate_per_s: float = 2_000.0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Tube:
    """A simulated tube: ``events`` of shape (n_events, 14) in the columns of `panel.channel_names`, and their truth."""

    order: TubeOrder
    events: F32
    truth: Truth
    marrow: Marrow


@dataclass(frozen=True, slots=True)
class _Plan:
    order: TubeOrder
    marrow: Marrow
    stain: Stain
    run: acquisition.Run


def simulate_tube(order: TubeOrder, *, workers: int = 1) -> Tube:
    """Simulate one tube.

    Parameters
    ----------
    workers : int
        Threads that make chunks; the events do not depend on it.

    Returns
    -------
    Tube
        Events in order of time; memory is that of the events and a few chunks.

    Raises
    ------
    UsageError
        The number of events, the rate or the seed is out of range.
    SpecificationError
        No such role or preparation.
    """
    plan = _plan(order)
    starts = range(0, order.n_events, CHUNK_EVENTS)
    events = np.empty((order.n_events, len(channel_names())), dtype=np.float32)

    def make(start: int) -> Truth:
        part, truth = _chunk(plan, start)
        events[start : start + part.shape[0]] = part
        return truth

    return Tube(order, events, join(_in_order(make, starts, workers)), plan.marrow)


def _in_order(make: Callable[[int], Truth], starts: range, workers: int) -> list[Truth]:
    if workers <= 1:
        return [make(start) for start in starts]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(make, starts))


def _plan(order: TubeOrder) -> _Plan:
    if not 1 <= order.n_events <= MAX_EVENTS:
        raise UsageError("simulate.events", f"{order.n_events:,} events asked for", hint=f"1 to {MAX_EVENTS:,}")
    if not 1.0 <= order.rate_per_s <= 100_000.0:
        raise UsageError("simulate.rate", f"{order.rate_per_s:g} events a second asked for", hint="1 to 100,000")
    if order.seed < 0:
        raise UsageError("simulate.seed", f"the seed is {order.seed}", hint="a whole number from 0")
    marrow = draw_marrow(
        order.scenario, preparation(order.prepared), seed=order.seed, donor=order.donor, batch=order.batch
    )
    run = acquisition.plan_run(order.n_events, order.rate_per_s, stream(order.seed, "run", order.sample_id))
    return _Plan(order, marrow, stain_for(order.role), run)


def _chunk(plan: _Plan, start: int) -> tuple[F32, Truth]:
    """Make the events from ``start`` on; a function of plan and start alone."""
    order = plan.order
    rng = stream(order.seed, "cells", order.sample_id, start)
    n = min(CHUNK_EVENTS, order.n_events - start)
    share = (start / order.n_events, (start + n) / order.n_events)
    times = acquisition.arrival_times_s(plan.run, share, n, rng)
    first = acquisition.clump(doublets.draw_codes(plan.marrow.shares, n, rng), times, plan.run, rng)
    rate = acquisition.rate_at(plan.run, times)
    pairs = doublets.draw_partners(first, plan.marrow, order.scenario.doublet_frac, rate, rng)
    first, pairs = _nucleated_first(first, pairs)
    codes = np.concatenate([first, pairs.codes])
    dead = rng.random(codes.size) < np.minimum(order.scenario.dead_frac * _DEAD_FACTOR[codes], 0.9)
    size = rng.standard_normal(codes.size)
    antigen, cd146_high = draw_antigens(codes, size, plan.marrow.antigens, rng)
    codes[cd146_high] = code_of(MSC[1])
    leak = optics.draw_leaks(dead, rng)
    expected = optics.light(
        optics.dye_signals(codes, antigen, leak, plan.stain, rng), optics.autofluorescence(codes, size, leak, rng)
    )
    expected[pairs.rows] += expected[n:]
    pulses = scatter.draw_pulses(codes, size, dead, rng)
    front, back = pulses.take(np.arange(n)), pulses.take(np.arange(n, codes.size))
    gaps = doublets.gaps_um(front.diameter_um[pairs.rows], back.diameter_um, pairs.by_chance, rng)
    events = np.empty((n, len(channel_names())), dtype=np.float32)
    events[:, :_SCATTER_COLUMNS] = scatter.columns(front, back, pairs.rows, gaps)
    events[:, _SCATTER_COLUMNS:-1] = optics.detect(expected[:n], rng)
    events[:, -1] = np.floor(times / acquisition.TIMESTEP_S)
    return events, _truth(codes, dead, pairs, n)


def _nucleated_first(first: Codes, pairs: doublets.Partners) -> tuple[Codes, doublets.Partners]:
    """Let the nucleated one of two particles stand first, so that debris does not hide a cell from the truth."""
    swap = ~_NUCLEATED[first[pairs.rows]] & _NUCLEATED[pairs.codes]
    rows = pairs.rows[swap]
    codes, moved = pairs.codes.copy(), first.copy()
    codes[swap], moved[rows] = first[rows], pairs.codes[swap]
    return moved, doublets.Partners(pairs.rows, codes, pairs.by_chance)


def _truth(codes: Codes, dead: NDArray[np.bool_], pairs: doublets.Partners, n: int) -> Truth:
    secondary = np.full(n, NO_PARTICLE, dtype=np.uint8)
    secondary[pairs.rows] = codes[n:]
    flags = np.where(dead[:n], DEAD, 0).astype(np.uint8)
    flags[pairs.rows] |= np.where(dead[n:], DEAD_SECOND, 0).astype(np.uint8)
    flags[pairs.rows] |= np.where(pairs.by_chance, BY_CHANCE, STUCK).astype(np.uint8)
    return Truth(codes[:n], secondary, flags)
