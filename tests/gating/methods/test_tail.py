"""The tail: rare positives, the right peak, and a width that positives do not touch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.gating.method import Fit
from stromagate.gating.methods.tail import Params, fit
from stromagate.model.gates import Interval
from stromagate.model.sample import F64
from tests.gating.methods.populations import one_axis

ABOVE = Params(axis="CD271", keep="above")


def run(values: object, params: Params = ABOVE, seed: int = 0) -> Fit:
    return fit(one_axis(values, "CD271"), params, np.random.default_rng(seed))


def cut(values: object, params: Params = ABOVE, seed: int = 0) -> float:
    geometry = run(values, params, seed).geometry
    assert isinstance(geometry, Interval)
    edge = geometry.low if params.keep == "above" else geometry.high
    assert edge is not None
    return edge


def rare(ppm: int, seed: int, *, wide: bool = False, distance: float = 8.0) -> tuple[F64, int]:
    """A million events: negatives of deviation 1 (2 % of deviation 2 where wide), positives of 0.7 first."""
    rng, n = np.random.default_rng(seed), 1_000_000
    values = rng.normal(0, 1, n)
    if wide:
        values[rng.random(n) < 0.02] *= 2
    values[:ppm] = rng.normal(distance, 0.7, ppm)
    return values, ppm


@pytest.mark.parametrize("ppm", [10, 100, 1000])
def test_rare_positives_are_found_among_a_million(ppm: int) -> None:
    for seed in range(2):
        values, k = rare(ppm, seed)
        kept = values.astype(np.float32) >= cut(values)
        assert kept[:k].sum() >= 0.99 * k
        assert kept[k:].sum() <= 3


@pytest.mark.parametrize("ppm", [100, 1000])
def test_wide_negatives_are_held_off_by_their_mirror(ppm: int) -> None:
    """Where a fixed distance lets 120 false events in, the mirror finds a cut close to the best there is (F1 0.95)."""
    values, k = rare(ppm, 3, wide=True)
    kept = values.astype(np.float32) >= cut(values, Params(axis="CD271", keep="above", mads=4, false_per_million=5))
    true, false = int(kept[:k].sum()), int(kept[k:].sum())
    assert 2 * true / (true + false + k) >= 0.90


def test_positives_that_the_negative_explains_are_called_not_separable() -> None:
    values, _ = rare(100, 1, wide=True, distance=6.0)
    assert "not separable" in run(values).sentence
    assert "not separable" not in run(rare(100, 1)[0]).sentence


def test_positives_do_not_widen_the_negative() -> None:
    rng = np.random.default_rng(0)
    negative = rng.normal(0.2, 0.05, 50_000)
    alone = cut(negative)
    assert alone == pytest.approx(0.45, abs=0.02)
    for n_positive in (500, 5_000, 40_000):
        assert cut(np.concatenate([negative, rng.normal(0.65, 0.08, n_positive)])) == pytest.approx(alone, abs=0.02)


def test_which_peak_is_the_negative_is_said_not_guessed() -> None:
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(0.2, 0.03, 5_000), rng.normal(0.6, 0.03, 50_000), rng.normal(0.9, 0.02, 3_000)])
    for negative, centre in (("lowest", 0.2), ("dominant", 0.6), ("highest", 0.9)):
        params = Params.model_validate({"axis": "CD271", "keep": "below", "negative": negative, "mads": 3})
        assert cut(values, params) == pytest.approx(centre + 3 * (0.02 if negative == "highest" else 0.03), abs=0.02)
    searched = Params(axis="CD271", keep="below", search=(0.1, 0.3), mads=3)
    assert cut(values, searched) == pytest.approx(0.29, abs=0.02)
    nothing = run(values, Params(axis="CD271", keep="below", search=(0.3, 0.4)))
    assert nothing.state == "not_evaluable"


def test_side_below_is_the_mirror_image() -> None:
    values, _ = rare(1000, 2)
    below = Params(axis="CD271", keep="below", side="below")
    assert cut(-values, below) == pytest.approx(-cut(values), abs=0.05)


@given(shift=st.floats(-3, 3), scale=st.floats(0.01, 100), seed=st.integers(0, 50))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_moves_with_the_data(shift: float, scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.normal(0.2, 0.05, 3_000), rng.normal(0.7, 0.05, 300)])
    plain = run(values)
    assert isinstance(plain.geometry, Interval)
    assert plain.spread
    expected = shift + scale * (plain.geometry.low or 0)
    assert cut(shift + scale * values) == pytest.approx(expected, abs=scale * (0.3 * plain.spread + 1e-3))


@pytest.mark.parametrize("mads", [3.0, 4.0, 6.0])
def test_more_deviations_cut_further_out(mads: float) -> None:
    values = np.random.default_rng(0).normal(0.2, 0.05, 20_000)
    assert cut(values, Params(axis="CD271", keep="above", mads=mads)) == pytest.approx(0.2 + 0.05 * mads, abs=0.02)


def test_spread_is_what_repetition_shows() -> None:
    fits = [run(np.random.default_rng(seed).normal(0.2, 0.05, 5_000), seed=seed) for seed in range(60)]
    seen = np.std([fitted.geometry.low for fitted in fits if isinstance(fitted.geometry, Interval)], ddof=1)
    assert 0.6 < np.mean([fitted.spread or 0 for fitted in fits]) / seen < 1.7


def test_pile_at_the_end_of_the_range_falls_back_and_says_so() -> None:
    values = np.clip(np.random.default_rng(0).normal(0.0, 0.1, 20_000), 0, None)
    fitted = run(values)
    assert fitted.state == "fallback"
    assert "other side is empty" in fitted.sentence
    assert cut(values) == pytest.approx(0.5, abs=0.05)


def test_skewed_negative_is_said_and_can_be_allowed_for() -> None:
    values = np.random.default_rng(0).gamma(5, 0.03, 100_000)
    assert "times as wide on that side" in run(values).sentence
    assert "times as wide on that side" not in run(np.random.default_rng(0).normal(0.2, 0.05, 100_000)).sentence
    allowed = Params(axis="CD271", keep="above", allow_skew=True)
    assert np.mean(values >= cut(values, allowed)) < 0.25 * np.mean(values >= cut(values))


def test_too_few_events() -> None:
    fitted = run(np.random.default_rng(0).normal(0, 1, 99))
    assert fitted.state == "not_evaluable"
    assert "99 events are too few" in fitted.sentence
