"""The contract of a section of the tube's report: a result in, the values of one page fragment out.

Adding a section is adding ``report/sections/NAME.py`` with ``SECTION = Section(...)`` and its fragment in
``report/html/``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stromagate.model.result import SampleResult
from stromagate.registry import Registry


@dataclass(frozen=True, slots=True)
class Section:
    """Declaration of a section.

    Parameters
    ----------
    title : str
        Heading.
    order : int
        Place on the page, ascending; the house leaves gaps of ten.
    fragment : str
        Name of the Jinja template that is filled; every value in it is escaped.
    build : callable
        ``SampleResult`` to the fragment's values; None leaves the section out.
    summary : str
        One or two sentences beside the heading: what the reader sees and how to read it.
    wide : bool
        True gives the fragment the whole width of the page instead of the column beside the heading.
    package : str
        Package whose folder ``html`` holds the fragment; third parties name their own.
    """

    title: str
    order: int
    fragment: str
    build: Callable[[SampleResult], Mapping[str, Any] | None]
    summary: str = ""
    wide: bool = False
    package: str = "stromagate.report"


sections: Registry[Section] = Registry(
    kind="report section",
    package="stromagate.report.sections",
    attribute="SECTION",
    group="stromagate.report_sections.v1",
    declares=Section,
)


def in_order() -> list[tuple[str, Section]]:
    """Return every section with its name, in the order of the page."""
    return sorted(sections.all().items(), key=lambda item: (item[1].order, item[0]))
