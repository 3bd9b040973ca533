"""A cut borrowed from a population of the same tube: where it lies, how sure it is, and when it means nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from stromagate.gating.method import Fit
from stromagate.gating.methods.reference import METHOD, Params
from stromagate.model.gates import Interval
from stromagate.model.sample import F32
from tests.gating.methods.populations import ASINH, FakePopulation
from tests.gating.methods.stroma_tubes import display


def fitted(linear: F32, seed: int = 1, **params: object) -> Fit:
    lymphocytes = FakePopulation({"CD45": display(linear)}, "lymphocytes", {"CD45": ASINH})
    parent = FakePopulation(
        {"CD45": display(np.linspace(-100, 9_000, 500, dtype=np.float32))},
        "viable",
        {"CD45": ASINH},
        {"lymphocytes": lymphocytes},
    )
    given = {"axis": "CD45", "keep": "below", "population": "lymphocytes", **params}
    return METHOD.fit(parent, Params.model_validate(given), np.random.default_rng(seed))


def cut(fit: Fit) -> float:
    """Return the cut in linear units."""
    assert isinstance(fit.geometry, Interval), fit.sentence
    assert fit.geometry.high is not None
    return float(np.sinh(10 * fit.geometry.high) * 100)


def bright(n: int = 4_000, seed: int = 3) -> F32:
    return np.random.default_rng(seed).lognormal(np.log(8_000), 0.4, n).astype(np.float32)


def dim(n: int = 4_000, seed: int = 3) -> F32:
    return np.random.default_rng(seed).normal(20, 60, n).astype(np.float32)


@given(st.floats(-2, 1), st.integers(0, 100))
@settings(derandomize=True, deadline=None, max_examples=30)
def test_decades_are_decades(decades: float, seed: int) -> None:
    values = bright(seed=seed)
    fit = fitted(values, offset_decades=decades)
    assert cut(fit) == pytest.approx(float(np.median(values)) * 10**decades, rel=1e-3)


@given(st.floats(0.2, 5))
@settings(derandomize=True, deadline=None, max_examples=20)
def test_a_change_of_gain_moves_the_cut_by_as_much(gain: float) -> None:
    one, other = (cut(fitted(np.float32(times) * bright(), offset_decades=-1)) for times in (1, gain))
    assert other / one == pytest.approx(gain, rel=1e-3)


@pytest.mark.parametrize(("at", "part"), [("lower", 0.025), ("upper", 0.975), ("median", 0.5)])
def test_edges_are_quantiles(at: str, part: float) -> None:
    assert cut(fitted(bright(), at=at)) == pytest.approx(float(np.quantile(bright(), part)), rel=0.01)


def test_an_edge_can_be_taken_further_in() -> None:
    assert cut(fitted(bright(), at="upper", edge_frac=0.16)) == pytest.approx(
        float(np.quantile(bright(), 0.84)), rel=0.01
    )


def test_widths_are_those_of_the_side() -> None:
    """A log-normal shown by asinh far from zero is normal: its deviation is 0.4 / 10 of the display."""
    for widths in (-2.0, 3.0):
        fit = fitted(bright(40_000), offset_widths=widths)
        assert isinstance(fit.geometry, Interval)
        middle = float(np.arcsinh(np.median(bright(40_000)) / 100) / 10)
        assert (fit.geometry.high or 0) - middle == pytest.approx(widths * 0.04, rel=0.03)


def test_decades_from_a_population_at_zero_are_not_evaluable() -> None:
    fit = fitted(dim(), offset_decades=-1)
    assert fit.state == "not_evaluable"
    assert "reaches zero" in fit.sentence
    assert "offset_widths" in fit.sentence


def test_widths_from_a_population_at_zero_are() -> None:
    """By the upper deviation as it is displayed: from 20 to 80 units, three times."""
    fit = fitted(dim(), offset_widths=3)
    assert isinstance(fit.geometry, Interval)
    middle, above = (float(np.arcsinh(value / 100) / 10) for value in (20, 80))
    assert fit.geometry.high == pytest.approx(middle + 3 * (above - middle), rel=0.03)


def test_few_events_are_not_evaluable() -> None:
    fit = fitted(bright(60))
    assert fit.state == "not_evaluable"
    assert "60 events of lymphocytes are too few to measure from (at least 100)" in fit.sentence


def test_equal_values_have_no_width() -> None:
    assert "has no width" in fitted(np.full(500, 70, dtype=np.float32)).sentence


def test_both_offsets_are_refused() -> None:
    with pytest.raises(ValidationError, match="not both"):
        fitted(bright(), offset_decades=1, offset_widths=1)


@pytest.mark.parametrize("params", [{"offset_decades": -1.0}, {"at": "upper"}, {"at": "lower", "offset_widths": -2.0}])
def test_the_spread_is_that_of_fresh_tubes(params: dict[str, object]) -> None:
    fits = [fitted(bright(400, seed), **params) for seed in range(40)]
    places = [fit.geometry.high for fit in fits if isinstance(fit.geometry, Interval)]
    spreads = [fit.spread for fit in fits if fit.spread is not None]
    assert 0.6 < float(np.median(spreads)) / float(np.std(places, ddof=1)) < 1.6  # type: ignore[arg-type]  # all are cut


def test_the_sentence_says_where_and_of_whom() -> None:
    fit = fitted(bright(), offset_decades=-1)
    assert "1 decade below the median of lymphocytes (4,000 events)" in fit.sentence
    assert fit.source == "lymphocytes, 4,000 events"
    params = Params.model_validate({"axis": "CD45", "keep": "below", "population": "lymphocytes", "offset_widths": 2})
    assert METHOD.explain(params) == "CD45 below 2 deviations above the median of lymphocytes"
