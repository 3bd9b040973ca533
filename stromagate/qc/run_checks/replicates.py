"""Whether replicates of one specimen agree as well as counting lets them."""

from __future__ import annotations

from stromagate.model.pooled import PooledGroup, PooledRate
from stromagate.model.result import FindingStatus, RunFinding
from stromagate.qc.run_check import RunCheck, RunEvidence, not_applicable, said


def look(evidence: RunEvidence) -> list[RunFinding]:
    """Judge every index population of every group of replicates by the test that decides whether it is pooled."""
    groups = () if evidence.pooled is None else evidence.pooled.groups
    found = [finding for group in groups for finding in _group(evidence, group)]
    return found or [
        not_applicable(RUN_CHECK, "The sample sheet names no replicates (columns `patient_id`, `replicate`).")
    ]


def _group(evidence: RunEvidence, group: PooledGroup) -> list[RunFinding]:
    if len(group.samples) < 2:
        why = "; ".join(f"{name}: {reason}" for name, reason in group.left_out.items())
        sentence = f"Of the replicates of {group.title} fewer than two are left ({why})."
        return [not_applicable(RUN_CHECK, sentence).model_copy(update={"samples": group.samples})]
    names = dict.fromkeys(evidence.template.indices.values())
    return [_one(evidence, group, rate) for name in names if (rate := group.rate(name)) is not None]


def _one(evidence: RunEvidence, group: PooledGroup, rate: PooledRate) -> RunFinding:
    called = f"{evidence.called(rate.population)} of {group.title}"
    if rate.p is None:
        sentence = f"The replicates of {called} were not pooled: {rate.reason}."
        finding = not_applicable(RUN_CHECK, sentence)
        return finding.model_copy(update={"samples": group.samples, "population": rate.population})
    counted = ", ".join(f"{count:,}" for count in rate.counts if count is not None)
    often = "fewer than 1 in 1,000" if rate.p < 0.001 else f"{_in_100(100 * rate.p)} in 100"
    status: FindingStatus = "warn" if rate.p <= _LEVEL else "pass"
    return said(
        RUN_CHECK,
        status,
        f"In {len(rate.counts)} replicates of {called}, {counted} events were counted: by counting alone {often} such "
        "sets differ as much.",
        samples=group.samples,
        remedy=_LOOK if status == "warn" else "",
        population=rate.population,
        measured=100 * rate.p,
    )


def _in_100(often: float) -> str:
    return f"{often:.0f}" if often >= _TWO_DIGITS_FROM else f"{often:.2g}"


_TWO_DIGITS_FROM = 10
_LEVEL = 0.05
_LOOK = "Do not take their sum for one number: look at the report of each tube, and how the specimen was mixed."

RUN_CHECK = RunCheck(code="Q52", title="replicates agree", run=look, warn=100 * _LEVEL, unit="%")
