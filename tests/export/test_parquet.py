"""Numbers as Parquet, read back: the same as in ``populations.csv``, with types, and text as it was."""

from __future__ import annotations

import csv
import io

import pyarrow as pa
import pytest
from pyarrow import parquet

from stromagate.export import export
from stromagate.export.cells import cell
from stromagate.model.result import SampleResult
from tests.results import make_result

RUNS = {
    "none": [],
    "one": [make_result()],
    "two": [make_result(), make_result(sample_id="=2", labels={"role": "blank"})],
}


def read(results: list[SampleResult]) -> pa.Table:
    return parquet.read_table(io.BytesIO(export("parquet", results)))


@pytest.mark.parametrize("results", RUNS.values(), ids=RUNS)
def test_every_number_is_that_of_the_csv(results: list[SampleResult]) -> None:
    header, *lines = csv.reader(io.StringIO(export("populations_csv", results).decode(), newline=""))
    table = read(results)
    assert table.column_names == header
    assert [[cell(row[name]) for name in header] for row in table.to_pylist()] == lines
    assert len(lines) == sum(len(result.statistics) for result in results)


def test_numbers_have_types_even_where_there_is_no_row() -> None:
    for results in RUNS.values():
        types = dict(zip(read(results).column_names, read(results).schema.types, strict=True))
        assert {name for name, kind in types.items() if kind == pa.float64()} == {
            "value",
            "ci_low",
            "ci_high",
            "counting_low",
            "counting_high",
            "boundary_low",
            "boundary_high",
        }
        assert types["n"] == pa.int64()
        assert set(types.values()) == {pa.float64(), pa.int64(), pa.string()}


def test_what_could_not_be_had_is_null_and_text_is_as_it_was() -> None:
    rows = read(RUNS["two"]).to_pylist()
    assert {row["sample_id"] for row in rows} == {"bm-001", "=2"}
    assert {row["role"] for row in rows} == {"stained", "blank"}
    missing = [row for row in rows if row["population"] == "msc_cd105" and row["statistic"] == "count"]
    assert missing
    assert all(row["value"] is None and row["state"] for row in missing)


def test_the_file_says_what_it_is_for() -> None:
    assert read([]).schema.metadata[b"research_use"].startswith(b"For Research Use Only")
