"""How a check says what it saw: measured against the declared limits, or why it could not be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stromagate.model.result import Finding, FindingStatus

if TYPE_CHECKING:
    from stromagate.qc.check import Check
    from stromagate.qc.run_check import RunCheck


def judge(
    check: Check, measured: float, sentence: str, *, remedy: str = "", population: str = "", low_is_bad: bool = False
) -> Finding:
    """Return the finding of one measured value under the check's limits.

    Parameters
    ----------
    check : Check
        Declares limits and unit.
    measured : float
        In the check's unit.
    sentence : str
        What was seen, with its numbers.
    remedy : str
        What to do; kept only where something is wrong.
    population : str
        What it is about, where it is about one population.
    low_is_bad : bool
        Values under the limits are the bad ones.

    Returns
    -------
    Finding
        ``limit`` is the one that was crossed, or the nearest that was not.
    """

    def beyond(limit: float | None) -> bool:
        return limit is not None and (measured < limit if low_is_bad else measured > limit)

    status: FindingStatus = "fail" if beyond(check.fail) else "warn" if beyond(check.warn) else "pass"
    nearest = check.fail if status == "fail" or check.warn is None else check.warn
    return Finding(
        code=check.code,
        check="",
        status=status,
        sentence=sentence,
        measured=_settled(measured),
        limit=nearest,
        unit=check.unit,
        population=population,
        remedy="" if status == "pass" else remedy,
    )


def said(
    check: Check | RunCheck,
    status: FindingStatus,
    sentence: str,
    *,
    remedy: str = "",
    population: str = "",
    measured: float | None = None,
) -> Finding:
    """Return a finding whose status follows from what was seen and not from a limit.

    Parameters
    ----------
    check : Check or RunCheck
        Gives code and unit.
    status : {"pass", "warn", "fail", "not_applicable"}
        What follows from what was seen.
    sentence : str
        What was seen.
    remedy : str
        What to do; needed with ``warn`` and ``fail``.
    population : str
        What it is about, where it is about one population.
    measured : float, optional
        A number to show beside it, in the check's unit.
    """
    return Finding(
        code=check.code,
        check="",
        status=status,
        sentence=sentence,
        measured=_settled(measured),
        unit=check.unit if measured is not None else "",
        population=population,
        remedy=remedy,
    )


def _settled(measured: float | None) -> float | None:
    """Return a measured value to twelve digits: beyond those sums may differ between machines."""
    return None if measured is None else float(f"{measured:.12g}")


def not_applicable(check: Check, reason: str, population: str = "") -> Finding:
    """Return the finding of a check that could not be made, with the reason as a sentence."""
    return said(check, "not_applicable", reason, population=population)
