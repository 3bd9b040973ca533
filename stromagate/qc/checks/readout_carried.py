"""Whether a marker that is lost by handling is still on the cells that carry it for certain.

CXCR4 is drawn into the cell while a sample is processed. Where even lymphocytes and monocytes of the tube show no more
of it than their FMO control does, its level on the blasts tells of the handling alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from stromagate.model.readouts import MFI_RATIO
from stromagate.model.result import Finding, Statistic
from stromagate.model.template import ReadoutRow
from stromagate.qc.check import NO_READOUTS, Check, Evidence
from stromagate.qc.verdict import judge, not_applicable


def look(evidence: Evidence) -> list[Finding]:
    """Warn where the interval of the ratio on the cells that carry the marker begins below 1."""
    found = [_judged(evidence, row, number) for row, number in _carriers(evidence)]
    return found or [not_applicable(CHECK, "No marker of this template is compared with cells that carry it.")]


def _carriers(evidence: Evidence) -> Iterator[tuple[ReadoutRow, Statistic]]:
    for readout in evidence.template.readouts:
        for row in readout.rows:
            for each in evidence.statistics:
                known = (each.statistic, each.population, each.marker)
                if row.carried_by is not None and known == (MFI_RATIO, row.carried_by, row.marker):
                    yield row, each


def _judged(evidence: Evidence, row: ReadoutRow, number: Statistic) -> Finding:
    carriers, target = evidence.called(number.population), evidence.called(row.population)
    if number.value is None or number.ci_low is None:
        reason = f"{row.marker} of {carriers}, which carry it, could not be compared: {number.state}."
        return not_applicable(CHECK, reason, row.population)
    shown = f"{row.marker} of {carriers}, which carry it, is {number.value:.3g} times that of the FMO control"
    kept = number.ci_low >= _LEAST
    so = "" if kept else f"; that of {target} may be lost as well"
    sentence = f"{shown} (interval from {number.ci_low:.3g}){so}."
    return judge(CHECK, number.ci_low, sentence, remedy=_REMEDY, population=row.population, low_is_bad=True)


_LEAST = 1.0
_REMEDY = (
    "Do not read the level on the blasts; stain next time on ice and at once, or fix first, and look whether the "
    "antibody was in the tube at all."
)

CHECK = Check(
    code="Q67",
    stage="result",
    title="markers still on cells that carry them",
    run=look,
    warn=_LEAST,
    unit="times the FMO control",
    not_of_controls=NO_READOUTS,
)
