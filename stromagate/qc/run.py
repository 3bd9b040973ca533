"""Every check over one tube, in the order of their codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from stromagate.errors import StromagateError
from stromagate.model.result import Finding, RunFinding
from stromagate.qc.check import Check, Evidence, checks
from stromagate.qc.run_check import RunCheck
from stromagate.qc.verdict import not_applicable, said
from stromagate.qc.wording import control_kind

C = TypeVar("C", Check, RunCheck)
F = TypeVar("F", Finding, RunFinding)

NOT_LOADED = "Q00"
"""The code of checks whose own is not known."""


def check_tube(evidence: Evidence, which: Mapping[str, Check] | None = None) -> tuple[Finding, ...]:
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
    for name, check in by_code(checks.all() if which is None else which):
        stamp = {"check": name, "stage": check.stage}
        ask, broken = partial(answers, check, evidence), partial(_broken, check)
        found += [each.model_copy(update=stamp) for each in unbroken(check, ask, broken, through=StromagateError)]
    lost = checks.broken() if which is None else {}
    return (*(not_loaded(name, fault, Finding) for name, fault in lost.items()), *found)


def answers(check: Check, evidence: Evidence) -> list[Finding]:
    """Return what a check says of a tube, or why it is not made of a control."""
    if check.not_of_controls and evidence.is_control:
        kind = control_kind(evidence.role.strip())
        return [not_applicable(check, f"{kind[0].upper()}{kind[1:]}: {check.not_of_controls}.")]
    return check.run(evidence)


def by_code(which: Mapping[str, C]) -> list[tuple[str, C]]:
    """Return checks with their names, in the order of their codes."""
    return sorted(which.items(), key=lambda item: (item[1].code, item[0]))


def unbroken(
    check: Check | RunCheck,
    ask: Callable[[], list[F]],
    broken: Callable[[str], F],
    *,
    through: type[Exception] | tuple[()] = (),
) -> list[F]:
    """Return what a check answers; one that breaks, or answers nothing, costs a finding and neither tube nor run.

    Parameters
    ----------
    check : Check or RunCheck
        Gives its title.
    ask : callable
        Makes the check.
    broken : callable
        Returns the finding that says the sentence it is given.
    through : type of Exception, optional
        Errors raised on purpose, which pass.
    """
    try:
        found = ask()
    except through:
        raise
    except Exception as fault:  # noqa: BLE001  (a broken check must neither cost the numbers nor stay unseen)
        what = f"{type(fault).__name__}: {fault}"
    else:
        if found:
            return found
        what = "it gave no answer"
    return [broken(f"The check '{check.title}' could not be made because of a fault in the program: {what}.")]


def not_loaded(name: str, fault: StromagateError, kind: type[F]) -> F:
    """Return the finding that an installed check of a third party is missing; what kept it is said where it was run.

    It warns and does not fail: what another package lacks must not take the tube's own numbers away.
    """
    return kind(
        code=NOT_LOADED,
        check=name,
        status="warn",
        sentence=f"{fault.message[0].upper()}{fault.message[1:]}".partition(": ")[0] + ": it was not made.",
        remedy="Do not take it as passed; `stromagate plugins` says what it lacks.",
        stage="run" if kind is RunFinding else "result",
    )


def _broken(check: Check, sentence: str) -> Finding:
    remedy = "Do not take this check as passed; please report the fault with the file's name and this sentence."
    return said(check, "fail", sentence, remedy=remedy)
