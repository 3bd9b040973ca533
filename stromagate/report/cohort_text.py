"""Numbers of a cohort as they are written."""

from __future__ import annotations

from stromagate.model.cohort import SHARE, CohortNumber
from stromagate.model.result import Statistic
from stromagate.report.wording import estimate_text


def as_text(number: CohortNumber) -> str:
    """Return a number with its interval, as numbers of tubes are written: ``36.4 (24.9–51.4)``, ``34 % (22–47)``."""
    return estimate_text(
        Statistic(
            population=number.population,
            parent="",
            statistic="fraction" if number.quantity == SHARE else "per_million",
            value=number.value,
            unit=number.unit,
            ci_low=number.ci_low,
            ci_high=number.ci_high,
            state=number.state,
        )
    )
