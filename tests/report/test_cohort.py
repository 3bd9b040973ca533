"""The page of a cohort: every tube once, a map without invented lines, and no low value where nothing could be seen."""

from __future__ import annotations

import json
import math
import re

import pytest

from stromagate.model.cohort import Cohort, CohortCuts, LeftOut
from stromagate.report import render_cohort
from stromagate.report.cohort import build
from stromagate.report.cohort_heat import heat_figure
from stromagate.report.cohort_look import place, rate_ticks
from stromagate.report.cohort_map import WHISKERS_UP_TO, map_figure
from stromagate.report.cohort_spread import MIN_BOX, spread_figure
from tests.browser.hostile import PAYLOADS
from tests.pattern.tubes import cohort as median_of_cohort
from tests.pattern.tubes import controls
from tests.report.cohorts import FAILED, WARNED, cohort_of, cohort_tube, many
from tests.report.pages import visible
from tests.results import make_result

CUTS = CohortCuts(p_low=10.0, p_high=40.0, q_low=20.0, q_high=80.0)


def with_cuts(cohort: Cohort, cuts: CohortCuts = CUTS) -> Cohort:
    return cohort.model_copy(update={"cuts": {"nucleated": cuts}})


def test_every_tube_is_there_once_with_all_its_numbers() -> None:
    text = visible(render_cohort(cohort_of(many(5))))
    table = text.split("Click a heading to sort.")[-1].split("How each index spreads")[0]
    for i in range(5):
        assert len(re.findall(rf"^t0{i} \|", table, re.MULTILINE)) == 1
    line = next(line for line in table.splitlines() if line.startswith("t01 |"))
    assert line.startswith("t01 | P-t01 | 13.06.21–20.6 <LLOQ | 59.045.7–75.2 |")
    assert "not assigned" in line
    assert "warn" in line


def test_without_a_calibration_no_line_is_drawn_and_no_pattern_named() -> None:
    cohort = cohort_of(many(6))
    figure = map_figure(cohort, "nucleated")
    assert figure is not None
    assert figure.spec["layout"]["shapes"] == []
    assert figure.spec["layout"]["annotations"] == []
    text = visible(render_cohort(cohort))
    assert "No calibration. The publications give directions and no cut-off" in text
    assert "calibration level L0 (none)" in text
    assert "mesenchymal-low" not in text


def test_cut_points_of_a_calibration_part_the_map_where_they_lie() -> None:
    cohort = cohort_of(many(6), median_of_cohort())
    assert cohort.calibration is not None
    assert set(cohort.cuts) == {"nucleated"}
    assert cohort.cuts["nucleated"].p_low == cohort.cuts["nucleated"].p_high == pytest.approx(20, rel=0.2)
    figure = map_figure(cohort, "nucleated")
    assert figure is not None
    lines = [shape for shape in figure.spec["layout"]["shapes"] if shape["type"] == "line"]
    assert next(line["x0"] for line in lines) == place(cohort.cuts["nucleated"].p_high, 5.0)
    names = [note["text"] for note in figure.spec["layout"]["annotations"]]
    assert names == ["progenitor-high", "MSC-high", "both-high", "mesenchymal-low"]
    other = map_figure(cohort, "singlets")
    assert other is not None
    assert other.spec["layout"]["shapes"] == []  # the calibration does not know this denominator


def test_a_range_of_own_controls_has_a_name_for_what_lies_within() -> None:
    cohort = cohort_of(many(6), controls())
    figure = map_figure(cohort, "nucleated")
    assert figure is not None
    assert "within the controls' range" in [note["text"] for note in figure.spec["layout"]["annotations"]]
    assert len([shape for shape in figure.spec["layout"]["shapes"] if shape["type"] == "line"]) == 4
    text = visible(render_cohort(cohort))
    assert "Calibration L1: made controls. Made of 44 of the lab's own controls; SHA-256" in text
    assert "dotted ones close what is low" in text


def test_marks_stand_at_the_rates_and_whiskers_end_at_their_limits() -> None:
    cohort = cohort_of([cohort_tube("a", 60, 160)])
    figure = map_figure(cohort, "nucleated")
    assert figure is not None
    trace = figure.spec["data"][0]
    c = cohort.offset_ppm["nucleated"]
    p = cohort.tubes[0].number("P", "nucleated")
    assert p is not None
    assert trace["x"] == [pytest.approx(math.log10(60 + c), abs=1e-3)]
    assert p.ci_high is not None
    assert p.ci_low is not None
    assert trace["x"][0] + trace["error_x"]["array"][0] == pytest.approx(math.log10(p.ci_high + c), abs=1e-3)
    assert trace["x"][0] - trace["error_x"]["arrayminus"][0] == pytest.approx(math.log10(p.ci_low + c), abs=1e-3)
    low, high = figure.spec["layout"]["xaxis"]["range"]
    assert low < trace["x"][0] < high


def test_open_marks_are_no_quantities() -> None:
    figure = map_figure(cohort_of([cohort_tube("few", 3, 160), cohort_tube("enough", 80, 160)]), "nucleated")
    assert figure is not None
    few, enough = (trace for trace in figure.spec["data"] if "customdata" in trace)
    assert (few["customdata"], few["marker"]["symbol"]) == (["few"], "circle-open")
    assert (enough["customdata"], enough["marker"]["symbol"]) == (["enough"], "circle")


def test_a_crowd_has_no_names_and_its_intervals_stand_in_the_table() -> None:
    few = cohort_of(many(3))
    named = map_figure(few, "nucleated")
    assert named is not None
    assert "text" in named.spec["data"][0]
    one = few.tubes[0]
    tubes = tuple(one.model_copy(update={"name": f"c{i}"}) for i in range(WHISKERS_UP_TO + 1))
    crowd = few.model_copy(update={"tubes": tubes})
    figure = map_figure(crowd, "nucleated")
    assert figure is not None
    assert not any("text" in trace or "error_x" in trace for trace in figure.spec["data"])
    assert "stand in the table" in visible(render_cohort(crowd))


def test_five_hundred_tubes_are_a_page_that_loads() -> None:
    few = cohort_of(many(10), median_of_cohort())
    tubes = tuple(few.tubes[i % 10].model_copy(update={"name": f"c{i:03}"}) for i in range(500))
    page = render_cohort(few.model_copy(update={"tubes": tubes}))
    assert page.count('<tr data-row="') == 500
    assert len(page) < 3_000_000


def test_groups_under_five_are_points_and_others_have_a_box_of_their_quartiles() -> None:
    results = [cohort_tube(f"t{i}", 10 * i, 100, labels={"diagnosis": "big"}) for i in range(1, MIN_BOX + 1)]
    results += [cohort_tube(f"s{i}", 10 * i, 100, labels={"diagnosis": "small"}) for i in range(1, MIN_BOX)]
    cohort = cohort_of(results, group_by="diagnosis")
    figure = spread_figure(cohort, "P", "nucleated")
    assert figure is not None
    boxes = [trace for trace in figure.spec["data"] if trace["type"] == "box"]
    assert len(boxes) == 1
    assert boxes[0]["median"] == [place(30, cohort.offset_ppm["nucleated"])]
    assert figure.spec["layout"]["yaxis"]["ticktext"] == ["big (n = 5)", "small (n = 4)"]
    drawn = sum(len(trace["x"]) for trace in figure.spec["data"] if trace["type"] == "scatter")
    assert drawn == 2 * MIN_BOX - 1


def test_tubes_without_a_group_are_named_and_last() -> None:
    results = [cohort_tube("a", 50, 90), cohort_tube("b", 60, 90, labels={"diagnosis": "AML"})]
    figure = spread_figure(cohort_of(results, group_by="diagnosis"), "Q", "nucleated")
    assert figure is not None
    assert figure.spec["layout"]["yaxis"]["ticktext"] == ["AML (n = 1)", "not stated (n = 1)"]


def test_heat_is_decades_from_the_median_and_what_is_not_detected_has_no_colour() -> None:
    cohort = cohort_of([cohort_tube("a", 60, 100), cohort_tube("b", 600, 100), cohort_tube("c", 5, 100)])
    figure = heat_figure(cohort, "nucleated")
    assert figure is not None
    heat, grey, crosses = figure.spec["data"]
    row = heat["y"].index("CD146+ progenitors")
    by_tube = dict(zip(heat["x"], heat["z"][row], strict=True))
    assert by_tube["c"] is None
    assert by_tube["b"] - by_tube["a"] == pytest.approx(1.0, abs=0.01)
    assert by_tube["a"] == -by_tube["b"]
    assert dict(zip(grey["x"], grey["z"][row], strict=True)) == {"a": None, "b": None, "c": 0}
    assert ("c", "CD146+ progenitors") in set(zip(crosses["x"], crosses["y"], strict=True))
    assert heat["x"][0] == "b"  # by the rate of MSC


def test_a_population_that_no_tube_shows_is_no_row() -> None:
    figure = heat_figure(cohort_of([cohort_tube("a", 2, 100)]), "nucleated")
    assert figure is not None
    assert "CD146+ progenitors" not in figure.spec["data"][0]["y"]


def test_only_checks_that_fired_are_shown_the_gravest_first() -> None:
    results = [
        cohort_tube("a", 50, 90, findings=(WARNED, FAILED)),
        cohort_tube("b", 50, 90, findings=(WARNED,)),
        cohort_tube("c", 50, 90, findings=(WARNED.model_copy(update={"status": "pass"}),)),
    ]
    rows = build(cohort_of(results), {}, {})["checks"]
    assert [(row["code"], row["n_fail"], row["n_warn"]) for row in rows] == [("Q10", 1, 0), ("Q07", 0, 2)]
    text = visible(render_cohort(cohort_of(results)))
    assert "scatter ceiling Q10 | 1 | | | a" in text
    assert "No check failed or warned." in visible(render_cohort(cohort_of([cohort_tube("a", 50, 90)])))


def test_reasons_are_said_once_with_the_range_of_their_numbers() -> None:
    cohort = cohort_of(many(2))
    told = [f"the most probable is MSC-high with {p:.2f}, and 0.80 is asked for" for p in (0.55, 0.61)]
    tubes = tuple(
        tube.model_copy(update={"pattern": "indeterminate", "reason": why})
        for tube, why in zip(cohort.tubes, told, strict=True)
    )
    text = visible(render_cohort(cohort.model_copy(update={"tubes": tubes})))
    assert "the most probable is MSC-high with 0.55 to 0.61, and 0.80 is asked for (2)" in text


def test_what_was_left_out_is_named_with_its_reason() -> None:
    left = LeftOut(run="run", sample_id="twin", reason="it holds the same bytes as t00")
    text = visible(render_cohort(cohort_of(many(2), left_out=(left,), n_controls=7)))
    assert "twin: it holds the same bytes as t00" in text
    assert "Controls, not shown\n7" in text


def test_one_tube_is_a_page() -> None:
    text = visible(render_cohort(cohort_of([cohort_tube("a", 50, 90)])))
    assert "Tubes\n1\n" in text


def test_a_cohort_without_any_number_is_a_page() -> None:
    bare = cohort_tube("a", 0, 0).model_copy(update={"statistics": (), "background": ()})
    text = visible(render_cohort(cohort_of([bare])))
    assert "P against Q" not in text
    assert "How each index spreads" not in text


def test_all_denominators_stand_in_the_page() -> None:
    page = render_cohort(cohort_of(many(4)))
    variants = json.loads(re.search(r'id="cohort-variants">(.*?)</script>', page, re.DOTALL).group(1))  # type: ignore[union-attr]
    assert len(variants) == 2
    assert [len(tube) for variant in variants for tube in variant] == [3] * 8  # P, Q and MSC; the share has none
    assert variants[0][1][0]["value"] == 2 * variants[1][1][0]["value"]
    for name in ("map", "heat", "spread-0", "spread-1", "spread-3"):
        assert f'id="{name}-data"' in page
        assert f'id="{name}-data-1"' in page
    assert 'id="spread-2-data-1"' not in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_each_number_that_is_no_quantity_is_named_and_marked() -> None:
    table = visible(render_cohort(cohort_of([cohort_tube("few", 3, 30), cohort_tube("enough", 80, 160)])))
    line = next(line for line in table.splitlines() if line.startswith("few |"))
    assert "P not detected; Q, MSC not quantifiable" in line
    assert line.count("<LLOQ") == 4
    line = next(line for line in table.splitlines() if line.startswith("enough |"))
    assert "| quantifiable |" in line
    assert "<LLOQ" not in line


def test_a_tube_whose_boundaries_were_moved_says_so() -> None:
    moved = cohort_tube("moved", 50, 90, edits=make_result().edits)
    table = visible(render_cohort(cohort_of([moved, cohort_tube("b", 50, 90)])))
    assert table.count("manually adjusted") == 1


def test_a_probability_stands_beside_a_pattern_alone() -> None:
    cohort = cohort_of([cohort_tube("within", 20, 40), cohort_tube("high", 150, 400)], controls())
    within, high = cohort.tubes
    assert within.probability is not None
    assert (within.pattern, high.pattern) == ("not assigned", "both-high")
    table = visible(render_cohort(cohort))
    assert f"| not assigned | {'not checked'}" in next(one for one in table.splitlines() if one.startswith("within |"))
    assert high.probability == 1.0
    assert "both-high> 0.99" in next(one for one in table.splitlines() if one.startswith("high |"))


def test_links_lead_to_reports_and_patients() -> None:
    page = render_cohort(
        cohort_of(many(2)), links={"t00": "../run/samples/t00/report.html"}, pages={"P-t01": "patients/P-t01.html"}
    )
    assert '<a href="../run/samples/t00/report.html">t00</a>' in page
    assert '<a href="patients/P-t01.html">P-t01</a>' in page


def test_the_same_cohort_gives_the_same_bytes() -> None:
    cohort = cohort_of(many(4), controls())
    assert render_cohort(cohort) == render_cohort(Cohort.model_validate_json(cohort.model_dump_json()))


@pytest.mark.parametrize("calibration", [None, controls(), median_of_cohort()])
def test_no_word_of_an_outcome_stands_on_the_page(calibration: object) -> None:
    text = visible(render_cohort(cohort_of(many(6), calibration))).casefold()  # type: ignore[arg-type]
    assert not re.search(r"prognos|\brisk|predict|surviv|relapse|likely to", text)
    assert text.count("for research use only. not for use in diagnostic procedures.") == 2


def test_no_colour_of_a_pattern_is_a_traffic_light() -> None:
    from stromagate.report.cohort_look import MARKS

    for _, colour in MARKS.values():
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        assert blue >= max(red, green) - 0x20  # neither red, amber nor green
    assert len({symbol for symbol, _ in MARKS.values()}) == 4


def test_foreign_names_are_text_and_nothing_else() -> None:
    results = [
        cohort_tube(f"h{i}", 50, 90, patient=text, labels={"diagnosis": text}).model_copy(update={"sample_id": text})
        for i, text in enumerate(PAYLOADS)
    ]
    page = render_cohort(cohort_of(results, group_by="diagnosis"))
    assert "<img" not in page
    assert "<script>window" not in page
    assert "<svg" not in page
    assert page.count("</script>") == page.count("<script")


@pytest.mark.parametrize("c", [0.4, 1.0, 9.5, 20.0, 130.0])
@pytest.mark.parametrize("top", [0.0, 50.0, 2e4])
def test_ticks_of_a_rate_axis_begin_at_nothing_and_climb(c: float, top: float) -> None:
    ticks = rate_ticks(c, top)
    assert ticks[0] == (place(0.0, c), "0")
    places = [at for at, _ in ticks]
    assert places == sorted(set(places))
    assert len(ticks) >= 2
