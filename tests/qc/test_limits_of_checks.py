"""The limits of the checks as they were planned, and by name those that differ from the plan."""

from __future__ import annotations

import pytest

from stromagate.model.specimen import MIN_BEADS
from stromagate.qc.check import checks
from stromagate.qc.checks import carryover, cd45_bleed, time_clustering
from stromagate.qc.run_check import run_checks

# Warn and fail from the plan of the checks; None where the plan has no such limit.
PLANNED: dict[str, tuple[float | None, float | None]] = {
    "Q01": (None, 5),  # % of a colour that is left in a channel without antibody
    "Q02": (2, None),  # channels
    "Q05": (10, 30),  # % of the events
    "Q06": (0.15, 0.3),  # decades
    "Q07": (1e6, 2e5),  # events
    "Q08": (80, 60),  # % alive
    "Q09": (20, 50),  # % of the target
    "Q10": (10, 40),  # % of the target
    "Q11": (2, 10),  # % of the target
    "Q13": (500, 100),  # events of the anchor
    "Q15": (3, None),  # robust deviations
    "Q16": (20, 50),  # % of the count
    "Q17": (30, None),  # % in the last 0.2 decade
    "Q18": (0.9, None),  # r
    "Q19": (30, None),  # % of the target
    "Q20": (20, None),  # % change
    "Q21": (2, None),  # variance over mean
    "Q23": (25, None),  # % change by 0.1 decade
    "Q24": (30, 50),  # % blood
    "Q28": (1000, None),  # per million
    "Q51": (10, None),  # % between thirds of the file
    "Q53": (2, None),  # times the CV of counting
}
# Beyond 50 % of the target most are no stroma: an own choice.
OTHERWISE: dict[str, tuple[float | None, float | None]] = {"Q19": (30, 50)}


@pytest.mark.parametrize("code", PLANNED)
def test_a_check_warns_and_fails_where_it_was_planned_to(code: str) -> None:
    every = [*map(checks.get, checks.names()), *map(run_checks.get, run_checks.names())]
    held = {check.code: (check.warn, check.fail) for check in every}
    assert held[code] == OTHERWISE.get(code, PLANNED[code])


def test_what_differs_from_the_plan_does_differ() -> None:
    assert all(PLANNED[code] != limits for code, limits in OTHERWISE.items())


def test_further_numbers_of_the_plan() -> None:
    assert MIN_BEADS == 1000
    assert carryover._START_FRAC == 0.05
    assert cd45_bleed._LAST_DECADES == 0.2
    assert time_clustering._P_VALUE == 0.01
