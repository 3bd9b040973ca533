"""``stromagate_general_mqc.json``: a tube's events, rates and findings in MultiQC's table of all tools.

A rate stands there only where it is quantifiable: that table has no place for a state beside a number. A control has
none: what it holds of the target is background.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from stromagate.export.exporter import Exporter
from stromagate.export.multiqc import denominators, populations, section, statistic, title
from stromagate.model.result import RESEARCH_USE, SampleResult

_COUNT = {"format": "{:,.0f}", "min": 0, "scale": "Greys"}


def render(results: Sequence[SampleResult]) -> bytes:
    """Return the columns of the general statistics, one row a tube."""
    below = denominators(results)[:1]
    headers: list[dict[str, dict[str, Any]]] = [
        {"role": {"title": "Role", "description": "What the tube is for, as the sheet has it", "scale": False}},
        {"events": {"title": "Events", "description": "Events in the file", **_COUNT}},
    ]
    headers += [
        {_column(population, name): _header(title(results, population), title(results, name))}
        for population in populations(results)
        for name in below
    ]
    headers += [
        {status: {"title": what, "description": f"Findings of status {status}", **_COUNT, "scale": scale}}
        for status, what, scale in (("warn", "Warnings", "Oranges"), ("fail", "Failures", "Reds"))
    ]
    for header in headers:  # MultiQC shows no description of these sections, only those of their columns
        for column in header.values():
            column["description"] += f". {RESEARCH_USE}"
    rows = {result.sample_id: _row(result, populations(results), below) for result in results}
    said = "Events, rates and findings of each tube; a rate stands there only where it is quantifiable."
    return section("generalstats", "General", said, rows, namespace="stromagate", headers=headers)


def _column(population: str, denominator: str) -> str:
    return f"{population}_per_million_{denominator}"


def _header(name: str, denominator: str) -> dict[str, Any]:
    said = f"{name} per million of: {denominator}; where quantifiable, and not of controls"
    return {"title": f"{name} per million", "description": said, "format": "{:,.1f}", "min": 0, "scale": "Blues"}


def _row(result: SampleResult, names: list[str], below: list[str]) -> dict[str, float | str | None]:
    rates = {
        _column(population, name): found.value
        for population in names
        for name in below
        if result.role == "stained"
        and (found := statistic(result, population, "per_million", name)).state == "quantifiable"
    }
    counted = {status: sum(finding.status == status for finding in result.findings) for status in ("warn", "fail")}
    return {"role": escape(result.role), "events": result.n_events, **rates, **counted}


EXPORTER = Exporter(
    filename="stromagate_general_mqc.json",
    summary="events, rates and findings of each tube, for the general statistics of MultiQC",
    render=render,
    asked=True,
)
