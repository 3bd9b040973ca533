"""Ratios of two populations: their limits, their rows, and what is said where there are none."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson as poisson_law

from stromagate.model.detection import DetectionLimits
from stromagate.model.gates import Boolean, Interval
from stromagate.model.result import Statistic
from stromagate.quantify import statistics
from stromagate.quantify.background import judged
from stromagate.quantify.combine import ratio
from stromagate.quantify.intervals import clopper_pearson, poisson, poisson_ratio, wilson
from stromagate.quantify.ratios import INTERVAL, ratio_rows
from tests.quantify.test_statistics import node, rows, template_of, tree_of

TREE = tree_of(
    node("viable", "all", Interval("CD45", None, 0.5)),
    node("endothelium", "viable"),
    node("msc", "viable", Interval("CD271", 0.5, None)),
    node("cd146pos", "viable"),
    node("progenitors", "msc", Boolean("all", ("cd146pos",))),
    node("cd34pos", "viable", Interval("CD34", 0.5, None)),
)
COUNTS: dict[str, int | None] = {"endothelium": 21, "msc": 62, "progenitors": 20, "cd34pos": 4000}
PAIRS = (("endothelium", "msc"), ("msc", "cd34pos"))


def limits_of(count: int, other: int) -> tuple[float, float | None]:
    return ratio(count, poisson(count), other, poisson(other))


def test_the_published_formula() -> None:
    """Worked by hand from the root as it is printed: 21 (13.00 to 32.10) over 62 (47.54 to 79.48)."""
    (low, high), (other_low, other_high) = poisson(21), poisson(62)
    made = limits_of(21, 62)
    both = 21 * 62
    down = both - math.sqrt(both**2 - low * other_high * (42 - low) * (124 - other_high))
    up = both + math.sqrt(both**2 - high * other_low * (42 - high) * (124 - other_low))
    assert made[0] == pytest.approx(down / (other_high * (124 - other_high)))
    assert made[1] == pytest.approx(up / (other_low * (124 - other_low)))


@pytest.mark.parametrize("means", [(2.0, 10.0), (5.0, 5.0), (20.0, 10.0), (10.0, 3.0), (60.0, 80.0)])
def test_the_limits_hold_the_truth_as_often_as_they_say(means: tuple[float, float]) -> None:
    """All pairs of counts, weighted by how often they come; where the second is zero there is no ratio."""
    chances = [poisson_law.pmf(np.arange(200), mean) for mean in means]
    likely = [np.flatnonzero(chance > 1e-7) for chance in chances]
    held = there = 0.0
    for count, other in product(*likely):
        if other:
            low, high = limits_of(int(count), int(other))
            weight = chances[0][count] * chances[1][other]
            there += weight
            held += weight * (low <= means[0] / means[1] and (high is None or means[0] / means[1] <= high))
    assert 0.95 <= held / there < 0.995


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_the_limits_hold_the_ratio_and_are_nearly_the_exact_ones(count: int, other: int) -> None:
    low, high = limits_of(count, other)
    assert high is not None
    assert 0 <= low <= count / other <= high
    exact_high = poisson_ratio(count, other)[1]
    assert exact_high is not None
    assert (low == 0) == (count == 0)
    assert high / exact_high == pytest.approx(1, abs=0.2 if min(count, other) > 5 else 0.75)


@settings(derandomize=True, deadline=None)
@given(
    st.floats(1e-3, 1e6) | st.just(0.0),
    st.floats(1e-3, 1e6),
    st.floats(0, 5),
    st.floats(0, 5),
    st.floats(0, 0.999),
    st.floats(0, 5),
)
def test_any_limits_give_limits_about_the_ratio(
    one: float, other: float, down: float, up: float, below: float, above: float
) -> None:
    low, high = ratio(
        one, (max(0.0, one * (1 - down)), one * (1 + up) + 1e-6), other, (other * (1 - below), other * (1 + above))
    )
    assert high is not None
    assert 0 <= low <= one / other * (1 + 1e-9)
    assert high >= one / other * (1 - 1e-9)


def test_what_nothing_bounds_stays_open() -> None:
    assert ratio(5, (1.6, None), 10, (4.8, 18.4))[1] is None
    assert ratio(5, (1.6, 11.7), 10, (0.0, 18.4))[1] is None
    assert ratio(5, (1.6, 11.7), 10, (4.8, None))[0] == 0
    assert limits_of(0, 10)[0] == 0


def made(counts: dict[str, int | None], pairs: Any = PAIRS, **draws: np.ndarray) -> list[Statistic]:
    return list(ratio_rows(TREE, counts, pairs, draws=draws, confidence=0.95))


def test_a_ratio_names_both_its_interval_and_the_state_of_the_rarer() -> None:
    ec, cd34 = made(COUNTS)
    assert (ec.population, ec.parent, ec.statistic, ec.unit, ec.denominator) == (
        "endothelium",
        "viable",
        "ratio",
        "ratio",
        "msc",
    )
    assert ec.value == pytest.approx(21 / 62)
    assert (ec.ci_low, ec.ci_high) == pytest.approx(limits_of(21, 62), rel=1e-11)
    assert (ec.counting_low, ec.counting_high) == (ec.ci_low, ec.ci_high)
    assert ec.boundary_low is None
    assert ec.interval == INTERVAL
    assert (ec.state, cd34.state) == ("detected, not quantifiable", "quantifiable")
    assert made({**COUNTS, "msc": 7})[1].state == "not detected"


def test_boundaries_are_folded_in_from_the_same_redraw() -> None:
    """Both move together by half: the ratio stays, and so does its interval. One alone moves it."""
    counts = {**COUNTS, "endothelium": 2000, "msc": 1000}
    up = np.array([500, 1000, 1500] * 20)
    together, _ = made(counts, endothelium=2 * up, msc=up)
    alone, _ = made(counts, msc=up)
    assert together.boundary_low == pytest.approx(2, rel=1e-3)
    assert together.ci_high == pytest.approx(together.counting_high, rel=1e-3)
    assert alone.boundary_high is not None
    assert alone.boundary_high > 3
    assert alone.ci_low is not None
    assert alone.counting_low is not None
    assert alone.ci_low < alone.counting_low


@pytest.mark.parametrize(("name", "count"), [("endothelium", None), ("msc", None), ("msc", 0)])
def test_nothing_to_divide_or_to_divide_by(name: str, count: int | None) -> None:
    row = made({**COUNTS, name: count})[0]
    assert (row.value, row.state, row.ci_low, row.interval) == (None, "not evaluable", None, "")


def test_none_of_something_is_a_ratio() -> None:
    row = made({**COUNTS, "endothelium": 0})[0]
    assert (row.value, row.ci_low, row.state) == (0, 0, "not detected")
    assert row.ci_high == pytest.approx(limits_of(0, 62)[1])


def test_a_pair_with_a_population_that_the_tube_lacks_has_no_row() -> None:
    assert [row.population for row in made(COUNTS, (("left_out", "msc"), ("msc", "left_out"), *PAIRS[:1]))] == [
        "endothelium"
    ]


MEMBERS = {
    "all": rows(0, 6000),
    "viable": rows(0, 5000),
    "endothelium": rows(0, 21),
    "msc": rows(100, 162),
    "cd146pos": rows(142, 300),
    "progenitors": rows(142, 162),
    "cd34pos": rows(900, 4900),
}
INDICES = {"progenitors": "progenitors", "msc": "msc", "endothelium": "endothelium"}


def numbers(**fields: Any) -> list[Statistic]:
    template = template_of(TREE, ratios=PAIRS, indices=INDICES, intensities=["CD271", "CD146"], denominators=["viable"])
    values = np.arange(6000, dtype=np.float32)
    return list(statistics(MEMBERS, TREE, template, linear=lambda axis, which: values[which], **fields))


def test_the_median_of_the_whole_stands_beside_the_share_that_rests_on_a_cut() -> None:
    made = numbers()
    beside = [row for row in made if row.statistic == "median_of_parent"]
    whole = next(row for row in made if (row.population, row.statistic, row.marker) == ("msc", "median", "CD146"))
    (row,) = beside  # of progenitors only, and not of CD271, which is no part of how they are cut out of the MSC
    assert (row.population, row.parent, row.marker, row.denominator, row.n) == (
        "progenitors",
        "msc",
        "CD146",
        "msc",
        62,
    )
    assert (row.value, row.ci_low, row.ci_high) == (whole.value, whole.ci_low, whole.ci_high)
    assert row.value == pytest.approx(130.5)
    at = made.index(row)
    assert made[at - 1].population == "progenitors"


def test_ratios_stand_with_their_population() -> None:
    made = numbers()
    places = [place for place, row in enumerate(made) if row.population == "endothelium"]
    assert places == list(range(places[0], places[-1] + 1))
    assert [row.denominator for row in made if row.statistic == "ratio"] == ["msc", "cd34pos"]


def test_every_interval_says_how_it_was_made() -> None:
    said = {(row.statistic, row.interval) for row in numbers() if row.ci_low is not None}
    assert said == {
        ("count", "exact Poisson"),
        ("fraction", "Clopper-Pearson"),
        ("per_million", "Clopper-Pearson"),
        ("ratio", INTERVAL),
        ("median", "order statistics"),
        ("median_of_parent", "order statistics"),
    }
    assert not {row.interval for row in numbers() if row.ci_low is None} - {""}
    asked = {row.interval for row in numbers(interval=wilson) if row.statistic in {"fraction", "per_million"}}
    assert asked == {"Wilson"}


def test_wilson_is_of_shares_alone() -> None:
    exact, score = numbers(interval=clopper_pearson), numbers(interval=wilson)
    for one, other in zip(exact, score, strict=True):
        same = (one.ci_low, one.ci_high) == (other.ci_low, other.ci_high)
        assert same == (one.statistic not in {"fraction", "per_million"}), one


def test_blanks_take_a_ratio_down_by_either_population_and_a_median_by_its_own() -> None:
    raised = DetectionLimits(population="msc", lob_events=30, lod_events=60, lloq_events=90, source="blank")
    before = {(row.population, row.statistic): row.state for row in numbers()}
    after = {(row.population, row.statistic): row.state for row in judged(numbers(), (raised,))}
    assert before["msc", "ratio"] == "quantifiable"
    assert after["msc", "ratio"] == after["msc", "count"] == after["progenitors", "median_of_parent"]
    assert after["msc", "ratio"] == "detected, not quantifiable"
    own = DetectionLimits(population="progenitors", lob_events=70, lod_events=80, lloq_events=90, source="blank")
    judged_by_own = {(row.population, row.statistic): row.state for row in judged(numbers(), (own,))}
    assert judged_by_own["progenitors", "median_of_parent"] == "quantifiable"
    assert judged_by_own["progenitors", "count"] == "not detected"
