"""Limits of blank, detection and quantification against the oracle table, the laws they come from, and the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom
from scipy.stats import poisson as poisson_law

from stromagate.errors import UsageError
from stromagate.model.detection import DetectionLimits
from stromagate.quantify.detection import (
    Blank,
    Expected,
    expect,
    limit_of_blank,
    limit_of_detection,
    limit_of_quantification,
    limits,
    percentile_of_blanks,
    predicted,
    strictest,
)
from stromagate.quantify.states import count_state

# Expected events of background; LOB, LOD, and LOD net of the background, computed independently.
ORACLE = [
    (0, 0, 3.0, 3.0),
    (0.5, 2, 6.3, 5.8),
    (1, 3, 7.8, 6.8),
    (2, 5, 10.5, 8.5),
    (5, 9, 15.7, 10.7),
    (10, 15, 23.1, 13.1),
    (20, 28, 38.4, 18.4),
    (50, 62, 76.6, 26.6),
]
MILLION = 1_000_000


@pytest.mark.parametrize(("background", "lob", "lod", "net"), ORACLE, ids=[str(row[0]) for row in ORACLE])
def test_oracle_table(background: float, lob: int, lod: float, net: float) -> None:
    assert limit_of_blank(background) == lob
    found = limit_of_detection(lob, background)
    assert found == pytest.approx(lod, abs=0.0501)
    assert found - background == pytest.approx(net, abs=0.0501)


@given(st.floats(0.001, 3_000), st.floats(0.001, 4))
@settings(deadline=None, max_examples=60)
def test_the_limit_of_blank_is_the_percentile_of_its_law(mean: float, spread: float) -> None:
    assert limit_of_blank(mean) == poisson_law.ppf(0.95, mean)
    size = 1 / spread
    assert limit_of_blank(mean, spread) == nbinom.ppf(0.95, size, size / (size + mean))


@given(st.floats(0, 120), st.sampled_from([0.0, 0.1, 0.8]))
@settings(deadline=None, max_examples=40)
def test_a_mean_at_the_limit_of_detection_is_missed_in_one_of_twenty(mean: float, spread: float) -> None:
    lob = limit_of_blank(mean, spread)
    net = limit_of_detection(lob, mean, spread) - mean
    counts = np.arange(lob + 1)
    size = 1 / spread if spread else 0
    blank = nbinom.pmf(counts, size, size / (size + mean)) if spread else poisson_law.pmf(counts, mean)
    assert net > 0
    assert float(np.sum(blank * poisson_law.cdf(lob - counts, net))) == pytest.approx(0.05, abs=1e-6)


def test_a_control_of_a_handful_of_events_leaves_limits_of_millions_and_no_long_wait() -> None:
    """Some 20 million counts lie below this limit of blank; looked at one by one they took minutes."""
    made = limits("msc", [Blank(1, 1)], 5 * MILLION)
    assert made.lob_events > 10 * MILLION
    assert made.lob_events < made.lod_events < 1.001 * made.lob_events
    assert count_state(500, made) == "not detected"


@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_counts_in_groups_give_the_limit_of_single_ones(monkeypatch: pytest.MonkeyPatch, spread: float) -> None:
    lob = limit_of_blank(4000, spread)
    single = limit_of_detection(lob, 4000, spread)
    monkeypatch.setattr("stromagate.quantify.detection._MOST_COUNTS", 500)
    assert limit_of_detection(lob, 4000, spread) == pytest.approx(single, rel=1e-4)


@given(st.floats(0, 500), st.floats(0, 5), st.sampled_from([0.0, 0.3]))
@settings(deadline=None, max_examples=60)
def test_at_the_limit_of_quantification_the_net_count_has_a_cv_of_14_percent(
    mean: float, scale: float, spread: float
) -> None:
    expected = Expected(mean, 0, scale, None, spread, 10)
    net = limit_of_quantification(expected) - mean
    variance = net + mean + mean * scale + spread * mean**2 * 1.1
    assert math.sqrt(variance) / net == pytest.approx(1 / math.sqrt(50), rel=1e-9)


@pytest.mark.parametrize("scale", [0.05, 0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("background", [5, 20, 80])
def test_background_alone_is_detected_in_one_tube_of_twenty_whatever_the_size_of_the_control(
    background: int, scale: float
) -> None:
    """Exact enumeration over what the control may show and what the tube may hold."""
    law = poisson_law(background / scale)
    shown = np.arange(law.ppf(1e-7), law.ppf(1 - 1e-7) + 1, dtype=int)
    lobs = [limit_of_blank(*predicted(Expected(n * scale, int(n), scale, None, 0.0, 1))) for n in shown]
    passed = float(np.sum(law.pmf(shown) * poisson_law.sf(lobs, background)))
    assert passed < 0.058


def test_without_background_fifty_events_are_a_quantity() -> None:
    assert limit_of_quantification(Expected(0.0, 0, 1.0, None, 0.0, 1)) == 50


def test_a_blank_is_scaled_by_events() -> None:
    found = expect([Blank(2, 200_000)], MILLION)
    assert found is not None
    assert (found.mean, found.counted, found.scale) == (10, 2, 5)
    made = limits("msc", [Blank(2, 200_000)], MILLION, "fmo:CD271")
    assert (made.blank_events, made.method, made.source) == (10, "Poisson", "fmo:CD271")
    # The scaled count alone would put it at 15; two events leave more open than that.
    assert made.lob_events == nbinom.ppf(0.95, 2.5, 2.5 / (2.5 + 12.5)) == 29
    assert limits("msc", [Blank(2_000_000, 200_000_000_000)], MILLION).lob_events == limit_of_blank(10)


def test_floors_stand_below_small_backgrounds_and_where_there_is_none() -> None:
    for blanks in ([], [Blank(0, 0)], [Blank(0, MILLION)]):
        made = limits("msc", blanks, MILLION)
        assert (made.lod_events, made.lloq_events, made.detected_from) == (20, 50, 20)
    assert limits("msc", [], MILLION).method == "floors"
    assert limits("msc", [], MILLION).blank_events is None
    assert limits("msc", [Blank(0, MILLION)], MILLION).blank_events == 0


@given(st.lists(st.integers(0, 400), min_size=1, max_size=30), st.integers(1, 5))
@settings(deadline=None, max_examples=60)
def test_blanks_can_only_raise_the_floors(counts: list[int], lots: int) -> None:
    blanks = [Blank(count, MILLION, f"day {i % 4}", f"lot {i % lots}") for i, count in enumerate(counts)]
    made = limits("msc", blanks, MILLION)
    assert made.lod_events >= 20
    assert made.lloq_events >= max(50, made.lod_events)
    assert made.lob_events >= limit_of_blank(float(np.mean(counts)))
    assert made.lob_events < made.lod_events


def test_blanks_that_differ_by_more_than_counting_are_negative_binomial() -> None:
    alike = [Blank(count, MILLION) for count in (8, 12, 10, 11, 9)]
    unlike = [Blank(count, MILLION) for count in (0, 30, 2, 16, 2)]
    calm, wild = (limits("msc", blanks, MILLION) for blanks in (alike, unlike))
    assert (calm.method, calm.lob_events, calm.blank_events) == ("Poisson", 16, 10)
    assert (wild.method, wild.blank_events) == ("negative binomial", 10)
    assert wild.lob_events > calm.lob_events
    found = expect(unlike, MILLION)
    assert found is not None
    # Variance 166 over mean 10; beyond counting 156 of a squared mean of 100.
    assert found.dispersion == pytest.approx(16.6)
    assert found.spread == pytest.approx(1.56)


@pytest.mark.parametrize(
    ("counts", "method"), [((15, 5, 12, 8, 10), "Poisson"), ((16, 6, 7, 11, 10), "negative binomial")]
)
def test_blanks_are_over_dispersed_from_a_variance_of_one_and_a_half_times_their_mean(
    counts: tuple[int, ...], method: str
) -> None:
    """The variance is 1.45 and 1.55 times the mean of 10."""
    blanks = [Blank(count, MILLION) for count in counts]
    found = expect(blanks, MILLION)
    assert found is not None
    assert found.dispersion == pytest.approx(np.var(counts, ddof=1) / 10)
    assert limits("msc", blanks, MILLION).method == method


def test_two_blanks_tell_nothing_of_how_blanks_differ() -> None:
    found = expect([Blank(0, MILLION), Blank(40, MILLION)], MILLION)
    assert found is not None
    assert (found.dispersion, found.spread) == (None, 0)


def _many(n: int = 20, days: int = 3, lots: int = 2) -> list[Blank]:
    return [Blank(i, MILLION, f"day {i % days}", f"lot {i % lots}") for i in range(1, n + 1)]


def test_many_blanks_of_several_days_and_lots_give_a_percentile_of_their_own() -> None:
    # Rank 0.5 + 0.95 * 20 = 19.5: half way from the nineteenth to the twentieth.
    assert percentile_of_blanks(_many(), MILLION) == 19.5
    assert percentile_of_blanks(_many(), 2 * MILLION) == 39
    assert percentile_of_blanks(_many(19), MILLION) is None
    assert percentile_of_blanks(_many(days=2), MILLION) is None
    assert percentile_of_blanks(_many(lots=1), MILLION) is None
    unknown = [Blank(blank.count, blank.total, blank.day) for blank in _many()]
    assert percentile_of_blanks(unknown, MILLION) is None


def test_the_blanks_own_percentile_never_lowers_the_limit() -> None:
    flat = [Blank(10, MILLION, f"day {i % 3}", f"lot {i % 2}") for i in range(20)]
    made = limits("msc", flat, MILLION)
    assert (made.method, made.lob_events) == ("Poisson", limit_of_blank(*predicted(Expected(10, 200, 0.05, 0, 0, 20))))
    outliers = [Blank(0 if i else 60, MILLION, f"day {i % 3}", f"lot {i % 2}") for i in range(20)]
    heavy = limits("msc", [*outliers, Blank(60, MILLION, "day 0", "lot 0")], MILLION)
    assert (heavy.method, heavy.lob_events) == ("non-parametric", 60)


def test_states_follow_the_limits() -> None:
    made = limits("msc", [Blank(20, MILLION)], MILLION)
    assert made.lob_events == 32
    assert count_state(32, made) == "not detected"
    assert count_state(33, made) == "detected, not quantifiable"
    lloq = math.ceil(made.lloq_events)
    assert lloq > 50
    assert count_state(lloq - 1, made) == "detected, not quantifiable"
    assert count_state(lloq, made) == "quantifiable"
    assert count_state(None, made) == "not evaluable"


def test_states_never_fall_below_the_floors() -> None:
    made = DetectionLimits(population="msc", lob_events=0, lod_events=3, lloq_events=10)
    assert [count_state(n, made) for n in (19, 20, 49, 50)] == [count_state(n) for n in (19, 20, 49, 50)]
    assert [count_state(n) for n in (19, 20, 49, 50)] == [
        "not detected",
        "detected, not quantifiable",
        "detected, not quantifiable",
        "quantifiable",
    ]


def test_the_strictest_of_several_backgrounds_counts() -> None:
    floors = limits("msc", [], MILLION)
    small, large = (limits("msc", [Blank(n, MILLION)], MILLION, str(n)) for n in (0, 9))
    assert strictest([floors, small, large]).source == "9"
    assert strictest([floors, small]).source == "0"


@pytest.mark.parametrize("blank", [Blank(-1, 5), Blank(6, 5)])
def test_impossible_blanks_are_refused(blank: Blank) -> None:
    with pytest.raises(UsageError, match="more events of a population than events at all"):
        expect([blank], 10)


@given(st.integers(0, 60), st.integers(1, 4))
@settings(deadline=None, max_examples=30)
def test_more_background_never_lowers_a_limit(count: int, more: int) -> None:
    assume(count + more <= MILLION)
    less, greater = (limits("msc", [Blank(n, MILLION)], MILLION) for n in (count, count + more))
    assert less.lob_events <= greater.lob_events
    assert less.lod_events <= greater.lod_events
    assert less.lloq_events < greater.lloq_events or greater.lloq_events == 50
