"""``populations.csv``: every number of every tube, one a row, with its denominator, interval and state.

``ci_low`` to ``ci_high`` is of counting and boundary together; behind them stand the limits of each alone, empty where
there are none of the kind, the tube's role by the sample sheet, so that controls are not taken for patients, and how
the limits of counting were made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stromagate.export.cells import Cell
from stromagate.export.exporter import Exporter
from stromagate.export.table import table
from stromagate.model.result import SampleResult

_COLUMNS = (
    "population",
    "parent",
    "statistic",
    "marker",
    "value",
    "unit",
    "denominator",
    "ci_low",
    "ci_high",
    "state",
    "n",
)
_LIMITS = ("counting_low", "counting_high", "boundary_low", "boundary_high")


COLUMNS = ("sample_id", *_COLUMNS, *_LIMITS, "role", "interval")
"""Names of the columns, in order."""


def numbers(results: Sequence[SampleResult]) -> Iterator[list[Cell]]:
    """Yield every number of every tube as one row of ``COLUMNS``; None where there is no value."""
    for result in results:
        for statistic in result.statistics:
            said = (getattr(statistic, column) for column in (*_COLUMNS, *_LIMITS))
            yield [result.sample_id, *said, result.role, statistic.interval]


def render(results: Sequence[SampleResult]) -> bytes:
    """Return the tidy table of statistics; a value that could not be had is an empty cell with its state beside it."""
    return table(COLUMNS, numbers(results))


EXPORTER = Exporter(
    filename="populations.csv",
    summary="every number, one a row, with denominator, interval and state",
    render=render,
)
