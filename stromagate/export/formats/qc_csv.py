"""``qc.csv``: what every check saw on every tube, and of all tubes together (rows without a ``sample_id``)."""

from __future__ import annotations

from collections.abc import Sequence

from stromagate.export.exporter import Exporter
from stromagate.export.table import table
from stromagate.model.result import Finding, RunFinding, SampleResult

_COLUMNS = ("code", "check", "status", "measured", "limit", "unit", "sentence", "stage", "remedy")


def render(results: Sequence[SampleResult]) -> bytes:
    """Return one row a finding, in the order of the results."""
    return render_run(results, ())


def render_run(results: Sequence[SampleResult], findings: Sequence[RunFinding]) -> bytes:
    """Return the findings of the run, which name no tube in the first column, and then those of each tube."""
    rows: list[tuple[str, Finding]] = [("", finding) for finding in findings]
    rows += [(result.sample_id, finding) for result in results for finding in result.findings]
    cells = ([name, *(getattr(finding, column) for column in _COLUMNS)] for name, finding in rows)
    return table(["sample_id", *_COLUMNS], cells)


EXPORTER = Exporter(
    filename="qc.csv", summary="what every check saw, one finding a row", render=render, of_run=render_run
)
