"""Columns with types to the bytes of a Parquet file."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from numpy.typing import NDArray

Kind = Literal["text", "real", "whole", "truth"]
Values = Sequence[Any] | NDArray[Any]


def parquet_file(columns: Mapping[str, tuple[Kind, Values]], about: Mapping[str, str]) -> bytes:
    """Return a Parquet file.

    Parameters
    ----------
    columns : mapping of str to (kind, values)
        Values of equal number, None where there is none; they are written as text, float64, int64 or bool.
    about : mapping of str to str
        What holds for every row: it stands in the metadata of the file.

    Returns
    -------
    bytes
        The same columns give the same bytes with the same version of pyarrow.
    """
    import pyarrow as pa
    from pyarrow import parquet

    types = {"text": pa.string(), "real": pa.float64(), "whole": pa.int64(), "truth": pa.bool_()}
    table = pa.table({name: pa.array(values, type=types[kind]) for name, (kind, values) in columns.items()})
    stream = io.BytesIO()
    parquet.write_table(table.replace_schema_metadata(dict(about)), stream, compression="zstd")
    return stream.getvalue()
