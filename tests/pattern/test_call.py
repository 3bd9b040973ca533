"""What is called of a tube, and every reason to call nothing."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import gamma

from stromagate.model.pattern import (
    INDETERMINATE,
    METHOD_DEPENDENT,
    NOT_ASSESSABLE,
    NOT_ASSIGNED,
    MovedGate,
    PatternCall,
)
from stromagate.model.result import Finding
from stromagate.pattern import call_pattern
from tests.pattern.tubes import LABELS, STRATA, TOTALS, cohort, controls, fitted, tube


@pytest.mark.parametrize(
    ("p", "q", "pattern"),
    [
        (5, 8, "mesenchymal-low"),
        (90, 40, "progenitor-high"),
        (20, 200, "MSC-high"),
        (90, 200, "both-high"),
    ],
)
@pytest.mark.parametrize("make", [controls, cohort, fitted])
def test_the_four_patterns_are_called(make: Any, p: int, q: int, pattern: str) -> None:
    call = call_pattern(tube(4 * p, 4 * q, totals={"nucleated": 4_000_000}), make())
    if make is not controls and pattern in {"progenitor-high", "MSC-high"}:
        # Without a range the other index lies on its only cut-point.
        assert call.pattern == INDETERMINATE
        return
    assert call.pattern == pattern
    assert call.probability is not None
    assert call.probability >= 0.8
    assert sum(call.probabilities.values()) == pytest.approx(1, abs=5e-4)


def test_without_a_calibration_there_are_numbers_and_no_pattern() -> None:
    call = call_pattern(tube(90, 40))
    assert (call.pattern, call.level, call.probabilities) == (NOT_ASSIGNED, "L0", {})
    assert "no cut-off" in call.sentence
    assert {(value.index, value.denominator) for value in call.indices} == {
        ("P", "nucleated"), ("Q", "nucleated"), ("P", "viable"), ("Q", "viable"), ("P/MSC", ""),
    }  # fmt: skip
    assert call.indices[0].value == 90


def test_what_lies_within_the_range_is_no_pattern() -> None:
    call = call_pattern(tube(80, 160, totals={"nucleated": 4_000_000}), controls(spread=0.3))
    assert call.pattern == NOT_ASSIGNED
    assert "range" in call.reason
    assert call.probabilities["between"] > 0.8


def test_on_the_cut_point_it_is_indeterminate() -> None:
    call = call_pattern(tube(20, 400), fitted())
    assert call.pattern == INDETERMINATE
    assert call.probability == pytest.approx(0.5, abs=0.1)


@settings(max_examples=25, deadline=None)
@given(p=st.integers(0, 200), q=st.integers(60, 400), cut=st.floats(5, 150))
def test_probabilities_are_those_of_the_gamma_distribution(p: int, q: int, cut: float) -> None:
    """Without background, with boundaries and cut-points known, P and Q are independent: two tails multiply."""
    result = tube(p, q, background=None)
    call = call_pattern(result, fitted(cut, 100.0, background="raw"))
    p_high, q_high = gamma.sf(cut, p + 0.5), gamma.sf(100.0, q + 0.5)
    assert call.probabilities["both-high"] == pytest.approx(p_high * q_high, abs=0.02)
    assert call.probabilities["progenitor-high"] == pytest.approx(p_high * (1 - q_high), abs=0.02)
    assert call.probabilities["mesenchymal-low"] == pytest.approx((1 - p_high) * (1 - q_high), abs=0.02)


def test_background_is_taken_off() -> None:
    bare, burdened = (call_pattern(tube(60, 60, background=n)) for n in (0, 30))
    assert (bare.indices[0].value, burdened.indices[0].value) == (60, 30)
    assert burdened.background == "fmo:CD146"
    assert call_pattern(tube(60, 400, background=0), fitted()).pattern == "both-high"
    assert call_pattern(tube(60, 400, background=55), fitted()).pattern != "both-high"


def test_blanks_that_differ_leave_as_much_open_of_an_index_as_of_the_net_number() -> None:
    """The interval of P lies where gamma draws of its own, over the mean of the blanks and over tubes, put it."""
    plain = tube(60, 400, background=30)
    apart = [each.model_copy(update={"spread": 0.4, "n_blanks": 5}) for each in plain.background]
    alike, unlike = (call_pattern(each) for each in (plain, plain.model_copy(update={"background": tuple(apart)})))
    assert alike.indices[0].value == unlike.indices[0].value == 30
    rng = np.random.default_rng(11)
    own = 30.5 * rng.gamma(1 / (1 / 30.5 + 0.48), 1 / 30.5 + 0.48, 200_000)
    low, high = np.quantile(np.maximum(rng.gamma(60.5, size=200_000) - own, 0.0), [0.025, 0.975])
    assert unlike.indices[0].ci_low == pytest.approx(low, abs=1)
    assert unlike.indices[0].ci_high == pytest.approx(high, rel=0.04)
    assert (alike.indices[0].ci_low or 0) > 5 + (unlike.indices[0].ci_low or 0)


def test_a_control_too_small_to_tell_is_taken_off_nothing() -> None:
    plain = tube(60, 400, background=30)
    small = tuple(each.model_copy(update={"too_small": True}) for each in plain.background)
    result = plain.model_copy(update={"background": small})
    assert (call_pattern(result).indices[0].value, call_pattern(result).background) == (60, "")
    refused = call_pattern(result, fitted())
    assert (refused.pattern, "shows enough of its background" in refused.reason) == (NOT_ASSESSABLE, True)


@pytest.mark.parametrize("known", [True, False])
def test_what_is_low_as_counted_is_low_without_its_background(known: bool) -> None:
    """An upper bound that lies below the cut-points needs no background; one above them says nothing."""
    totals = {"nucleated": 4_000_000}
    plain = tube(20, 32, totals=totals, background=0 if known else None)
    small = tuple(each.model_copy(update={"too_small": True}) for each in plain.background)
    call = call_pattern(plain.model_copy(update={"background": small}), controls())
    assert call.pattern == "mesenchymal-low"
    assert "lower still" in call.reasons[1]
    assert call.background == ""
    assert {value.position for value in call.indices if value.denominator == "nucleated"} == {"below"}


def test_boundaries_and_cut_points_that_are_unsure_make_a_call_unsure() -> None:
    sure = call_pattern(tube(60, 400), fitted())
    moving = {"progenitors": tuple(range(5, 133)), "msc": (460,) * 128}
    assert call_pattern(tube(60, 400, redrawn=moving), fitted()).probability < sure.probability
    wide = tuple(np.linspace(0.2, 5, 100))
    assert call_pattern(tube(60, 400), fitted(draws=wide)).probability < sure.probability


def test_low_is_said_only_where_high_could_have_been_seen() -> None:
    call = call_pattern(tube(1, 2, totals={"nucleated": 100_000}), fitted())
    assert call.pattern == NOT_ASSESSABLE
    assert call.acquire is not None
    assert call.acquire.n_now == 100_000
    # 20 events are detected, and the lowest cut-point is 20 per million.
    assert call.acquire.n_events == 1_000_000
    assert "1,000,000" in call.sentence + " ".join(call.reasons)
    enough = call_pattern(tube(5, 10, totals={"nucleated": call.acquire.n_events}), fitted())
    assert enough.pattern == "mesenchymal-low"


@pytest.mark.parametrize(("cut", "times"), [(1e-3, "20,000"), (0.16, "130"), (1.6, "13"), (16.0, "1.3")])
def test_how_many_times_as_many_is_written_out(cut: float, times: str) -> None:
    call = call_pattern(tube(0, 1), fitted(cut, cut))
    assert call.acquire is not None
    assert call.acquire.sentence.endswith(f"of this denominator, {times} times as many as there are")


def test_many_msc_do_not_show_that_progenitors_could_have_been_seen() -> None:
    """A high P would be two events here, as many as are told from none in no tube."""
    call = call_pattern(tube(0, 100, totals={"nucleated": 100_000}), fitted(20.0, 400.0))
    assert call.pattern == NOT_ASSESSABLE
    seen = call_pattern(tube(60, 100, totals={"nucleated": 100_000}), fitted(20.0, 400.0))
    assert seen.pattern == "both-high"


def test_low_needs_an_upper_bound_below_the_cut_point() -> None:
    call = call_pattern(tube(14, 14, totals={"nucleated": 1_000_000}), fitted())
    assert call.probabilities["mesenchymal-low"] > 0.8
    assert call.pattern == INDETERMINATE
    assert "upper bound of P" in call.reason


def test_another_denominator_that_says_otherwise_makes_it_method_dependent() -> None:
    both = controls(denominators=("nucleated", "cd45pos"), rates=_two())
    tubes = {"nucleated": 1_000_000, "cd45pos": 100_000}
    call = call_pattern(tube(100, 40, totals=tubes), both)
    assert call.pattern == METHOD_DEPENDENT
    assert "cd45pos" in call.reason
    assert [cell.differs for cell in call.robustness if cell.kind == "denominator"] == [False, True]
    alone = controls(rates=_two())
    told = call_pattern(tube(100, 40, totals=tubes), alone)
    assert told.pattern == "progenitor-high"
    assert [cell.decides for cell in told.robustness] == [True, False]


def _two() -> dict[str, Any]:
    plain = controls().rates["nucleated"]
    return {"nucleated": plain, "cd45pos": plain}


def test_a_moved_gate_that_says_otherwise_makes_it_method_dependent() -> None:
    def moved(p: int) -> tuple[MovedGate, ...]:
        counts = {"msc": 140, "progenitors": p, "nucleated": 1_000_000}
        return (MovedGate(gate="cd146pos", axis="CD146", shift_frac=0.1, distance=0.4, counts=counts),)

    assert call_pattern(tube(100, 40, moved_gates=moved(99)), controls()).pattern == "progenitor-high"
    flipped = call_pattern(tube(100, 40, moved_gates=moved(10)), controls())
    assert flipped.pattern == METHOD_DEPENDENT
    assert "CD146 cut 10 % of the way towards its positives" in flipped.reason


def test_blood_that_would_change_it_makes_it_method_dependent() -> None:
    diluted = LABELS | {"rbc_bm": "4.5", "rbc_pb": "4.5", "wbc_pb": "9", "tnc_bm": "20"}
    with_blood = call_pattern(tube(25, 140, labels=diluted), fitted(p=34.0))
    cell = next(cell for cell in with_blood.robustness if cell.kind == "hemodilution")
    assert (cell.pattern, cell.differs) == ("both-high", True)
    assert with_blood.pattern == METHOD_DEPENDENT
    worse = call_pattern(tube(25, 140, labels=diluted | {"tnc_bm": "10"}), fitted(p=34.0))
    assert [cell.decides for cell in worse.robustness if cell.kind == "hemodilution"] == [False]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"labels": LABELS | {"specimen": "digest"}}, "“digest” here and “aspirate”"),
        ({"labels": LABELS | {"storage": "frozen"}}, "fresh or frozen"),
        ({"labels": LABELS | {"pull": "2"}}, "pull of the aspirate"),
        ({"labels": {"role": "stained", "preparation": "whole"}}, "“not said” here"),
        ({"instrument": {"$CYT": "Cytometer 2"}}, "the cytometer is “Cytometer 2”"),
    ],
)
def test_a_tube_of_another_kind_gets_none(changes: dict[str, Any], said: str) -> None:
    call = call_pattern(tube(90, 40, **changes), controls())
    assert call.pattern == NOT_ASSIGNED
    assert said in call.reason
    assert has_no_place(call)


def has_no_place(call: PatternCall) -> bool:
    """Say whether a call has rates, and none of them beside a calibration it is not of the kind of."""
    assert call.indices[0].value
    places = {(value.position, value.percentile, value.cut_low, value.cut_high) for value in call.indices}
    return places == {("", None, None, None)}


def test_a_calibration_of_another_template_gives_none() -> None:
    call = call_pattern(tube(90, 40), controls(template_sha256="0" * 64))
    assert call.pattern == NOT_ASSIGNED
    assert "was made with the template" in call.reason
    assert has_no_place(call)


@pytest.mark.parametrize("background", ["net", "raw"])
def test_a_cut_point_of_zero_makes_nothing_high(background: str) -> None:
    none = {name: {"P": (0.0,) * 44, "Q": (40.0,) * 44} for name in TOTALS}
    blanks = 0 if background == "net" else None
    for calibration in (cohort(44, rates=none, background=background), controls(44, rates=none, background=background)):
        call = call_pattern(tube(0, 400, background=blanks), calibration)
        assert (call.pattern, call.probabilities) == (NOT_ASSIGNED, {})
        assert call.reason == "the calibration's cut-point of P is zero, and parts nothing"
    both = {name: {"P": (0.0,) * 44, "Q": (0.0,) * 44} for name in TOTALS}
    assert "of P and of Q" in call_pattern(tube(0, 400), cohort(44, rates=both)).reason


@pytest.mark.parametrize(("msc", "progenitors"), [("progenitors", "msc"), ("progenitors", "progenitors")])
def test_progenitors_that_are_no_part_of_msc_have_no_pattern(msc: str, progenitors: str) -> None:
    named = tube(60, 40).model_copy(update={"indices": {"msc": msc, "progenitors": progenitors}})
    for calibration, pattern in ((cohort(), NOT_ASSESSABLE), (None, NOT_ASSIGNED)):
        call = call_pattern(named, calibration)
        assert (call.pattern, call.indices) == (pattern, ())
        assert "is no part of" in call.reason


def test_few_controls_give_percentiles_and_no_pattern() -> None:
    nineteen, twenty = (call_pattern(tube(90, 40), controls(n)) for n in (19, 20))
    for call in (nineteen, twenty):
        assert call.pattern == NOT_ASSIGNED
        assert "a range needs 40 controls" in call.reason
    assert nineteen.indices[0].percentile is None
    assert twenty.indices[0].percentile == 1.0


def test_a_failed_check_forbids_it_unless_it_is_about_how_many_there_are() -> None:
    def failing(code: str) -> tuple[Finding, ...]:
        return (Finding(code=code, check="x", status="fail", sentence="It is bad.", remedy="Mend it."),)

    call = call_pattern(tube(90, 40, findings=failing("Q02")), controls())
    assert (call.pattern, call.reason) == (NOT_ASSESSABLE, "the check Q02 failed: It is bad")
    assert call_pattern(tube(90, 40, findings=failing("Q07")), controls()).pattern == "progenitor-high"


def test_a_tube_without_controls_is_not_laid_beside_net_rates() -> None:
    call = call_pattern(tube(90, 40, background=None), controls())
    assert call.pattern == NOT_ASSESSABLE
    assert "background" in call.reason
    assert has_no_place(call)
    assert not has_no_place(call_pattern(tube(90, 40), controls()))
    assert call_pattern(tube(90, 40, background=None), controls(background="raw")).pattern == "progenitor-high"


def test_a_control_tube_has_none() -> None:
    call = call_pattern(tube(90, 40, labels={"role": "fmo:CD146"}), controls())
    assert (call.pattern, call.reason, call.indices) == (NOT_ASSIGNED, "a control tube has none", ())


def test_what_was_not_evaluated_is_not_assessable() -> None:
    result = tube(90, 40)
    gone = tuple(row for row in result.statistics if row.population != "msc")
    assert call_pattern(result.model_copy(update={"statistics": gone}), controls()).pattern == NOT_ASSESSABLE


def test_the_same_call_every_time() -> None:
    one, other = (call_pattern(tube(90, 40), controls()) for _ in range(2))
    assert one == other


OUTCOME = re.compile(r"relapse|remission|outcome|survival|prognos|risk|predict", re.IGNORECASE)


@pytest.mark.parametrize("counts", [(90, 40), (5, 8), (20, 200), (90, 200), (20, 40), (1, 1)])
@pytest.mark.parametrize("make", [controls, cohort])
def test_own_controls_and_cohorts_speak_of_no_outcome(make: Any, counts: tuple[int, int]) -> None:
    call = call_pattern(tube(*counts), make())
    assert not OUTCOME.search(" ".join([call.sentence, *call.reasons]))


def test_fitted_cut_points_quote_the_cohort_and_their_nested_figure() -> None:
    said = call_pattern(tube(90, 8), fitted()).sentence
    assert "progenitor-high (probability" in said
    assert "In one published cohort" in said
    assert "was associated with relapse within one year" in said
    assert "0.44 by nested cross-validation" in said
    assert "Not validated for individual patients" in said
    assert not re.search(r"prognos|risk|predict|likely to", said, re.IGNORECASE)


def test_strata_are_what_the_calibration_says() -> None:
    loose = {key: value for key, value in STRATA.items() if key != "specimen"}
    assert call_pattern(tube(90, 40, labels=LABELS | {"specimen": "digest"}), controls(strata=loose)).pattern == (
        "progenitor-high"
    )
