"""A section of the report: the one number that this laboratory's ward asks for."""

from __future__ import annotations

from typing import Any

from stromagate.model.result import SampleResult
from stromagate.report.section import Section


def build(result: SampleResult) -> dict[str, Any] | None:
    """Return the number; no section where it could not be counted."""
    count = result.count("msc")
    return None if count is None else {"count": count, "tube": result.sample_id}


SECTION = Section(
    title="For the ward", order=900, fragment="for_the_ward.html.j2", build=build, package="stromagate_example"
)
