"""Every check over one tube, in the order of their codes."""

from __future__ import annotations

from collections.abc import Mapping

from stromagate.errors import StromagateError
from stromagate.model.result import Finding
from stromagate.qc.check import Check, Evidence, checks
from stromagate.qc.verdict import not_applicable
from stromagate.qc.wording import control_kind


def run_checks(evidence: Evidence, which: Mapping[str, Check] | None = None) -> tuple[Finding, ...]:
    """Make every check and return what they found.

    A check that breaks, or answers nothing, is a fault of the check and not of the tube: the numbers stay, and a
    finding with the status ``fail`` says which check is missing and why, so that the fault is seen by whoever reads
    the result and by ``--fail-on``. Only errors raised on purpose pass through.

    Parameters
    ----------
    evidence : Evidence
        The tube.
    which : mapping of str to Check, optional
        Checks by name; all that are installed by default.

    Returns
    -------
    tuple of Finding
        At least one a check, sorted by code and name.

    Raises
    ------
    StromagateError
        A check refused the tube on purpose, or a plugin cannot be loaded.
    """
    found = []
    ordered = sorted((checks.all() if which is None else which).items(), key=lambda item: (item[1].code, item[0]))
    for name, check in ordered:
        stamp = {"check": name, "stage": check.stage}
        found += [finding.model_copy(update=stamp) for finding in _made(check, evidence)]
    return tuple(found)


def answers(check: Check, evidence: Evidence) -> list[Finding]:
    """Return what a check says of a tube, or why it is not made of a control."""
    if check.not_of_controls and evidence.is_control:
        kind = control_kind(evidence.role.strip())
        return [not_applicable(check, f"{kind[0].upper()}{kind[1:]}: {check.not_of_controls}.")]
    return check.run(evidence)


def _made(check: Check, evidence: Evidence) -> list[Finding]:
    try:
        findings = answers(check, evidence)
    except StromagateError:
        raise
    except Exception as fault:  # noqa: BLE001  (a broken check must neither cost the tube its numbers nor stay unseen)
        return [_broken(check, f"{type(fault).__name__}: {fault}")]
    return findings or [_broken(check, "it gave no answer")]


def _broken(check: Check, what: str) -> Finding:
    return Finding(
        code=check.code,
        check="",
        status="fail",
        sentence=f"The check '{check.title}' could not be made because of a fault in the program: {what}.",
        remedy="Do not take this check as passed; please report the fault with the file's name and this sentence.",
    )
