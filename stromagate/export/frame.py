"""The numbers of tubes as a table of pandas: what ``populations.csv`` holds, with its types, for a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stromagate.export.formats.populations_csv import COLUMNS
from stromagate.export.formats.populations_csv import numbers as rows

if TYPE_CHECKING:
    from pandas import DataFrame

    from stromagate.model.result import SampleResult


def numbers(*results: SampleResult) -> DataFrame:
    """Return every number of one or several tubes as a table.

    Parameters
    ----------
    *results : SampleResult
        Tubes, in the order in which they are to appear.

    Returns
    -------
    pandas.DataFrame
        The rows and columns of ``populations.csv``, one number a row: ``value`` in ``unit`` with ``denominator``,
        ``ci_low``, ``ci_high`` and ``state``. ``n`` is a whole number or missing; a value that could not be had is NaN.

    Examples
    --------
    >>> table = numbers(result)  # doctest: +SKIP
    >>> table[table.statistic == "count"][["population", "value", "ci_low", "ci_high", "state"]]  # doctest: +SKIP
    """
    import pandas as pd

    made = pd.DataFrame(list(rows(results)), columns=list(COLUMNS))
    real = ("value", "ci_low", "ci_high", "counting_low", "counting_high", "boundary_low", "boundary_high")
    return made.astype({**dict.fromkeys(real, "float64"), "n": "Int64"})
