"""What no tube shows alone: settings, order, twins and boundaries of a batch (Q15, Q26, Q29, Q60 to Q64)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.model.result import RunFinding
from stromagate.qc.run_check import RunEvidence, TubeSeen, run_checks
from stromagate.qc.whole_run import check_run
from tests.qc.runs import VOLTS, bound, compensated, counting, cut_at, run_of, seen
from tests.results import make_result


def asked(name: str, evidence: RunEvidence) -> list[RunFinding]:
    return run_checks.get(name).run(evidence)


def only(name: str, *tubes: TubeSeen) -> RunFinding:
    (finding,) = asked(name, run_of(*tubes))
    return finding


# ---- voltages


def test_the_detector_and_by_how_much() -> None:
    odd = seen("c", volts={**VOLTS, "PE-A": 500.0})
    finding = only("voltages", seen("a"), seen("b"), odd)
    assert (finding.status, finding.samples, finding.measured) == ("warn", ("c",), 20.0)
    assert "CD271 (PE-A) 500 V, not 480 V" in finding.sentence
    assert "CD45" not in finding.sentence


def test_voltages_are_compared_within_a_batch_and_panel_only() -> None:
    moved = {**VOLTS, "PE-A": 500.0}
    tubes = [
        seen("a"),
        seen("b"),
        seen("c", labels={"batch": "b2"}, volts=moved),
        seen("d", labels={"batch": "b2"}, volts=moved),
    ]
    assert only("voltages", *tubes).status == "pass"
    other = [seen("a"), seen("b"), *(seen(name, labels={"panel": "second"}, volts=moved) for name in "cd")]
    assert only("voltages", *other).status == "pass"


def test_without_a_batch_the_day_and_the_cytometer_make_one() -> None:
    tubes = [seen("a", labels={"batch": ""}), seen("b", labels={"batch": ""}, volts={**VOLTS, "PE-A": 1.0})]
    assert only("voltages", *tubes).status == "warn"
    apart = [tubes[0], seen("b", labels={"batch": ""}, volts={"PE-A": 1.0}, day="02-mar-2026")]
    assert only("voltages", *apart).status == "not_applicable"


def test_a_voltage_that_the_template_does_not_read_is_left_alone() -> None:
    assert only("voltages", seen("a"), seen("b", volts={**VOLTS, "APC-R700-A": 9.0})).status == "pass"


@pytest.mark.parametrize("tubes", [[], ["a"]])
def test_nothing_to_compare_is_not_a_pass(tubes: list[str]) -> None:
    for name in ("voltages", "panels", "matrices", "carryover_order", "sessions", "duplicates", "specimens",
                 "boundary_outliers"):  # fmt: skip
        assert [finding.status for finding in asked(name, run_of(*map(seen, tubes)))] == ["not_applicable"], name


def test_files_without_voltages_are_not_a_pass() -> None:
    assert only("voltages", seen("a", volts={}), seen("b", volts={})).status == "not_applicable"


# ---- panel and matrix


def test_a_marker_on_another_detector_and_a_missing_one() -> None:
    finding = only("panels", seen("a"), seen("b"), seen("c", result=bound(make_result(), "CD271", "APC-Cy7-A")))
    assert (finding.status, finding.samples) == ("warn", ("c",))
    assert "CD271 on APC-Cy7-A, not on PE-A" in finding.sentence
    assert only("panels", seen("a"), seen("b")).status == "pass"


def test_what_a_control_lacks_is_not_the_panels_matter() -> None:
    control = seen("f", labels={"role": "fmo:CD271"}, result=bound(make_result(), "CD271", "none-A"))
    assert only("panels", seen("a"), seen("b"), control).status == "pass"


def test_the_pair_of_detectors_that_differs_most() -> None:
    tubes = [seen(name, result=compensated(0.12)) for name in "ab"]
    finding = only("matrices", *tubes, seen("c", result=compensated(0.15)))
    assert (finding.status, finding.samples) == ("warn", ("c",))
    assert "FITC-A into PE-A 15.0 %, not 12.0 %" in finding.sentence
    assert finding.measured == pytest.approx(3.0)


def test_fewer_digits_are_the_same_matrix_and_none_is_another() -> None:
    same = only("matrices", seen("a", result=compensated(0.12)), seen("b", result=compensated(0.12004)))
    assert same.status == "pass"
    tubes = [
        seen("a", result=compensated(0.12)),
        seen("b", result=compensated(0.12)),
        seen("c", result=compensated(None)),
    ]
    assert "none was used" in only("matrices", *tubes).sentence
    assert only("matrices", *(seen(n, result=compensated(None)) for n in "ab")).status == "not_applicable"
    renamed = seen("c", result=compensated(0.12, ("FITC-A", "APC-A")))
    assert "APC-A, PE-A stand in one of the two alone" in only("matrices", *tubes[:2], renamed).sentence


# ---- order and session


def test_a_poor_tube_right_after_a_rich_one() -> None:
    rich = seen("rich", result=counting(20_000), begun_s=36_000.0)
    poor = seen("poor", result=counting(60), begun_s=36_300.0)
    finding = only("carryover_order", poor, rich)
    assert (finding.status, finding.samples, finding.population) == ("warn", ("poor", "rich"), "msc")
    assert finding.measured == pytest.approx(100 * 0.001 * 20_000 / 60)
    assert "“MSC (CD271+)”" in finding.sentence


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"begun_s": 35_000.0}, "it came before"),
        ({"begun_s": 36_000.0}, "both began at once: which was first is not known"),
        ({"day": "02-mar-2026"}, "another day"),
        ({"serial": "x2"}, "another cytometer"),
    ],
)
def test_no_risk_where_the_rich_tube_was_not_right_before(change: dict, why: str) -> None:
    rich = seen("rich", result=counting(20_000), begun_s=36_000.0)
    poor = seen("poor", result=counting(60), **{"begun_s": 36_300.0, **change})
    assert only("carryover_order", rich, poor).status in {"pass", "not_applicable"}, why


def test_a_tube_between_the_two_takes_the_risk() -> None:
    order = [("rich", 20_000, 1.0), ("washed", 9_000, 2.0), ("poor", 60, 3.0)]
    tubes = [seen(name, result=counting(n), begun_s=at) for name, n, at in order]
    assert only("carryover_order", *tubes).status == "pass"


def test_controls_of_another_day_and_no_day_in_any_sentence() -> None:
    late = seen("f", labels={"role": "fmo:CD146"}, day="07-mar-2026")
    finding = only("sessions", seen("a"), seen("b"), late)
    assert (finding.status, finding.samples) == ("warn", ("f",))
    assert "another day" in finding.sentence
    assert "mar" not in finding.sentence.replace("marrow", "")
    both = asked("sessions", run_of(seen("a"), seen("b", day="07-mar-2026", cytometer="other")))
    assert [finding.status for finding in both] == ["warn", "warn"]
    assert only("sessions", seen("a"), seen("b")).status == "pass"


# ---- twins, specimens, boundaries


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({"patient_id": "P2"}, "under 2 patients"),
        ({"role": "fmo:CD146"}, "under several roles (fmo:cd146, stained)"),
        ({}, "under different names"),
    ],
)
def test_twins_fail_whoever_they_are_said_to_be(labels: dict[str, str], words: str) -> None:
    one = seen("a", labels={"patient_id": "P1"}, data_sha256="d")
    two = seen("b", labels={"patient_id": "P1", **labels}, data_sha256="d")
    finding = only("duplicates", one, two, seen("c"))
    assert (finding.status, finding.samples) == ("fail", ("a", "b"))
    assert words in finding.sentence


def test_tubes_that_differ_are_no_twins() -> None:
    assert (
        only("duplicates", seen("a", data_sha256="1"), seen("b", data_sha256="2"), seen("c"), seen("d")).status
        == "pass"
    )


def test_specimens_of_two_kinds_in_one_batch() -> None:
    tubes = [seen(name, labels={"specimen": "aspirate"}) for name in "ab"]
    finding = only("specimens", *tubes, seen("c", labels={"specimen": "digest"}))
    assert (finding.status, finding.samples) == ("warn", ("c",))
    assert "aspirate, and not digest (c)" in finding.sentence
    same = seen("c", labels={"specimen": " Aspirate"})
    assert only("specimens", *tubes, same).status == "pass"
    said_by_file = [
        seen("a", labels={"preparation": "cd45 depleted"}),
        seen("b", result={"instrument": {"STROMAGATE_PREPARATION": "cd45_depleted"}}),
    ]
    assert only("specimens", *said_by_file).status == "pass"


def test_a_boundary_out_of_line_is_named_with_its_shift() -> None:
    tubes = [seen(f"t{i}", result=cut_at(0.55 + 0.002 * i)) for i in range(7)]
    assert only("boundary_outliers", *tubes).status == "pass"
    finding = only("boundary_outliers", *tubes, seen("far", result=cut_at(0.68)))
    assert (finding.status, finding.samples, finding.population) == ("warn", ("far",), "msc")
    assert "decades above the median" in finding.sentence
    assert finding.measured is not None
    assert finding.measured > 3


def test_what_a_person_set_or_the_template_fixed_is_no_outlier() -> None:
    tubes = [seen(f"t{i}", result=cut_at(0.55 + 0.002 * i)) for i in range(7)]
    assert only("boundary_outliers", *tubes, seen("hand", result=cut_at(0.68, state="edited"))).status == "pass"
    few = only("boundary_outliers", *tubes[:4], seen("far", result=cut_at(0.68)))
    assert few.status == "not_applicable"


def test_a_small_shift_among_equal_boundaries_is_no_finding() -> None:
    tubes = [seen(f"t{i}", result=cut_at(0.55)) for i in range(7)]
    assert only("boundary_outliers", *tubes, seen("near", result=cut_at(0.56))).status == "pass"
    far = only("boundary_outliers", *tubes, seen("far", result=cut_at(0.68)))
    assert (far.status, far.measured) == ("warn", None)


@settings(max_examples=10)
@given(shuffled=st.permutations(range(8)))
def test_the_order_of_tubes_changes_no_finding(shuffled: list[int]) -> None:
    """The first tube decides nothing where most agree."""
    tubes = [seen(f"t{i}", volts={**VOLTS, "PE-A": 400.0 if i == 7 else 480.0}, result=cut_at(0.5)) for i in range(8)]
    findings = check_run(run_of(*(tubes[i] for i in shuffled)))
    told = [finding for finding in findings if finding.status == "warn"]
    assert [(finding.check, finding.samples) for finding in told] == [("voltages", ("t7",))]
