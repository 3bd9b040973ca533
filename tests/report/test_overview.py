"""The page of a run: every tube once, controls apart, failures with what to do, and a drawing with its twin."""

from __future__ import annotations

import re

from stromagate.model.result import Statistic
from stromagate.report import render_index
from stromagate.report.lookup import find, label, primary_denominator
from stromagate.report.overview import build
from tests.report.pages import golden_run, make_run, visible
from tests.results import make_result


def test_every_tube_is_there_once_and_controls_stand_apart() -> None:
    run, results = golden_run()
    page = render_index(run, results)
    stained, controls = page.split('<tbody class="controls">')
    table = stained.split("<tbody>")[1]
    assert re.findall(r'href="(samples/[^"]+)"', table) == ["samples/bm-001/report.html", "samples/sim/report.html"]
    assert re.findall(r'href="(samples/[^"]+)"', controls) == ["samples/bm-001-fmo/report.html"]
    assert "FMO control, CD146 left out" in controls


def test_a_failed_tube_says_why_and_what_to_do() -> None:
    run, results = golden_run()
    text = visible(render_index(run, results)).split("Not analysed")[1].split("Tubes")[0]
    for part in ("failed-0", "the file ends 1,024 bytes early", "copy it again from the cytometer", "fcs.truncated"):
        assert part in text


def test_a_run_in_which_nothing_worked_is_a_page() -> None:
    run = make_run([], {"code": "fcs.empty", "message": "the file is empty", "where": None, "hint": None})
    text = visible(render_index(run, []))
    assert "the file is empty" in text
    assert "Stained tubes compared" not in text
    assert "What to do" not in text


def test_a_result_without_template_numbers_shows_dashes() -> None:
    result = make_result(statistics=(), indices={}, denominators=())
    values = build(make_run([result]), [result])
    assert [cell["text"] for cell in values["groups"][0][1][0]["cells"]] == ["–"] * 5
    assert values["figure_of_tubes"] is None
    render_index(make_run([result]), [result])


def test_links_of_odd_names_are_safe() -> None:
    result = make_result(sample_id='a b/"#?.x')
    page = render_index(make_run([result]), [result])
    assert 'href="samples/a%20b/%22%23%3F.x/report.html"' in page


def test_only_stained_tubes_are_compared() -> None:
    run, results = golden_run()
    figure = build(run, results)["figure_of_tubes"]
    assert figure.spec["layout"]["yaxis"]["ticktext"] == ["bm-001", "sim"]


def test_a_crowd_is_drawn_in_part_and_says_so() -> None:
    results = [make_result(sample_id=f"t{i:03}") for i in range(70)]
    page = render_index(make_run(results), results)
    assert "10 more stained tubes are in the table and not in this drawing." in page
    assert page.count('href="samples/') == 70


def test_a_count_of_zero_keeps_its_upper_bound() -> None:
    rows = [
        Statistic(
            population="msc",
            parent="stroma",
            statistic="per_million",
            value=0.0,
            unit="",
            denominator="nucleated",
            ci_low=0.0,
            ci_high=3.69,
            state="not detected",
        )
    ]
    result = make_result(statistics=tuple(rows))
    values = build(make_run([result]), [result])
    assert values["groups"][0][1][0]["cells"][1] == {
        "text": "0 (0–3.69) <LLOQ",
        "head": "0",
        "below": "(0–3.69) <LLOQ",
        "value": 0.0,
        "faint": True,
        "state": "not detected",
    }


def test_the_run_says_how_many_are_simulated() -> None:
    run, results = golden_run()
    assert "1 of 3 analysed tubes is made by a simulator" in visible(render_index(run, results))
    alone = [results[2]]
    assert "The analysed tube is made by a simulator" in visible(render_index(make_run(alone), alone))


def test_how_to_cite_names_version_hash_and_sources() -> None:
    run, results = golden_run()
    text = visible(render_index(run, results)).split("How to cite")[1]
    for part in ("stromagate 0.1.0", "bm_test 1.2.3", "7a" * 32, "doi:10.1038/leu.2016.91"):
        assert part in text


def test_the_table_twin_has_every_drawn_rate() -> None:
    run, results = golden_run()
    twin = visible(render_index(run, results)).split("The same in numbers")[1]
    assert "bm-001 | 73.6 (53.6–101) | 24.9 (15.4–38.1)" in twin


def test_enriched_tubes_are_named_and_whole_marrow_is_not() -> None:
    enriched = make_result(instrument={"STROMAGATE_PREPARATION": "cd45_depleted"})
    whole = make_result(sample_id="w", labels={"preparation": "whole"})
    text = visible(render_index(make_run([enriched, whole]), [enriched, whole]))
    assert "Preparation: cd45 depleted. 1 of 2 analysed tubes is enriched" in text
    assert "Preparation: whole" not in text


def test_all_rates_of_a_page_have_the_denominator_that_its_column_names() -> None:
    """A tube without an optional marker lacks the first denominator: its next one must not slip into the column."""
    plain = make_result()
    first, common = primary_denominator(plain), "singlets"
    rates = [row for row in plain.statistics if row.statistic == "per_million"]
    halves = [row.model_copy(update={"denominator": common, "value": (row.value or 0) / 2}) for row in rates]
    fields = {"denominators": (first, common)}
    whole = make_result(sample_id="whole", statistics=(*plain.statistics, *halves), **fields)
    kept = tuple(row for row in whole.statistics if row.denominator != first)
    lacking = make_result(sample_id="lacking", statistics=kept, **fields)
    assert (primary_denominator(whole), primary_denominator(lacking)) == (first, common)
    for results in ([whole, lacking], [lacking, whole]):
        values = build(make_run(results), results)
        assert values["names"]["denominator"] == label(whole, common)
        assert label(whole, common) in values["figure_of_tubes"].alt
        shown = {row["cells"][1]["value"] for _, rows in values["groups"] for row in rows}
        expected = find(whole, whole.indices["msc"], "per_million", common)
        assert expected is not None
        assert shown == {expected.value}
