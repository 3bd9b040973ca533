"""MIFlowCyt at the end of the report: what is filled, what is missing and where to write it, the table folded."""

from __future__ import annotations

from typing import Any

from stromagate.model.result import SampleResult
from stromagate.report.miflowcyt import DOI, gaps, items
from stromagate.report.section import Section


def _build(result: SampleResult) -> dict[str, Any]:
    found = items(result)
    return {
        "doi": DOI,
        "n": len(found),
        "n_filled": sum(not item.missing for item in found),
        "gaps": gaps(found),
        "lines": [item for item in found if not item.missing],
    }


SECTION = Section(
    title="MIFlowCyt",
    order=110,
    fragment="miflowcyt.html.j2",
    build=_build,
    summary="The minimum information about a cytometry experiment, as far as file, sheet and result know it.",
    wide=True,
)
