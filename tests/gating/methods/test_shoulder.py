"""The shoulder: a valley or a slower fall beside the negative, the same on any units, and no cut where there
is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.gating.method import Fit
from stromagate.gating.methods.shoulder import Params, fit
from stromagate.model.gates import NOT_SEPARABLE, Interval
from stromagate.model.sample import F64
from tests.gating.methods.populations import one_axis

ABOVE = Params(axis="CD271", keep="above")


def run(values: object, params: Params = ABOVE, seed: int = 0) -> Fit:
    return fit(one_axis(values, "CD271"), params, np.random.default_rng(seed))


def cut(values: object, params: Params = ABOVE, seed: int = 0) -> float:
    fitted = run(values, params, seed)
    assert isinstance(fitted.geometry, Interval), fitted.sentence
    edge = fitted.geometry.low if params.keep == "above" else fitted.geometry.high
    assert edge is not None
    return edge


def two(n: int, k: int, distance: float, seed: int = 0) -> F64:
    """Negatives of deviation 1 around 0 and k positives of 0.7, these first."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(distance, 0.7, k), rng.normal(0, 1, n - k)])


def f1(values: F64, k: int, at: float) -> float:
    kept = values >= at
    return 2 * int(kept[:k].sum()) / int(kept.sum() + k)


def test_a_hump_is_cut_off_at_the_lowest_place_before_it() -> None:
    values = two(200_000, 2_000, 8)
    fitted = run(values)
    assert "lowest place before the peak at" in fitted.sentence
    assert fitted.state == "fitted"
    assert not fitted.doubts
    assert f1(values, 2_000, cut(values)) > 0.99


def test_a_shoulder_without_a_peak_of_its_own_is_found() -> None:
    """Five per thousand at four deviations make no second peak at any smoothing, and yet bend the fall."""
    values = two(200_000, 1_000, 4)
    fitted = run(values)
    assert "fall slows down" in fitted.sentence
    best = max(f1(values, 1_000, at) for at in np.linspace(2, 6, 81))
    assert f1(values, 1_000, cut(values)) > best - 0.1


@pytest.mark.parametrize("n", [500, 3_000, 50_000, 500_000])
def test_a_single_peak_has_no_shoulder_and_is_not_cut_at_the_end_of_the_range(n: int) -> None:
    for seed in range(4):
        fitted = run(np.random.default_rng(seed).normal(0.2, 0.05, n), seed=seed)
        assert fitted.geometry is None, fitted.sentence
        assert fitted.doubts == (NOT_SEPARABLE,)
        assert NOT_SEPARABLE in fitted.sentence


def test_wide_negatives_alone_are_called_what_they_are() -> None:
    """Both tails are wide: what lies beyond the shoulder is what lies beyond the other one."""
    rng = np.random.default_rng(4)
    values = rng.normal(0, 1, 300_000)
    values[rng.random(values.size) < 0.02] *= 2
    fitted = run(values)
    assert fitted.doubts == (NOT_SEPARABLE,), fitted.sentence
    assert "from the negative's own tail" in fitted.sentence


def test_side_below_is_the_mirror_image() -> None:
    values = two(100_000, 1_000, 7)
    below = Params(axis="CD271", keep="below", side="below")
    assert cut(-values, below) == pytest.approx(-cut(values), abs=0.05)


@given(shift=st.floats(-3, 3), scale=st.floats(0.01, 100), seed=st.integers(0, 50))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_moves_with_the_data(shift: float, scale: float, seed: int) -> None:
    values = two(20_000, 600, 7, seed)
    plain = run(values)
    assert isinstance(plain.geometry, Interval)
    assert plain.spread
    expected = shift + scale * (plain.geometry.low or 0)
    assert cut(shift + scale * values) == pytest.approx(expected, abs=scale * max(plain.spread, 0.02))


def test_spread_is_what_repetition_shows() -> None:
    for distance in (4, 6):
        fits = [run(two(50_000, 1_000, distance, seed), seed=seed) for seed in range(20)]
        cuts = [fitted.geometry.low for fitted in fits if isinstance(fitted.geometry, Interval)]
        assert len(cuts) >= 16
        told = float(np.mean([fitted.spread for fitted in fits if fitted.spread is not None]))
        assert 0.5 < told / np.std(cuts, ddof=1) < 2.5


def test_is_forbidden_under_500_events() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 500"):
        Params(axis="CD271", keep="above", min_events=499)
    assert "499 events are too few for a shoulder" in run(two(499, 100, 8)).sentence
