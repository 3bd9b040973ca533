"""What the reader handed on: repairs, values that are no numbers, values cut off (Q31 to Q33)."""

from __future__ import annotations

import numpy as np
import pytest

from stromagate.model.panel import Compensation
from stromagate.model.sample import Repair
from tests.qc.evidence import (
    N,
    ask,
    good_columns,
    make_evidence,
    one,
    seen,
)

REPAIR = Repair("end.plus1", "100", "99", "the last byte was given one too far")


def test_repairs_are_listed() -> None:
    finding = one("reader", make_evidence(sample={"repairs": (REPAIR, REPAIR), "verdict": "repaired"}))
    assert (finding.status, finding.measured) == ("warn", 2)
    assert "end.plus1 (the last byte was given one too far) x 2" in finding.sentence
    assert "2 places" in finding.sentence
    single = one("reader", make_evidence(sample={"repairs": (REPAIR,), "verdict": "repaired"}))
    assert single.sentence.endswith("in 1 place and was read as: end.plus1 (the last byte was given one too far).")


def test_a_salvaged_file_fails_even_without_a_list() -> None:
    status, sentence = seen("reader", make_evidence(sample={"verdict": "salvaged"}))
    assert status == "fail"
    assert f"{N:,} events that were whole" in sentence


def test_bits_that_the_range_takes_away_are_said() -> None:
    finding = one("reader", make_evidence(sample={"masked": {"PE-A": 5, "other": 9}}))
    assert (finding.status, finding.measured) == ("warn", 5)
    assert "PE-A (5 events)" in finding.sentence
    assert "other" not in finding.sentence
    assert one("reader", make_evidence(sample={"masked": {"other": 9}})).status == "pass"
    both = ask("reader", make_evidence(sample={"masked": {"PE-A": 5}, "repairs": (REPAIR,), "verdict": "repaired"}))
    assert ["end.plus1" in finding.sentence for finding in both] == [True, False]


def test_values_that_are_no_numbers_in_a_channel_in_use() -> None:
    finding = one("non_finite", make_evidence(sample={"non_finite": {"PE-A": 3, "other": 9, "APC-A": 0}}))
    assert (finding.status, finding.measured, finding.limit) == ("warn", 3, 0)
    assert "PE-A (3 events)" in finding.sentence
    assert "other" not in finding.sentence


def test_a_channel_of_the_matrix_counts_as_used() -> None:
    matrix = Compensation("m", ("PE-A", "Alexa-A"), ((1.0, 0.0), (0.1, 1.0)))
    evidence = make_evidence(compensation=matrix, sample={"non_finite": {"Alexa-A": 1}})
    assert one("non_finite", evidence).status == "warn"


@pytest.mark.parametrize(("share", "status"), [(0.009, "pass"), (0.02, "warn")])
def test_events_on_the_lower_margin(share: float, status: str) -> None:
    columns = good_columns()
    columns["CD146"][: int(share * N)] = -500.0
    finding = one("lower_margin", make_evidence(columns=columns))
    assert finding.status == status
    assert finding.measured == pytest.approx(100 * share)
    assert "APC-A" in finding.sentence


def test_a_dead_channel_lies_wholly_on_its_margin() -> None:
    columns = good_columns()
    columns["SSC-A"][:] = 0
    assert "SSC-A 100 %" in one("lower_margin", make_evidence(columns=columns)).sentence


def test_nan_hides_no_margin() -> None:
    columns = good_columns()
    columns["CD146"][: N // 10] = 0.0
    columns["CD146"][N // 10 :] = np.abs(columns["CD146"][N // 10 :]) + 1
    columns["CD146"][-1] = np.nan
    assert one("lower_margin", make_evidence(columns=columns)).status == "warn"


def test_channels_without_numbers_have_no_margin() -> None:
    columns = {axis: np.full(2000, np.nan) for axis in good_columns(1, 0)}
    assert one("lower_margin", make_evidence(columns=columns)).status == "not_applicable"


def test_few_events_have_no_margin() -> None:
    small = make_evidence(columns=good_columns(999, 10), members={})
    assert one("lower_margin", small).status == "not_applicable"
