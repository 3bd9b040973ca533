"""The log ratio of two gates of one parent: its interval, its refusals, and the leukaemia it does not apply to."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.model.gates import Interval
from stromagate.model.readouts import Blasts, lost
from stromagate.model.result import Statistic
from stromagate.model.template import GatingTemplate, ReadoutRow
from stromagate.quantify.background import judged
from stromagate.quantify.combine import Draws
from stromagate.quantify.readouts import without_lost
from stromagate.quantify.readouts_log_ratio import log_ratio, log_ratio_rows
from tests.quantify.test_statistics import node, rows, run, template_of, tree_of

TREE = tree_of(
    node("cd45pos", "all", Interval("CD45", 0.5, None)),
    node("blasts", "cd45pos"),
    node("blasts_cd34", "blasts"),
    node("stem", "cd45pos"),
    node("lsc", "stem"),
    node("hsc", "stem"),
)
ROW = {"kind": "log_ratio", "population": "lsc", "denominator": "hsc", "within": "stem", "lost_without": "CD34"}
READOUTS: list[dict[str, Any]] = [{"name": "t", "title": "T", "rows": [{**ROW, "carriers": "blasts_cd34"}]}]
TEMPLATE: GatingTemplate = template_of(TREE, readouts=READOUTS, denominators=["cd45pos"])


def made(lsc: int | None, hsc: int | None, draws: dict[str, Draws] | None = None) -> Statistic:
    (row,) = log_ratio_rows(TREE, {"lsc": lsc, "hsc": hsc}, TEMPLATE, draws=draws or {}, confidence=0.95)
    return row


def test_the_interval_is_that_of_both_counts() -> None:
    row = made(300, 25)
    reach = 1.959964 * math.sqrt(1 / 300 + 1 / 25)
    assert row.value == pytest.approx(math.log(12))
    assert row.ci_low == pytest.approx(math.log(12) - reach, abs=1e-6)
    assert row.ci_high == pytest.approx(math.log(12) + reach, abs=1e-6)
    assert (row.unit, row.denominator, row.parent, row.n) == ("natural logarithm", "hsc", "stem", 300)
    assert row.state == "detected, not quantifiable"
    assert made(300, 50).state == "quantifiable"


@pytest.mark.parametrize(
    ("lsc", "hsc", "state"),
    [
        (300, 19, "denominator under 20 events"),
        (300, 0, "denominator under 20 events"),
        (0, 0, "denominator under 20 events"),
        (0, 40, "not detected"),
        (None, 40, "not evaluable"),
        (40, None, "not evaluable"),
    ],
)
def test_there_is_none_and_the_state_says_why(lsc: int | None, hsc: int | None, state: str) -> None:
    row = made(lsc, hsc)
    assert (row.value, row.ci_low, row.ci_high, row.counting_low, row.interval) == (None, None, None, None, "")
    assert row.state == state


def test_twenty_hsc_are_enough() -> None:
    assert made(300, 20).value == pytest.approx(math.log(15))


def test_boundaries_widen_it_and_counting_stays() -> None:
    draws = {"lsc": np.array([200, 300, 420] * 30), "hsc": np.array([60, 50, 41] * 30)}
    plain, wide = made(300, 50), made(300, 50, draws)
    assert wide.ci_low is not None
    assert plain.ci_low is not None
    assert wide.ci_low < plain.ci_low
    assert wide.counting_low == plain.counting_low == plain.ci_low
    assert wide.boundary_low is not None


@settings(max_examples=100, deadline=None)
@given(one=st.integers(1, 10**6), other=st.integers(1, 10**6), confidence=st.floats(0.5, 0.999))
def test_turned_round_it_changes_its_sign(one: int, other: int, confidence: float) -> None:
    value, low, high = log_ratio(one, other, confidence)
    turned = log_ratio(other, one, confidence)
    assert (-value, -high, -low) == pytest.approx(turned, abs=1e-9)
    assert low < value < high


def test_it_stands_with_its_population_and_a_tube_without_either_has_none() -> None:
    members = {name: rows(0, 900) for name in ("all", *(item.name for item in TREE.nodes))}
    found = run(TREE, members, readouts=READOUTS)
    assert [key[0::2] for key in found if key[1] == "log_ratio"] == [("lsc", "hsc")]
    bare = tree_of(node("cd45pos", "all"), node("stem", "cd45pos"), node("lsc", "stem"))
    assert list(log_ratio_rows(bare, {"lsc": 40}, TEMPLATE, draws={}, confidence=0.95)) == []


CD34_NEGATIVE = Blasts(carriers=40, blasts=4_000, leukocytes=10_000)


@pytest.mark.parametrize(
    ("diagnosis", "seen", "why"),
    [
        ("AML, CD34-negative", Blasts(None, None, None), "the sample sheet gives the diagnosis “AML, CD34-negative”"),
        ("AML without CD34", Blasts(3000, 4000, 10_000), "the sample sheet gives"),
        ("AML NPM1, CD34−", Blasts(None, None, None), "the sample sheet gives"),
        ("AML", CD34_NEGATIVE, "1.0 % of the 4,000 blasts carry CD34"),
        ("AML, CD34+", CD34_NEGATIVE, "1.0 % of the 4,000 blasts carry CD34"),
        ("", Blasts(40, 6_000, 10_000), "0.7 % of the 6,000 blasts carry CD34"),
        ("", CD34_NEGATIVE, ""),  # of a healthy marrow as many are CD45-dim
        ("AML", Blasts(400, 4_000, 10_000), ""),
        ("AML", Blasts(40, 1_900, 10_000), ""),
        ("AML", Blasts(0, 199, 300), ""),
        ("AML", Blasts(None, 4_000, 10_000), ""),
        ("AML", Blasts(0, 0, 0), ""),
        ("AML, CD34+", Blasts(None, None, None), ""),
        ("AML, CD340-negative", Blasts(None, None, None), ""),
    ],
)
def test_the_leukaemia_that_it_does_not_apply_to(diagnosis: str, seen: Blasts, why: str) -> None:
    row = ReadoutRow.model_validate({**ROW, "carriers": "blasts_cd34"})
    said = lost(row, {"diagnosis": diagnosis}, seen)
    assert said.startswith(why)
    assert bool(said) == bool(why)


def test_a_row_that_leans_on_no_marker_always_applies() -> None:
    row = ReadoutRow.model_validate({name: text for name, text in ROW.items() if name != "lost_without"})
    assert lost(row, {"diagnosis": "AML, CD34-negative"}, CD34_NEGATIVE) == ""


@pytest.mark.parametrize(("n", "state"), [(40, "not applicable"), (400, "quantifiable")])
def test_not_applicable_leaves_no_number(n: int, state: str) -> None:
    counts = {"cd45pos": 10_000, "blasts": 4_000, "blasts_cd34": n}
    plain = [
        Statistic(population=name, parent="", statistic="count", value=count, unit="events", n=count)
        for name, count in counts.items()
    ]
    kept = without_lost([*plain, made(300, 60)], TEMPLATE, {"diagnosis": "AML"})
    assert kept[:3] == tuple(plain)
    assert kept[3].state == state
    assert (kept[3].value is None) == (kept[3].ci_low is None) == (state == "not applicable")


def test_background_judges_counts_and_leaves_the_log_ratios_reason() -> None:
    refused = made(300, 3)
    assert judged([refused], []) == (refused,)
