"""Cut-points against an independent reckoning of the same quantiles, and their draws against a plain loop."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.model.calibration import Reference
from stromagate.pattern import call_pattern
from stromagate.pattern.cut_points import N_RESAMPLES, AnyCalibration, Cuts, cut_points, levels
from tests.pattern.tubes import cohort, controls, fitted, tube

OFFSET = 5.0
_LOOPS = 3000


def by_rank(rates: Sequence[float], share: float) -> float:
    """Return the number at rank ``share * (n + 1)`` of log10(rate + c), between two the way between, as a rate."""
    ordered = sorted(math.log10(rate + OFFSET) for rate in rates)
    rank = share * (len(ordered) + 1)
    below = min(max(math.floor(rank), 1), len(ordered))
    above = min(below + 1, len(ordered))
    way = min(max(rank - below, 0.0), 1.0)
    return 10 ** (ordered[below - 1] + way * (ordered[above - 1] - ordered[below - 1])) - OFFSET


def found(calibration: AnyCalibration, n: int = 1, seed: int = 0) -> dict[str, Cuts]:
    cuts = cut_points(calibration, "nucleated", n, np.random.default_rng(seed))
    assert cuts is not None
    return {str(index): cut for index, cut in cuts.items()}


def skewed(n: int, seed: int = 1, *, noughts: float = 0.1) -> Reference:
    """Return rates with a long tail, a part of them nought."""
    rng = np.random.default_rng(seed)
    p, q = (np.where(rng.random(n) < noughts, 0.0, rng.lognormal(3, 1, n)) for _ in "PQ")
    return Reference(P=tuple(p.tolist()), Q=tuple(q.tolist()))


@pytest.mark.parametrize(("n", "low", "high"), [(40, 0.05, 0.95), (119, 0.05, 0.95), (120, 0.025, 0.975)])
def test_a_range_of_controls_is_that_of_the_ranks(n: int, low: float, high: float) -> None:
    rates = skewed(n)
    cuts = found(controls(n, rates={"nucleated": rates}))
    for index, values in (("P", rates.P), ("Q", rates.Q)):
        assert cuts[index].low == pytest.approx(by_rank(values, low), rel=1e-9, abs=1e-9)
        assert cuts[index].high == pytest.approx(by_rank(values, high), rel=1e-9)
    assert levels(controls(n)) == (low, high)


def test_forty_controls_reach_beyond_their_second_and_not_to_their_last() -> None:
    """Rank 0.05 * 41 = 2.05, and 38.95 from the other end: with a pencil, of the rates 1 to 40."""
    plain = tuple(float(rate) for rate in range(1, 41))
    cut = found(controls(40, rates={"nucleated": Reference(P=plain, Q=plain)}))["P"]
    assert 2 < cut.low < 2.06
    assert 38.9 < cut.high < 39


@pytest.mark.parametrize(("cut", "shares"), [("median", (0.5, 0.5)), ("tertiles", (1 / 3, 2 / 3))])
@pytest.mark.parametrize("n", [3, 30, 31])
def test_a_cohort_is_cut_at_its_median_or_tertiles(cut: str, shares: tuple[float, float], n: int) -> None:
    rates = skewed(n, seed=7)
    cuts = found(cohort(n, cut=cut, rates={"nucleated": rates}))
    for index, values in (("P", rates.P), ("Q", rates.Q)):
        assert (cuts[index].low, cuts[index].high) == pytest.approx(
            [by_rank(values, share) for share in shares], rel=1e-9, abs=1e-9
        )


@settings(max_examples=40)
@given(st.lists(st.floats(0, 1e5), min_size=40, max_size=60))
def test_cut_points_lie_among_the_tubes_in_order(rates: list[float]) -> None:
    cut = found(controls(len(rates), rates={"nucleated": Reference(P=tuple(rates), Q=tuple(rates))}), n=50)["P"]
    slack = 1e-9 * (max(rates) + OFFSET)
    assert min(rates) - slack <= cut.low <= cut.high <= max(rates) + slack
    assert np.all(cut.low_draws <= cut.high_draws)
    assert cut.low_draws.min() >= min(rates) - slack
    assert cut.high_draws.max() <= max(rates) + slack


@pytest.mark.parametrize("n", [40, 120])
def test_draws_spread_as_a_plain_bootstrap_does(n: int) -> None:
    rates = skewed(n, seed=3, noughts=0)
    low, high = levels(controls(n)) or (0, 0)
    rng = np.random.default_rng(99)
    loop = []
    for _ in range(_LOOPS):
        chosen = [rates.P[place] for place in rng.integers(0, n, n)]
        loop.append((by_rank(chosen, low), by_rank(chosen, high)))
    lows, highs = np.log10(np.array(loop) + OFFSET).T
    cut = found(controls(n, rates={"nucleated": rates}), n=10_000)["P"]
    for wanted, draws in ((lows, cut.low_draws), (highs, cut.high_draws)):
        here = np.log10(draws + OFFSET)
        assert np.std(here) == pytest.approx(np.std(wanted), rel=0.12)
        assert np.mean(here) == pytest.approx(np.mean(wanted), abs=5 * np.std(wanted) / math.sqrt(_LOOPS))


def test_draws_at_one_place_are_of_the_same_tubes() -> None:
    """P and Q of a tube belong together, its two ends too, and so do denominators that are drawn alike."""
    same = skewed(60)
    twice = Reference(P=same.P, Q=same.P)
    both = controls(60, rates={"nucleated": twice, "viable": twice})
    cuts = found(both, n=500)
    assert np.array_equal(cuts["P"].high_draws, cuts["Q"].high_draws)
    assert np.ptp(cuts["P"].high_draws) > 0
    other = cut_points(both, "viable", 500, np.random.default_rng(0))
    assert other is not None
    assert np.array_equal(other["P"].low_draws, cuts["P"].low_draws)
    again = found(both, n=500, seed=1)
    assert not np.array_equal(again["P"].high_draws, cuts["P"].high_draws)
    assert len(np.unique(found(both, n=50_000)["P"].high_draws)) <= N_RESAMPLES


def test_fewer_than_forty_controls_have_no_range() -> None:
    assert levels(controls(39)) is None
    assert cut_points(controls(39), "nucleated", 1, np.random.default_rng(0)) is None


@pytest.mark.parametrize("calibration", [controls(), cohort(), fitted()], ids=["L1", "L2", "L3"])
def test_of_a_denominator_that_it_does_not_know_there_is_none(calibration: AnyCalibration) -> None:
    assert cut_points(calibration, "viable", 1, np.random.default_rng(0)) is None


def test_fitted_cut_points_are_drawn_in_pairs() -> None:
    factors = tuple(np.geomspace(0.5, 2, 100))
    cuts = found(fitted(20.0, 40.0, draws=factors), n=400)
    assert (cuts["P"].low, cuts["P"].high, cuts["Q"].high) == (20, 20, 40)
    assert cuts["Q"].high_draws == pytest.approx(2 * cuts["P"].high_draws)
    assert np.array_equal(cuts["P"].low_draws, cuts["P"].high_draws)
    assert set(np.round(cuts["P"].high_draws / 20, 9)) <= set(np.round(factors, 9))


def test_a_percentile_counts_half_of_those_that_are_equal() -> None:
    """Of 20 tubes 8 lie below 20 per million, 5 at it and 7 above."""
    rates = (10.0,) * 8 + (20.0,) * 5 + (30.0,) * 7
    twenty = controls(20, rates={"nucleated": Reference(P=rates, Q=rates)})
    for p, share in ((20, (8 + 2.5) / 20), (19, 8 / 20), (21, 13 / 20), (10, 4 / 20), (0, 0.0), (31, 1.0)):
        assert call_pattern(tube(p, 40), twenty).indices[0].percentile == pytest.approx(share)


def test_a_tube_of_the_calibration_is_equal_to_itself() -> None:
    """Rates are kept to six digits: 17 in 1,234,567 are 13.77002 and some more."""
    total = {"nucleated": 1_234_567}
    own = call_pattern(tube(17, 40, totals=total)).indices[0].value
    assert own is not None
    assert own != 17e6 / 1_234_567
    rates = (1.0,) * 10 + (own,) + (99.0,) * 9
    twenty = controls(20, rates={"nucleated": Reference(P=rates, Q=rates)})
    assert call_pattern(tube(17, 40, totals=total), twenty).indices[0].percentile == 10.5 / 20
