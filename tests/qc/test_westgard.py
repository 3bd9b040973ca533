"""Limits and rules: published numbers, and what must hold of any values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.qc.westgard import Limits, beyond_chance, broken, limits, robust

# Copper in wholemeal flour (Analytical Methods Committee 1989), and its estimate by Huber's proposal 2 with k = 1.5.
COPPER = [2.9, 3.1, 3.4, 3.4, 3.7, 3.7, 2.8, 2.5, 2.4, 2.4, 2.7, 2.2,
          5.28, 3.37, 3.03, 3.03, 28.95, 3.77, 3.4, 2.2, 3.5, 3.6, 3.7, 3.7]  # fmt: skip
UNIT = Limits(0.0, 1.0)
values = st.lists(st.floats(-50, 50).map(lambda v: round(v, 3)), min_size=5, max_size=40)


def test_the_published_example() -> None:
    found = robust(COPPER)
    assert found is not None
    assert found.mean == pytest.approx(3.21, abs=0.005)
    assert found.sd == pytest.approx(0.67, abs=0.005)


def test_normal_values_give_their_mean_and_deviation() -> None:
    found = limits(list(np.random.default_rng(1).normal(7, 2, 20_000)))
    assert found is not None
    assert found.mean == pytest.approx(7, abs=0.05)
    assert found.sd == pytest.approx(2, rel=0.02)


@settings(max_examples=40)
@given(values=values, shift=st.floats(-100, 100), scale=st.floats(0.1, 100))
def test_another_unit_is_another_unit_and_no_more(values: list[float], shift: float, scale: float) -> None:
    one, other = robust(values), robust([scale * value + shift for value in values])
    if one is None or other is None or one.sd < 1e-3:
        return
    assert other.mean == pytest.approx(scale * one.mean + shift, rel=1e-5, abs=1e-5 * scale * one.sd)
    assert other.sd == pytest.approx(scale * one.sd, rel=1e-5)


@settings(max_examples=40)
@given(values=values)
def test_the_order_of_a_baseline_does_not_matter(values: list[float]) -> None:
    assert limits(values) == limits(values[::-1])


@settings(max_examples=40)
@given(values=st.lists(st.floats(-1, 1), min_size=10, max_size=30, unique=True), far=st.floats(1e3, 1e9))
def test_one_bad_run_is_held_off_wherever_it_lies(values: list[float], far: float) -> None:
    one, further = limits([*values, far]), limits([*values, 1e3 * far])
    assert one is not None
    assert further is not None
    assert further.mean == pytest.approx(one.mean, abs=1e-6)
    assert further.sd == pytest.approx(one.sd, abs=1e-6)


@pytest.mark.parametrize("baseline", [[], [1.0], [2.0] * 20])
def test_without_spread_there_are_no_limits(baseline: list[float]) -> None:
    assert limits(baseline) is None


def test_a_baseline_of_mostly_equal_values_has_limits_or_none_but_never_zero() -> None:
    found = limits([1.0] * 18 + [1.5, 2.0])
    assert found is None or found.sd > 0


@pytest.mark.parametrize(
    ("row", "rules"),
    [
        ([0.0, 3.1], ("1-3s",)),
        ([0.0, -3.1], ("1-3s",)),
        ([0.0, 3.0], ()),
        ([2.1, 2.2], ("2-2s",)),
        ([2.1, -2.2], ()),
        ([2.1, 2.0], ()),
        ([2.1, 0.0, 2.1], ()),
        ([2.1, None, 2.1], ("2-2s",)),
        ([3.5, 3.5], ("1-3s", "2-2s")),
        ([0.1] * 9, ()),
        ([0.1] * 10, ("10x",)),
        ([-0.1] * 10, ("10x",)),
        ([0.1] * 9 + [-0.1], ()),
        ([0.1] * 9 + [0.0], ()),
        ([0.1] * 5 + [None] + [0.1] * 5, ("10x",)),
    ],
)
def test_the_rules_as_they_were_published(row: list[float | None], rules: tuple[str, ...]) -> None:
    found = broken(row, UNIT)
    assert len(found) == len(row)
    assert found[-1] == rules


def test_a_batch_without_a_value_breaks_nothing() -> None:
    assert broken([3.5, None], UNIT) == [("1-3s",), ()]
    assert broken([], UNIT) == []


@settings(max_examples=40)
@given(row=st.lists(st.floats(-5, 5), max_size=25))
def test_what_comes_later_changes_nothing_before(row: list[float]) -> None:
    assert broken([*row, 9.0], UNIT)[: len(row)] == broken(row, UNIT)


def test_normal_values_break_the_first_rule_as_seldom_as_they_should() -> None:
    rows = broken(list(np.random.default_rng(3).normal(size=40_000)), UNIT)
    assert np.mean(["1-3s" in rules for rules in rows]) == pytest.approx(0.0027, abs=0.001)


def test_three_deviations_hold_as_many_further_values_after_a_small_baseline_as_after_a_large_one() -> None:
    """The deviation of twenty values is too small as often as too large, and outside of three of it lie too many."""
    rng = np.random.default_rng(5)
    plain = wide = 0
    for _ in range(3000):
        *baseline, further = rng.normal(size=21)
        raw, found = robust(baseline), limits(baseline)
        assert raw is not None
        assert found is not None
        plain += abs(further - raw.mean) > 3 * raw.sd
        wide += abs(further - found.mean) > 3 * found.sd
    assert plain / 3000 > 0.005
    assert wide / 3000 == pytest.approx(0.0027, abs=0.0022)


def test_the_more_series_the_further_out_chance_reaches() -> None:
    reaches = [beyond_chance(n) for n in (1, 4, 24, 100)]
    assert reaches == sorted(reaches)
    assert reaches[0] == 3.0
    assert reaches[2] == pytest.approx(3.53, abs=0.01)
