"""The three tables of a run: columns as documented, one row a number, edge or finding."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from stromagate.errors import SpecificationError
from stromagate.export import export
from stromagate.model.gates import GateNode, Interval
from stromagate.model.result import SampleResult
from stromagate.prepare.scales import forward
from tests.golden import FOLDER, matches_golden
from tests.reference_data import ROOT
from tests.results import make_result, make_tree

NAMES = {"populations_csv": "populations.csv", "thresholds_csv": "thresholds.csv", "qc_csv": "qc.csv"}
COLUMNS = {
    "populations_csv": "sample_id,population,parent,statistic,marker,value,unit,denominator,ci_low,ci_high,state,n,"
    "counting_low,counting_high,boundary_low,boundary_high,role,interval",
    "thresholds_csv": "sample_id,population,axis,value_display,value_raw,spread,source,fallback,edited_by",
    "qc_csv": "sample_id,code,check,status,measured,limit,unit,sentence,stage,remedy",
}


def rows(name: str, *results: SampleResult) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(export(name, results).decode("utf-8"), newline="")))


@pytest.mark.parametrize("name", NAMES)
def test_golden_tables(name: str) -> None:
    matches_golden(NAMES[name], export(name, [make_result()]))


@pytest.mark.parametrize("name", NAMES)
def test_columns_are_those_documented_even_without_a_row(name: str) -> None:
    assert export(name, []).decode() == f"{COLUMNS[name]}\n"


def test_an_unknown_format_names_the_nearest() -> None:
    with pytest.raises(SpecificationError, match="no exporter is named 'population_csv'") as caught:
        export("population_csv", [])
    assert caught.value.hint is not None
    assert "populations_csv" in caught.value.hint


def test_every_statistic_and_finding_is_there_in_the_tubes_order() -> None:
    first, second = make_result(), make_result(sample_id="bm-000")
    assert [row["sample_id"] for row in rows("populations_csv", first, second)] == ["bm-001"] * len(
        first.statistics
    ) + ["bm-000"] * len(second.statistics)
    assert [row["code"] for row in rows("qc_csv", first)] == [finding.code for finding in first.findings]


def test_numbers_read_back_exactly() -> None:
    result = make_result()
    for row, statistic in zip(rows("populations_csv", result), result.statistics, strict=True):
        for column in (
            "value",
            "ci_low",
            "ci_high",
            "n",
            "counting_low",
            "counting_high",
            "boundary_low",
            "boundary_high",
        ):
            expected = getattr(statistic, column)
            assert (float(row[column]) if row[column] else None) == expected


def test_limits_that_are_none_of_the_kind_are_empty() -> None:
    made = {(row["population"], row["statistic"]): row for row in rows("populations_csv", make_result())}
    assert made["msc", "count"]["boundary_low"] == "54.5"
    assert made["msc", "count"]["counting_low"] == "47.535"
    assert made["time_ok", "count"]["boundary_low"] == ""
    assert made["msc", "median"]["counting_low"] == ""


@pytest.mark.parametrize(
    ("labels", "role"),
    [({}, "stained"), ({"role": " "}, "stained"), ({"role": "fmo:CD146"}, "fmo:CD146"), ({"role": "blank"}, "blank")],
)
def test_every_number_says_what_the_tube_is_for(labels: dict[str, str], role: str) -> None:
    assert {row["role"] for row in rows("populations_csv", make_result(labels=labels))} == {role}


def test_raw_values_are_the_display_values_on_their_scales() -> None:
    result = make_result()
    checked = 0
    for row in rows("thresholds_csv", result):
        if row["value_display"]:
            scale = result.tree.axes[row["axis"]].scale
            back = forward(scale, np.array([float(row["value_raw"])]))[0]
            assert back == pytest.approx(float(row["value_display"]), abs=1e-9)
            checked += 1
    assert checked == 11


def test_one_row_an_edge_lower_first_and_none_for_open_sides() -> None:
    found = [(row["population"], row["axis"], row["value_display"]) for row in rows("thresholds_csv", make_result())]
    assert found == [
        ("time_ok", "Time", "0"),
        ("time_ok", "Time", "120.5"),
        ("time_ok", "Time", "131"),
        ("time_ok", "Time", "480.25"),
        ("singlets", "FSC-A,FSC-H", ""),
        ("not_debris", "FSC-A,SSC-A", ""),
        ("viable", "Viability", "0.55"),
        ("nucleated", "CD235a", "0.5"),
        ("nucleated", "FSC-A", "20000"),
        ("stroma", "CD31", "0.45"),
        ("stroma", "CD34", "0.4"),
        ("msc", "CD271", "0.62"),
        ("progenitors", "CD146", "0.5125"),
        ("msc_cd105", "", ""),
    ]


def test_states_sources_and_hands_are_told() -> None:
    by_name = {row["population"]: row for row in rows("thresholds_csv", make_result())}
    assert (by_name["msc"]["fallback"], by_name["msc"]["source"]) == ("true", "tail of stroma")
    assert (by_name["progenitors"]["edited_by"], by_name["progenitors"]["fallback"]) == ("reader B", "false")
    assert by_name["msc_cd105"]["source"] == "not evaluable"
    assert by_name["stroma"]["spread"] == ""  # the last row of stroma is its second axis


def _with_gate(**changes: object) -> SampleResult:
    node = GateNode("msc", "all", "fixed", Interval("CD271", 0.3, 0.6), "fixed", "")
    return make_result(tree=replace(make_tree(), nodes=(replace(node, **changes),)))


def test_both_edges_of_an_interval_and_a_gate_without_any() -> None:
    assert [row["value_display"] for row in rows("thresholds_csv", _with_gate())] == ["0.3", "0.6"]
    (row,) = rows("thresholds_csv", _with_gate(geometry=Interval("CD271", None, None)))
    assert (row["axis"], row["value_display"], row["value_raw"]) == ("CD271", "", "")


def test_what_is_not_finite_leaves_its_cell_empty() -> None:
    open_side = _with_gate(geometry=Interval("CD271", 0.3, float("inf")), spread=float("nan"))
    (row,) = rows("thresholds_csv", open_side)
    assert (row["value_display"], row["spread"]) == ("0.3", "")


@pytest.mark.parametrize("language", ["C", "de_DE.UTF-8", "tr_TR.UTF-8"])
def test_the_machines_language_changes_no_byte(language: str) -> None:
    script = (
        "import locale, sys\n"
        "try: locale.setlocale(locale.LC_ALL, '')\n"
        "except locale.Error: pass\n"
        "from stromagate.export import export\n"
        "from tests.results import make_result\n"
        "sys.stdout.buffer.write(export('populations_csv', [make_result()]))"
    )
    environment = {**os.environ, "LC_ALL": language, "PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, env=environment, cwd=ROOT)
    assert done.stdout == (FOLDER / "populations.csv").read_bytes()
