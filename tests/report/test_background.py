"""The section on background: raw, background and net side by side, limits in words, and each marker left out."""

from __future__ import annotations

from typing import Any

import pytest

from stromagate.model.detection import TOO_SMALL, BackgroundCount, DetectionLimits
from stromagate.model.result import SampleResult, Statistic
from stromagate.report import render_sample
from tests.report.pages import visible
from tests.results import make_result


def section(result: SampleResult) -> str:
    page = render_sample(result)
    return visible('<section id="background"' + page.split('<section id="background"')[1].split("</section>")[0])


def state(count: int, words: str) -> tuple[Statistic, ...]:
    """Return the statistics of a tube with so many MSC, in that state."""
    plain = make_result().statistics
    changed = {"value": float(count), "n": count, "state": words}
    return tuple(
        row.model_copy(update=changed) if (row.population, row.statistic) == ("msc", "count") else row for row in plain
    )


def test_raw_background_and_net_stand_side_by_side_in_both_units() -> None:
    text = section(make_result())
    assert "Raw, background and net, in events of this tube and per million nucleated [95 % interval]" in text
    assert (
        "MSC (CD271+) | FMO control, CD271 left out | 1 one event there stands for 1.00 here, by nucleated | "
        "62 (45.1–84.8) 73.6 (53.6–101) | 1 (0.0253 to 5.57) 1.19 (0.0301 to 6.62) | "
        "61 (43.5 to 83.8) 72.4 (51.7 to 99.5)"
    ) in text


def test_an_unstained_tube_is_a_bound_and_has_no_net() -> None:
    text = section(make_result())
    row = next(line for line in text.splitlines() if "unstained control" in line)
    assert "upper bound, not subtracted" in row
    assert row.endswith("| –")
    assert "In an unstained tube all cells pass the gates" in text


def test_what_each_kind_can_tell_is_said_only_where_it_is_there() -> None:
    text = section(make_result())
    assert "net number errs low" in text
    assert "A blank is stained and holds no stroma" not in text
    (fmo, _) = make_result().background
    lab = section(make_result(background=(fmo.model_copy(update={"role": "blanks", "n_blanks": 24}),)))
    assert "the laboratory's blanks (24)" in lab
    assert "A blank is stained and holds no stroma" in lab
    assert "An FMO control is" not in lab


def with_net(state: str) -> SampleResult:
    rows = tuple(
        row.model_copy(update={"value": 20.0, "ci_low": -7.9, "ci_high": 35.6, "state": state})
        if row.statistic.startswith("net")
        else row
        for row in make_result().statistics
    )
    return make_result(statistics=rows)


def test_a_net_number_may_begin_below_zero_and_one_of_a_small_control_is_not_printed() -> None:
    assert "20 (−7.90 to 35.6)" in section(with_net(""))
    text = section(with_net(TOO_SMALL))
    line = next(line for line in text.splitlines() if "FMO control" in line)
    assert line.endswith("| –")
    assert "▲ too small to subtract" in line
    assert "Acquire the control for at least as many events as the tube." in text
    assert "too small to subtract" not in section(make_result())


def test_a_control_too_small_to_tell_says_why_the_limits_are_the_floors() -> None:
    (fmo, bare) = make_result().background
    floors = DetectionLimits(population="msc", lob_events=0, lod_events=20, lloq_events=50)
    small = fmo.model_copy(update={"too_small": True, "scale": 34_000.0})
    text = section(make_result(background=(small, bare), detection=(floors,)))
    line = next(line for line in text.splitlines() if "FMO control" in line)
    assert "▲ too small to tell" in line
    assert "one event there stands for 34,000 here" in line
    assert line.endswith("| –")
    assert "Too small to tell: the control holds fewer than 100 events of what it is scaled by" in text
    assert "Its controls hold too few events to tell the background of “MSC (CD271+)”: the limits are" in text
    assert "too small to tell" not in section(make_result())


@pytest.mark.parametrize(("count", "words", "grey"), [(12, "not detected", True), (62, "quantifiable", False)])
def test_raw_and_net_of_what_is_no_quantity_are_grey(count: int, words: str, grey: bool) -> None:
    page = render_sample(make_result(statistics=state(count, words)))
    table = page.split('<section id="background"')[1].split("</table>")[0]
    assert ('<tr class="faint">' in table) is grey


def test_without_any_control_the_limits_are_the_floors() -> None:
    floors = tuple(
        DetectionLimits(population=name, lob_events=0, lod_events=20, lloq_events=50) for name in ("msc", "progenitors")
    )
    text = section(make_result(background=(), detection=floors))
    assert "No FMO control and no blank shows the background of “MSC (CD271+)”, “CD146+ progenitors”" in text
    assert "MSC (CD271+) | 62 | – | 20 | from 50 | the floors | quantifiable Enough for a quantity: it may be" in text
    assert "Raw, background and net" not in text


LIMITS = {"population": "msc", "lob_events": 28, "lod_events": 38.4, "lloq_events": 112.3, "blank_events": 20.0}


@pytest.mark.parametrize(
    ("count", "words", "said"),
    [
        (28, "not detected", "Under the 29 that stand out from background (limit of blank 28)."),
        (
            62,
            "detected, not quantifiable",
            "Under the 113 that make a quantity beside its background: it is there; how much",
        ),
        (130, "quantifiable", "Enough for a quantity: it may be compared, with its interval."),
    ],
)
def test_states_are_told_in_words(count: int, words: str, said: str) -> None:
    limits = DetectionLimits(method="negative binomial", source="blanks", n_blanks=9, **LIMITS)
    text = section(make_result(statistics=state(count, words), detection=(limits,)))
    line = next(line for line in text.splitlines() if line.startswith(f"MSC (CD271+) | {count} | 28 | 39 | from 113 |"))
    assert "the laboratory's blanks, negative binomial |" in line
    assert f"{words} {said}" in line


def test_under_the_floor_is_not_told_from_none() -> None:
    low = DetectionLimits(
        population="msc", lob_events=3, lod_events=20, lloq_events=52.9, method="Poisson", source="blank"
    )
    text = section(make_result(statistics=state(12, "not detected"), detection=(low,)))
    assert "not detected Under the 20 that are told from none." in text
    assert "blank control, Poisson |" in text


def test_each_marker_left_out_says_what_would_leak() -> None:
    text = section(make_result())
    assert "Without | MSC (CD271+) | CD146+ progenitors" in text
    assert "CD271 | 1,310 1,560 per million, 21.1 times as many | –" in text
    assert "Viability | 62 nothing more | –" in text
    assert "CD146 | – | 62 73.6 per million, 2.95 times as many" in text


def test_controls_and_older_results_have_no_such_section() -> None:
    assert 'id="background"' not in render_sample(make_result(detection=()))


def test_names_of_populations_are_escaped() -> None:
    odd: dict[str, Any] = {"labels_of_populations": {"msc": "<b>MSC</b>", "nucleated": "<i>n</i>"}}
    page = render_sample(make_result(**odd))
    assert "<b>MSC</b>" not in page
    assert "<i>n</i>" not in page


def test_pooled_controls_say_how_many() -> None:
    pooled = BackgroundCount(
        population="msc", role="fmo:CD271", n_blanks=3, events=1, scale=1.0, scaled_by="nucleated", low=0.0, high=5.6
    )
    assert "FMO control, CD271 left out (3 tubes)" in section(make_result(background=(pooled,)))
