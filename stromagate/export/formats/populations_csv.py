"""``populations.csv``: every number of every tube, one a row, with its denominator, interval and state.

``ci_low`` to ``ci_high`` is of counting and boundary together; behind them stand the limits of each alone, empty where
there are none of the kind, the tube's role by the sample sheet, so that controls are not taken for patients, and how
the limits of counting were made.
"""

from __future__ import annotations

from collections.abc import Sequence

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


def render(results: Sequence[SampleResult]) -> bytes:
    """Return the tidy table of statistics; a value that could not be had is an empty cell with its state beside it."""
    rows = (
        [
            result.sample_id,
            *(getattr(statistic, column) for column in (*_COLUMNS, *_LIMITS)),
            result.role,
            statistic.interval,
        ]
        for result in results
        for statistic in result.statistics
    )
    return table(["sample_id", *_COLUMNS, *_LIMITS, "role", "interval"], rows)


EXPORTER = Exporter(
    filename="populations.csv",
    summary="every number, one a row, with denominator, interval and state",
    render=render,
)
