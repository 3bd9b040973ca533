"""``populations.parquet``: the rows and columns of ``populations.csv`` with their types, for pandas, R and databases.

Text is never changed here, a number that could not be had is null, and what holds for every row stands in the metadata
of the file.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stromagate.export.exporter import Exporter
from stromagate.export.formats.populations_csv import COLUMNS, numbers
from stromagate.model.result import RESEARCH_USE, SampleResult

if TYPE_CHECKING:
    import pyarrow as pa

_REAL = frozenset({"value", "ci_low", "ci_high", "counting_low", "counting_high", "boundary_low", "boundary_high"})
_WHOLE = frozenset({"n"})


def render(results: Sequence[SampleResult]) -> bytes:
    """Return the table of statistics as Parquet; numbers are float64, ``n`` is int64, all else text."""
    import pyarrow as pa
    from pyarrow import parquet

    rows = list(numbers(results))
    columns: dict[str, Any] = {
        name: pa.array([row[place] for row in rows], type=_type(name)) for place, name in enumerate(COLUMNS)
    }
    table = pa.table(columns).replace_schema_metadata({"research_use": RESEARCH_USE})
    stream = io.BytesIO()
    parquet.write_table(table, stream, compression="zstd")
    return stream.getvalue()


def _type(name: str) -> pa.DataType:
    import pyarrow as pa

    return pa.float64() if name in _REAL else pa.int64() if name in _WHOLE else pa.string()


EXPORTER = Exporter(
    filename="populations.parquet",
    summary="the rows of populations.csv with their types, as Parquet",
    render=render,
    asked=True,
)
