"""``stromagate_checks_mqc.json``: how many checks of each tube passed, warned, failed or did not apply, as bars."""

from __future__ import annotations

from collections.abc import Sequence

from stromagate.export.exporter import Exporter
from stromagate.export.multiqc import PARENT, section
from stromagate.model.result import SampleResult

# Okabe and Ito's colours, which readers who cannot tell red from green can tell apart; the legend names each.
_CATEGORIES = {
    "pass": {"name": "Passed", "color": "#009E73"},
    "warn": {"name": "Warning", "color": "#E69F00"},
    "fail": {"name": "Failed", "color": "#D55E00"},
    "not_applicable": {"name": "Not applicable", "color": "#BBBBBB"},
}


def render(results: Sequence[SampleResult]) -> bytes:
    """Return the bars, one a tube."""
    rows = {
        result.sample_id: {
            status: sum(finding.status == status for finding in result.findings) for status in _CATEGORIES
        }
        for result in results
    }
    bars = {"id": "stromagate_checks_bars", "title": "stromagate: checks of each tube", "ylab": "Findings"}
    said = "What the checks of each tube saw, from file to result."
    return section("bargraph", "Checks", said, rows, **PARENT, categories=_CATEGORIES, pconfig=bars)


EXPORTER = Exporter(
    filename="stromagate_checks_mqc.json",
    summary="how many checks passed, warned or failed, as bars for MultiQC",
    render=render,
    asked=True,
)
