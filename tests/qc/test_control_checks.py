"""Checks of control tubes: each fires on what it is for, names it, and is silent on a clean tube."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stromagate.model.result import ControlUse
from stromagate.model.template import ControlNeed
from stromagate.qc import Evidence
from tests.qc.evidence import ask, make_evidence, one, seen

NEEDS = {
    "msc": (ControlNeed("fmo:CD271", "stroma", "CD271"), ControlNeed("fmo:CD271", "msc", "CD271")),
    "progenitors": (ControlNeed("fmo:CD146", "stroma", "CD146"),),
}
CHECKS = ("control_match", "control_size", "isotype", "control_usable")


def use(name: str, role: str, **more: Any) -> ControlUse:
    anchors = {"n_anchor": {"stroma": 600.0, "msc": 30.0}, "n_events": 20_000, "matched": ("batch", "day")}
    return ControlUse(sample_id=name, role=role, sha256="0" * 64, **{**anchors, **more})


GOOD = (use("a_271", "fmo:CD271"), use("a_146", "fmo:CD146"), use("b_146", "fmo:CD146"))


def tube(*controls: ControlUse, **more: Any) -> Evidence:
    return replace(make_evidence(), **{"controls": controls or GOOD, "control_needs": NEEDS, **more})


@pytest.mark.parametrize("name", CHECKS)
def test_a_template_without_control_gates_is_judged_by_none(name: str) -> None:
    assert one(name, make_evidence()).status == "not_applicable"


def test_good_controls_pass() -> None:
    assert one("control_match", tube()).status == "pass"
    assert one("control_usable", tube()).status == "pass"
    assert one("isotype", tube()).status == "not_applicable"
    assert [finding.status for finding in _sizes(tube())] == ["pass", "pass"]


def test_a_control_of_another_day_is_a_warning_that_names_it() -> None:
    odd = use("a_146", "fmo:CD146", mismatched=("another day", "other detector voltages: CD146 500 V, not 480 V"))
    status, sentence = seen("control_match", tube(GOOD[0], odd, GOOD[2]))
    assert status == "warn"
    assert "FMO-CD146 control a_146" in sentence
    assert "another day; other detector voltages: CD146 500 V, not 480 V" in sentence
    assert "b_146" not in sentence


def test_a_control_on_other_detectors_fails() -> None:
    words = "CD146 is on PE-A, not on APC-A"
    odd = use("a_146", "fmo:CD146", mismatched=(words,), unused="detectors", reason=words)
    status, sentence = seen("control_match", tube(GOOD[0], odd))
    assert status == "fail"
    assert words in sentence
    assert "sets no boundary" in sentence


@pytest.mark.parametrize(
    ("n", "status", "limit"), [(501, "pass", 500), (500, "pass", 500), (499, "warn", 500), (99, "fail", 100)]
)
def test_size_is_that_of_the_anchor_over_all_controls_of_the_role(n: int, status: str, limit: float) -> None:
    halves = [use(name, "fmo:CD146", n_anchor={"stroma": part}) for name, part in (("a", n - 40.0), ("b", 40.0))]
    found = {finding.population: finding for finding in _sizes(tube(GOOD[0], *halves))}
    assert (found["progenitors"].status, found["progenitors"].measured) == (status, n)
    assert found["progenitors"].limit == limit
    assert found["msc"].status == "pass"


def test_a_control_that_was_not_used_adds_nothing_to_the_size() -> None:
    failed = use("a_146", "fmo:CD146", unused="failed", reason="the file is cut off")
    found = {finding.population: finding.status for finding in _sizes(tube(GOOD[0], failed))}
    assert found == {"msc": "pass", "progenitors": "not_applicable"}


def test_no_control_at_all_is_nobodys_pass() -> None:
    alone = replace(tube(), controls=())
    for name in CHECKS:
        for finding in ask(name, alone):
            assert finding.status == "not_applicable"
    assert "FMO-CD271 control, FMO-CD146 control" in one("control_usable", alone).sentence


def test_an_isotype_alone_is_a_warning_and_beside_an_fmo_is_not() -> None:
    iso = use("iso", "isotype:CD146", unused="isotype", reason="it measures what an antibody sticks to")
    assert one("isotype", tube(*GOOD, iso)).status == "pass"
    status, sentence = seen("isotype", tube(GOOD[0], iso))
    assert status == "warn"
    assert "CD146" in sentence
    assert "no boundary was set on it" in sentence
    used = iso.model_copy(update={"unused": "", "reason": ""})
    assert "and a boundary was set on it" in one("isotype", tube(*GOOD, used)).sentence


def test_a_control_that_failed_is_named_with_its_reason() -> None:
    failed = use("a_146", "fmo:CD146", unused="failed", reason="the file ends before its data do.")
    status, sentence = seen("control_usable", tube(GOOD[0], failed, GOOD[2]))
    assert status == "warn"
    assert sentence == "The FMO-CD146 control a_146 could not be used: the file ends before its data do."


def _sizes(evidence: Evidence) -> list[Any]:
    return ask("control_size", evidence)
