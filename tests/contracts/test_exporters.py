"""What every exporter promises; a new format is found by itself."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from typing import Any

import pytest

from stromagate.errors import UsageError
from stromagate.export import export
from stromagate.export.exporter import exporters
from stromagate.model.result import SampleResult
from tests.export.test_cells import PAYLOADS
from tests.results import make_result

OF_EVENTS = [name for name in exporters.names() if exporters.get(name).to_file]
CSV = [name for name in exporters.names() if exporters.get(name).filename.endswith(".csv")]
A_TUBE = [name for name in exporters.names() if exporters.get(name).a_tube and name not in OF_EVENTS]
A_RUN = [name for name in exporters.names() if not exporters.get(name).a_tube]

RUNS = {
    "no tube": [],
    "bare": [make_result(statistics=(), findings=(), views=(), repairs=())],
    "one": [make_result()],
    "two": [make_result(), make_result(sample_id="b")],
}


@pytest.mark.parametrize("name", exporters.names())
def test_a_format_declares_itself(name: str) -> None:
    exporter = exporters.get(name)
    assert re.fullmatch(r"[a-z_-]+(\.[a-z0-9]+)+", exporter.filename)
    assert exporter.summary
    assert not exporter.summary.endswith(".")


def test_no_two_formats_write_the_same_file() -> None:
    files = [exporter.filename for exporter in exporters.all().values()]
    assert len(files) == len(set(files))


@pytest.mark.parametrize(
    ("name", "results"),
    [
        pytest.param(name, results, id=f"{name}, {kind}")
        for name in [*A_RUN, *A_TUBE]
        for kind, results in RUNS.items()
        if name in A_RUN or len(results) == 1
    ],
)
def test_the_same_results_give_the_same_bytes(name: str, results: list[SampleResult]) -> None:
    once = export(name, results)
    assert isinstance(once, bytes)
    assert once
    again = [SampleResult.model_validate_json(result.model_dump_json()) for result in results]
    assert export(name, again) == once


@pytest.mark.parametrize("name", A_TUBE)
@pytest.mark.parametrize("n", [0, 2])
def test_a_format_of_one_tube_takes_one_and_names_it(name: str, n: int) -> None:
    assert b"tube-one" in export(name, [make_result(sample_id="tube-one")])
    with pytest.raises(UsageError, match=f"'{name}' is of one tube, and {n} are given"):
        export(name, [make_result()] * n)


@pytest.mark.parametrize("name", OF_EVENTS)
def test_a_format_of_events_is_of_one_tube_is_asked_for_and_says_what_it_needs(name: str) -> None:
    assert exporters.get(name).a_tube
    assert exporters.get(name).asked
    with pytest.raises(UsageError, match="is made from the events of a file"):
        export(name, [make_result()])


@pytest.mark.parametrize("name", exporters.names())
def test_what_lies_at_the_top_or_speaks_of_the_folder_is_asked_for(name: str) -> None:
    exporter = exporters.get(name)
    assert exporter.asked or not (exporter.at_top or exporter.of_folder)
    assert not (exporter.a_tube and (exporter.of_run or exporter.of_folder or exporter.at_top))


@pytest.mark.parametrize("name", A_RUN)
def test_every_tube_is_in_it(name: str) -> None:
    both = export(name, [make_result(sample_id="tube-one"), make_result(sample_id="tube-two")])
    assert b"tube-one" in both
    assert b"tube-two" in both


@pytest.mark.parametrize("name", CSV)
def test_tables_are_plain(name: str) -> None:
    content = export(name, [make_result()])
    assert b"\r" not in content
    assert content.endswith(b"\n")
    assert not content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
    assert {len(line) for line in lines} == {len(lines[0])}
    assert lines[0][0] == "sample_id"


@pytest.mark.parametrize("name", CSV)
@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_no_cell_begins_a_formula_whatever_the_names(name: str, payload: str) -> None:
    content = export(name, [_poisoned(payload)]).decode("utf-8")
    cells = [cell for line in csv.reader(io.StringIO(content, newline="")) for cell in line]
    assert any(cell.startswith("'") for cell in cells), "the payload must arrive somewhere"
    for cell in cells:
        begins = cell.lstrip(" \t\r\n\x00\xa0\ufeff\u200b")
        if begins.startswith(tuple("=+-@＝＋－＠")):
            float(cell)  # only a number may


def _poisoned(payload: str) -> SampleResult:
    """Return a result whose every text is the payload, except words that code decides on."""
    result = make_result()
    words: dict[str, Any] = dict.fromkeys(("population", "parent", "marker", "unit", "denominator", "state"), payload)
    found = dict.fromkeys(("check", "sentence", "unit", "population", "remedy", "code"), payload)
    nodes = tuple(
        {"name": payload, "source": payload, "sentence": payload, "edited_by": payload, "method": payload}
        for _ in result.tree.nodes
    )
    tree = replace(
        result.tree, nodes=tuple(replace(node, **texts) for node, texts in zip(result.tree.nodes, nodes, strict=True))
    )
    return make_result(
        sample_id=payload,
        labels={payload: payload},
        statistics=tuple(statistic.model_copy(update=words) for statistic in result.statistics),
        findings=tuple(finding.model_copy(update=found) for finding in result.findings),
        tree=tree,
    )
