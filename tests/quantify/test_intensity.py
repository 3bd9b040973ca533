"""Medians and their order-statistic intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from stromagate.quantify.intensity import _depth, median


@pytest.mark.parametrize(
    ("n", "low_rank", "high_rank"),
    # Printed tables of distribution-free 95 % intervals of a median (Conover, Practical Nonparametric Statistics).
    [(6, 1, 6), (8, 1, 8), (9, 2, 8), (10, 2, 9), (15, 4, 12), (20, 6, 15), (25, 8, 18)],
)
def test_ranks_of_the_printed_tables(n: int, low_rank: int, high_rank: int) -> None:
    values = np.random.default_rng(n).permutation(np.arange(1, n + 1)).astype(np.float32)
    centre, low, high, used = median(values)
    assert (centre, low, high, used) == ((n + 1) / 2, low_rank, high_rank, n)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_events_bound_nothing(n: int) -> None:
    assert median(np.arange(n, dtype=np.float32)) == ((n - 1) / 2, None, None, n)


@settings(derandomize=True, deadline=None)
@given(st.integers(1, 3_000_000), st.sampled_from([0.5, 0.8, 0.95, 0.999]))
def test_the_depth_is_the_largest_that_covers(n: int, confidence: float) -> None:
    depth, tail = _depth(n, confidence), (1 - confidence) / 2
    assert depth <= n // 2 + 1
    assert depth == 0 or binom.cdf(depth - 1, n, 0.5) <= tail * (1 + 1e-9)
    assert binom.cdf(depth, n, 0.5) > tail * (1 - 1e-9)


@settings(derandomize=True, deadline=None)
@given(st.lists(st.floats(width=32), min_size=1).filter(lambda values: any(map(math.isfinite, values))))
def test_what_is_not_finite_is_left_out(values: list[float]) -> None:
    finite = [value for value in values if math.isfinite(value)]
    data = np.array(values, dtype=np.float32)
    before = data.copy()
    centre, low, high, n = median(data)
    assert n == len(finite)
    assert centre == float(np.median(np.array(finite, dtype=np.float64)))
    assert low is None or low <= centre <= high
    np.testing.assert_array_equal(data, before)


def test_coverage_on_a_skewed_distribution() -> None:
    rng = np.random.default_rng(20)
    hits = 0
    for _ in range(2000):
        _, low, high, _ = median(rng.lognormal(0, 2, 62).astype(np.float32))
        hits += low <= 1.0 <= high
    assert 0.94 <= hits / 2000 <= 0.99
