"""Numbers of a cohort as they are written: as those of a tube, in one line or in parts for the cells of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stromagate.model.cohort import SHARE, CohortNumber
from stromagate.model.result import Statistic
from stromagate.report.lookup import STATE_OK
from stromagate.report.wording import LLOQ_MARK, NONE, below_lloq, estimate_text


def as_text(number: CohortNumber) -> str:
    """Return a number with its interval: ``36.4 (24.9–51.4)``, ``34 % (22–47) <LLOQ``."""
    return estimate_text(_as_statistic(number))


def cell(number: CohortNumber | None) -> dict[str, Any]:
    """Return a number for a cell of a table.

    Parameters
    ----------
    number : CohortNumber or None
        None where the tube has no such number.

    Returns
    -------
    dict
        ``text``, ``interval`` with the mark of what is no quantity, ``value`` to sort by (-1 for none), ``faint`` for
        what is no quantity, its ``state`` where it is none, and ``n``, the events that were counted.
    """
    if number is None or number.value is None:
        return {
            "text": NONE, "interval": "", "value": -1, "faint": True, "state": number.state if number else "", "n": None
        }  # fmt: skip
    plain, mark = as_text(number).removesuffix(LLOQ_MARK).rstrip(), below_lloq(_as_statistic(number))
    text, _, interval = plain.partition(" (")
    faint = number.state not in {"", STATE_OK}
    return {
        "text": text,
        "interval": f"{interval.rstrip(')')} {mark}".strip(),
        "value": float(f"{number.value:.6g}"),
        "faint": faint,
        "state": number.state if faint else "",
        "n": number.n,
    }


def states_text(numbers: Sequence[CohortNumber]) -> str:
    """Return which of some numbers are no quantities: ``P not detected; Q not quantifiable``."""
    found: dict[str, list[str]] = {}
    for one in numbers:
        if one.state not in {"", STATE_OK}:
            found.setdefault(one.state.removeprefix("detected, "), []).append(one.quantity)
    if not found:
        return STATE_OK if any(one.value is not None for one in numbers) else ""
    return "; ".join(f"{', '.join(names)} {state}" for state, names in found.items())


def _as_statistic(number: CohortNumber) -> Statistic:
    return Statistic(
        population=number.population,
        parent="",
        statistic="fraction" if number.quantity == SHARE else "per_million",
        value=number.value,
        unit=number.unit,
        ci_low=number.ci_low,
        ci_high=number.ci_high,
        state=number.state,
    )
