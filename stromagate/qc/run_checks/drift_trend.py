"""Whether this run and the nine before lie on one side of the mean of earlier runs."""

from __future__ import annotations

from stromagate.model.result import RunFinding
from stromagate.qc.drift import judge_rule
from stromagate.qc.run_check import RunCheck, RunEvidence


def look(evidence: RunEvidence) -> list[RunFinding]:
    """Warn of series that break the rule 10x (Westgard 1981, doi 10.1093/clinchem/27.3.493)."""
    return judge_rule(RUN_CHECK, "10x", "ten values in a row on one side of the mean", evidence)


RUN_CHECK = RunCheck(code="Q58", title="no ten runs on one side", run=look, warn=0.0, unit="series")
