"""The section on the niche: numbers and what they are compared with, why there is none, and warnings beside them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from stromagate.model.result import SampleResult, Statistic
from stromagate.model.template import Readout
from stromagate.report import render_sample
from tests.report.pages import visible
from tests.results import READOUT, make_result


def page(result: SampleResult) -> str:
    return '<section id="niche"' + render_sample(result).split('<section id="niche"')[1].split("</section>")[0]


def section(result: SampleResult) -> str:
    return visible(page(result))


def result_of(*rows: dict[str, Any], warnings: Any = (), numbers: Any = (), **changes: Any) -> SampleResult:
    """Return a result with one read-out of these rows, and these numbers beside the usual ones."""
    topic = {"name": "topic", "title": "A topic", "rows": rows or READOUT["rows"], "warnings": list(warnings)}
    plain = make_result()
    template = plain.template.model_copy(update={"readouts": (Readout.model_validate(topic),)})
    kept = tuple(row for row in plain.statistics if row.denominator != "fmo:CD146")
    return make_result(template=template, statistics=(*kept, *numbers), **changes)


def number(statistic: str, value: float | None, **changes: Any) -> Statistic:
    fields = {"population": "msc", "parent": "stroma", "marker": "CD146", "denominator": "fmo:CD146", "n": 62}
    fields |= {"unit": "ratio", "state": "quantifiable", "statistic": statistic, "value": value}
    return Statistic.model_validate({**fields, **changes})


MFI = {"kind": "mfi_ratio", "population": "msc", "marker": "CD146"}
LOG = {"kind": "log_ratio", "population": "progenitors", "denominator": "msc_cd146neg", "within": "msc"}


def test_a_ratio_of_medians_says_what_it_is_made_of() -> None:
    text = section(make_result())
    assert "Cross-talk" in text
    assert "MCAM (CD146) of MSC (CD271+) median over that of the FMO control | 3.12 (2.41–4.10) | 62 over 55 |" in text
    assert "▲ post-reoxygenation" in text
    assert "it takes 50 events in both" in text
    assert "CD146+ progenitors, share of MSC (CD271+) | 21 of 62 (34 %, 22–47 %)" in text


def test_both_medians_stand_below_it() -> None:
    own = number("median", 1310.0, denominator="", unit="scale value")
    below = number("control_median", 420.0, n=55)
    text = section(result_of(MFI, numbers=(own, below, number("mfi_ratio", 3.119, ci_low=2.4, ci_high=4.1))))
    assert "3.12 (2.40–4.10) median 1,310 over 420 | 62 over 55 | quantifiable" in text


def test_warnings_stand_beside_and_those_that_apply_first() -> None:
    text = section(make_result())
    loud = "▲ post-reoxygenation. Lost in air. In this tube: the sample sheet says nothing of fixation at the bedside."
    assert loud in text
    assert text.index(loud) < text.index("Dim: it takes an FMO tube.")
    assert "doi:10.1155/2019/3864948" in text
    labels = {**make_result().labels, "fixation": "bedside"}
    fixed = section(make_result(labels=labels))
    assert "post-reoxygenation. Lost" not in fixed
    assert "Lost in air." in fixed
    assert "In this tube" not in fixed


def test_a_hard_warning_takes_the_numbers_back() -> None:
    hard = {"text": "No count.", "when": "aml_at_diagnosis", "flag": "not interpretable in AML", "hard": True}
    share = {"kind": "share", "population": "progenitors", "denominator": "msc"}
    found = page(result_of(share, warnings=[hard], labels={"diagnosis": "AML"}))
    assert '<tr class="faint"><th scope="row">CD146+ progenitors' in found
    assert found.count("status-fail") == 2
    assert "✕ not interpretable in AML" in visible(found)
    calm = page(result_of(share, warnings=[hard], labels={"diagnosis": "healthy"}))
    assert "status-fail" not in calm
    assert "No count." in visible(calm)


def test_markers_that_the_tube_does_not_carry_are_named_once() -> None:
    assert "Not in this panel: CD106." in section(make_result())
    nothing = result_of({**MFI, "marker": "CD106"}, {"kind": "share", "population": "endo", "denominator": "msc"})
    assert 'id="niche"' not in render_sample(nothing)
    other = Readout.model_validate({**READOUT, "name": "x", "title": "Hypoxia", "rows": [{**MFI, "marker": "CA9"}]})
    template = make_result().template
    both = template.model_copy(update={"readouts": (*template.readouts, other)})
    assert "Not shown, for the panel carries nothing of it: Hypoxia." in section(make_result(template=both))


REFUSED = {
    "no FMO control": "stain a tube without CD146 beside this one (role `fmo:CD146` in the sheet)",
    "fewer than 50 events": "62 in the tube and 31 in the FMO control; it takes 50 in both",
    "not evaluable": "",
}


@pytest.mark.parametrize(("state", "why"), REFUSED.items(), ids=REFUSED)
def test_why_there_is_no_ratio(state: str, why: str) -> None:
    below = [number("control_median", 420.0, n=31)] if state.startswith("fewer") else []
    text = section(result_of(MFI, numbers=(*below, number("mfi_ratio", None, state=state)), controls=()))
    line = next(line for line in text.splitlines() if line.startswith("CD146 of MSC"))
    assert line.endswith(f"| {state} {why}".rstrip())
    assert "| – |" in line


def test_a_control_that_could_not_be_used_is_named_with_its_reason() -> None:
    text = section(result_of(MFI, numbers=(number("mfi_ratio", None, state="no FMO control"),)))
    assert "bm-001-fmo146 is not used: the file ends before its data do" in text


def test_a_median_that_is_not_above_zero_has_a_difference() -> None:
    numbers = (
        number("median", 310.0, denominator="", unit="scale value"),
        number("control_median", -4.0, n=55),
        number("mfi_ratio", None, state="median not above zero"),
        number("median_difference", 0.0612, ci_low=0.0301, ci_high=0.0902, unit="display units"),
    )
    text = section(result_of(MFI, numbers=numbers))
    assert "median 310 over −4.00: 6.12 (3.01 to 9.02) % of the axis apart" in text
    assert "values around zero have no ratio" in text


def test_a_log_ratio_is_shown_as_a_ratio_with_its_logarithm() -> None:
    fields = {"population": "progenitors", "parent": "msc", "marker": "", "denominator": "msc_cd146neg", "n": 21}
    value = math.log(21 / 41)
    found = number("log_ratio", value, ci_low=value - 0.5, ci_high=value + 0.5, **fields)
    text = section(result_of(LOG, numbers=(found,)))
    assert (
        "CD146+ progenitors to msc_cd146neg | 0.512 (0.311–0.844) natural logarithm −0.669 (−1.17 to −0.169) |" in text
    )
    assert "21 to 41" in text
    refused = number("log_ratio", None, state="denominator under 20 events", **fields)
    assert "of “msc_cd146neg”; it takes 20" in section(result_of(LOG, numbers=(refused,)))


def test_a_leukaemia_without_the_marker_is_not_applicable_with_the_reason() -> None:
    fields = {"population": "progenitors", "parent": "msc", "marker": "", "denominator": "msc_cd146neg"}
    found = number("log_ratio", None, state="not applicable", **fields)
    row = {**LOG, "lost_without": "CD34"}
    text = section(result_of(row, numbers=(found,), labels={"diagnosis": "AML, CD34-negative"}))
    assert "not applicable the sample sheet gives the diagnosis “AML, CD34-negative”" in text


STRATA = {"limits": [5, 10], "source": "Spoo 2007, of another marker", "doi": "10.1182/blood-2006-05-024844"}


@pytest.mark.parametrize(
    ("value", "low", "high", "place", "unsure"),
    [
        (4.9, 4.5, 4.99, "below 5", False),
        (5.0, 4.99, 5.1, "between 5 and 10", True),
        (7.0, 6.0, 8.0, "between 5 and 10", False),
        (10.0, 9.0, 10.0, "between 5 and 10", False),
        (10.5, 9.0, 12.0, "above 10", True),
        (30.0, 20.0, 40.0, "above 10", False),
    ],
)
def test_published_strata_place_a_number_and_are_no_outcome(
    value: float, low: float, high: float, place: str, unsure: bool
) -> None:
    text = section(
        result_of({**MFI, "strata": STRATA}, numbers=(number("mfi_ratio", value, ci_low=low, ci_high=high),))
    )
    assert f"CD146 of MSC (CD271+) lies {place}." in text
    assert ("Its interval reaches into another" in text) == unsure
    assert "Published strata of this ratio: below 5, 5 to 10, above 10 (Spoo 2007, of another marker)." in text
    assert "no outcome of anybody. doi:10.1182/blood-2006-05-024844" in text
    refused = number("mfi_ratio", None, state="no FMO control")
    assert "Published strata" not in section(result_of({**MFI, "strata": STRATA}, numbers=(refused,)))


def test_controls_and_templates_without_read_outs_have_no_such_section() -> None:
    assert 'id="niche"' not in render_sample(make_result(labels={"role": "fmo:CD146"}))
    plain = make_result().template.model_copy(update={"readouts": ()})
    assert 'id="niche"' not in render_sample(make_result(template=plain))


def test_what_a_template_or_a_sheet_says_is_escaped() -> None:
    odd = {"text": "<b>x</b>", "when": "not_fixed_at_bedside", "flag": "<i>f</i>"}
    found = page(result_of(MFI, warnings=[odd], numbers=(number("mfi_ratio", 3.0),), labels={"fixation": "<u>no</u>"}))
    assert "<b>" not in found
    assert "<i>" not in found
    assert "<u>" not in found
