"""Do tubes agree: the worked examples, what chance does, and limits of tubes that differ."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from stromagate.errors import UsageError
from stromagate.quantify.dispersion import dispersion, overdispersed

N = 400_000


def test_worked_examples() -> None:
    alike, apart = dispersion([18, 22, 26], [N] * 3), dispersion([18, 22, 45], [N] * 3)
    assert (round(alike.p, 2), alike.agree) == (0.48, True)
    assert (round(apart.p, 4), apart.agree) == (0.0006, False)


@given(st.lists(st.tuples(st.integers(30, 3000), st.integers(20_000, 10**6)), min_size=2, max_size=6))
@settings(max_examples=50)
def test_large_counts_are_the_chi_square_test_of_the_table(tubes: list[tuple[int, int]]) -> None:
    counts, totals = zip(*tubes, strict=True)
    table = np.array([counts, np.subtract(totals, counts)])
    reference = chi2_contingency(table, correction=False)
    found = dispersion(counts, totals)
    assert found.chi_square == pytest.approx(reference.statistic, rel=1e-6, abs=1e-9)
    if reference.expected_freq.min() >= 5:
        assert found.p == pytest.approx(reference.pvalue, rel=1e-6)


@given(st.permutations([(18, 400_000), (22, 500_000), (45, 300_000), (3, 90_000)]))
@settings(max_examples=10)
def test_the_order_of_tubes_does_not_matter(tubes: list[tuple[int, int]]) -> None:
    found = dispersion(*zip(*tubes, strict=True))
    assert found.p == pytest.approx(dispersion([18, 22, 45, 3], [400_000, 500_000, 300_000, 90_000]).p, rel=1e-9)


def test_other_depths_are_no_difference() -> None:
    assert dispersion([10, 100, 40], [100_000, 1_000_000, 400_000]).chi_square == pytest.approx(0, abs=1e-9)


def test_small_counts_are_held_to_their_own_chance() -> None:
    """The exact chance that all of four cells are in one of two equal tubes is one in eight."""
    assert dispersion([4, 0], [N, N]).p == pytest.approx(1 / 8, abs=0.01)
    assert dispersion([9, 0], [N, N]).p == pytest.approx(2 / 2**9, abs=0.002)
    assert dispersion([5, 1], [6, 6]).p == pytest.approx(0.0801, abs=0.01), "Fisher's test of the table"
    assert dispersion([4, 0], [N, N]).p == dispersion([4, 0], [N, N]).p


@pytest.mark.parametrize("mean", [2.0, 30.0])
def test_tubes_that_agree_are_told_apart_in_one_of_twenty(mean: float) -> None:
    rng = np.random.default_rng(3)
    n = 300
    told = sum(not dispersion([int(k) for k in rng.poisson(mean, 3)], [N] * 3).agree for _ in range(n))
    assert told / n <= 0.05 + 3 * (0.05 * 0.95 / n) ** 0.5


@pytest.mark.parametrize(("counts", "totals"), [([0, 0], [5, 9]), ([5, 9], [5, 9])])
def test_none_or_all_differ_in_nothing(counts: list[int], totals: list[int]) -> None:
    found = dispersion(counts, totals)
    assert (found.p, found.factor, found.agree) == (1.0, 0.0, True)


def test_the_spread_is_set_beside_that_of_counting() -> None:
    found = dispersion([18, 22, 45], [N] * 3)
    assert found.cv_pct == pytest.approx(51.4, abs=0.1)
    assert found.poisson_cv_pct == pytest.approx(18.8, abs=0.1)
    assert found.factor == pytest.approx(7.49, abs=0.01)


def test_limits_of_tubes_that_differ() -> None:
    low, high = (1e6 * limit for limit in overdispersed([18, 22, 45], [N] * 3, 0.95))
    # Rate 70.8, variance 7.5 times that of 85 events, t of two degrees of freedom 4.303.
    assert (low, high) == pytest.approx((19.74, 254.1), rel=1e-3)
    more = overdispersed([18, 22, 45] * 3, [N] * 9, 0.95)
    assert 1e6 * more[1] < high


def test_limits_of_tubes_hold_the_truth() -> None:
    """Five tubes whose rates scatter with a CV of 50 %: the interval must hold their mean in about 95 of 100 sets."""
    rng = np.random.default_rng(8)
    mean, n = 60.0, 400
    inside = 0
    for _ in range(n):
        counts = [int(k) for k in rng.poisson(rng.gamma(4, mean / 4, 5))]
        low, high = overdispersed(counts, [N] * 5, 0.95)
        inside += low <= mean / N <= high
    assert inside / n == pytest.approx(0.95, abs=0.04)


def test_tubes_without_any_event_have_no_limits_of_a_spread() -> None:
    with pytest.raises(UsageError, match="none of 3 tubes holds an event"):
        overdispersed([0, 0, 0], [N] * 3, 0.95)
    with pytest.raises(UsageError, match="the confidence of an interval is 95"):
        overdispersed([18, 22, 45], [N] * 3, 95)


@pytest.mark.parametrize(
    ("counts", "totals"), [([5], [9]), ([], []), ([5, 4], [9]), ([5, -1], [9, 9]), ([5, 10], [9, 9]), ([0, 0], [0, 9])]
)
def test_what_cannot_be_compared(counts: list[int], totals: list[int]) -> None:
    with pytest.raises(UsageError, match="cannot be compared"):
        dispersion(counts, totals)
