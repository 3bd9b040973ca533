"""One stretch of a tube, from cells to digits: a function of the tube's plan and where the stretch begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stromagate.model.sample import F32, F64
from stromagate.simulate import acquisition, disturbances, doublets, optics, scatter
from stromagate.simulate.antigens import Codes, draw_antigens
from stromagate.simulate.instrument import Instrument
from stromagate.simulate.marrow import Marrow
from stromagate.simulate.panel import CEILING
from stromagate.simulate.populations import ALL_POPULATIONS, MSC, code_of
from stromagate.simulate.seeds import stream
from stromagate.simulate.stain import Stain
from stromagate.simulate.truth import (
    BUBBLE,
    BY_CHANCE,
    CARRYOVER,
    CLOG,
    DEAD,
    DEAD_SECOND,
    NO_PARTICLE,
    STUCK,
    Truth,
)

_DEAD_FACTOR = np.array([population.dead_factor for population in ALL_POPULATIONS])
_NUCLEATED = np.array([population.nucleated for population in ALL_POPULATIONS])
_N_SCATTER = 5


@dataclass(frozen=True, slots=True)
class Source:
    """Where cells come from, and what was done to them: a marrow, its share of dead cells, the antibodies."""

    marrow: Marrow
    dead_frac: float
    doublet_frac: float
    stain: Stain


@dataclass(frozen=True, slots=True)
class Plan:
    """All that decides a tube: its source, that of the tube before, the run, the instrument, and the random streams."""

    seed: int
    sample_id: str
    n_events: int
    source: Source
    before: Source | None
    run: acquisition.Run
    instrument: Instrument


@dataclass(frozen=True, slots=True)
class Chunk:
    """Events of shape (n, n_channels), what they are, and the antigens on them before light: shape (n, n_antigens)."""

    events: F32
    truth: Truth
    signals: F32


def make_chunk(plan: Plan, start: int, n: int) -> Chunk:
    """Make ``n`` events from ``start`` on."""
    rng = stream(plan.seed, "cells", plan.sample_id, start)
    share = (start / plan.n_events, (start + n) / plan.n_events)
    times = acquisition.arrival_times_s(plan.run, share, n, rng)
    first = acquisition.clump(doublets.draw_codes(plan.source.marrow.shares, n, rng), times, plan.run, rng)
    rate = acquisition.rate_at(plan.run, times)
    pairs = doublets.draw_partners(first, plan.source.marrow, plan.source.doublet_frac, rate, rng)
    chunk = record(plan.source, plan.instrument, *_nucleated_first(first, pairs), times, plan.run.disturbance, rng)
    _overwrite(chunk, plan, start, times, rate)
    if plan.instrument.compensated:
        colours = chunk.events[:, _N_SCATTER:-1] @ np.linalg.inv(plan.instrument.stated)
        chunk.events[:, _N_SCATTER:-1] = np.minimum(np.rint(colours), CEILING)
    return chunk


def record(
    source: Source,
    instrument: Instrument,
    first: Codes,
    pairs: doublets.Partners,
    times: F64,
    found: disturbances.Disturbance,
    rng: np.random.Generator,
) -> Chunk:
    """Let particles pass the instrument.

    Parameters
    ----------
    first : ndarray of uint8, shape (n_events,)
        The particle of every event.
    pairs : Partners
        A second particle of some events.
    times : ndarray of float64, shape (n_events,), seconds
    """
    n, panel = first.size, source.stain.panel
    codes = np.concatenate([first, pairs.codes])
    dead = rng.random(codes.size) < np.minimum(source.dead_frac * _DEAD_FACTOR[codes], 0.9)
    size = rng.standard_normal(codes.size)
    antigen, cd146_high = draw_antigens(codes, size, source.marrow.antigens, rng)
    codes[cd146_high] = code_of(MSC[1])
    leak = optics.draw_leaks(dead, rng)
    dyes = optics.dye_signals(codes, antigen, leak, source.stain, rng)
    glow = optics.autofluorescence(codes, size, leak, rng, panel.detectors) * instrument.autofluorescence
    expected = optics.light(dyes, glow, instrument.spillover) * instrument.gain
    expected[pairs.rows] += expected[n:]
    pulses = scatter.draw_pulses(codes, size, dead, rng)
    front, back = pulses.take(np.arange(n)), pulses.take(np.arange(n, codes.size))
    gaps = doublets.gaps_um(front.diameter_um[pairs.rows], back.diameter_um, pairs.by_chance, rng)
    events = np.empty((n, len(panel.channel_names())), dtype=np.float32)
    events[:, :_N_SCATTER] = scatter.columns(front, back, pairs.rows, gaps, instrument.scatter_gain)
    factor = disturbances.light_factor(found, times)
    seen = expected[:n] if factor is None else expected[:n] * factor
    events[:, _N_SCATTER:-1] = optics.detect(seen, rng, instrument.detectors)
    events[:, -1] = np.floor(times / acquisition.TIMESTEP_S)
    truth = _truth(codes, dead, pairs, n)
    if factor is not None:
        disturbances.dim_scatter(events[:, :_N_SCATTER], codes[:n] == code_of("debris"), found, times)
        truth.flags[disturbances.clogged(found, times)] |= CLOG
    antigen[pairs.rows] += antigen[n:]
    return Chunk(events, truth, antigen[:n].astype(np.float32))


def _overwrite(chunk: Chunk, plan: Plan, start: int, times: F64, rate: F64) -> None:
    """Put what is no cell of this tube in the place of some events: cells of the tube before, and air."""
    found = plan.run.disturbance
    if plan.before is not None:
        rng = stream(plan.seed, "carryover", plan.sample_id, start)
        rows = disturbances.draw_carryover(found, plan.n_events, times, rate, rng)
        codes = doublets.draw_codes(plan.before.marrow.shares, rows.size, rng)
        left = record(plan.before, plan.instrument, codes, doublets.no_partners(), times[rows], found, rng)
        _put(chunk, rows, left, CARRYOVER)
    if any(span.kind == "bubble" for span in found.spans):
        rng = stream(plan.seed, "bubbles", plan.sample_id, start)
        rows = disturbances.draw_bubbles(found, times, rng)
        events = chunk.events[rows]
        events[:, :-1] = disturbances.bubble_events(rows.size, rng, plan.source.stain.panel.detectors)
        debris = np.full(rows.size, code_of("debris"), dtype=np.uint8)
        truth = Truth(debris, np.full_like(debris, NO_PARTICLE), chunk.truth.flags[rows] & np.uint8(CLOG))
        _put(chunk, rows, Chunk(events, truth, np.zeros_like(chunk.signals[rows])), BUBBLE)


def _put(chunk: Chunk, rows: NDArray[np.intp], other: Chunk, flag: int) -> None:
    chunk.events[rows] = other.events
    chunk.signals[rows] = other.signals
    chunk.truth.primary[rows], chunk.truth.secondary[rows] = other.truth.primary, other.truth.secondary
    chunk.truth.flags[rows] = other.truth.flags | flag


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
