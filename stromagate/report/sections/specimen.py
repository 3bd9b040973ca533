"""What is known of the tube before anything is counted: the sheet's columns and the file's own plain facts."""

from __future__ import annotations

from typing import Any

from stromagate.model.result import SampleResult
from stromagate.model.specimen import NUMBER_COLUMNS
from stromagate.report.lookup import role
from stromagate.report.section import Section
from stromagate.report.wording import count_text

_FIRST = {"patient_id": "Patient", "panel": "Panel", "batch": "Batch"}
_KEYWORDS = {
    "$CYT": "Cytometer",
    "FCS version": "File format",
    "STROMAGATE_SIMULATED": "Simulated",
    "STROMAGATE_PREPARATION": "Preparation",
}


def _build(result: SampleResult) -> dict[str, Any]:
    rows = [("Tube", result.sample_id), ("Role", role(result.labels).text)]
    rows += [(title, result.labels[key]) for key, title in _FIRST.items() if result.labels.get(key)]
    rows += [
        _stated(key, value) for key, value in sorted(result.labels.items()) if value and key not in {*_FIRST, "role"}
    ]
    rows += [("File", result.source.path), ("Events in the file", count_text(result.n_events))]
    # Where the sheet already says it in the same words, the file's keyword is not said again.
    said = set(rows)
    stated = [(title, result.instrument[key]) for key, title in _KEYWORDS.items() if result.instrument.get(key)]
    return {"rows": rows + [row for row in stated if row not in said]}


def _stated(column: str, value: str) -> tuple[str, str]:
    """Return a column of the sheet in words; numbers that are understood with their unit."""
    known = NUMBER_COLUMNS.get(column)
    if known is None:
        return column.replace("_", " ").capitalize(), value
    return known.title, f"{value} {known.unit}"


SECTION = Section(
    title="Specimen",
    order=10,
    fragment="specimen.html.j2",
    build=_build,
    summary="As the sample sheet and the file state it.",
)
