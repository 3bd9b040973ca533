"""Intervals against the oracle tables, exact coverage by enumeration, and the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from scipy.stats import poisson as poisson_law

from stromagate.errors import UsageError
from stromagate.quantify import SHARE_INTERVALS
from stromagate.quantify.intervals import clopper_pearson, poisson, poisson_ratio, wilson
from stromagate.quantify.planner import plan, target_of_cv

# Events in a million: exact Poisson, Wilson and Clopper-Pearson bounds at 95 %, computed independently.
ORACLE = [
    (0, (0, 3.69), (0, 3.84), (0, 3.69)),
    (1, (0.03, 5.57), (0.18, 5.66), (0.03, 5.57)),
    (5, (1.62, 11.67), (2.14, 11.71), (1.62, 11.67)),
    (10, (4.80, 18.39), (5.43, 18.41), (4.80, 18.39)),
    (20, (12.22, 30.89), (12.95, 30.89), (12.22, 30.89)),
    (30, (20.24, 42.83), (21.02, 42.83), (20.24, 42.83)),
    (50, (37.11, 65.92), (37.93, 65.91), (37.11, 65.92)),
    (100, (81.36, 121.63), (82.23, 121.61), (81.36, 121.63)),
    (400, (361.8, 441.2), (362.7, 441.2), (361.8, 441.2)),
]


@pytest.mark.parametrize(("count", "exact", "score", "binomial"), ORACLE, ids=[str(row[0]) for row in ORACLE])
def test_oracle_table(
    count: int, exact: tuple[float, float], score: tuple[float, float], binomial: tuple[float, float]
) -> None:
    million, half_a_digit = 1_000_000, 0.0501 if count == 400 else 0.00501
    assert poisson(count) == pytest.approx(exact, abs=half_a_digit)
    assert [million * bound for bound in wilson(count, million)] == pytest.approx(score, abs=half_a_digit)
    assert [million * bound for bound in clopper_pearson(count, million)] == pytest.approx(binomial, abs=half_a_digit)


# The same counts: CV in percent, and the exact interval as multiples of the count.
RELATIVE = [
    (1, 100.0, (0.03, 5.57)),
    (5, 44.7, (0.32, 2.33)),
    (10, 31.6, (0.48, 1.84)),
    (20, 22.4, (0.61, 1.54)),
    (30, 18.3, (0.67, 1.43)),
    (50, 14.1, (0.74, 1.32)),
    (100, 10.0, (0.81, 1.22)),
    (400, 5.0, (0.90, 1.10)),
]


@pytest.mark.parametrize(("count", "cv_pct", "times"), RELATIVE, ids=[str(row[0]) for row in RELATIVE])
def test_oracle_table_of_relative_errors(count: int, cv_pct: float, times: tuple[float, float]) -> None:
    assert [bound / count for bound in poisson(count)] == pytest.approx(times, abs=0.00501)
    assert plan(100, count).cv_pct == pytest.approx(cv_pct, abs=0.0501)
    assert target_of_cv(100 / math.sqrt(count)) == count


def test_a_small_denominator() -> None:
    assert clopper_pearson(6, 21) == pytest.approx((0.113, 0.522), abs=5e-4)


def test_rule_of_three() -> None:
    assert clopper_pearson(0, 1_000_000, 0.90)[1] == pytest.approx(3.0e-6, rel=2e-3)
    assert clopper_pearson(0, 1_000_000)[1] == pytest.approx(3.69e-6, rel=1e-3)


def test_no_interval_is_walds() -> None:
    """Wald's is symmetrical about the share, and of nothing it says that there is nothing."""
    assert set(SHARE_INTERVALS) == {"clopper-pearson", "wilson"}
    for interval in SHARE_INTERVALS.values():
        low, high = interval(2, 1_000_000)
        assert high - 2e-6 > 1.5 * (2e-6 - low)
        assert interval(0, 100)[1] > 0.03


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize("total", [1, 2, 5, 13, 30])
def test_clopper_pearson_never_covers_less_than_it_says(total: int, confidence: float) -> None:
    """Exact enumeration: every outcome's probability is added where its interval holds the truth."""
    bounds = np.array([clopper_pearson(count, total, confidence) for count in range(total + 1)])
    # The worst truths lie right at the bounds, so those are tried from both sides besides a grid.
    edges = np.unique(bounds)
    truths = np.concatenate([np.linspace(0, 1, 401), edges - 1e-9, edges + 1e-9])
    truths = truths[(truths >= 0) & (truths <= 1)]
    inside = (bounds[:, :1] <= truths) & (truths <= bounds[:, 1:])
    coverage = (binom.pmf(np.arange(total + 1)[:, None], total, truths) * inside).sum(axis=0)
    assert coverage.min() >= confidence - 1e-7
    assert coverage.min() < confidence + 0.35 / math.sqrt(total)  # and is no empty promise such as (0, 1)


def test_poisson_never_covers_less_than_it_says() -> None:
    counts = np.arange(200)
    bounds = np.array([poisson(int(count)) for count in counts])
    edges = bounds[:60].ravel()
    for truth in np.concatenate([np.linspace(0.01, 60, 300), edges + 1e-9, edges[edges > 0] - 1e-9]):
        inside = (bounds[:, 0] <= truth) & (truth <= bounds[:, 1])
        assert poisson_law.pmf(counts, truth)[inside].sum() >= 0.95 - 1e-9


def test_ratio_never_covers_less_than_it_says() -> None:
    """Two Poisson counts of small means; the intervals of all pairs are enumerated."""
    bounds = {(k, m): poisson_ratio(k, m) for k in range(41) for m in range(41) if k + m}
    for mean, other in [(3.0, 10.0), (12.0, 4.0), (8.0, 8.0)]:
        truth = mean / other
        missed = sum(
            poisson_law.pmf(k, mean) * poisson_law.pmf(m, other)
            for (k, m), (low, high) in bounds.items()
            if truth < low or (high is not None and truth > high)
        )
        assert 0 < missed <= 0.05


def test_shared_events_only_make_the_ratio_safer() -> None:
    """Three Poisson counts, one of them in both: the interval for independent counts covers as least as often."""
    rng = np.random.default_rng(5)
    for only, shared, other in [(6.0, 6.0, 20.0), (2.0, 15.0, 15.0), (20.0, 1.0, 4.0)]:
        draws = rng.poisson((only, shared, other), (3000, 3))
        truth = (only + shared) / (other + shared)
        kept = [(int(a + s), int(b + s)) for a, s, b in draws if a + s + b]
        bounds = [poisson_ratio(k, m) for k, m in kept]
        hits = sum(low <= truth and (high is None or truth <= high) for low, high in bounds)
        assert hits / len(kept) >= 0.95


counts_and_totals = st.integers(1, 10_000_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(derandomize=True, deadline=None)
@given(counts_and_totals, st.floats(0.5, 0.999), st.sampled_from([clopper_pearson, wilson]))
def test_the_interval_holds_the_estimate_and_stays_a_share(pair, confidence, interval) -> None:
    count, total = pair
    low, high = interval(count, total, confidence)
    assert 0 <= low <= count / total <= high <= 1
    assert (low == 0) == (count == 0)
    assert (high == 1) == (count == total)


@settings(derandomize=True, deadline=None)
@given(counts_and_totals)
def test_the_interval_of_the_rest_is_the_mirror_image(pair) -> None:
    count, total = pair
    low, high = clopper_pearson(count, total)
    assert clopper_pearson(total - count, total) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 100_000))
def test_bounds_rise_with_the_count_and_widen_with_the_confidence(count: int) -> None:
    for interval in (
        poisson,
        lambda k, c=0.95: clopper_pearson(k, 1_000_000, c),
        lambda k, c=0.95: wilson(k, 1_000_000, c),
    ):
        low, high = interval(count)
        more_low, more_high = interval(count + 1)
        wide_low, wide_high = interval(count, 0.99)
        assert more_low > low
        assert more_high > high
        assert wide_low <= low < high < wide_high


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_ratio_turned_round_has_the_bounds_turned_round(count: int, other: int) -> None:
    low, high = poisson_ratio(count, other)
    assert high is not None
    assert low <= count / other <= high
    turned_low, turned_high = poisson_ratio(other, count)
    assert turned_low == pytest.approx(1 / high, rel=1e-9)
    assert (turned_high is None) == (count == 0)
    if turned_high is not None:
        assert turned_high == pytest.approx(1 / low, rel=1e-9)


def test_a_ratio_over_nothing_has_no_upper_bound() -> None:
    low, high = poisson_ratio(5, 0)
    assert low > 0
    assert high is None


@pytest.mark.parametrize("interval", [clopper_pearson, wilson])
@pytest.mark.parametrize(("count", "total"), [(-1, 5), (6, 5), (0, 0), (1, -3)])
def test_impossible_counts_are_refused(interval, count: int, total: int) -> None:
    with pytest.raises(UsageError, match="no interval can be made") as caught:
        interval(count, total)
    assert caught.value.code == "quantify.counts"


def test_impossible_counts_of_a_mean_and_a_ratio_are_refused() -> None:
    with pytest.raises(UsageError):
        poisson(-1)
    with pytest.raises(UsageError):
        poisson_ratio(0, 0)


@pytest.mark.parametrize("confidence", [0.0, 1.0, -0.5, 95.0, math.nan])
def test_impossible_confidence_is_refused(confidence: float) -> None:
    for call in (lambda: clopper_pearson(1, 2, confidence), lambda: poisson(1, confidence)):
        with pytest.raises(UsageError) as caught:
            call()
        assert caught.value.code == "quantify.confidence"


@settings(derandomize=True, deadline=None)
@given(st.integers(2, 100_000).flatmap(lambda n: st.tuples(st.integers(1, n - 1), st.just(n))))
def test_wilsons_bounds_are_where_the_score_test_turns(pair) -> None:
    count, total = pair
    for bound in wilson(count, total):
        z = (count / total - bound) / math.sqrt(bound * (1 - bound) / total)
        assert abs(z) == pytest.approx(1.959964, rel=1e-5)
