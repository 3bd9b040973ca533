"""Plans against the table of events to acquire, and what a plan refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from stromagate.errors import UsageError
from stromagate.quantify.planner import (
    Losses,
    assured_mean,
    coincidence,
    plan,
    target_of_cv,
    without_erythroblasts,
)

# Millions of viable nucleated events, on average and for 95 % assurance, by frequency per million and cells to count.
ORACLE = [
    (10, 20, 2.0, 2.8),
    (10, 50, 5.0, 6.2),
    (10, 100, 10, 11.7),
    (30, 20, 0.67, 0.93),
    (30, 50, 1.7, 2.1),
    (30, 100, 3.3, 3.9),
    (50, 20, 0.40, 0.56),
    (50, 50, 1.0, 1.24),
    (50, 100, 2.0, 2.3),
    (100, 20, 0.20, 0.28),
    (100, 50, 0.50, 0.62),
    (100, 100, 1.0, 1.2),
]
NOTHING_LOST = Losses(nucleated=1, singlets=1, viable=1, prepared=1)


@pytest.mark.parametrize(("ppm", "target", "expected", "assured"), ORACLE)
def test_oracle_table(ppm: float, target: int, expected: float, assured: float) -> None:
    made = plan(ppm, target)
    digits = {value: len(str(value).partition(".")[2]) for value in (expected, assured)}
    assert round(made.expected_events / 1e6, digits[expected]) == expected
    # The table's own rounding: 11.67 and 1.17 million stand there with one digit.
    assert made.assured_events / 1e6 == pytest.approx(assured, abs=0.5001 * 10 ** -digits[assured])


def test_the_median_case() -> None:
    made = plan(0.3 * 43, 50)
    assert round(made.expected_events / 1e6, 1) == 3.9
    assert round(made.assured_events / 1e6, 1) == 4.8


def test_speed_is_not_free() -> None:
    assert round(100 * coincidence(5000), 1) == 4.9
    assert round(100 * coincidence(10_000), 1) == 9.5
    slow, fast = (plan(43, 50, rate_per_s=rate) for rate in (5000, 10_000))
    assert fast.recorded_events > slow.recorded_events
    assert fast.minutes > slow.minutes / 2


def test_five_million_events_take_seventeen_minutes() -> None:
    made = plan(10, 50, losses=NOTHING_LOST)
    kept = 1 - coincidence(5000)
    assert made.recorded_events * kept == pytest.approx(made.assured_events)
    assert round(5e6 / 5000 / 60) == 17
    assert made.minutes == pytest.approx(made.recorded_events / 300_000)


def test_losses_multiply_and_red_cells_cost_no_marrow() -> None:
    base = plan(43, 50, losses=NOTHING_LOST)
    half = plan(43, 50, losses=Losses(nucleated=0.5, singlets=1, viable=0.5, prepared=0.25))
    assert half.recorded_events == pytest.approx(4 * base.recorded_events)
    assert half.marrow_ml == pytest.approx(2 * 4 * base.marrow_ml)
    rich = plan(43, 50, losses=Losses(1, 1, 1, 1, per_ml=40e6))
    assert rich.marrow_ml == pytest.approx(base.marrow_ml / 2)


@given(st.floats(0.01, 1e6), st.floats(0, 0.9))
def test_without_erythroblasts_the_same_cells_are_more_of_fewer(per_million: float, erythroblasts: float) -> None:
    other = without_erythroblasts(per_million, erythroblasts)
    assert per_million <= other <= 1e6
    assert other == 1e6 or other * (1 - erythroblasts) == pytest.approx(per_million)
    whole = plan(per_million, 50, losses=Losses(nucleated=0.8))
    part = plan(other, 50, losses=Losses(nucleated=0.8 * (1 - erythroblasts)))
    assert other == 1e6 or part.recorded_events == pytest.approx(whole.recorded_events)


@given(st.integers(1, 3000), st.floats(0.5, 0.999))
def test_the_target_is_reached_as_often_as_asked_for(target: int, assurance: float) -> None:
    assert poisson.sf(target - 1, assured_mean(target, assurance)) == pytest.approx(assurance, abs=1e-9)


@pytest.mark.parametrize(("cv", "target"), [(10, 100), (100, 1), (5, 400), (14.2, 50), (33, 10)])
def test_a_cv_is_a_number_of_cells(cv: float, target: int) -> None:
    assert target_of_cv(cv) == target


@given(st.floats(0.5, 100))
def test_a_cv_is_met_and_not_overdone(cv: float) -> None:
    target = target_of_cv(cv)
    assert 100 / target**0.5 <= cv * (1 + 1e-9)
    assert target == 1 or 100 / (target - 1) ** 0.5 > cv * (1 - 1e-9)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"per_million": 0}, "--ppm 0"),
        ({"per_million": -3}, "--ppm -3"),
        ({"per_million": float("nan")}, "--ppm nan"),
        ({"per_million": 2e6}, "--ppm 2e+06"),
        ({"target": 0}, "--target 0"),
        ({"rate_per_s": 0}, "--rate 0"),
        ({"rate_per_s": 1e9}, "--rate 1e+09"),
        ({"losses": Losses(viable=0)}, "--viable 0"),
        ({"losses": Losses(prepared=1.2)}, "--prepared 120"),
        ({"losses": Losses(per_ml=0)}, "--cells-per-ml 0"),
        ({"assurance": 1.0}, "assurance is 100 %"),
        ({"assurance": 0.0}, "assurance is 0 %"),
    ],
)
def test_what_cannot_be_planned_is_said(changes: dict, said: str) -> None:
    with pytest.raises(UsageError) as wrong:
        plan(**{"per_million": 43, "target": 50, **changes})
    assert said in wrong.value.message
    assert wrong.value.hint


@pytest.mark.parametrize("cv", [0, -1, 101, float("nan")])
def test_no_count_has_such_a_cv(cv: float) -> None:
    with pytest.raises(UsageError, match="cannot be planned with"):
        target_of_cv(cv)
