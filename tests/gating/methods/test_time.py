"""Steady time: clogs and steps are cut out, clean tubes are left alone, and what cannot be judged is kept and said."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from stromagate.gating.method import Fit
from stromagate.gating.methods.time import Params, fit
from stromagate.model.gates import Boolean, Spans
from tests.gating.methods.populations import FakePopulation

SLICES = 2000


def tube(
    seed: int,
    n: int = 60_000,
    *,
    bad: tuple[float, float] = (0.0, 0.0),
    rate: float = 1.0,
    shift_decades: float = 0.0,
    drift_decades: float = 0.0,
    tick_s: float | None = None,
) -> tuple[FakePopulation, NDArray[np.bool_]]:
    """Return 300 s whose flow rate wanders (autoregressive, 10 %) and the events acquired in the bad part of it."""
    rng = np.random.default_rng(seed)
    wander = np.zeros(SLICES)
    for i in range(1, SLICES):
        wander[i] = 0.98 * wander[i - 1] + rng.normal(0, 0.02)
    flow = np.exp(wander)
    flow[int(bad[0] * SLICES) : int(bad[1] * SLICES)] *= rate
    part = np.sort(rng.choice(SLICES, n, p=flow / flow.sum()))
    time = np.sort(part + rng.random(n)) / SLICES * 300
    spoilt = (time >= bad[0] * 300) & (time < bad[1] * 300)
    columns = {"Time": time if tick_s is None else np.floor(time / tick_s) * tick_s}
    for k in range(6):
        signal = np.where(rng.random(n) < 0.4, rng.normal(0.6, 0.07, n), rng.normal(0.25, 0.06, n))
        moved = drift_decades * time / 300 * (k < 2) + shift_decades * spoilt * (k < 3)
        columns[f"marker {k}"] = signal + moved / 4.5
    return FakePopulation({axis: column.astype(np.float32) for axis, column in columns.items()}), spoilt


def run(population: FakePopulation, params: Params | None = None) -> Fit:
    return fit(population, params or Params(), np.random.default_rng(0))


def kept(fitted: Fit, population: FakePopulation) -> NDArray[np.bool_]:
    assert isinstance(fitted.geometry, Spans), fitted.sentence
    edges = [edge for span in fitted.geometry.spans for edge in span]
    assert edges == sorted(set(edges)), "spans are ascending and disjoint"
    time = population.values["Time"].astype(np.float64)
    return np.logical_or.reduce([(time >= low) & (time < high) for low, high in fitted.geometry.spans])


@pytest.mark.parametrize("tick_s", [None, 0.01, 0.1, 1.0])
@pytest.mark.parametrize("n", [5_000, 20_000, 100_000])
def test_clean_tube_loses_nothing(n: int, tick_s: float | None) -> None:
    for seed in range(3):
        population, _ = tube(seed, n, tick_s=tick_s)
        fitted = run(population)
        assert kept(fitted, population).all(), fitted.sentence
        assert fitted.state == "fitted"
        assert "nothing cut out" in fitted.sentence


def test_slow_drift_is_left_to_quality_control() -> None:
    population, _ = tube(1, drift_decades=0.2)
    assert kept(run(population), population).all()


@pytest.mark.parametrize(("width", "rate", "shift"), [(0.02, 0.4, 0.2), (0.05, 0.2, 0.3), (0.08, 0.05, 0.5)])
@pytest.mark.parametrize("start", [0.0, 0.3, 0.9])
def test_clog_is_cut_out(start: float, width: float, rate: float, shift: float) -> None:
    population, spoilt = tube(2, bad=(start, start + width), rate=rate, shift_decades=shift)
    fitted = run(population)
    stays = kept(fitted, population)
    assert (~stays[spoilt]).mean() >= 0.95, fitted.sentence
    assert stays[~spoilt].mean() >= 0.96, fitted.sentence
    assert "flow rate" in fitted.sentence


def test_shift_of_signals_at_a_steady_rate_is_cut_out_and_named() -> None:
    population, spoilt = tube(3, bad=(0.5, 0.55), shift_decades=0.25)
    fitted = run(population)
    assert (~kept(fitted, population)[spoilt]).mean() >= 0.95
    assert "marker 0, marker 1 and marker 2 shifted" in fitted.sentence
    unaffected = run(population, Params(signals=("marker 4",)))
    assert kept(unaffected, population).all()


def test_step_is_cut_out_and_warns() -> None:
    population, spoilt = tube(4, bad=(0.7, 1.0), shift_decades=0.3)
    fitted = run(population)
    assert (~kept(fitted, population)[spoilt]).mean() >= 0.95
    assert "more than 20 %: check the acquisition" in fitted.sentence


@pytest.mark.parametrize("tick_s", [None, 0.05])
def test_first_and_last_event_are_inside(tick_s: float | None) -> None:
    population, _ = tube(5, 10_000, tick_s=tick_s)
    stays = kept(run(population), population)
    assert stays[0]
    assert stays[-1]


def test_time_that_cannot_be_judged_keeps_everything_and_says_why() -> None:
    population, _ = tube(6, 10_000)
    time = population.values["Time"]
    signal = {"CD45": population.values["marker 0"]}
    cases = {
        "no axis Time": signal,
        "too few different values": {"Time": np.full_like(time, 3.0), **signal},
        "runs backwards": {"Time": np.concatenate([time[5_000:], time[:5_000]]), **signal},
        "events are too few": {axis: column[:1_999] for axis, column in {"Time": time, **signal}.items()},
    }
    for reason, columns in cases.items():
        fitted = run(FakePopulation(columns))
        assert fitted.state == "fallback"
        assert fitted.geometry == Boolean("none", ())
        assert reason in fitted.sentence


def test_named_signals_count_as_axes_used() -> None:
    assert Params(signals=("CD45",)).axes_used() == ("Time", "CD45")
