"""Drift (Q56 to Q58): told from what one of many series does by chance, and never passed where nothing was judged."""

from __future__ import annotations

import pytest

from stromagate.model.history import ControlChart, Rule
from stromagate.model.result import RunFinding
from stromagate.qc.run_check import run_checks
from tests.pipeline.histories import book_of, kept_runs
from tests.qc.runs import run_of

CHECKS = {"1-3s": "drift_single", "2-2s": "drift_pair", "10x": "drift_trend"}
BOUNDARY, REFERENCE, VIABILITY = "MSC (CD271+), CD271", "CD271 of MSC (CD271+)", "Viability"


def chart_where(broken: dict[str, tuple[float, tuple[Rule, ...]]], n: int = 31) -> ControlChart:
    """Return a steady chart in which the last points of some series lie so many SD out and break these rules."""
    (chart,) = book_of(kept_runs(n)).charts
    changed = []
    for series in chart.series:
        points = [point.model_copy(update={"rules": ()}) for point in series.points]
        if series.name in broken:
            z, rules = broken[series.name]
            assert series.mean is not None
            assert series.sd is not None
            points[-1] = points[-1].model_copy(update={"value": series.mean + z * series.sd, "rules": rules})
        changed.append(series.model_copy(update={"points": tuple(points)}))
    return chart.model_copy(update={"series": tuple(changed)})


def asked(rule: Rule, *charts: ControlChart) -> list[RunFinding]:
    return run_checks.get(CHECKS[rule]).run(run_of(charts=charts))


@pytest.mark.parametrize("rule", CHECKS)
def test_one_series_that_just_breaks_one_rule_is_chance_and_said(rule: Rule) -> None:
    (finding,) = asked(rule, chart_where({VIABILITY: (3.05, (rule,))}))
    assert finding.status == "pass"
    assert "Viability, 3.0 SD above" in finding.sentence.replace("3.1", "3.0")
    assert "by chance" in finding.sentence


@pytest.mark.parametrize("rule", CHECKS)
def test_two_markers_are_drift_and_two_series_of_one_marker_are_one(rule: Rule) -> None:
    (both,) = asked(rule, chart_where({VIABILITY: (-3.05, (rule,)), BOUNDARY: (3.05, (rule,))}))
    assert (both.status, both.measured) == ("warn", 2.0)
    assert "Viability, 3.0 SD below" in both.sentence.replace("3.1", "3.0")
    (same,) = asked(rule, chart_where({REFERENCE: (3.05, (rule,)), BOUNDARY: (3.05, (rule,))}))
    assert same.status == "pass"


def test_two_rules_of_one_series_or_a_value_very_far_out_are_drift() -> None:
    (two,) = asked("2-2s", chart_where({VIABILITY: (2.5, ("2-2s", "10x"))}))
    (far,) = asked("1-3s", chart_where({VIABILITY: (4.5, ("1-3s",))}))
    assert (two.status, far.status) == ("warn", "warn")


def test_the_series_further_out_come_first() -> None:
    (finding,) = asked("1-3s", chart_where({VIABILITY: (3.5, ("1-3s",)), BOUNDARY: (-7.0, ("1-3s",))}))
    assert finding.sentence.index(BOUNDARY) < finding.sentence.index(VIABILITY + ",")


def test_nothing_is_passed_where_nothing_was_judged() -> None:
    (early,) = book_of(kept_runs(7)).charts
    few = chart_where({}, n=25)
    for rule, name in CHECKS.items():
        assert [finding.status for finding in asked(rule, early)] == ["not_applicable"]
        assert [finding.status for finding in asked(rule)] == ["not_applicable"]
        assert [f.status for f in run_checks.get(name).run(run_of())] == ["not_applicable"]
    assert [finding.status for finding in asked("10x", few)] == ["not_applicable"]
    assert [finding.status for finding in asked("2-2s", few)] == ["pass"]


def test_each_instrument_is_judged_by_itself_and_named() -> None:
    steady, odd = chart_where({}), chart_where({VIABILITY: (9.0, ("1-3s",))})
    found = asked("1-3s", steady, odd.model_copy(update={"instrument": "Aria"}))
    assert [finding.status for finding in found] == ["pass", "warn"]
    assert "on Aria, panel 01234567" in found[1].sentence
