"""Whether a value of this run lies far outside of what earlier runs had."""

from __future__ import annotations

from stromagate.model.result import RunFinding
from stromagate.qc.drift import judge_rule
from stromagate.qc.run_check import RunCheck, RunEvidence


def look(evidence: RunEvidence) -> list[RunFinding]:
    """Warn of series that break the rule 1-3s (Westgard 1981, doi 10.1093/clinchem/27.3.493)."""
    return judge_rule(RUN_CHECK, "1-3s", "a value more than 3 SD from the baseline", evidence)


RUN_CHECK = RunCheck(code="Q56", title="no value far from earlier runs", run=look, warn=0.0, unit="series")
