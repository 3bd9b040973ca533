"""The table of pandas holds the numbers of ``populations.csv``, with their types."""

from __future__ import annotations

import io

import pandas as pd
import pytest

import stromagate
from stromagate.export import export
from stromagate.export.frame import numbers
from tests.results import make_result


def test_it_is_populations_csv_with_types() -> None:
    results = [make_result(), make_result(sample_id="b")]
    table = numbers(*results)
    read = pd.read_csv(io.BytesIO(export("populations_csv", results)), dtype={"n": "Int64"}, keep_default_na=True)
    assert list(table.columns) == list(read.columns)
    assert len(table) == len(read) > 0
    for column in table.columns:
        if table[column].dtype == "object":
            assert table[column].tolist() == read[column].fillna("").tolist()
        else:
            pd.testing.assert_series_equal(table[column], read[column], check_dtype=False)
    assert str(table["n"].dtype) == "Int64"
    assert str(table["value"].dtype) == "float64"


def test_counts_are_those_of_the_result() -> None:
    result = make_result()
    table = stromagate.numbers(result)
    counts = table[table.statistic == "count"].set_index("population").value
    assert counts["msc"] == result.count("msc")


@pytest.mark.parametrize("results", [[], [make_result(statistics=())]])
def test_without_numbers_the_columns_are_there_all_the_same(results: list) -> None:
    table = numbers(*results)
    assert table.empty
    assert "denominator" in table.columns
