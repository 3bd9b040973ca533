"""What goes wrong in a run can be measured from the events as a cytometrist would, and stands in the truth."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.simulate.acquisition import TIMESTEP_S
from stromagate.simulate.disturbances import CARRYOVER_WINDOW_S, Span, disturbed, draw_disturbance
from stromagate.simulate.faults import RunFaults
from stromagate.simulate.panel import CEILING, DETECTORS
from stromagate.simulate.populations import code_of
from stromagate.simulate.scatter import TRIGGER_UNITS
from stromagate.simulate.scenarios import scenario
from stromagate.simulate.truth import BUBBLE, CARRYOVER, CLOG, NO_PARTICLE, count_rows
from stromagate.simulate.tube import Tube, TubeOrder, simulate_tube

FIRST = 5
CD45 = [detector.marker for detector in DETECTORS].index("CD45")
BASE = TubeOrder(scenario("healthy"), "tube", "donor", n_events=150_000, seed=21)


@cache
def _tube(**faults: float) -> Tube:
    made = replace(BASE.scenario, run=RunFaults(**faults))
    return simulate_tube(replace(BASE, scenario=made), workers=2)


def _time_s(tube: Tube) -> np.ndarray:
    return tube.events[:, -1].astype(np.float64) * TIMESTEP_S


def _spans(tube: Tube, kind: str) -> list[Span]:
    return [span for span in tube.run.disturbance.spans if span.kind == kind]


def _t_cells(tube: Tube) -> np.ndarray:
    return tube.truth.is_one_of("t_cell") & tube.truth.viable_singlet


def test_no_faults_is_the_plain_tube() -> None:
    assert _tube().events.tobytes() == simulate_tube(BASE).events.tobytes()


@pytest.mark.parametrize("decades", [0.1, 0.2])
def test_drift_is_recovered_from_first_and_last_cells(decades: float) -> None:
    """By the brightest cells of each detector: the light of the chosen two has moved, that of the others has not."""
    tube = _tube(drift_decades=decades, drift_channels=2)
    drift = tube.run.disturbance.drift_decades
    assert sorted(np.abs(drift[drift != 0]).round(9)) == [decades] * 2
    time = _time_s(tube)
    early, late = time < 0.1 * time[-1], time > 0.9 * time[-1]
    cells = {0: ("erythrocyte", "late_erythroblast"), CD45: ("t_cell",)}
    for detector in range(len(DETECTORS)):
        kind = cells.get(detector, ("neutrophil",))
        rows = tube.truth.is_one_of(*kind) & tube.truth.viable_singlet
        seen = tube.events[:, FIRST + detector]
        moved = np.log10(np.median(seen[rows & late]) / np.median(seen[rows & early]))
        assert moved == pytest.approx(0.9 * drift[detector], abs=0.035), DETECTORS[detector].pnn


def test_clogs_hold_events_back_and_dim_them() -> None:
    tube = _tube(clogs=3)
    time, flagged = _time_s(tube), tube.truth.flags & CLOG > 0
    spans = _spans(tube, "clog")
    assert len(spans) == 3
    usual = (~flagged).sum() / (time[-1] - sum(span.end_s - span.start_s for span in spans))
    # The run is longer than the events would need without clogs: outside them the rate is what was asked for.
    assert usual == pytest.approx(BASE.rate_per_s, rel=0.05)
    plain = np.median(tube.events[_t_cells(tube) & ~flagged][:, [0, 3, FIRST + CD45]], axis=0)
    for span in spans:
        length = (span.end_s - span.start_s) / time[-1]
        assert 0.018 <= length <= 0.085
        inside = (time >= span.start_s + TIMESTEP_S) & (time < span.end_s - TIMESTEP_S)
        assert flagged[inside].all()
        rate = inside.sum() / (span.end_s - span.start_s)
        assert rate / usual == pytest.approx(span.rate_frac, abs=0.06)
        assert 0.05 <= span.rate_frac <= 0.40
        assert 0.2 <= span.light_decades <= 0.5
        dim = np.median(tube.events[_t_cells(tube) & inside][:, [0, 3, FIRST + CD45]], axis=0)
        assert np.log10(plain / dim) == pytest.approx(span.light_decades, abs=0.05)
    assert not flagged[time < min(span.start_s for span in spans) - TIMESTEP_S].any()


def test_what_is_dimmed_still_made_an_event() -> None:
    tube = _tube(clogs=3)
    clogged = tube.truth.flags & CLOG > 0
    assert tube.events[clogged, 0].min() >= TRIGGER_UNITS
    debris = tube.truth.is_one_of("debris") & (tube.truth.secondary == NO_PARTICLE)
    assert np.median(tube.events[debris & clogged, 0]) < np.median(tube.events[debris & ~clogged, 0])


def test_bubbles_are_bursts_of_events_without_colour() -> None:
    tube = _tube(bubbles=4)
    air = tube.truth.flags & BUBBLE > 0
    spans = _spans(tube, "bubble")
    time = _time_s(tube)
    assert len(spans) == 4
    assert 0.002 < air.mean() < 0.05
    per_tenth = np.bincount((time / 0.1).astype(np.intp))
    assert per_tenth.max() > 1.6 * np.median(per_tenth)
    near = np.zeros(air.size, dtype=np.bool_)
    for span in spans:
        near |= (time >= span.start_s - TIMESTEP_S) & (time <= span.end_s + TIMESTEP_S)
    assert near[air].all()
    assert (tube.truth.primary[air] == code_of("debris")).all()
    assert np.median(tube.events[air, FIRST + CD45]) < 200
    # Scatter of any size, from the trigger up to the ceiling.
    assert np.log10(np.percentile(tube.events[air, 0], 95) / np.percentile(tube.events[air, 0], 5)) > 1.2
    assert tube.events[air].max() <= CEILING


@pytest.mark.parametrize("frac", [0.0002, 0.001])
def test_carryover_comes_first_and_is_not_counted(frac: float) -> None:
    tube = _tube(carryover_frac=frac)
    left = tube.truth.flags & CARRYOVER > 0
    expected = frac * BASE.n_events
    assert left.sum() == pytest.approx(expected, abs=4 * expected**0.5)
    assert _time_s(tube)[left].max() < CARRYOVER_WINDOW_S
    assert np.median(_time_s(tube)[left]) < 4.0
    assert not (tube.truth.viable_singlet & left).any()
    counted = {str(row[1]): row[2] for row in count_rows("t", tube.truth)}
    own = tube.truth.is_one_of("blast") & ~left
    assert counted["blast"] == own.sum() == 0


def test_carryover_brings_the_cells_and_antibodies_of_the_tube_before() -> None:
    """Into an FMO tube it brings the very marker that was left out: blasts of a stained AML tube keep their CD45."""
    made = replace(BASE.scenario, run=RunFaults(carryover_frac=0.004))
    tube = simulate_tube(replace(BASE, role="unstained", scenario=made), workers=2)
    left = tube.truth.flags & CARRYOVER > 0
    blasts = left & tube.truth.is_one_of("blast")
    assert blasts.sum() > 0.2 * left.sum()
    assert np.median(tube.events[blasts, FIRST + CD45]) > 1_000
    assert np.median(tube.events[~left, FIRST + CD45]) < 200


def test_faults_are_the_same_for_any_number_of_workers() -> None:
    order = replace(BASE, scenario=scenario("rough_run"), n_events=120_000)
    one, many = simulate_tube(order), simulate_tube(order, workers=8)
    assert one.events.tobytes() == many.events.tobytes()
    assert np.array_equal(one.truth.flags, many.truth.flags)
    assert {CLOG, BUBBLE, CARRYOVER} <= {int(bit) for bit in (16, 32, 64) if (one.truth.flags & bit).any()}


def test_another_tube_has_other_clogs() -> None:
    order = replace(BASE, scenario=scenario("clog"), n_events=2_000)
    first, second = simulate_tube(order), simulate_tube(replace(order, sample_id="other"))
    assert _spans(first, "clog") != _spans(second, "clog")


def test_a_run_shorter_than_the_carryover_window_has_its_share_too() -> None:
    made = replace(BASE.scenario, run=RunFaults(carryover_frac=0.01, clogs=1, bubbles=1))
    tube = simulate_tube(replace(BASE, n_events=10_000, scenario=made))
    assert (tube.truth.flags & CARRYOVER > 0).sum() == pytest.approx(100, abs=40)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(
    clogs=st.integers(0, 10),
    bubbles=st.integers(0, 10),
    n_bins=st.integers(1, 200),
    seed=st.integers(0, 10_000),
)
def test_any_faults_leave_a_run_that_can_be_run(clogs: int, bubbles: int, n_bins: int, seed: int) -> None:
    """Time runs forward, clogs never overlap, and outside all spans the rate is what it was."""
    rng = np.random.Generator(np.random.PCG64(seed))
    edges, mass = np.linspace(0.0, n_bins * 1.0, n_bins + 1), rng.uniform(0.8, 1.2, n_bins)
    found = draw_disturbance(RunFaults(clogs=clogs, bubbles=bubbles), float(n_bins), rng)
    new_edges, held, moved = disturbed(edges, mass, found)
    assert np.all(np.diff(new_edges) > 0)
    assert np.all(held > 0)
    assert new_edges[0] == 0.0
    spans = [span for span in moved.spans if span.kind == "clog"]
    assert all(first.end_s < second.start_s for first, second in pairwise(spans))
    assert all(0 <= span.start_s < span.end_s <= new_edges[-1] * (1 + 1e-9) for span in moved.spans)
    middle = 0.5 * (new_edges[:-1] + new_edges[1:])
    outside = np.ones(middle.size, dtype=np.bool_)
    for span in moved.spans:
        outside &= (middle < span.start_s) | (middle >= span.end_s)
    # As many events as before, so that the rate outside is the mass of its bin.
    scale = mass.sum() / held.sum()
    old = np.clip(np.searchsorted(edges, middle * edges[-1] / new_edges[-1], side="right") - 1, 0, n_bins - 1)
    rate = held * scale / np.diff(new_edges)
    assert rate[outside] == pytest.approx(mass[old][outside], rel=1e-9)
