"""Whether two tubes of a run hold the same events: one cell would count twice, or for two people."""

from __future__ import annotations

from stromagate.model.result import RunFinding
from stromagate.qc.run_check import RunCheck, RunEvidence, TubeSeen, not_applicable, said
from stromagate.qc.wording import listed


def look(evidence: RunEvidence) -> list[RunFinding]:
    """Fail every group of tubes with the same stored events, whatever else stands in their files."""
    n = len(evidence.tubes)
    if n < 2:
        return [not_applicable(RUN_CHECK, "The run has no two analysed tubes to compare.")]
    by_content: dict[str, list[TubeSeen]] = {}
    for tube in evidence.tubes:
        if tube.data_sha256:
            by_content.setdefault(tube.data_sha256, []).append(tube)
    twins = [tubes for tubes in by_content.values() if len(tubes) > 1]
    return [_finding(tubes) for tubes in twins] or [
        said(RUN_CHECK, "pass", f"No two of the {n} tubes hold the same stored events.", measured=0.0)
    ]


def _finding(tubes: list[TubeSeen]) -> RunFinding:
    names = listed(tube.name for tube in tubes)
    files = {tube.result.source.sha256 for tube in tubes}
    what = "hold the same bytes" if len(files) == 1 else "hold the same events in files that differ otherwise"
    patients = {tube.said("patient_id").casefold() for tube in tubes} - {""}
    roles = {tube.result.role.casefold() for tube in tubes}
    if len(patients) > 1:
        why = f" under {len(patients)} patients: the cells of one person stand for another"
    elif len(roles) > 1:
        why = f" under several roles ({listed(sorted(roles))}): one tube cannot be both"
    else:
        why = " under different names: their cells are the same cells"
    sentence = f"{names} {what}{why}."
    return said(
        RUN_CHECK,
        "fail",
        sentence,
        samples=[tube.name for tube in tubes],
        measured=float(len(tubes)),
        remedy="Find out which tube it is and leave the other out; look for the file that was meant to stand there.",
    )


RUN_CHECK = RunCheck(code="Q29", title="every tube once", run=look, fail=0.0, unit="tubes alike")
