"""Whether this run and the one before lie outside of earlier runs on the same side."""

from __future__ import annotations

from stromagate.model.result import RunFinding
from stromagate.qc.drift import judge_rule
from stromagate.qc.run_check import RunCheck, RunEvidence


def look(evidence: RunEvidence) -> list[RunFinding]:
    """Warn of series that break the rule 2-2s (Westgard 1981, doi 10.1093/clinchem/27.3.493)."""
    return judge_rule(RUN_CHECK, "2-2s", "two values in a row more than 2 SD to the same side", evidence)


RUN_CHECK = RunCheck(code="Q57", title="no two runs off to one side", run=look, warn=0.0, unit="series")
