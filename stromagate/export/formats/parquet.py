"""``populations.parquet``: the rows and columns of ``populations.csv`` with their types, for pandas, R and databases.

Text is never changed here, a number that could not be had is null, and what holds for every row stands in the metadata
of the file.
"""

from __future__ import annotations

from collections.abc import Sequence

from stromagate.export.columns import Kind, parquet_file
from stromagate.export.exporter import Exporter
from stromagate.export.formats.populations_csv import COLUMNS, numbers
from stromagate.model.result import RESEARCH_USE, SampleResult

_REAL = frozenset({"value", "ci_low", "ci_high", "counting_low", "counting_high", "boundary_low", "boundary_high"})
_WHOLE = frozenset({"n"})


def render(results: Sequence[SampleResult]) -> bytes:
    """Return the table of statistics as Parquet; numbers are float64, ``n`` is int64, all else text."""
    rows = list(numbers(results))
    columns = {name: (_kind(name), [row[place] for row in rows]) for place, name in enumerate(COLUMNS)}
    return parquet_file(columns, {"research_use": RESEARCH_USE})


def _kind(name: str) -> Kind:
    return "real" if name in _REAL else "whole" if name in _WHOLE else "text"


EXPORTER = Exporter(
    filename="populations.parquet",
    summary="the rows of populations.csv with their types, as Parquet",
    render=render,
    asked=True,
)
