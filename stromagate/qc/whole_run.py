"""Every check over all tubes of a run together, in the order of their codes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from stromagate.model.result import RunFinding
from stromagate.qc.run import by_code, not_loaded, unbroken
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
    for name, check in by_code(run_checks.all() if which is None else which):
        stamp = {"check": name, "stage": "run"}
        made = unbroken(check, partial(check.run, evidence), partial(_broken, check))
        found += [finding.model_copy(update=stamp) for finding in made]
    lost = run_checks.broken() if which is None else {}
    return (*(not_loaded(name, fault, RunFinding) for name, fault in lost.items()), *found)


def _broken(check: RunCheck, sentence: str) -> RunFinding:
    remedy = "Do not take this check as passed; please report the fault with this sentence."
    return said(check, "fail", sentence, remedy=remedy)
