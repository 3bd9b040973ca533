"""Findings of all tubes together, as rows of a table."""

from __future__ import annotations

from collections.abc import Iterable

from stromagate.model.result import RunFinding
from stromagate.report.lookup import STATUS_WORDS, graver_first, loud_and_quiet


def rows(findings: Iterable[RunFinding]) -> dict[str, list[dict[str, str]]]:
    """Return the rows in two groups, gravest first: those to look at, and those that passed or could not be made."""
    return loud_and_quiet([_row(finding) for finding in graver_first(findings) if isinstance(finding, RunFinding)])


def _row(finding: RunFinding) -> dict[str, str]:
    symbol, word = STATUS_WORDS[finding.status]
    return {
        "status": finding.status,
        "symbol": symbol,
        "word": word,
        "code": finding.code,
        "check": finding.check.replace("_", " "),
        "sentence": finding.sentence,
        "remedy": finding.remedy,
    }
