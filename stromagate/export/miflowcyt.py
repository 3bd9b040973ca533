"""``miflowcyt.csv``: the MIFlowCyt table of every tube of a run, one line a row, the gaps with where to write them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stromagate.export.table import table

COLUMNS = ("sample_id", "item", "title", "about", "value", "source", "missing", "write_in")


def miflowcyt_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """Return the table as CSV.

    Parameters
    ----------
    rows : iterable of sequence of str
        One value for each of ``COLUMNS``.
    """
    return table(COLUMNS, rows)
