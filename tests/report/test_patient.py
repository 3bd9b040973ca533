"""The page of a patient: tubes in the order of time, differences with intervals, and what forbids any."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.model.result import SampleResult
from stromagate.pipeline.patients import PatientPage, addresses, pages_of_run, patient_pages
from stromagate.report import render_patient
from stromagate.report.patient import build, differs, in_order
from tests.browser.hostile import PAYLOADS
from tests.report.cohorts import cohort_of, cohort_tube
from tests.report.pages import visible
from tests.results import make_result


def visit(name: str, p: int, q: int, **labels: str) -> SampleResult:
    return cohort_tube(name, p, q, patient="P1", labels=labels)


def course(*more: SampleResult, **changes: Any) -> list[SampleResult]:
    first = visit("a", 60, 160, timepoint="diagnosis", day="0")
    second = visit("b", 150, 150, timepoint="after induction", day="28")
    return [first.model_copy(update=changes), second, *more]


def shown(results: list[SampleResult], **more: Any) -> str:
    return visible(render_patient(cohort_of(results), "P1", **more))


def pages_of(results: list[SampleResult]) -> list[PatientPage]:
    cohort = cohort_of(results)
    return patient_pages([cohort], {}, homes={tube.name: "cohort.html" for tube in cohort.tubes})


def test_tubes_stand_by_day_where_all_have_one() -> None:
    late, early = visit("late", 60, 160, day="100"), visit("early", 60, 160, day="9")
    ordered, by_day = in_order(cohort_of([late, early]).tubes)
    assert [tube.name for tube in ordered] == ["early", "late"]
    assert by_day
    dates = [visit("x", 1, 1, day="2026-03-02"), visit("y", 1, 1, day="2025-12-24")]
    assert [tube.name for tube in in_order(cohort_of(dates).tubes)[0]] == ["y", "x"]


@pytest.mark.parametrize("day", ["", "later", "2026-01-01", "3x"])
def test_tubes_stand_as_the_sheet_has_them_where_days_cannot_be_compared(day: str) -> None:
    results = [visit("second", 60, 160, day="28"), visit("first", 60, 160, day=day)]
    ordered, by_day = in_order(cohort_of(results).tubes)
    assert [tube.name for tube in ordered] == ["second", "first"]
    assert not by_day


def test_numbers_stand_side_by_side_and_differences_have_intervals() -> None:
    text = shown(course())
    assert "diagnosis, day 0a | after induction, day 28b" in text
    assert re.search(r"P progenitors \| 60.0[\d.]+–[\d.]+60 events \| 150[\d.]+–[\d.]+150 events", text)
    changes = text.split("Differences")[1]
    assert re.search(
        r"after induction, day 28 \(b\) \| diagnosis, day 0 \(a\) \| \+90.0\+[\d.]+ to \+[\d.]+higher", changes
    )
    assert "not told apart" in changes  # Q


def test_a_difference_goes_from_the_earlier_to_the_later_tube() -> None:
    values = build(cohort_of(list(reversed(course()))), "P1", {})
    (change,) = values["changes"]
    assert (change["later"], change["earlier"]) == ("after induction, day 28 (b)", "diagnosis, day 0 (a)")
    assert change["cells"][0]["text"] == "+90.0"


def test_the_last_of_three_is_also_compared_with_the_first() -> None:
    values = build(cohort_of(course(visit("c", 10, 20, timepoint="relapse", day="300"))), "P1", {})
    assert [(each["later"][-2], each["earlier"][-2]) for each in values["changes"]] == [
        ("b", "a"), ("c", "b"), ("c", "a"),
    ]  # fmt: skip


@settings(max_examples=20)
@given(p=st.integers(0, 400), other=st.integers(0, 400))
def test_tubes_are_told_apart_only_where_the_interval_holds_no_zero(p: int, other: int) -> None:
    values = build(cohort_of([visit("a", p, 100), visit("b", other, 100)]), "P1", {})
    cell = values["changes"][0]["cells"][0]
    if p == other:
        assert cell["word"] == "not told apart"
    elif cell["word"] != "not told apart":
        assert cell["word"] == ("higher" if other > p else "lower")
    if abs(p - other) < 2:
        assert cell["word"] == "not told apart"


@pytest.mark.parametrize(
    ("labels", "instrument", "said"),
    [
        ({"specimen": "trephine"}, None, "specimen: aspirate and trephine"),
        ({"preparation": "Ficoll"}, None, "preparation: whole and ficoll"),
        ({"pull": "second"}, None, "pull: not said and second"),
        ({"storage": "frozen"}, None, "storage: not said and frozen"),
        ({}, "Cytometer 2", "cytometer: Cytometer 1 and Cytometer 2"),
    ],
)
def test_what_forbids_comparing_is_said_and_nothing_is_subtracted(
    labels: dict[str, str], instrument: str | None, said: str
) -> None:
    other = visit("b", 150, 150, **labels)
    if instrument:
        other = other.model_copy(update={"instrument": {"$CYT": instrument}})
    cohort = cohort_of([visit("a", 60, 160), other])
    assert differs(*cohort.tubes) == [said]
    values = build(cohort, "P1", {})
    # Said in the order of the pair: the later tube first.
    assert values["changes"][0]["cells"] == []
    assert "cannot be compared with" in values["forbidden"][0]
    lines = [trace for trace in values["figures"][0].spec["data"] if trace["mode"] == "lines"]
    assert all(None in trace["x"] for trace in lines)
    assert any(differ for _, _, differ in values["facts"])


def test_tubes_of_two_templates_are_never_compared() -> None:
    a, b = cohort_of([visit("a", 60, 160), visit("b", 60, 160)]).tubes
    assert differs(a, b.model_copy(update={"template_sha256": "0" * 64})) == [
        "they were gated with different templates"
    ]


def test_tubes_of_another_template_are_named_and_stand_on_a_page_of_their_own() -> None:
    one, other = cohort_of([visit("a", 60, 160)]), cohort_of([visit("b", 60, 160)])
    homes = {"a": "one/cohort.html", "b": "two/cohort.html"}
    pages = patient_pages([one, other], {}, homes=homes)
    assert [(page.patient, page.file) for page in pages] == [("P1", "P1.html"), ("P1", "P1-2.html")]
    assert "Elsewhere. b gated with bm_test 1.2.3: numbers by other gates are other numbers." in visible(
        pages[0].content.decode()
    )
    assert 'href="../one/cohort.html"' in pages[0].content.decode()
    assert (pages[0].of(one), pages[0].of(other), pages[1].of(other)) == (True, False, True)


def test_a_share_of_what_was_not_detected_is_compared_with_nothing() -> None:
    values = build(cohort_of([visit("a", 60, 160), visit("b", 16, 0)]), "P1", {})
    cells = dict(zip(("P", "Q", "P/MSC", "MSC"), values["changes"][0]["cells"], strict=True))
    assert (cells["P/MSC"]["text"], cells["P/MSC"]["word"]) == ("–", "MSC not detected")
    assert cells["P"]["word"] == "lower"


def test_replicates_are_one_column_with_links_to_each() -> None:
    results = [
        visit("r1", 60, 160, replicate="1", timepoint="diagnosis"),
        visit("r2", 66, 150, replicate="2", timepoint="diagnosis"),
        visit("b", 150, 150, timepoint="day 28"),
    ]
    cohort = cohort_of(results)
    page = render_patient(cohort, "P1", links={name: f"../run/{name}.html" for name in ("r1", "r2", "b")})
    assert "Patient P1: 3 tubes, replicates as one" in visible(page)
    for name in ("r1", "r2", "b"):
        assert f'href="../run/{name}.html"' in page
    assert "126 events" in visible(page)


def test_only_patients_with_several_tubes_have_a_page() -> None:
    results = [*course(), cohort_tube("alone", 9, 90, patient="P2"), cohort_tube("unnamed", 9, 90)]
    results[-1] = results[-1].model_copy(update={"labels": {"role": "stained"}})
    pages = pages_of(results)
    assert [(page.patient, page.file) for page in pages] == [("P1", "P1.html")]


def test_pages_of_a_run_leave_controls_out() -> None:
    control = visit("fmo", 1, 1).model_copy(update={"labels": {"patient_id": "P1", "role": "fmo:CD146"}})
    assert pages_of_run([visit("a", 60, 160), control]) == []
    pages = pages_of_run([*course(), control])
    assert addresses(pages) == {"P1": "patients/P1.html"}
    page = pages[0].content.decode()
    assert 'href="../samples/a/report.html"' in page
    assert 'href="../index.html"' in page
    assert "fmo" not in visible(page)


def test_a_run_without_patients_or_numbers_is_no_reason_to_fail() -> None:
    assert pages_of_run([]) == []
    bare = [make_result(sample_id=f"t{i}", statistics=(), findings=()) for i in (1, 2)]
    text = visible(pages_of_run(bare)[0].content.decode())
    assert "Patient P-17" in text
    assert "Over time" not in text
    other = [make_result(sample_id=f"t{i}", indices={}, statistics=()) for i in (1, 2)]
    assert "Patient P-17" in visible(pages_of_run(other)[0].content.decode())


def test_names_of_patients_become_safe_files_that_do_not_collide() -> None:
    results = [
        cohort_tube(f"{i}{j}", 50, 90, patient=patient)
        for i, patient in enumerate(("../../x", "x", "X", "CON", "Ärztin 1"))
        for j in (1, 2)
    ]
    files = [page.file for page in pages_of(results)]
    assert len({name.casefold() for name in files}) == 5
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*\.html", name) for name in files)


def test_foreign_text_is_text_and_nothing_else() -> None:
    for text in PAYLOADS:
        labels = {"timepoint": text, "batch": text, "specimen": text}
        results = [cohort_tube(name, 50, 90, patient=text, labels=labels) for name in ("a", "b")]
        cohort = cohort_of(results)
        page = render_patient(cohort, text.strip())
        assert "<img" not in page
        assert "<script>window" not in page
        assert page.count("</script>") == page.count("<script")


def test_no_word_of_an_outcome_stands_on_the_page() -> None:
    text = shown(course()).casefold()
    assert not re.search(r"prognos|\brisk|predict|surviv|likely to|response|progress", text)
    assert text.count("for research use only. not for use in diagnostic procedures.") == 2
