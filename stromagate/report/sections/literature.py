"""What publications say of stromal patterns and, as plainly, what they do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stromagate.model.result import SampleResult
from stromagate.report.section import Section


@dataclass(frozen=True, slots=True)
class _Line:
    head: str
    text: str
    dois: tuple[str, ...]


_LINES = (
    _Line(
        "One cohort, no cut-off.",
        "Kim 2015: in marrow taken at AML diagnosis, low mesenchymal progenitors (CD146+) were associated with "
        "remission kept for 5–8 years, higher progenitors with relapse within one year, higher MSC with later relapse. "
        "The summary this program was built on states no percentage, no cut-off and no cohort size.",
        ("10.1158/0008-5472.CAN-14-3379",),
    ),
    _Line(
        "The direction is contested.",
        "Against the loss of progenitors reported there, others found stromal cells expanded in AML: Chen 2020 in "
        "trephines, Bandyopadhyay 2024 in tissue imaging. Extraction and denominators alone could make that "
        "difference.",
        ("10.1182/bloodadvances.2020001808", "10.1016/j.cell.2024.04.013"),
    ),
    _Line(
        "The one published flow cut-off is another population.",
        "A preprint of 2025 gives 0.265 % for CD13bright CD45low cells at the end of treatment; "
        "neither the cells nor the time point are those of this report.",
        ("10.21203/rs.3.rs-7035200/v1",),
    ),
    _Line(
        "The closest precedent counts ratios.",
        "Oliveira 2022 (EuroFlow) measured mesenchymal and endothelial cells in B-cell ALL under treatment: the share "
        "of endothelium among stromal cells, not a rate per nucleated cell, was associated with the course in that "
        "cohort.",
        ("10.3390/cancers14133088",),
    ),
    _Line(
        "The marker itself moves.",
        "CD146 depends on oxygen (Tormin 2011) and on the donor's age (Maijenburg 2012, Haematologica). A difference "
        "between two tubes may be a difference of hours or of years.",
        ("10.1182/blood-2010-08-304287",),
    ),
)


def _build(result: SampleResult) -> dict[str, Any]:
    del result  # the same for every tube, on purpose
    return {"lines": _LINES}


SECTION = Section(
    title="Literature",
    order=80,
    fragment="literature.html.j2",
    build=_build,
    summary="What publications say and do not say. None of it speaks about a single patient.",
)
