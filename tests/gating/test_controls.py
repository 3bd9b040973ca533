"""What controls hand over: pooling is putting together, thinning keeps the tails whole, nothing stumbles over NaN."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from stromagate.gating.controls import (
    BODY_VALUES,
    TAIL_EVENTS,
    below,
    describe,
    distribution,
    pooled,
    quantiles,
    redrawn,
    thinned,
)
from stromagate.gating.engine import Gated
from stromagate.model.controls import Distribution
from stromagate.model.gates import Axis, GateTree
from stromagate.model.sample import F32
from stromagate.model.scales import Scale
from stromagate.model.template import ControlNeed
from tests.gating.tubes import ready

FEW = arrays.arrays(
    np.float32,
    st.integers(0, 60),
    elements=st.floats(-1e6, 1e6, width=32) | st.sampled_from([np.nan, np.inf, -np.inf]),
)


def lognormal(n: int, seed: int = 1) -> F32:
    return np.random.default_rng(seed).lognormal(4, 0.6, n).astype(np.float32)


@given(FEW, FEW, st.floats(-1e6, 1e6, width=32))
@settings(derandomize=True, deadline=None)
def test_pooling_is_putting_the_events_together(one: F32, other: F32, value: float) -> None:
    together = pooled([distribution(one), distribution(other)])
    events = np.concatenate([one, other])
    events = events[np.isfinite(events)]
    assert together.n == events.size
    assert together.at_least(value) == np.count_nonzero(events >= np.float32(value))
    assert np.array_equal(together.values, np.sort(events))


@given(FEW.filter(lambda values: np.isfinite(values).sum() > 1), st.floats(0, 1))
@settings(derandomize=True, deadline=None)
def test_quantiles_are_those_of_the_events(values: F32, fraction: float) -> None:
    """The middle of each weight is Hazen's rule."""
    events = values[np.isfinite(values)].astype(np.float64)
    wanted = np.quantile(events, fraction, method="hazen")
    assert quantiles(distribution(values), (fraction,))[0] == pytest.approx(wanted, rel=1e-6, abs=1e-3)


def test_a_large_population_keeps_its_tails_event_by_event() -> None:
    values = lognormal(400_000)
    thin, events = distribution(values), np.sort(values)
    assert distribution(values[:9_000]).values.size == 9_000
    assert thin.values.size == 2 * TAIL_EVENTS + BODY_VALUES
    assert thin.n == values.size
    assert np.array_equal(thin.values[-TAIL_EVENTS:], events[-TAIL_EVENTS:])
    assert np.array_equal(thin.values[:TAIL_EVENTS], events[:TAIL_EVENTS])
    assert np.all(thin.weights[-TAIL_EVENTS:] == 1)
    for value in events[[-1, -2, -50, -3999]]:
        assert thin.at_least(float(value)) == np.count_nonzero(values >= value)


def test_the_body_is_known_to_less_than_a_thousandth_of_its_events() -> None:
    values = lognormal(400_000)
    fractions = np.linspace(0.01, 0.99, 99)
    found = quantiles(distribution(values), tuple(fractions))
    ranks = np.searchsorted(np.sort(values), found.astype(np.float32)) / values.size
    assert np.abs(ranks - fractions).max() < 1e-3


def test_thinning_what_was_thinned_and_pooled_keeps_count_and_order() -> None:
    pool = pooled([distribution(lognormal(100_000, seed)) for seed in range(4)])
    thin = thinned(pool)
    assert thin.n == pool.n == 400_000
    assert thin.values.size <= 2 * TAIL_EVENTS + BODY_VALUES
    assert np.all(np.diff(thin.values) >= 0)
    assert np.allclose(quantiles(thin, (0.1, 0.5, 0.9)), quantiles(pool, (0.1, 0.5, 0.9)), rtol=2e-3)


def test_nothing_pools_to_nothing() -> None:
    assert pooled([]).n == 0
    assert np.isnan(quantiles(pooled([]), (0.5,))).all()
    assert np.isnan(quantiles(Distribution(np.ones(2, np.float32), np.zeros(2)), (0.5,))).all()
    assert below(pooled([]), 3.0).n == 0


def test_below_leaves_the_value_itself_out() -> None:
    assert below(distribution(np.array([1, 2, 2, 3], dtype=np.float32)), 2.0).n == 1


def test_a_redraw_keeps_values_and_the_expected_number() -> None:
    whole = distribution(lognormal(50_000))
    draws = [redrawn(whole, np.random.default_rng(seed)) for seed in range(20)]
    assert all(np.array_equal(draw.values, whole.values) for draw in draws)
    counts = np.array([draw.n for draw in draws])
    assert counts.mean() == pytest.approx(50_000, rel=0.005)
    assert 0.4 < counts.std(ddof=1) / np.sqrt(50_000) < 1.8


def test_what_a_control_does_not_show_is_absent() -> None:
    values = np.array([[1, np.nan], [2, 5], [3, 7], [np.inf, 8]], dtype=np.float32)
    tube = ready(values, ("A", "B"), {"CD45": Axis("A", Scale(), False), "CD146": Axis("B", Scale(), False)})
    members = {"all": np.arange(4), "anchor": np.array([0, 1, 2]), "nobody": np.array([], dtype=np.intp)}
    gated = Gated(GateTree(()), members, {})
    asked = [("anchor", "CD146"), ("nobody", "CD45"), ("absent", "CD45"), ("anchor", "CD31"), ("anchor", "CD146")]
    found = describe(tube, gated, [ControlNeed("fmo:CD146", *each) for each in asked])
    assert set(found) == {("anchor", "CD146"), ("nobody", "CD45")}
    assert found["anchor", "CD146"].values.tolist() == [5, 7]
    assert found["nobody", "CD45"].n == 0
