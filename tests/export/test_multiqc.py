"""The three MultiQC files, read back as MultiQC 1.35 reads custom content, and compared number by number."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stromagate.export import export
from stromagate.export.asked import GROUPS
from stromagate.export.exporter import exporters
from stromagate.model.result import RESEARCH_USE, SampleResult
from tests.results import make_result

NAMES = GROUPS["multiqc"]
BOTH = [make_result(), make_result(sample_id="b", findings=(), statistics=())]
# Keys that MultiQC takes of a section, and of a column of a table (its documentation of custom content and of tables).
SECTION = {
    "id",
    "section_name",
    "description",
    "plot_type",
    "pconfig",
    "data",
    "headers",
    "categories",
    "namespace",
    "parent_id",
    "parent_name",
    "parent_description",
}
COLUMN = {"title", "description", "format", "min", "hidden", "scale"}


def read(name: str, results: list[SampleResult]) -> dict[str, Any]:
    content = json.loads(export(name, results))
    assert isinstance(content, dict)
    return content


def columns(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the columns as MultiQC does: general statistics have a list of one-key objects, tables one object."""
    headers = content["headers"]
    return headers if isinstance(headers, dict) else {key: column for each in headers for key, column in each.items()}


def number(result: SampleResult, population: str, statistic: str, denominator: str) -> Any:
    key = (population, statistic, denominator)
    return next(s for s in result.statistics if (s.population, s.statistic, s.denominator) == key)


@pytest.mark.parametrize("name", NAMES)
def test_multiqc_finds_it_and_knows_every_key(name: str) -> None:
    assert exporters.get(name).filename.endswith("_mqc.json")
    content = read(name, BOTH)
    assert set(content) <= SECTION
    assert content["plot_type"] in {"generalstats", "table", "bargraph"}
    assert content["description"].endswith(RESEARCH_USE)
    assert set(content["data"]) == {"bm-001", "b"}
    for values in content["data"].values():
        assert all(isinstance(value, int | float | str) for value in values.values())
    if "pconfig" in content:
        assert content["pconfig"]["title"].startswith("stromagate: ")
        assert content["pconfig"]["id"] != content["id"]
        assert content["parent_description"].endswith(RESEARCH_USE)
    if "headers" in content:
        assert all(set(column) <= COLUMN for column in columns(content).values())
        assert set().union(*content["data"].values()) <= set(columns(content))


def test_no_two_sections_have_one_id() -> None:
    assert len({read(name, BOTH)["id"] for name in NAMES}) == len(NAMES)


def test_general_statistics_show_a_rate_only_where_it_is_quantifiable() -> None:
    first, _ = BOTH
    content = read("multiqc_general", BOTH)
    assert isinstance(content["headers"], list)
    assert list(columns(content)) == [
        "role",
        "events",
        "msc_per_million_nucleated",
        "progenitors_per_million_nucleated",
        "warn",
        "fail",
    ]
    assert content["data"]["bm-001"] == {
        "role": "stained",
        "events": 1_200_000,
        "msc_per_million_nucleated": number(first, "msc", "per_million", "nucleated").value,
        "warn": sum(finding.status == "warn" for finding in first.findings),
        "fail": sum(finding.status == "fail" for finding in first.findings),
    }
    assert number(first, "progenitors", "per_million", "nucleated").state != "quantifiable"
    assert content["data"]["b"] == {"role": "stained", "events": 1_200_000, "warn": 0, "fail": 0}
    assert all(RESEARCH_USE in column["description"] for column in columns(content).values())


def test_the_table_holds_value_limits_and_state() -> None:
    first, _ = BOTH
    content = read("multiqc_populations", BOTH)
    row = content["data"]["bm-001"]
    for name in ("msc", "progenitors"):
        rate, column = number(first, name, "per_million", "nucleated"), f"{name}_per_million_nucleated"
        assert (row[column], row[f"{column}_ci_low"], row[f"{column}_ci_high"]) == (
            rate.value,
            rate.ci_low,
            rate.ci_high,
        )
        assert row[f"{name}_events"] == number(first, name, "count", "").value
        assert row[f"{name}_state"] == rate.state.replace(", not quantifiable", " (not quantifiable)")
        assert "," not in row[f"{name}_state"]
        assert "per million of: nucleated" in columns(content)[column]["title"]
    assert content["data"]["b"] == {"role": "stained"}
    assert columns(content)["msc_per_million_nucleated"]["hidden"] is False


def test_a_control_has_its_role_and_no_rate_among_those_of_samples() -> None:
    control = make_result(sample_id="fmo", labels={"role": "fmo:CD146"})
    assert number(control, "msc", "per_million", "nucleated").state == "quantifiable"
    row = read("multiqc_general", [make_result(), control])["data"]["fmo"]
    assert row["role"] == "fmo:CD146"
    assert not [column for column in row if "per_million" in column]
    assert read("multiqc_populations", [control])["data"]["fmo"]["role"] == "fmo:CD146"


def test_other_denominators_than_the_first_wait_to_be_asked_for() -> None:
    headers = columns(read("multiqc_populations", [make_result(denominators=("nucleated", "viable"))]))
    shown = {name for name, column in headers.items() if not column.get("hidden")}
    assert "msc_per_million_nucleated_ci_low" in shown
    assert not [name for name in shown if name.endswith("_viable")]
    assert "msc_per_million_viable" in headers


def test_bars_count_every_finding_once() -> None:
    first, _ = BOTH
    content = read("multiqc_qc", BOTH)
    assert sum(content["data"]["bm-001"].values()) == len(first.findings)
    for status, n in content["data"]["bm-001"].items():
        assert n == sum(finding.status == status for finding in first.findings)
    assert set(content["categories"]) == set(content["data"]["b"]) == {"pass", "warn", "fail", "not_applicable"}


@pytest.mark.parametrize("name", ["multiqc_general", "multiqc_populations"])
def test_labels_cannot_write_into_the_page(name: str) -> None:
    loud = {"msc": "<script>alert(1)</script>", "progenitors": "a & b"}
    said = json.dumps(columns(read(name, [make_result(labels_of_populations=loud)])))
    assert "<script" not in said
    assert "&lt;script&gt;" in said
    assert "a &amp; b" in said


def test_tubes_of_two_templates_share_a_table() -> None:
    other = make_result(sample_id="b", indices={"msc": "stroma"}, denominators=("viable",))
    keys = set(columns(read("multiqc_populations", [make_result(), other])))
    assert {"msc_per_million_nucleated", "stroma_per_million_viable"} <= keys
