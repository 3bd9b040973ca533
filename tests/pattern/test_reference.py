"""A calibration made of tubes: who is taken, who is left out and why, and what is reckoned of those that are taken."""

from __future__ import annotations

from typing import Any

import pytest

from stromagate.errors import SpecificationError
from stromagate.model.calibration import CohortCalibration, ControlCalibration
from stromagate.model.detection import DetectionLimits
from stromagate.model.result import Finding, SampleResult
from stromagate.model.sample import SourceRef
from stromagate.pattern import call_pattern
from stromagate.pattern.reference import Made, make_calibration
from tests.pattern.tubes import LABELS, tube

COUNTS = ((20, 40), (10, 60), (30, 50), (5, 20), (40, 90))


def marrow(number: int, *, labels: dict[str, str] | None = None, **changes: Any) -> SampleResult:
    """Return the tube of one donor: another file, another patient."""
    p, q = COUNTS[number % len(COUNTS)]
    return tube(
        p,
        q,
        **{
            "sample_id": f"m{number}",
            "labels": {**LABELS, "patient_id": f"P{number}", **(labels or {})},
            "source": SourceRef(f"m{number}.fcs", 1, sha256=f"{number:064x}"),
            **changes,
        },
    )


def made(*results: SampleResult, **asked: Any) -> Made:
    return make_calibration(results, **{"name": "controls", **asked})


def left_out(*results: SampleResult) -> dict[str, str]:
    """Return who of these is left out beside three tubes that are fit, and why."""
    fit = [marrow(number) for number in range(3)]
    found = made(*fit, *results)
    assert [each.sample_id for each in found.calibration.tubes][:3] == ["m0", "m1", "m2"]
    assert found.calibration.n + len(found.left_out) == 3 + len(results)
    return {item.sample_id: item.reason for item in found.left_out}


def failing(code: str) -> tuple[Finding, ...]:
    return (Finding(code=code, check="x", status="fail", sentence="It is bad.", remedy="Mend it."),)


def test_rates_of_every_tube_are_kept_net_and_in_order() -> None:
    tubes = [marrow(0), marrow(1, totals={"nucleated": 2_000_000, "viable": 2_400_000}), marrow(2)]
    named = {"sample_id": "m3", "labels": {**LABELS, "patient_id": "P3"}, "source": SourceRef("m3.fcs", 1)}
    burdened = tube(30, 50, background=10, **named)
    found = made(*tubes, burdened).calibration
    assert isinstance(found, ControlCalibration)
    assert found.rates["nucleated"].P == (20, 5, 30, 20)
    # 80 MSC less 10 are 70, of which 30 less 10 are progenitors.
    assert found.rates["nucleated"].Q == (40, 30, 50, 50)
    assert list(found.rates["viable"].P) == pytest.approx([20 / 1.2, 10 / 2.4, 30 / 1.2, 20 / 1.2], rel=1e-5)
    assert (found.level, found.background, found.instrument, found.n) == ("L1", "net", "Cytometer 1", 4)
    assert found.strata == {
        "specimen": "aspirate", "preparation": "whole", "pull": "not said", "storage": "not said",
    }  # fmt: skip
    assert [each.sha256 for each in found.tubes][1] == f"{1:064x}"
    assert found.seal == found.digest


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"labels": {"role": "fmo:CD146"}}, "it is a control tube (fmo:CD146)"),
        ({"labels": {"role": "unstained"}}, "it is a control tube (unstained)"),
        ({"findings": failing("Q02")}, "the check Q02 failed: It is bad."),
        ({"statistics": ()}, "could not be evaluated"),
        ({"indices": {"msc": "msc"}}, "the template names no population for the index “progenitors”"),
        ({"background": None}, "no control shows its background"),
        ({"source": SourceRef("copy.fcs", 1, sha256=f"{1:064x}")}, "its file is that of m1"),
        ({"labels": {"patient_id": " P2 "}}, "its patient is that of m2"),
    ],
)
def test_who_is_left_out_and_why(changes: dict[str, Any], reason: str) -> None:
    found = left_out(marrow(3, **changes))
    assert list(found) == ["m3"]
    assert reason in found["m3"]


def test_who_is_not_left_out() -> None:
    """Few cells are what is counted; tubes without patient or without hash are nobody's twins."""
    unknown = {"labels": {"patient_id": ""}, "source": SourceRef("x.fcs", 1)}
    assert left_out(marrow(3, findings=failing("Q07")), marrow(4, **unknown), marrow(5, **unknown)) == {}


def test_the_second_tube_of_a_patient_is_taken_where_the_first_has_no_control() -> None:
    bare = marrow(3, background=None)
    again = marrow(4, labels={"patient_id": "P3"})
    assert list(left_out(bare, again)) == ["m3"]
    assert list(left_out(again, bare)) == ["m3"]


def test_tubes_without_controls_make_a_raw_calibration_among_themselves() -> None:
    found = made(*(marrow(number, background=None) for number in range(3)))
    assert (found.calibration.background, found.left_out) == ("raw", ())


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("specimen", ("aspirate", "digest")),
        ("preparation", ("whole", "ficoll")),
        ("pull", ("not said", "2")),
        ("storage", ("not said", "frozen")),
    ],
)
def test_kinds_of_specimen_are_never_mixed(column: str, words: tuple[str, str]) -> None:
    other = marrow(3, labels={column: words[1]})
    with pytest.raises(SpecificationError) as caught:
        made(marrow(0), marrow(1), marrow(2), other)
    said = caught.value
    assert (said.code, said.where) == ("calibrate.strata", "m3")
    assert said.message == f"the tubes differ in `{column}`: {', '.join(words)}"
    assert f"--where {column}=" in (said.hint or "")


def test_the_same_kind_in_other_letters_is_the_same() -> None:
    assert left_out(marrow(3, labels={"specimen": " ASPIRATE "})) == {}


def test_several_cytometers_leave_it_open() -> None:
    other = marrow(3, instrument={"$CYT": "Cytometer 2"})
    assert made(marrow(0), marrow(1), other).calibration.instrument == ""
    assert made(marrow(0), marrow(1), marrow(2, instrument={"$CYT": " Cytometer  1"})).calibration.instrument == (
        "Cytometer 1"
    )


def test_fewer_than_three_are_refused_with_the_reasons() -> None:
    with pytest.raises(SpecificationError) as caught:
        made(marrow(0), marrow(1), marrow(2, labels={"role": "unstained"}))
    said = caught.value
    assert said.code == "calibrate.too_few"
    assert said.message == "2 tubes can be taken, and 3 at least are needed"
    assert said.hint == "m2: it is a control tube (unstained)"
    with pytest.raises(SpecificationError) as caught:
        made()
    assert caught.value.hint == "name runs with stained tubes"


TOTALS = {"nucleated": 1_000_000, "viable": 1_200_000, "stroma": 2_000}


def test_by_default_those_decide_that_count_the_marrow() -> None:
    """``stroma`` holds MSC and lies below the main one: a share of it says how pure it is."""
    found = made(*(marrow(number, totals=TOTALS) for number in range(3))).calibration
    assert found.denominators == ("nucleated", "viable")
    assert set(found.rates) == {"nucleated", "viable", "stroma"}
    turned = {name: TOTALS[name] for name in ("viable", "nucleated", "stroma")}
    assert made(*(marrow(number, totals=turned) for number in range(3))).calibration.denominators == ("viable",)
    # A main one that does not hold MSC has nothing below it that does.
    beside = {"msc_cd105": 500, **TOTALS}
    assert made(*(marrow(number, totals=beside) for number in range(3))).calibration.denominators == tuple(beside)


def test_deciding_denominators_may_be_named() -> None:
    tubes = [marrow(number, totals=TOTALS) for number in range(3)]
    assert made(*tubes, denominators=("stroma", "nucleated", "stroma")).calibration.denominators == (
        "stroma",
        "nucleated",
    )
    with pytest.raises(SpecificationError) as caught:
        made(*tubes, denominators=("nucleated", "nuclear"))
    assert caught.value.message == "'nuclear' is no denominator that all tubes have"
    assert caught.value.hint == "allowed: nucleated, viable, stroma"


def test_a_denominator_that_one_tube_does_not_hold_is_none() -> None:
    poor = marrow(3, totals={**TOTALS, "viable": 0})
    tubes = [*(marrow(number, totals=TOTALS) for number in range(3)), poor]
    assert set(made(*tubes).calibration.rates) == {"nucleated", "stroma"}
    nothing = marrow(4, totals={"nucleated": 0, "viable": 1_000_000, "stroma": 0})
    with pytest.raises(SpecificationError) as caught:
        made(*tubes, nothing)
    assert caught.value.code == "calibrate.no_denominator"


def limits(lod: float, lob: int = 3) -> dict[str, Any]:
    known = {"lob_events": lob, "lod_events": lod, "lloq_events": 50.0, "source": "fmo:CD146"}
    return {"detection": tuple(DetectionLimits(population=name, **known) for name in ("msc", "progenitors"))}


def test_the_offset_is_half_the_median_limit_of_detection() -> None:
    """Of 20, 30 and 90 events in 1, 2 and 0.5 million: 20, 15 and 180 per million, of which the middle is 20."""
    sizes = ({"nucleated": 1_000_000}, {"nucleated": 2_000_000}, {"nucleated": 500_000})
    tubes = [
        marrow(number, totals=size, **limits(lod))
        for number, (size, lod) in enumerate(zip(sizes, (20.0, 30.0, 90.0), strict=True))
    ]
    assert made(*tubes).calibration.offset_ppm == 10
    # Detected is also no less than the limit of blank and one.
    noisy = [marrow(number, totals={"nucleated": 1_000_000}, **limits(20.0, lob=59)) for number in range(3)]
    assert made(*noisy).calibration.offset_ppm == 30
    unknown = [marrow(number, totals={"nucleated": 1_000_000}, detection=()) for number in range(3)]
    assert made(*unknown).calibration.offset_ppm == 10


@pytest.mark.parametrize("cut", ["median", "tertiles"])
def test_a_cohort_is_of_level_two(cut: Any) -> None:
    found = made(*(marrow(number) for number in range(5)), cut=cut, made_on="2026-03-01", note="n").calibration
    assert isinstance(found, CohortCalibration)
    assert (found.level, found.cut, found.made_on, found.note) == ("L2", cut, "2026-03-01", "n")
    call = call_pattern(marrow(0), found)
    assert (call.level, call.calibration.n if call.calibration else 0) == ("L2", 5)
    values = {(value.index, value.denominator): value for value in call.indices}
    p = values["P", "nucleated"]
    # P of the five are 5, 10, 20, 30 and 40 per million.
    assert (p.cut_low, p.cut_high) == pytest.approx((20, 20) if cut == "median" else (10, 30), rel=1e-6)


def test_the_same_tubes_make_the_same_calibration_and_other_tubes_another() -> None:
    tubes = [marrow(number) for number in range(4)]
    assert made(*tubes).calibration == made(*tubes).calibration
    assert made(*tubes).calibration.digest != made(*tubes[:3]).calibration.digest
