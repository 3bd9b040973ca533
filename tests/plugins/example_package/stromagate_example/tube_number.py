"""A check of a run: whether it holds as many tubes as a batch of this laboratory has."""

from __future__ import annotations

from stromagate.model.result import RunFinding
from stromagate.qc.run_check import RunCheck, RunEvidence, said


def look(evidence: RunEvidence) -> list[RunFinding]:
    """Count the tubes."""
    n = len(evidence.tubes)
    return [said(RUN_CHECK, "pass", f"The run holds {n} tube{'' if n == 1 else 's'}.")]


RUN_CHECK = RunCheck(code="EX2", title="as many tubes as usual", run=look)
