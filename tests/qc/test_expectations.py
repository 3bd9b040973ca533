"""Shares that a template asks for: met, missed, too few events to say, and not there at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stromagate.qc import Evidence
from tests.qc.evidence import GATES, ask, make_evidence, one


def _asked(**more: Any) -> dict[str, Any]:
    return {"population": "msc", "denominator": "stroma", "source": "somebody", **more}


def _tube(n: int, inside: int, **asked: Any) -> Evidence:
    rows = np.arange(n, dtype=np.intp)
    return make_evidence(members={"stroma": rows, "msc": rows[:inside]}, template={"expectations": [_asked(**asked)]})


@pytest.mark.parametrize(
    ("inside", "limit", "status"),
    [
        (9_800, {"at_least": 0.95}, "pass"),
        (9_000, {"at_least": 0.95}, "fail"),
        (9_500, {"at_least": 0.95}, "warn"),
        (100, {"at_most": 0.02}, "pass"),
        (500, {"at_most": 0.02}, "fail"),
        (0, {"at_most": 0.02}, "pass"),
        (10_000, {"at_least": 0.95}, "pass"),
    ],
)
def test_a_share_is_met_or_not(inside: int, limit: dict[str, float], status: str) -> None:
    found = one("expectations", _tube(10_000, inside, **limit))
    assert found.status == status
    assert found.measured == pytest.approx(inside / 100)
    assert found.limit == pytest.approx(100 * next(iter(limit.values())))
    assert f"({inside:,} of 10,000" in found.sentence
    assert "somebody" in found.sentence


def test_few_events_decide_nothing() -> None:
    found = one("expectations", _tube(20, 20, at_least=0.95))
    assert found.status == "warn"
    assert "83" in found.sentence  # the exact lower limit of 20 in 20 is 83.2 %
    assert "do not decide" in found.sentence


def test_what_is_outside_the_denominator_does_not_count() -> None:
    rows = np.arange(1_000, dtype=np.intp)
    evidence = make_evidence(
        members={"stroma": rows[:500], "msc": rows[450:]}, template={"expectations": [_asked(at_least=0.95)]}
    )
    assert one("expectations", evidence).measured == pytest.approx(10.0)


def test_what_is_not_there_is_not_answered() -> None:
    nothing = np.empty(0, dtype=np.intp)
    empty = make_evidence(
        members={"stroma": nothing, "msc": nothing}, template={"expectations": [_asked(at_least=0.95)]}
    )
    absent = make_evidence(template={"expectations": [_asked(at_least=0.95, population="cd73")]})
    for evidence in (empty, absent, make_evidence()):
        assert [found.status for found in ask("expectations", evidence)] == ["not_applicable"]


def test_nothing_is_asked_of_a_control() -> None:
    evidence = _tube(10_000, 9_800, at_least=0.95)
    assert one("expectations", replace(evidence, role="stained")).status == "pass"
    assert one("expectations", replace(evidence, role="fmo:CD73")).status == "not_applicable"


def test_a_boundary_that_fell_back_passes_nothing() -> None:
    gates = tuple(replace(node, state="fallback") if node.name == "msc" else node for node in GATES)
    rows = np.arange(10_000, dtype=np.intp)
    evidence = make_evidence(
        members={"stroma": rows, "msc": rows}, gates=gates, template={"expectations": [_asked(at_least=0.95)]}
    )
    found = one("expectations", evidence)
    assert found.status == "warn"
    assert "first choice" in found.sentence
