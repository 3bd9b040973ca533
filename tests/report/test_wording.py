"""Numbers as a reader meets them: digits, separators, no exponent, no rounding to nothing or to all."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.model.result import Statistic
from stromagate.quantify.intervals import clopper_pearson
from stromagate.report.wording import (
    FEW,
    LLOQ_MARK,
    below_lloq,
    bytes_text,
    count_text,
    estimate_text,
    marked,
    number_text,
    percent_text,
    share_text,
    within,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (36.44, "36.4"),
        (36.0, "36.0"),
        (1234.0, "1,230"),
        (1_234_567.0, "1,230,000"),
        (0.00001234, "0.0000123"),
        (99.96, "100"),
        (9.996, "10.0"),
        (0.0999999, "0.100"),
        (0.0, "0"),
        (-12.345, "−12.3"),
        (100.0, "100"),
        (None, "–"),
        (float("nan"), "–"),
        (float("inf"), "–"),
    ],
)
def test_three_significant_digits(value: float | None, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.234, "23.4 %"),
        (0.0000001, "0.0000100 %"),
        (0.99999, "99.99 %"),
        (0.9999999, "99.99 %"),
        (0.9951, "99.51 %"),
        (1.0, "100 %"),
        (0.0, "0 %"),
        (1.5, "150 %"),
        (None, "–"),
    ],
)
def test_percentages_round_neither_to_nothing_nor_to_all(fraction: float | None, text: str) -> None:
    assert percent_text(fraction) == text


@settings(derandomize=True)
@given(st.floats(min_value=1e-12, max_value=1e12))
def test_a_number_is_near_what_it_says_and_has_no_exponent(value: float) -> None:
    text = number_text(value)
    assert re.fullmatch(r"[\d,]+(\.\d+)?", text)
    assert float(text.replace(",", "")) == pytest.approx(value, rel=0.005)


@settings(derandomize=True)
@given(st.floats(min_value=0, max_value=1, exclude_min=True, exclude_max=True))
def test_no_share_reads_as_none_or_all(fraction: float) -> None:
    assert percent_text(fraction) not in {"0 %", "100 %"}


def test_estimates_carry_their_interval() -> None:
    rate = Statistic(
        population="msc", parent="stroma", statistic="per_million", value=36.4, unit="", ci_low=24.93, ci_high=51.44
    )
    assert estimate_text(rate) == "36.4 (24.9–51.4)"
    share = rate.model_copy(update={"statistic": "fraction", "value": 0.339, "ci_low": 0.223, "ci_high": 0.47})
    assert estimate_text(share) == "33.9 % (22.3–47.0)"
    assert estimate_text(rate.model_copy(update={"value": None})) == "–"
    assert estimate_text(None) == "–"
    assert estimate_text(rate.model_copy(update={"ci_low": None})) == "36.4"


def test_counts_and_sizes() -> None:
    assert count_text(1234567) == "1,234,567"
    assert count_text(None) == "–"
    assert bytes_text(72_004_096) == "72,004,096 bytes (72.0 MB)"
    assert bytes_text(999) == "999 bytes"


def test_an_interval_is_told_from_its_number() -> None:
    """Large counts have narrow intervals: three digits would show three times the same."""

    def text(statistic: str, value: float, low: float, high: float) -> str:
        row = {"population": "p", "parent": "all", "unit": "", "statistic": statistic}
        return estimate_text(Statistic(value=value, ci_low=low, ci_high=high, **row))

    assert text("fraction", 0.97, 0.969693, 0.970304) == "97.00 % (96.97–97.03)"
    assert text("fraction", 559_086 / 559_093, 0.9999742, 0.99999497) == "99.9987 % (99.9974–99.9995)"
    assert text("per_million", 842_000.0, 841_600.0, 842_900.0) == "842,000 (841,600–842,900)"
    assert text("count", 1_069_000, 1_066_974.49, 1_071_028.4) == "1,069,000 (1,066,974–1,071,028)"
    assert text("count", 21, 12.9993, 32.1007) == "21 (13.0–32.1)"
    assert text("per_million", 0.0, 0.0, 3.69) == "0 (0–3.69)"


@settings(derandomize=True, max_examples=300)
@given(st.integers(10, 3_000_000), st.integers(0, 1000), st.booleans(), st.sampled_from(["fraction", "per_million"]))
def test_a_number_as_written_lies_within_its_interval_as_written(
    total: int, rare: int, few_are_out: bool, statistic: str
) -> None:
    count = max(0, total - rare) if few_are_out else min(rare, total)
    factor = 1 if statistic == "fraction" else 1_000_000
    low, high = clopper_pearson(count, total)
    row = {"population": "p", "parent": "all", "unit": "", "statistic": statistic}
    text = estimate_text(Statistic(value=count * factor / total, ci_low=low * factor, ci_high=high * factor, **row))
    number, lower, upper = (float(part.replace(",", "")) for part in re.findall(r"[\d.,]+", text))
    assert lower <= number <= upper


def share(count: int, total: int, limits: tuple[float, float] | None = None) -> Statistic:
    low, high = limits or clopper_pearson(count, total)
    known = {"population": "p", "parent": "m", "statistic": "fraction", "unit": "fraction", "denominator": "m"}
    return Statistic(value=count / total, n=count, ci_low=low, ci_high=high, **known)


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (0.000191, 0.0000824, 0.000379, "1 : 5,240 (1 : 12,100 to 1 : 2,640)"),
        (0.00999, 0.001, 0.02, "1 : 100 (1 : 1,000 to 1 : 50.0)"),
        (0.0, 0.0, 0.0004, "0 (0 to 1 : 2,500)"),
        (0.0, 0.0, 0.4, "0 (0–0.400)"),
        (0.01, 0.004, 0.02, "0.0100 (0.00400–0.0200)"),
        (0.0002, None, None, "1 : 5,000"),
        (0.0, None, None, "0"),
    ],
)
def test_a_small_ratio_is_one_to_many(value: float, low: float | None, high: float | None, text: str) -> None:
    limits = {"ci_low": low, "ci_high": high}
    row = Statistic(population="a", parent="", statistic="ratio", value=value, unit="ratio", denominator="b", **limits)
    assert estimate_text(row) == text
    assert ":" not in estimate_text(row.model_copy(update={"statistic": "per_million"}))


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("Viable CD235a-negative cells", "viable CD235a-negative cells"),
        ("MSC (CD271+)", "MSC (CD271+)"),
        ("CD34+ cells", "CD34+ cells"),
        ("T cells", "T cells"),
        ("", ""),
    ],
)
def test_a_label_within_a_sentence(label: str, text: str) -> None:
    assert within(label) == text


@pytest.mark.parametrize(
    ("count", "total", "text"),
    [
        (6, 21, "6 of 21 (29 %, 11–52 %)"),
        (0, 21, "0 of 21 (0 %, 0–16 %)"),
        (21, 21, "21 of 21 (100 %, 84–100 %)"),
        (1, 99, "1 of 99 (1 %, 0.03–5 %)"),
        (98, 99, "98 of 99 (99 %, 95–99.97 %)"),
        (1, 1, "1 of 1 (100 %, 3–100 %)"),
    ],
)
def test_a_share_of_few_events_is_read_with_these(count: int, total: int, text: str) -> None:
    assert share_text(share(count, total), total) == text


def test_a_share_of_many_events_is_read_as_any_other_number() -> None:
    row = share(30, FEW)
    assert share_text(row, FEW) == estimate_text(row) == "30.0 % (21.2–40.0)"
    assert share_text(row, None) == estimate_text(row)


def test_no_share_is_a_dash_and_one_without_limits_has_none() -> None:
    assert share_text(None, 5) == "–"
    row = share(6, 21)
    assert share_text(row.model_copy(update={"value": None}), 21) == "–"
    assert share_text(row.model_copy(update={"ci_low": None}), 21) == "6 of 21 (29 %)"


@settings(derandomize=True)
@given(st.integers(1, FEW - 1).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_no_end_of_a_share_of_few_reads_as_none_or_all_unless_it_is(pair: tuple[int, int]) -> None:
    text = share_text(share(*pair), pair[1])
    value, low, high = (float(part) for part in re.findall(r"[\d.]+(?=–| %)", text))
    assert 0 <= low <= value <= high <= 100
    ends = clopper_pearson(*pair)
    assert (low == 0) == (ends[0] == 0)
    assert (high == 100) == (ends[1] == 1)


@pytest.mark.parametrize(
    ("state", "value", "mark"),
    [
        ("quantifiable", 62.0, ""),
        ("", 62.0, ""),
        ("not evaluable", None, ""),
        ("detected, not quantifiable", 21.0, LLOQ_MARK),
        ("not detected", 3.0, LLOQ_MARK),
        ("not detected", 0.0, LLOQ_MARK),
        ("not detected", None, ""),
    ],
)
def test_a_number_under_the_limit_of_quantification_is_marked(state: str, value: float | None, mark: str) -> None:
    shared = {"population": "msc", "parent": "all", "state": state}
    row = Statistic(statistic="count", value=value, unit="events", **shared)
    assert below_lloq(row) == mark
    assert marked("3", row) == f"3 {mark}".strip()
    assert (LLOQ_MARK in estimate_text(row)) is bool(mark)
    assert below_lloq(None) == ""
    share = Statistic(statistic="fraction", value=None if value is None else 0.5, unit="fraction", n=10, **shared)
    for total in (20, 2000):
        assert (LLOQ_MARK in share_text(share, total)) is bool(mark)
