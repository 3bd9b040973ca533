"""Counting and boundary together: never narrower than counting, the same where nothing moves, and it covers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.errors import UsageError
from stromagate.model.gates import Axis, GateNode, GateTree, Interval
from stromagate.model.result import Statistic
from stromagate.model.scales import Scale
from stromagate.model.template import GatingTemplate
from stromagate.quantify import statistics
from stromagate.quantify.combine import Kind, Uncertainty, difference, uncertainty
from stromagate.quantify.intervals import clopper_pearson, poisson, poisson_ratio

KINDS: tuple[Kind, ...] = ("count", "share", "ratio")


def counting(kind: Kind, count: int, total: int) -> tuple[float, float | None]:
    if kind == "count":
        return poisson(count)
    return clopper_pearson(count, total) if kind == "share" else poisson_ratio(count, total)


def found(kind: Kind, count: int, total: int, counts: list[int], totals: list[int] | None = None) -> Uncertainty:
    total = 1 if kind == "count" else total
    divided_by = [total] * len(counts) if totals is None else totals
    draws = np.array(counts, dtype=np.int64), np.array(divided_by, dtype=np.int64)
    return uncertainty(kind, count, total, counting(kind, count, total), draws, 0.95)


def above(high: float | None) -> float:
    return np.inf if high is None else high


@st.composite
def _cases(draw: st.DrawFn) -> tuple[Kind, int, int, list[int], list[int]]:
    kind = draw(st.sampled_from(KINDS))
    total = draw(st.integers(1, 100_000))
    count = draw(st.integers(0, total))
    pairs = draw(st.lists(st.tuples(st.integers(0, 100_000), st.integers(1, 100_000)), min_size=1, max_size=20))
    totals = [1 if kind == "count" else max(pair) for pair in pairs]
    return kind, count, total, [pair[0] for pair in pairs], totals


@settings(max_examples=300, derandomize=True, deadline=None)
@given(_cases())
def test_an_interval_of_both_holds_each_of_them(case: tuple[Kind, int, int, list[int], list[int]]) -> None:
    kind, count, total, counts, totals = case
    made = found(kind, count, total, counts, totals)
    value = count / (1 if kind == "count" else total)
    assert made.boundary is not None
    for low, high in (made.counting, made.boundary, made.both):
        assert 0 <= low <= value * (1 + 1e-9)
        assert above(high) >= value * (1 - 1e-9)
        assert kind != "share" or above(high) <= 1
    for low, high in (made.counting, made.boundary):
        assert made.both[0] <= low * (1 + 1e-9)
        assert above(made.both[1]) >= above(high) * (1 - 1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("count", "total"), [(0, 50), (7, 50), (50, 50), (62, 842_000)])
def test_where_nothing_moves_it_is_counting_alone(kind: Kind, count: int, total: int) -> None:
    made = found(kind, count, total, [count] * 128)
    value = count / (1 if kind == "count" else total)
    assert (made.both, made.boundary) == (made.counting, (value, value))
    total = 1 if kind == "count" else total
    alone = uncertainty(kind, count, total, counting(kind, count, total), None, 0.95)
    assert (alone.both, alone.counting, alone.boundary) == (made.counting, made.counting, None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_side_on_which_no_boundary_matters_is_countings_own(kind: Kind) -> None:
    higher = found(kind, 40, 1000, [40, 44, 48, 40])
    assert higher.both[0] == higher.counting[0]
    assert above(higher.both[1]) > above(higher.counting[1])
    lower = found(kind, 40, 1000, [40, 36, 32, 40])
    assert lower.both[1] == lower.counting[1]
    assert lower.both[0] < lower.counting[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [0, 3, 60, 900])
def test_wider_boundaries_make_wider_intervals(kind: Kind, count: int) -> None:
    steps = np.random.default_rng(1).normal(0, 1, 128)
    before: Uncertainty | None = None
    for size in (1, 3, 10, 30):
        made = found(kind, count, 1000, np.clip(count + size * steps, 0, 1000).astype(int).tolist())
        if before is not None:
            assert made.both[0] <= before.both[0]
            assert above(made.both[1]) >= above(before.both[1])
        before = made


def test_a_known_boundary_error_comes_out_as_its_quantiles() -> None:
    """A count that is log-normal over the draws: the limits are the exact ones of that distribution, side by side."""
    from scipy.special import ndtri

    errors = 0.2 * ndtri((np.arange(128) + 0.5) / 128)
    made = found("count", 100_000, 1, np.rint(100_000 * np.exp(errors)).astype(int).tolist())
    assert made.boundary == (
        pytest.approx(1e5 * np.exp(-0.392), rel=0.005),
        pytest.approx(1e5 * np.exp(0.392), rel=0.005),
    )
    # Counting hardly matters beside it.
    assert made.both == (pytest.approx(made.boundary[0], rel=1e-3), pytest.approx(made.boundary[1], rel=1e-3))


def test_both_parts_are_put_together_as_the_root_of_their_squares() -> None:
    made = found("count", 400, 1, [360, 440] * 64)
    low, high = (np.log(limit + 0.5) - np.log(400.5) for limit in made.counting if limit is not None)
    away = [1.959964 * np.log((400.5) / 360.5), 1.959964 * np.log(440.5 / 400.5)]
    assert made.both[0] == pytest.approx(400.5 * np.exp(-np.hypot(low, away[0])) - 0.5, rel=1e-6)
    assert made.both[1] == pytest.approx(400.5 * np.exp(np.hypot(high, away[1])) - 0.5, rel=1e-6)


def test_a_rate_takes_both_numbers_from_the_same_redraw() -> None:
    """Where numerator and denominator move together, their ratio does not."""
    swing = np.array([90, 100, 110, 80, 120] * 20)
    together = found("ratio", 1000, 10_000, (10 * swing).tolist(), (100 * swing).tolist())
    apart = found("ratio", 1000, 10_000, (10 * swing).tolist(), (100 * np.roll(swing, 1)).tolist())
    assert together.boundary is not None
    assert apart.boundary is not None
    assert together.boundary == (pytest.approx(0.1, rel=1e-3), pytest.approx(0.1, rel=1e-3))
    assert above(apart.boundary[1]) - apart.boundary[0] > 0.03


@pytest.mark.parametrize(
    ("kind", "count", "total", "counts", "totals", "level"),
    [
        ("share", 5, 10, [4, 12], [10, 11], 0.95),  # a draw that exceeds its total gave limits of nan
        ("share", 11, 10, [4], [10], 0.95),
        ("ratio", 5, 0, [5], [1], 0.95),
        ("count", 5, 1, [5], [1], 95),
    ],
)
def test_what_has_no_limits_is_refused(
    kind: Kind, count: int, total: int, counts: list[int], totals: list[int], level: float
) -> None:
    draws = np.array(counts, dtype=np.int64), np.array(totals, dtype=np.int64)
    with pytest.raises(UsageError, match="the confidence" if level == 95 else f"no limits can be given of a {kind}"):
        uncertainty(kind, count, total, (0.1, 0.9), draws, level)
    assert uncertainty("ratio", 5, 10, (0.1, 0.9), (np.array([4, 12]), np.array([10, 11])), 0.95).boundary is not None


def test_a_redraw_without_denominator_bounds_nothing() -> None:
    assert found("share", 2, 4, [2, 0], [4, 0]).both == (0.0, 1.0)
    assert found("ratio", 2, 4, [2, 0], [4, 0]).boundary == (0.0, None)


def test_an_unbounded_ratio_stays_unbounded() -> None:
    made = uncertainty("ratio", 5, 1, (0.5, None), (np.array([4, 6]), np.array([1, 1])), 0.95)
    assert made.both[1] is None
    assert made.both[0] < 0.5


@pytest.mark.parametrize("mean", [20.0, 60.0, 300.0])
@pytest.mark.parametrize("spread", [0.0, 0.1, 0.3])
def test_it_covers_what_it_says(mean: float, spread: float) -> None:
    """The boundary is off by a log-normal error, cells are counted by chance: the truth lies within in 95 of 100."""
    rng = np.random.default_rng(round(mean + 10 * spread))
    off = spread * rng.normal(0, 1, 600)
    counts = rng.poisson(mean * np.exp(off))
    held = 0
    for count in counts:
        redrawn = np.rint(count * np.exp(spread * rng.normal(0, 1, 128))).astype(int).tolist()
        low, high = found("count", int(count), 1, redrawn).both
        held += low <= mean <= above(high)
    assert held / len(counts) >= 0.93


def _template(tree: GateTree, denominators: list[str]) -> GatingTemplate:
    return GatingTemplate.model_validate(
        {
            "format": "stromagate.template/1",
            "name": "t",
            "version": "1.0.0",
            "status": "local",
            "title": "t",
            "panel": {"required": ["CD146"]},
            "populations": [
                {"name": node.name, "parent": node.parent, "gate": {"method": node.method}} for node in tree.nodes
            ],
            "denominators": denominators,
            "intensities": ["CD146"],
        }
    )


def test_every_row_of_a_tube_has_its_parts() -> None:
    cut = Interval("CD146", 0.5, None)
    names = [("cells", "all"), ("neg", "cells"), ("pos", "cells"), ("rare", "neg")]
    tree = GateTree(
        tuple(GateNode(name, parent, "tail", cut, "fitted", "", 0.01) for name, parent in names),
        {"CD146": Axis("PE-A", Scale(), True)},
    )
    rows = {"all": 2000, "cells": 1500, "neg": 700, "pos": 800, "rare": 30}
    members = {name: np.arange(n) for name, n in rows.items()}
    rng = np.random.default_rng(3)
    draws = {name: rows[name] + rng.integers(-5, 6, 64) for name in ("neg", "pos", "rare")}
    made = statistics(
        members,
        tree,
        _template(tree, ["cells", "pos"]),
        linear=lambda axis, which: which.astype(np.float32),
        draws=draws,
    )
    by_key = {(row.population, row.statistic, row.denominator): row for row in made}
    still, count, share, ratio = (
        by_key[key]
        for key in (
            ("cells", "count", ""),
            ("rare", "count", ""),
            ("rare", "per_million", "cells"),
            ("rare", "per_million", "pos"),
        )
    )
    assert (still.ci_low, still.ci_high) == (still.counting_low, still.counting_high)
    assert still.boundary_low is None
    for row in (count, share, ratio):
        parts = row.ci_low, row.counting_low, row.boundary_low, row.boundary_high, row.counting_high, row.ci_high
        assert None not in parts
        low, counted, bound, bound_high, counted_high, high = (float(part or 0) for part in parts)
        assert low < counted < bound < float(row.value or 0) < bound_high < counted_high < high
    assert (count.counting_low, count.counting_high) == pytest.approx(poisson(30))
    assert (ratio.counting_low, ratio.counting_high) == pytest.approx([1e6 * x for x in poisson_ratio(30, 800) if x])
    root, median = by_key["all", "count", ""], by_key["rare", "median", ""]
    assert (root.counting_low, root.boundary_low, median.counting_low, median.boundary_low) == (None,) * 4


def test_without_redraws_every_interval_is_of_counting_alone() -> None:
    tree = GateTree((GateNode("a", "all", "tail", Interval("CD146", 0.5, None), "fitted", ""),), {})
    made = statistics(
        {"all": np.arange(10), "a": np.arange(4)}, tree, _template(tree, ["all"]), linear=lambda axis, which: which
    )
    rates: list[Statistic] = [row for row in made if row.statistic != "median" and row.population == "a"]
    assert len(rates) == 3
    assert all((row.ci_low, row.ci_high) == (row.counting_low, row.counting_high) for row in rates)
    assert all(row.boundary_low is None and row.boundary_high is None for row in rates)


# Events and millions of events of tube and blank; net per million and its 95 % limits, computed independently.
@pytest.mark.parametrize(
    ("tube", "blank", "net", "low", "high"),
    [
        ((30, 1.0), (2, 0.2), 20.0, -7.9, 35.6),
        ((30, 1.0), (10, 1.0), 20.0, 7.1, 33.8),
        ((100, 2.0), (5, 1.0), 45.0, 33.5, 56.3),
    ],
)
def test_net_of_a_blank(tube: tuple[int, float], blank: tuple[int, float], net: float, low: float, high: float) -> None:
    rates = [(count / of, tuple(limit / of for limit in poisson(count))) for count, of in (tube, blank)]
    (one, one_limits), (other, other_limits) = rates
    assert one - other == pytest.approx(net)
    assert difference(one, one_limits, other, other_limits) == pytest.approx((low, high), abs=0.06)


def test_a_difference_is_as_open_as_its_parts() -> None:
    assert difference(3.0, (1.0, None), 1.0, (0.5, 2.0)) == (pytest.approx(2 - math.hypot(2, 1)), None)
    assert difference(3.0, (1.0, 4.0), 1.0, (0.5, None))[0] == -math.inf


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_difference_turned_round_is_its_mirror(one: int, other: int) -> None:
    low, high = difference(one, poisson(one), other, poisson(other))
    back_low, back_high = difference(other, poisson(other), one, poisson(one))
    assert high is not None
    assert back_high is not None
    assert (back_low, back_high) == pytest.approx((-high, -low))
    assert low <= one - other <= high
