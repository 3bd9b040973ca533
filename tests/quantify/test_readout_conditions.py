"""What a sample sheet says that a read-out suffers from: met, not met, and left unsaid."""

from __future__ import annotations

import pytest

from stromagate.model.diagnosis import is_aml, is_leukaemia, lacks
from stromagate.model.readouts import applies, flags, reason
from stromagate.model.template import Readout, ReadoutCondition, ReadoutWarning

BLOOD = {"rbc_bm": "4", "rbc_pb": "5", "wbc_pb": "10", "tnc_bm": "12"}  # two thirds of the cells
LITTLE = {**BLOOD, "tnc_bm": "40"}  # a fifth

MET: list[tuple[ReadoutCondition, dict[str, str]]] = [
    ("aml_at_diagnosis", {"diagnosis": "AML"}),
    ("aml_at_diagnosis", {"diagnosis": "AML with NPM1", "timepoint": "diagnosis"}),
    ("aml_at_diagnosis", {"Diagnosis": "acute myeloid leukaemia"}),
    ("aml_at_diagnosis", {"diagnosis": "Acute promyelocytic leukemia"}),
    ("aml_at_diagnosis", {"diagnosis": "AML", "timepoint": "before treatment"}),
    ("aml_at_diagnosis", {"diagnosis": "AML", "timepoint": "day 0"}),
    ("aml_at_diagnosis", {"diagnosis": "sAML after MDS", "timepoint": "diagnosis"}),
    ("aml_at_diagnosis", {"diagnosis": "sAML after MDS"}),
    ("aml_at_diagnosis", {"diagnosis": "AML without maturation"}),
    ("aml_at_diagnosis", {"diagnosis": "AML, not otherwise specified"}),
    ("aml_at_diagnosis", {"diagnosis": "AML", "timepoint": "relapse"}),
    ("blood_in_marrow", BLOOD),
    ("blood_in_marrow", {"specimen": "peripheral blood"}),
    ("not_digested", {}),
    ("not_digested", {"specimen": "aspirate"}),
    ("not_fixed_at_bedside", {}),
    ("not_fixed_at_bedside", {"fixation": "in the laboratory"}),
    ("not_fixed_at_bedside", {"fixation": "not at the bedside"}),
]
NOT_MET: list[tuple[ReadoutCondition, dict[str, str]]] = [
    ("aml_at_diagnosis", {}),
    ("aml_at_diagnosis", {"diagnosis": "healthy"}),
    ("aml_at_diagnosis", {"diagnosis": "no AML"}),
    ("aml_at_diagnosis", {"diagnosis": "MDS"}),
    ("aml_at_diagnosis", {"diagnosis": "cytopenia, AML excluded"}),
    ("aml_at_diagnosis", {"diagnosis": "no evidence of AML"}),
    ("aml_at_diagnosis", {"diagnosis": "healthy donor for an AML patient"}),
    ("aml_at_diagnosis", {"diagnosis": "B-ALL"}),
    ("aml_at_diagnosis", {"diagnosis": "AML in remission"}),
    ("aml_at_diagnosis", {"diagnosis": "AML", "timepoint": "day 28"}),
    ("aml_at_diagnosis", {"diagnosis": "AML", "visit": "after induction"}),
    ("aml_at_diagnosis", {"diagnosis": "AML", "timepoint": "CR1"}),
    ("blood_in_marrow", {}),
    ("blood_in_marrow", LITTLE),
    ("not_digested", {"specimen": "femoral head"}),
    ("not_digested", {"preparation": "collagenase digest"}),
    ("not_fixed_at_bedside", {"fixation": "bedside"}),
    ("not_fixed_at_bedside", {"Fixation": "at the bed-side, 4 % PFA"}),
]


@pytest.mark.parametrize(("condition", "labels"), MET)
def test_a_condition_holds_with_a_reason(condition: ReadoutCondition, labels: dict[str, str]) -> None:
    said = reason(condition, labels)
    assert said
    assert said[0].islower()
    assert not said.endswith(".")


@pytest.mark.parametrize(("condition", "labels"), NOT_MET)
def test_a_condition_does_not_hold(condition: ReadoutCondition, labels: dict[str, str]) -> None:
    assert reason(condition, labels) == ""


def test_a_warning_without_a_condition_is_no_sign() -> None:
    assert not applies(ReadoutWarning(text="Dim."), {"diagnosis": "AML"})
    assert applies(ReadoutWarning(text="Dim.", when="aml_at_diagnosis"), {"diagnosis": "AML"})


def test_flags_stand_once() -> None:
    late = ReadoutWarning(text="x", when="not_fixed_at_bedside", flag="late")
    row = {"kind": "share", "population": "a", "denominator": "b"}
    readout = Readout.model_validate({"name": "t", "title": "T", "rows": [row]})
    readout = readout.model_copy(update={"warnings": (late, late, late.model_copy(update={"when": "not_digested"}))})
    assert flags(readout, {}) == ("late",)
    assert flags(readout, {"fixation": "bedside", "specimen": "digest"}) == ()


@pytest.mark.parametrize(
    ("text", "marker", "says"),
    [
        ("AML, CD34-", "CD34", True),
        ("AML, CD34-neg", "CD34", True),
        ("AML, cd34 negative", "CD34", True),
        ("AML, loss of CD34", "CD34", True),
        ("AML CD34-CD117+", "CD34", False),
        ("AML, CD34+", "CD34", False),
        ("AML, CD34 100 %", "CD34", False),
        ("AML, HLA-DR-negative", "HLA-DR", True),
        ("AML, HLA-DR+", "HLA-DR", False),
    ],
)
def test_markers_that_a_diagnosis_says_are_lacking(text: str, marker: str, says: bool) -> None:
    assert lacks(text, marker) is says


def test_what_is_a_leukaemia() -> None:
    assert [is_leukaemia(text) for text in ("AML", "ALL", "MDS", "leukemia", "healthy", "", "small")] == [
        *(True,) * 4,
        *(False,) * 3,
    ]
    assert [is_aml(text) for text in ("AML M2", "AMLodipine", "t-AML", "tAML", "CML")] == [
        True,
        False,
        True,
        True,
        False,
    ]
