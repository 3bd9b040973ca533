"""``plan`` on the command line: the table, the object, and two ways to say one thing."""

from __future__ import annotations

import pytest


def test_the_table_holds_three_targets_and_what_was_assumed(call) -> None:
    result = call("plan", "--ppm", "13")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "13 per million viable nucleated cells; events in millions"
    assert [line.split()[0] for line in lines[3:6]] == ["detect", "quantify", "CV"]
    assert lines[4].split()[1:6] == ["50", "14", "%", "3.85", "4.78"]
    assert "4.9 % of events meet another" in result.stdout
    assert "assumed: 80 % of events nucleated" in result.stdout
    assert "planned per million viable nucleated cells, erythroblasts included" in result.stdout
    assert "13 per million are about 19.1 per million" in result.stdout


def test_the_object_says_the_same(call, said) -> None:
    answer = said(call("plan", "--ppm", "10", "--target", "50", "--rate", "10000", "--json"))
    assert answer["ok"]
    assert answer["coincidence_pct"] == pytest.approx(9.516, abs=1e-3)
    (made,) = answer["plans"]
    assert made["target"] == 50
    assert made["expected_events"] == pytest.approx(5e6)
    assert answer["per_million_of"] == "viable nucleated cells"
    assert answer["cd235a_negative_per_million"] == pytest.approx(10 / 0.68)
    assert answer["kept_pct"] == {"nucleated": 80, "singlets": 90, "viable": 85, "prepared": 50}


def test_the_help_says_how_the_rate_of_a_report_compares(call) -> None:
    told = " ".join(call("plan", "--help").stdout.split())
    assert "per million viable CD235a-negative cells. These leave erythroblasts out, so that it is higher" in told


def test_a_cv_instead_of_cells(call, said) -> None:
    (made,) = said(call("plan", "--ppm", "43", "--cv", "10", "--json"))["plans"]
    assert made["target"] == 100


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--ppm", "43", "--cv", "10", "--target", "5"), "plan.target"),
        (("--ppm", "0"), "plan.number"),
        (("--ppm", "43", "--viable", "0"), "plan.number"),
        (("--ppm", "43", "--assurance", "100"), "plan.assurance"),
        (("--ppm", "many"), "usage"),
        ((), "usage"),
    ],
)
def test_wrong_usage_ends_with_two(call, said, options: tuple[str, ...], code: str) -> None:
    result = call("plan", *options, "--json")
    assert result.exit_code == 2
    assert said(result)["error"]["code"] == code
