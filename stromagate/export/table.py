"""Rows to the bytes of a CSV file: UTF-8, comma, line feed, quotes only where needed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from stromagate.export.cells import Cell, cell


def table(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return a CSV file with a header line.

    Parameters
    ----------
    columns : sequence of str
        Names, in order.
    rows : iterable of sequence
        One value a column.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        A row of another length than the header.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, quoting=csv.QUOTE_MINIMAL, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(value) for _, value in zip(columns, row, strict=True)])
    return stream.getvalue().encode("utf-8")
