"""Checks of read-outs: lost by a disease, moved by the sample, and a marker that is lost by handling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stromagate.model.result import Finding, Statistic
from stromagate.model.template import Readout
from stromagate.qc import Evidence
from stromagate.qc.check import Check, checks
from stromagate.qc.run import answers
from tests.qc.evidence import make_evidence

HARD: dict[str, Any] = {"text": "x", "when": "aml_at_diagnosis", "flag": "not interpretable", "hard": True}
BLOOD: dict[str, Any] = {"text": "x", "when": "blood_in_marrow", "flag": "raised by blood"}
LATE: dict[str, Any] = {"text": "x", "when": "not_fixed_at_bedside", "flag": "post-reoxygenation"}
SHARE: dict[str, Any] = {"kind": "share", "population": "msc", "denominator": "stroma"}
RATIO: dict[str, Any] = {"kind": "mfi_ratio", "population": "msc", "marker": "CD146", "carried_by": "stroma"}


def tube(*warnings: dict[str, Any], row: dict[str, Any] | None = None, **labels: str) -> Evidence:
    made = {"name": "a", "title": "A topic", "rows": [row or SHARE], "warnings": list(warnings)}
    plain = make_evidence()
    template = plain.template.model_copy(update={"readouts": (Readout.model_validate(made),)})
    return replace(plain, template=template, labels=labels, role=labels.get("role", ""))


def check(name: str) -> Check:
    return checks.get(f"readout_{name}")


def only(name: str, evidence: Evidence) -> Finding:
    (found,) = answers(check(name), evidence)
    return found


def test_what_a_disease_makes_unusable_fails_with_its_reason() -> None:
    found = only("unusable", tube(HARD, diagnosis="AML", timepoint="diagnosis"))
    assert (found.status, found.code, found.population) == ("fail", "Q65", "msc")
    assert found.sentence == "A topic: not interpretable (the sample sheet gives the diagnosis “AML”)."
    assert "LAIP" in found.remedy


@pytest.mark.parametrize("labels", [{}, {"diagnosis": "healthy"}, {"diagnosis": "AML", "timepoint": "day 28"}])
def test_it_passes_where_the_sheet_says_nothing_of_it(labels: dict[str, str]) -> None:
    assert only("unusable", tube(HARD, **labels)).status == "pass"


def test_blood_and_fixation_warn_each_with_its_own_remedy() -> None:
    both = answers(check("conditions"), tube(BLOOD, LATE, HARD, specimen="peripheral blood", diagnosis="AML"))
    assert [found.status for found in both] == ["warn", "warn"]
    assert both[0].sentence == "A topic: raised by blood (the sample sheet calls this tube one of blood)."
    assert "pull" in both[0].remedy
    assert "at the bedside" in both[1].remedy
    fixed = answers(check("conditions"), tube(BLOOD, LATE, fixation="bedside"))
    assert [found.status for found in fixed] == ["pass"]


def test_hemodilution_of_the_sheet_moves_regulatory_t_cells() -> None:
    counts = {"rbc_bm": "4", "rbc_pb": "5", "wbc_pb": "10", "tnc_bm": "12"}
    assert "67 % of the nucleated cells came from blood" in only("conditions", tube(BLOOD, **counts)).sentence
    assert only("conditions", tube(BLOOD, **{**counts, "tnc_bm": "30"})).status == "pass"


@pytest.mark.parametrize("name", ["unusable", "conditions", "carried"])
def test_what_the_tube_does_not_carry_is_not_judged(name: str) -> None:
    for row in ({**SHARE, "population": "elsewhere"}, {**RATIO, "marker": "CXCR4"}):
        found = only(name, tube(HARD, LATE, row=row, diagnosis="AML"))
        assert found.status == "not_applicable"
    assert only(name, make_evidence()).status == "not_applicable"


@pytest.mark.parametrize("name", ["unusable", "conditions", "carried"])
def test_a_control_is_not_judged(name: str) -> None:
    found = only(name, tube(HARD, LATE, diagnosis="AML", role="fmo:CD146"))
    assert found.status == "not_applicable"
    assert found.sentence.startswith("FMO-CD146 control: it is no sample")


def carried(
    value: float | None, low: float | None, state: str = "quantifiable", population: str = "stroma"
) -> Evidence:
    number = Statistic(
        population=population,
        parent="viable",
        statistic="mfi_ratio",
        value=value,
        unit="ratio",
        marker="CD146",
        denominator="fmo:CD146",
        ci_low=low,
        state=state,
    )
    return replace(tube(row=RATIO), statistics=(number,))


@pytest.mark.parametrize(("low", "status"), [(0.98, "warn"), (0.2, "warn"), (1.0, "pass"), (3.0, "pass")])
def test_a_marker_that_its_carriers_have_lost_is_lost_on_the_target(low: float, status: str) -> None:
    found = only("carried", carried(low + 0.1, low))
    assert (found.code, found.status, found.population, found.measured) == ("Q67", status, "msc", low)
    assert ("that of msc may be lost as well" in found.sentence) == (status == "warn")
    assert bool(found.remedy) == (status == "warn")


def test_carriers_without_a_number_judge_nothing() -> None:
    found = only("carried", carried(None, None, "no FMO control"))
    assert found.status == "not_applicable"
    assert "no FMO control" in found.sentence
    assert only("carried", carried(5.0, 4.0, population="msc")).status == "not_applicable"
