"""What the checks saw, gravest first."""

from __future__ import annotations

from typing import Any

from stromagate.model.result import Finding, SampleResult
from stromagate.report.lookup import STATUS_WORDS, loud_and_quiet, told_first
from stromagate.report.section import Section
from stromagate.report.wording import number_text


def _build(result: SampleResult) -> dict[str, Any]:
    return loud_and_quiet([_row(finding) for finding in told_first(result)])


def _row(finding: Finding) -> dict[str, str]:
    symbol, word = STATUS_WORDS[finding.status]
    return {
        "status": finding.status,
        "symbol": symbol,
        "word": word,
        "code": finding.code,
        "stage": finding.stage,
        "check": finding.check.replace("_", " "),
        "sentence": finding.sentence,
        "measured": _with_unit(finding.measured, finding.unit),
        "limit": _with_unit(finding.limit, finding.unit),
        "remedy": finding.remedy,
    }


def _with_unit(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    # Whole numbers (events, channels) are written whole.
    text = f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else number_text(value)
    one = unit.removesuffix("s") if value == 1 and unit.isalpha() else unit
    return f"{text} {one}".strip()


SECTION = Section(
    title="Findings",
    order=60,
    fragment="findings.html.j2",
    build=_build,
    summary="A check that could not be made is not applicable; it never counts as passed.",
    wide=True,
)
