"""Cells that blood has as well: marrow and blood of one patient in one run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stromagate.export.pooled import without_blood_csv
from stromagate.model.pooled import BloodCorrected
from stromagate.model.result import SampleResult, Statistic
from stromagate.quantify.blood_tubes import blood_corrected
from stromagate.quantify.intervals import clopper_pearson
from tests.results import make_result

RED = {"rbc_bm": "3.0", "rbc_pb": "3.0", "wbc_pb": "50", "tnc_bm": "120"}
SHARE = 50 / 120
N = 100_000


def tube(name: str, count: int | None, labels: dict[str, str], **more: Any) -> SampleResult:
    low, high = (None, None) if count is None else (1e6 * end for end in clopper_pearson(count, N))
    row = Statistic(
        population="treg",
        parent="nucleated",
        statistic="per_million",
        value=None if count is None else 1e6 * count / N,
        unit="per million",
        denominator="nucleated",
        ci_low=low,
        ci_high=high,
        state="quantifiable",
        n=count,
    )
    fields = {"statistics": (row,), "indices": {"treg": "treg"}, "denominators": ("nucleated",)}
    return make_result(sample_id=name, labels={"patient_id": "P1", **labels}, **{**fields, **more})


def marrow(count: int | None = 400, **labels: str) -> SampleResult:
    return tube("bm", count, {**RED, **labels})


def blood(count: int | None = 600, **labels: str) -> SampleResult:
    return tube("pb", count, {"specimen": "blood", **labels})


def only(*tubes: SampleResult) -> BloodCorrected:
    (row,) = blood_corrected(tubes)
    return row


def test_what_blood_brought_is_taken_away() -> None:
    row = only(marrow(), blood())
    assert (row.sample_id, row.blood_id, row.population, row.denominator) == ("bm", "pb", "treg", "nucleated")
    assert (row.share, row.observed, row.in_blood) == (pytest.approx(SHARE), 4000, 6000)
    assert row.value == pytest.approx((4000 - SHARE * 6000) / (1 - SHARE))
    assert row.ci_low < row.value < row.ci_high
    assert row.state == "quantifiable"


def test_cells_that_are_as_frequent_in_both_stay() -> None:
    assert only(marrow(400), blood(400)).value == pytest.approx(4000)


def test_more_than_blood_explains_is_zero() -> None:
    row = only(marrow(100), blood(900))
    assert (row.value, row.ci_low, row.state) == (0, 0, "not detected")
    assert row.ci_high >= 0


def test_what_blood_may_explain_is_not_told_from_none() -> None:
    row = only(marrow(400), blood(900))
    assert row.value > 0
    assert (row.ci_low, row.state) == (0, "not detected")


@pytest.mark.parametrize(
    ("tubes", "state"),
    [
        ((marrow(),), "no blood tube"),
        ((marrow(), blood(patient_id="P2")), "no blood tube"),
        ((marrow(), blood(panel="other")), "no blood tube"),
        ((marrow(), blood(batch="b2")), "no blood tube"),
        ((marrow(), blood(role="fmo:CD25")), "no blood tube"),
        ((marrow(), blood(None)), "no blood tube"),
        ((marrow(wbc_pb="61"), blood()), "not assessable"),
    ],
)
def test_what_cannot_be_told_says_why(tubes: tuple[SampleResult, ...], state: str) -> None:
    row = only(*tubes)
    assert (row.value, row.ci_low, row.ci_high, row.state) == (None, None, None, state)
    assert row.observed == 4000


def test_blood_of_another_day_is_not_taken() -> None:
    early, late = blood(600, timepoint="d0"), blood(100, timepoint="d28").model_copy(update={"sample_id": "pb28"})
    assert only(marrow(timepoint="d28"), early, late).blood_id == "pb28"
    assert only(marrow(timepoint="d0"), late, early).blood_id == "pb"
    assert only(marrow(timepoint="d28"), early).state == "no blood tube"
    unstated = blood(300).model_copy(update={"sample_id": "pb?"})
    assert only(marrow(timepoint="d28"), unstated).blood_id == "pb?"
    assert only(marrow(timepoint="d28"), unstated, late).blood_id == "pb28", "what states the same goes before"
    assert only(marrow(), early, late).blood_id == "pb"


def test_marrow_cells_tubes_without_counts_and_strangers_are_left_out() -> None:
    indices = {"indices": {"msc": "treg"}}
    assert blood_corrected([tube("bm", 400, RED, **indices), blood()]) == ()
    assert blood_corrected([tube("bm", 400, {}), blood()]) == ()
    assert blood_corrected([tube("bm", 400, {**RED, "patient_id": ""}), blood(patient_id="")]) == ()
    assert blood_corrected([marrow(None), blood()]) == ()
    assert blood_corrected([]) == ()


def test_the_interval_holds_the_marrow() -> None:
    """Marrow with 2,500 per million and blood with 6,000, mixed, counted, and with blood counts that are 3 % off."""
    rng = np.random.default_rng(2)
    inside, n, truth = 0, 400, 2500.0
    mixed = (1 - SHARE) * truth + SHARE * 6000
    for _ in range(n):
        off = {name: str(float(text) * np.exp(rng.normal(0, 0.03))) for name, text in RED.items()}
        seen = [int(rng.poisson(rate * N / 1e6)) for rate in (mixed, 6000)]
        row = only(tube("bm", seen[0], off), blood(seen[1]))
        if row.value is not None:
            inside += row.ci_low <= truth <= row.ci_high
    assert inside / n == pytest.approx(0.95, abs=0.035)


def test_the_table_has_one_line_a_rate() -> None:
    lines = without_blood_csv(blood_corrected([marrow(), blood()])).decode().splitlines()
    assert lines[0].startswith("sample_id,blood_id,population,denominator,share,observed,in_blood,value,ci_low,ci_high")
    assert len(lines) == 2
