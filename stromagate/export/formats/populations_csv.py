"""``populations.csv``: every number of every tube, one a row, with its denominator, interval and state."""

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


def render(results: Sequence[SampleResult]) -> bytes:
    """Return the tidy table of statistics; a value that could not be had is an empty cell with its state beside it."""
    rows = (
        [result.sample_id, *(getattr(statistic, column) for column in _COLUMNS)]
        for result in results
        for statistic in result.statistics
    )
    return table(["sample_id", *_COLUMNS], rows)


EXPORTER = Exporter(
    filename="populations.csv",
    summary="every number, one a row, with denominator, interval and state",
    render=render,
)
