"""What the sample sheet's numbers add: cells per microlitre by beads, and rates without the blood in the marrow."""

from __future__ import annotations

from typing import Any

from stromagate.model.result import SampleResult, Statistic
from stromagate.report.lookup import STATE_OK, find, label, walk
from stromagate.report.section import Section
from stromagate.report.wording import estimate_text

_PER_UL, _PER_MG, _WITHOUT = "cells_per_ul", "cells_per_mg", "per_million_without_blood"
# What no checks of the tube say again: the reason why there is no number stands in the finding of that code.
_CODES = {_PER_UL: "Q51", _PER_MG: "Q51", _WITHOUT: "Q24"}


def _build(result: SampleResult) -> dict[str, Any] | None:
    found = {kind: [row for row in result.statistics if row.statistic == kind] for kind in _CODES}
    if not any(found.values()):
        return None
    named = {row.population for rows in found.values() for row in rows}
    names = [node.name for node, _ in walk(result) if node.name in named]
    corrected = next(iter(found[_WITHOUT]), None)
    return {
        "absolute": "mg" if found[_PER_MG] else "µL" if found[_PER_UL] else "",
        "corrected": label(result, corrected.denominator) if corrected else "",
        "rows": [_row(result, name) for name in names],
        "confidence": f"{100 * result.record.config.confidence:g} %",
        "reasons": [
            finding.sentence
            for kind, code in _CODES.items()
            if found[kind] and all(row.value is None for row in found[kind])
            for finding in result.findings
            if finding.code == code
        ],
    }


def _row(result: SampleResult, name: str) -> dict[str, Any]:
    absolute = find(result, name, _PER_UL) or find(result, name, _PER_MG)
    without = find(result, name, _WITHOUT)
    counted = find(result, name, "per_million", without.denominator) if without else None
    rows = [row for row in (absolute, without) if row is not None]
    return {
        "label": label(result, name),
        "absolute": estimate_text(absolute),
        "counted": estimate_text(counted),
        "without": estimate_text(without),
        "state": _state(rows),
        "faint": _state(rows) != STATE_OK,
    }


def _state(rows: list[Statistic]) -> str:
    """Return the state of the numbers that are there, else of those that are not."""
    there = [row.state for row in rows if row.value is not None]
    return next(iter(there or [row.state for row in rows]), "")


SECTION = Section(
    title="By volume, and without blood",
    order=35,
    fragment="absolute.html.j2",
    build=_build,
    summary="Made with numbers of the sample sheet, which this program did not measure.",
    wide=True,
)
