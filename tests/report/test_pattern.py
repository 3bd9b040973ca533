"""The section on the pattern: what is called and why, beside which cut-points, and whether it holds."""

from __future__ import annotations

import re
from typing import Any

import pytest

from stromagate.model.pattern import NOT_ASSESSABLE, CalibrationRef, PatternCall, RobustnessCell
from stromagate.model.result import SampleResult
from stromagate.pattern import call_pattern
from stromagate.report import render_index, render_sample
from tests.golden import matches_golden
from tests.pattern.made_calls import called, method_dependent, uncalibrated
from tests.pattern.tubes import cohort, controls, fitted, tube
from tests.report.pages import make_run, visible
from tests.results import make_result

COURSE = re.compile(r"relapse|remission|outcome|survival|prognos|\brisk|predict", re.IGNORECASE)


def shown(call: PatternCall, **changes: Any) -> SampleResult:
    return make_result(pattern=call, **changes)


def section(result: SampleResult, name: str = "pattern") -> str:
    """Return the source of one section; empty where the page has none."""
    found = re.search(rf'(?s)<section id="{name}".*?</section>', render_sample(result))
    return found.group() if found else ""


def said(call: PatternCall, **changes: Any) -> str:
    return visible(section(shown(call, **changes)))


def test_a_called_pattern_reads_as_it_read() -> None:
    parts = [
        section(shown(call), name)
        for call in (called(), method_dependent(), uncalibrated())
        for name in ("verdict", "pattern")
    ]
    matches_golden("report_pattern.txt", "".join(visible(part) for part in parts))


def test_it_stands_after_the_numbers_and_before_what_was_published() -> None:
    order = re.findall(r'<section id="([a-z]+)"', render_sample(shown(called())))
    assert order.index("verdict") < order.index("numbers") < order.index("pattern") < order.index("literature")


def test_control_tubes_and_tubes_without_a_rate_have_no_section() -> None:
    assert section(shown(called()))
    assert section(shown(uncalibrated()))
    assert not section(shown(called(), labels={"role": "fmo:CD146"}))
    assert not section(shown(PatternCall()))


def test_without_a_calibration_there_are_rates_and_no_chance_of_anything() -> None:
    text = said(uncalibrated())
    assert "Pattern: not assigned, because no calibration" in text
    assert "nucleated | 24.9 (15.4–38.1) | 48.7 (34.9–66.1)" in text
    for word in ("called by this", "Probability", "Cut-points", "ways of reckoning", "of 44 tubes"):
        assert word not in text


def test_the_denominator_that_is_called_by_comes_first() -> None:
    text = said(called())
    assert text.index("nucleated called by this") < text.index("MSC (CD271+) | 339,000")
    assert "24.9 (15.4–38.1) above 43 of 44 tubes | 11.5 to 21.2 above" in text
    assert "48.7 (34.9–66.1) above 24 of 44 tubes | 22.5 to 60.0 within" in text
    assert "P as a share of all MSC: 33.9 % (22.0–47.0)" in text


def test_one_cut_point_is_one_number_and_a_rate_without_one_has_a_dash() -> None:
    values = tuple(
        value.model_copy(update={"cut_low": 20.0, "cut_high": 20.0}) if value.index == "P" and value.cut_low else value
        for value in called().indices
    )
    text = said(called(indices=values))
    assert "| 20.0 above |" in text
    assert re.search(r"MSC \(CD271\+\) \| 339,000 \(220,000–470,000\) \| – \| 661,000 \(530,000–780,000\) \| –", text)


def test_probabilities_are_never_nought_or_one() -> None:
    text = said(called(probabilities={"mesenchymal-low": 0.0, "progenitor-high": 1.0, "MSC-high": 0.0041}))
    assert "mesenchymal-low | < 0.01" in text
    assert "progenitor-high | > 0.99" in text
    assert "MSC-high | < 0.01" in text


def test_what_does_not_count_is_grey_and_what_differs_is_strong() -> None:
    page = section(shown(method_dependent()))
    rows = {visible(row).split(" | ")[0].strip(): row for row in re.findall(r"(?s)<tr.*?</tr>", page)}
    moved = rows["CD146 cut 10 % of the way towards its positives"]
    few = rows["per million of msc"]
    blood = rows["without the blood in it (61 % of its nucleated cells, by red cells)"]
    assert "<strong>differs</strong>" in moved
    assert 'class="faint"' not in moved
    assert 'class="faint"' in few
    assert "does not count: too few of its cells in this tube to tell" in few
    assert "<strong>" not in few
    assert "that share cannot be corrected for" in blood
    assert 'class="faint"' in blood


@pytest.mark.parametrize(("call", "n"), [(called(), 2), (method_dependent(), 1)])
def test_the_ways_that_count_are_counted(call: PatternCall, n: int) -> None:
    """Of five rows one is the call itself, one does not decide and one could not be reckoned."""
    assert f"{n} of 2 other ways that count come to the same." in said(call)


def test_a_table_of_which_nothing_counts_claims_no_agreement() -> None:
    """But for the call itself, which agrees with itself and proves nothing."""
    idle = tuple(cell.model_copy(update={"decides": False}) for cell in called().robustness)
    text = said(called(robustness=idle))
    assert "Does it hold by other ways of reckoning?" in text
    assert "come to the same" not in text


def test_background_is_named() -> None:
    assert "Background is taken off, as shown by: FMO control, CD146 left out; FMO control, CD271 left out." in said(
        called()
    )
    assert "No control shows the background of this tube: rates are as counted." in said(called(background=""))


def test_a_tube_that_cannot_tell_says_what_to_acquire() -> None:
    call = call_pattern(tube(1, 2, totals={"nucleated": 100_000}), fitted())
    assert call.pattern == NOT_ASSESSABLE
    text = visible(section(tube(1, 2, totals={"nucleated": 100_000}, pattern=call)))
    assert "Acquire at least 1,000,000 events of this denominator, 10 times as many as there are." in text


HOSTILE = '<script>alert("x")</script>&<b>'


def test_hostile_names_are_text() -> None:
    cell = RobustnessCell(
        kind="denominator", name=HOSTILE, denominator="nucleated", pattern=HOSTILE, probability=0.5, reason=HOSTILE,
        decides=False,
    )  # fmt: skip
    call = called(
        calibration=CalibrationRef(name=HOSTILE, level="L1", sha256="4c" * 32, n=44),
        sentence=f"Pattern: {HOSTILE}.",
        reason=HOSTILE,
        reasons=(HOSTILE,),
        robustness=(cell, cell.model_copy(update={"pattern": ""}), cell.model_copy(update={"decides": True})),
        background=f"fmo:{HOSTILE}",
    )
    result = shown(call, labels_of_populations={"nucleated": HOSTILE, "msc": HOSTILE})
    named = make_run([result], calibration=call.calibration)
    for page in (render_sample(result), render_index(named, [result])):
        assert "<script>alert" not in page
        assert "&<b>" not in page
        assert "&lt;script&gt;alert" in page
    assert visible(section(result)).count('<script>alert("x")</script>&<b>') >= 8


@pytest.mark.parametrize("counts", [(90, 40), (5, 8), (20, 200), (90, 200), (20, 40)])
@pytest.mark.parametrize("make", [controls, cohort])
def test_own_controls_and_cohorts_say_nothing_of_a_course(make: Any, counts: tuple[int, int]) -> None:
    result = tube(*counts)
    text = visible(section(result.model_copy(update={"pattern": call_pattern(result, make())})))
    assert text
    assert not COURSE.search(text)


def test_fitted_cut_points_quote_one_cohort() -> None:
    result = tube(90, 8)
    text = visible(section(result.model_copy(update={"pattern": call_pattern(result, fitted())})))
    assert "In one published cohort" in text
    assert "Not validated for individual patients. Research use only." in text
