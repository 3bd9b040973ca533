"""``qc.csv``: what every check saw on every tube."""

from __future__ import annotations

from collections.abc import Sequence

from stromagate.export.exporter import Exporter
from stromagate.export.table import table
from stromagate.model.result import SampleResult

_COLUMNS = ("code", "check", "status", "measured", "limit", "unit", "sentence", "stage", "remedy")


def render(results: Sequence[SampleResult]) -> bytes:
    """Return one row a finding, in the order of the results."""
    rows = (
        [result.sample_id, *(getattr(finding, column) for column in _COLUMNS)]
        for result in results
        for finding in result.findings
    )
    return table(["sample_id", *_COLUMNS], rows)


EXPORTER = Exporter(filename="qc.csv", summary="what every check saw, one finding a row", render=render)
