"""The template in plain words, with its standing and its sources."""

from __future__ import annotations

from typing import Any

from stromagate.model.result import SampleResult
from stromagate.report.section import Section


def _build(result: SampleResult) -> dict[str, Any]:
    template = result.template
    return {
        "template": template,
        "sentences": [_unnumbered(sentence) for sentence in template.sentences],
        "absent": result.panel.absent,
    }


def _unnumbered(sentence: str) -> str:
    """Drop a leading ``3. ``: the page numbers the list itself."""
    number, dot, rest = sentence.partition(". ")
    return rest if dot and number.isdigit() else sentence


SECTION = Section(
    title="Template",
    order=90,
    fragment="template.html.j2",
    build=_build,
    summary="The gates in plain words, in the order they were applied.",
)
