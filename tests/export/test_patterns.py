"""``patterns.csv``: one row a call, a probability, an index and a way of reckoning, of stained tubes alone."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from stromagate.export import export
from stromagate.model.pattern import CalibrationRef, PatternCall
from stromagate.model.result import SampleResult
from stromagate.pattern import call_pattern
from tests.export.test_cells import PAYLOADS
from tests.golden import matches_golden
from tests.pattern.made_calls import called, method_dependent, uncalibrated
from tests.pattern.tubes import controls, tube
from tests.results import make_result

COLUMNS = (
    "sample_id,kind,name,denominator,value,unit,ci_low,ci_high,cut_low,cut_high,percentile,pattern,decides,level,"
    "calibration,sentence"
)


def rows(*results: SampleResult) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(export("patterns_csv", results).decode("utf-8"), newline="")))


def of(found: list[dict[str, str]], kind: str) -> list[dict[str, str]]:
    return [row for row in found if row["kind"] == kind]


def shown(call: PatternCall, name: str = "bm-001", **changes: Any) -> SampleResult:
    return make_result(sample_id=name, pattern=call, **changes)


def test_golden_table() -> None:
    calls = {"bm-001": called(), "bm-002": method_dependent(), "bm-003": uncalibrated(), "bm-004": PatternCall()}
    matches_golden("patterns.csv", export("patterns_csv", [shown(call, name) for name, call in calls.items()]))


def test_columns_are_those_documented_even_without_a_row() -> None:
    assert export("patterns_csv", []).decode() == f"{COLUMNS}\n"
    assert export("patterns_csv", [shown(called(), labels={"role": "fmo:CD146"})]).decode() == f"{COLUMNS}\n"


def test_every_stained_tube_has_a_call_whatever_it_is() -> None:
    results = [
        shown(called(), "a"),
        shown(called(), "control", labels={"role": "unstained"}),
        shown(PatternCall(), "b", labels={}),
    ]
    found = of(rows(*results), "call")
    assert [(row["sample_id"], row["pattern"]) for row in found] == [("a", "progenitor-high"), ("b", "not assigned")]
    assert (found[1]["value"], found[1]["calibration"], found[1]["level"]) == ("", "", "L0")


def test_a_call_names_its_calibration_by_name_and_digest_on_every_row() -> None:
    found = rows(shown(called()))
    assert {row["calibration"] for row in found} == {f"Our controls 2026 ({'4c' * 6})"}
    assert {row["level"] for row in found} == {"L1"}


def test_numbers_read_back_exactly() -> None:
    result = tube(90, 40)
    call = call_pattern(result, controls())
    found = rows(result.model_copy(update={"pattern": call}))
    assert {row["name"]: float(row["value"]) for row in of(found, "probability")} == call.probabilities
    for row, value in zip(of(found, "index"), call.indices, strict=True):
        for column in ("value", "ci_low", "ci_high", "cut_low", "cut_high", "percentile"):
            assert (float(row[column]) if row[column] else None) == getattr(value, column)
        assert (row["name"], row["denominator"], row["unit"]) == (value.index, value.denominator, value.unit)
    assert [row["pattern"] for row in of(found, "robustness")] == [cell.pattern for cell in call.robustness]


def test_a_result_read_from_disk_gives_the_same_rows() -> None:
    result = shown(called())
    again = SampleResult.model_validate_json(json.dumps(result.to_json(), sort_keys=True))
    assert list(again.pattern.probabilities) != list(result.pattern.probabilities)
    assert rows(again) == rows(result)


def test_a_place_beside_the_cut_points_and_each_way_are_in_words() -> None:
    found = rows(shown(method_dependent()))
    said = {(row["name"], row["denominator"]): row["sentence"] for row in of(found, "index")}
    assert said["P", "nucleated"] == "above the cut-points"
    assert said["Q", "nucleated"] == "within the cut-points"
    assert said["P", "msc"] == said["P/MSC", ""] == ""
    ways = [(row["decides"], row["value"], row["sentence"]) for row in of(found, "robustness")]
    assert ways == [
        ("true", "0.9123", "the same as the call"),
        ("false", "0.6", "too few of its cells in this tube to tell"),
        ("false", "", "that share cannot be corrected for"),
        ("true", "0.9951", "the same as the call"),
        ("true", "0.55", "differs from the call"),
    ]


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_no_cell_begins_a_formula_whatever_the_names(payload: str) -> None:
    call = called(
        calibration=CalibrationRef(name=payload, level="L1", sha256="4c" * 32, n=44),
        sentence=payload,
        robustness=tuple(
            cell.model_copy(update={"name": payload, "reason": payload, "denominator": payload})
            for cell in called().robustness
        ),
        denominator=payload,
    )
    content = export("patterns_csv", [shown(call, payload)]).decode("utf-8")
    cells = [cell for line in csv.reader(io.StringIO(content, newline="")) for cell in line]
    assert sum(cell.startswith("'") for cell in cells) >= len(call.robustness) * 4
    for cell in cells:
        begins = cell.lstrip(" \t\r\n\x00\xa0\ufeff\u200b")
        if begins.startswith(tuple("=+-@＝＋－＠")):
            float(cell)
