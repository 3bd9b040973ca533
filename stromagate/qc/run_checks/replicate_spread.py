"""Replicates that differ more than twice as much as counting makes them: clumps, or unequal pipetting."""

from __future__ import annotations

from stromagate.model.pooled import PooledGroup, PooledRate
from stromagate.model.result import RunFinding
from stromagate.qc.run_check import RunCheck, RunEvidence, not_applicable, said


def look(evidence: RunEvidence) -> list[RunFinding]:
    """Hold the CV between replicates against that of counting, for every index population."""
    groups = () if evidence.pooled is None else evidence.pooled.groups
    names = dict.fromkeys(evidence.template.indices.values())
    rates = [(group, rate) for group in groups for name in names if (rate := group.rate(name)) is not None]
    found = [_one(evidence, group, rate) for group, rate in rates if rate.cv_pct is not None and rate.poisson_cv_pct]
    return found or [not_applicable(RUN_CHECK, "There are no replicates with events to compare.")]


def _one(evidence: RunEvidence, group: PooledGroup, rate: PooledRate) -> RunFinding:
    assert rate.cv_pct is not None
    assert rate.poisson_cv_pct is not None
    ratio = rate.cv_pct / rate.poisson_cv_pct
    # Two tubes of a few cells differ widely by chance: a fault of the bench is only what the test tells apart as well.
    bad = ratio > _MOST and rate.p is not None and rate.p <= _LEVEL
    return said(
        RUN_CHECK,
        "warn" if bad else "pass",
        f"The replicates of {evidence.called(rate.population)} of {group.title} differ with a CV of "
        f"{rate.cv_pct:.0f} %, {ratio:.1f} times the {rate.poisson_cv_pct:.0f} % of counting.",
        samples=group.samples,
        remedy=_BENCH if bad else "",
        population=rate.population,
        measured=ratio,
    )


_MOST = 2.0
_LEVEL = 0.05
_BENCH = "Look for clumps and unequal pipetting: filter the suspension, mix it, and stain the replicates again."

RUN_CHECK = RunCheck(code="Q53", title="spread of replicates", run=look, warn=_MOST, unit="fold")
