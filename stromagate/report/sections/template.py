"""The template in plain words, with its standing and its sources."""

from __future__ import annotations

from typing import Any

from stromagate.model.result import SampleResult
from stromagate.report.section import Section


def _build(result: SampleResult) -> dict[str, Any]:
    template = result.template
    return {
        "template": template,
        "remarks": [sentence for sentence in template.sentences if not _is_numbered(sentence)],
        "sentences": [_unnumbered(sentence) for sentence in template.sentences if _is_numbered(sentence)],
        "absent": result.panel.absent,
    }


def _is_numbered(sentence: str) -> bool:
    """Say whether a sentence speaks of one population (``3. viable: ...``) and not of the template as a whole."""
    return sentence.partition(". ")[0].isdigit()


def _unnumbered(sentence: str) -> str:
    """Drop the leading ``3. ``: the page numbers the list itself."""
    return sentence.partition(". ")[2]


SECTION = Section(
    title="Template",
    order=90,
    fragment="template.html.j2",
    build=_build,
    summary="The gates in plain words, in the order they were applied.",
)
