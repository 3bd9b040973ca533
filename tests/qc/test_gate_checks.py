"""Boundaries that fell back, are missing or decide nothing, and what has no rate (Q34, Q35, Q37, Q38, Q41, Q42)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stromagate.model.gates import NOT_SEPARABLE, SECOND_OPINION, Boolean, Interval
from stromagate.model.template import ControlNeed, GatingTemplate
from stromagate.qc import Evidence
from tests.qc.evidence import (
    GATES,
    N,
    ask,
    gate,
    make_evidence,
    one,
    rare_rows,
    without_indices,
)


def test_every_fallback_is_a_finding() -> None:
    fallen = [replace(node, state="fallback", sentence="no second peak") for node in GATES[2:4]]
    found = ask("fallback", make_evidence(gates=(*GATES[:2], *fallen, *GATES[4:])))
    assert [(finding.status, finding.population) for finding in found] == [("warn", "viable"), ("warn", "stroma")]
    assert found[0].sentence == "viable: no second peak"


def test_populations_without_a_number() -> None:
    gates = (*GATES[:5], gate("progenitors", "msc", "tail", None), gate("odd", "msc", "valley", None, sentence="empty"))
    progenitors, odd = ask("not_evaluable", make_evidence(gates=gates))
    assert (progenitors.status, progenitors.population) == ("fail", "progenitors")
    assert (odd.status, odd.sentence) == ("warn", "odd could not be evaluated: empty")


def test_where_all_above_is_empty_nothing_was_there_to_evaluate() -> None:
    gates = (*GATES[:4], gate("msc", "stroma", "tail", None), gate("progenitors", "msc", "tail", None))
    assert {finding.status for finding in ask("not_evaluable", make_evidence(gates=gates))} == {"fail"}
    empty = make_evidence(gates=gates, members={"stroma": rare_rows()[:0]})
    assert {finding.status for finding in ask("not_evaluable", empty)} == {"warn"}


def test_a_boolean_gate_has_no_edges() -> None:
    rest = gate("rest", "msc", "boolean", Boolean("none", ("progenitors",)))
    evidence = make_evidence(gates=(*GATES, rest), members={"rest": rare_rows()[1::2]})
    assert one("viability", evidence).status == "pass"


def test_a_cut_over_the_top_of_its_channel_fails() -> None:
    cut = replace(GATES[4], geometry=Interval("CD271", 1.118, None), state="fallback")
    finding = one("boundaries", make_evidence(gates=(*GATES[:4], cut, GATES[5])))
    assert (finding.status, finding.population) == ("fail", "msc")
    assert re.search(r"cut at [\d,]+ on CD271, over the top of the channel \(262,143\)", finding.sentence)


def _fitted_viability(kept: int, **changes: Any) -> Evidence:
    viable = replace(GATES[2], **{"state": "fitted", **changes})
    members = {"viable": np.arange(kept, dtype=np.intp)}
    if not kept:
        members |= dict.fromkeys(("stroma", "msc", "progenitors"), rare_rows()[:0])
    return make_evidence(gates=(*GATES[:2], viable, *GATES[3:]), members=members)


@pytest.mark.parametrize(("kept", "word"), [(0, "none"), (N, "all")])
def test_a_gate_that_keeps_all_or_none_of_many(kept: int, word: str) -> None:
    finding = one("boundaries", _fitted_viability(kept))
    assert (finding.status, finding.population) == ("warn", "viable")
    assert f"keeps {word} of the {N:,} events of singlets" in finding.sentence


def test_what_parts_its_parent_or_was_drawn_by_hand_passes() -> None:
    assert one("boundaries", _fitted_viability(N - 1)).status == "pass"
    assert one("boundaries", _fitted_viability(N, state="edited")).status == "pass"
    fixed = tuple(replace(node, state="fixed") for node in GATES)
    assert one("boundaries", make_evidence(gates=fixed)).status == "not_applicable"


def _with_cd45pos(rows: np.ndarray) -> Evidence:
    side = gate("cd45pos", "viable", "tail", Interval("CD45", 0.6, None))
    fields = {"denominators": ["viable", "cd45pos", "stroma", "msc", "all"]}
    return make_evidence(gates=(*GATES, side), members={"cd45pos": rows}, template=fields)


def test_denominators_that_give_no_rates() -> None:
    rest = np.setdiff1d(np.arange(N), rare_rows())
    assert one("denominators", _with_cd45pos(rest)).status == "pass"
    empty = one("denominators", _with_cd45pos(rest[:0]))
    assert (empty.status, empty.population) == ("warn", "cd45pos")
    assert "has no events" in empty.sentence
    assert one("denominators", _with_cd45pos(np.union1d(rest, rare_rows()[:12]))).status == "pass"
    shared = one("denominators", _with_cd45pos(np.union1d(rest, rare_rows()[:13])))
    assert (shared.status, shared.population) == ("warn", "cd45pos")
    assert shared.sentence.startswith("13 events of msc (10.8 %) are in the denominator cd45pos too")
    assert one("denominators", without_indices(denominators=[])).status == "not_applicable"


def test_the_top_is_that_of_the_gates_own_channel() -> None:
    cut = replace(GATES[4], geometry=Interval("CD271", 1.05, None))
    for range_top, status in ((262144.0, "fail"), (1e7, "pass")):
        evidence = make_evidence(gates=(*GATES[:4], cut, GATES[5]), channels={"CD271": {"range_top": range_top}})
        assert one("boundaries", evidence).status == status


@pytest.mark.parametrize(("n", "status"), [(499, "pass"), (500, "warn")])
def test_few_events_may_all_be_kept(n: int, status: str) -> None:
    viable, some = replace(GATES[2], state="fitted"), np.arange(n, dtype=np.intp)
    members = {"singlets": some, "viable": some, "stroma": some[:5], "msc": some[:5], "progenitors": some[:1]}
    assert one("boundaries", make_evidence(gates=(*GATES[:2], viable, *GATES[3:]), members=members)).status == status


def test_every_gate_that_could_not_part_its_populations_is_a_finding() -> None:
    merged = replace(GATES[4], sentence="not separable from the negative's own tail", doubts=(NOT_SEPARABLE,))
    found = one("separable", make_evidence(gates=(*GATES[:4], merged, GATES[5])))
    assert (found.status, found.population) == ("warn", "msc")
    assert found.sentence == (
        "msc: 120 of 120 events lie beyond the boundary on CD271, and half of them or more may be the tail of the "
        "cells on its other side."
    )
    gone = gate("msc", "stroma", "valley", None, sentence="CD271 not cut: not separable", doubts=(NOT_SEPARABLE,))
    assert one("separable", make_evidence(gates=(*GATES[:4], gone))).sentence == "msc: CD271 not cut: not separable"
    assert one("separable", make_evidence()).status == "pass"


def test_a_second_opinion_that_differs_is_a_finding() -> None:
    assert one("second_opinion", make_evidence()).status == "not_applicable"
    asked = [spec.model_dump() for spec in make_evidence().template.populations]
    for spec in asked:
        if spec["name"] == "msc":
            spec["gate"]["otherwise"] = {"method": "valley", "second": "shoulder"}
    template = GatingTemplate.model_validate({**make_evidence().template.model_dump(), "populations": asked})
    assert one("second_opinion", replace(make_evidence(), template=template)).status == "pass"
    contradicted = replace(GATES[4], sentence="second opinion differs", doubts=(SECOND_OPINION,))
    found = one("second_opinion", make_evidence(gates=(*GATES[:4], contradicted, GATES[5])))
    assert (found.status, found.population) == ("warn", "msc")


@pytest.mark.parametrize(
    ("name", "changed"), [("fallback", {"state": "fallback"}), ("second_opinion", {"doubts": (SECOND_OPINION,)})]
)
def test_of_a_control_only_boundaries_above_its_anchor_count(name: str, changed: dict[str, Any]) -> None:
    needs = {"msc": (ControlNeed("fmo:CD271", "stroma", "CD271"),)}

    def status(odd: str, role: str) -> str:
        gates = tuple(replace(node, **changed) if node.name == odd else node for node in GATES)
        evidence = replace(make_evidence(gates=gates), role=role, control_needs=needs)
        return ask(name, evidence)[0].status

    assert status("msc", "stained") == status("stroma", "fmo:CD271") == status("viable", "FMO:NGFR") == "warn"
    assert status("msc", "fmo:CD271") != "warn"
    assert status("stroma", "unstained") == "not_applicable"
