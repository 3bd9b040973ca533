"""Every check over all tubes of a run together, in the order of their codes."""

from __future__ import annotations

from collections.abc import Mapping

from stromagate.model.result import RunFinding
from stromagate.qc.run_check import RunCheck, RunEvidence, run_checks, said


def check_run(evidence: RunEvidence, which: Mapping[str, RunCheck] | None = None) -> tuple[RunFinding, ...]:
    """Make every check of a run and return what they found.

    A check that breaks, or answers nothing, costs no tube its numbers: a finding with the status ``fail`` says which
    check is missing and why.

    Parameters
    ----------
    evidence : RunEvidence
        The run.
    which : mapping of str to RunCheck, optional
        Checks by name; all that are installed by default.

    Returns
    -------
    tuple of RunFinding
        At least one a check, sorted by code and name.
    """
    found: list[RunFinding] = []
    ordered = sorted((run_checks.all() if which is None else which).items(), key=lambda item: (item[1].code, item[0]))
    for name, check in ordered:
        found += [finding.model_copy(update={"check": name, "stage": "run"}) for finding in _made(check, evidence)]
    return tuple(found)


def _made(check: RunCheck, evidence: RunEvidence) -> list[RunFinding]:
    try:
        findings = check.run(evidence)
    except Exception as fault:  # noqa: BLE001  (a broken check must neither cost the run its tables nor stay unseen)
        return [_broken(check, f"{type(fault).__name__}: {fault}")]
    return findings or [_broken(check, "it gave no answer")]


def _broken(check: RunCheck, what: str) -> RunFinding:
    sentence = f"The check '{check.title}' could not be made because of a fault in the program: {what}."
    remedy = "Do not take this check as passed; please report the fault with this sentence."
    return said(check, "fail", sentence, remedy=remedy)
