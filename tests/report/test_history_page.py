"""The page of control charts: drift first, every series drawn with its twin in numbers, nothing claimed early."""

from __future__ import annotations

import json
import re

import pytest

from stromagate.model.history import ChartBook, ControlChart, Series
from stromagate.model.result import RunFinding
from stromagate.report import render_history, render_index
from stromagate.report.control_charts import chart_figure, deviations, value_text
from stromagate.report.history import build
from tests.golden import matches_golden
from tests.pipeline.histories import book_of, kept_run, kept_runs, kept_tube
from tests.report.pages import golden_run, make_run, visible
from tests.results import make_result

WARNED = RunFinding(code="Q56", check="drift_single", status="warn", sentence="One series drifts.", remedy="Look.")


def drifted() -> ChartBook:
    return book_of(kept_runs(25, shift_from=21))


def one(book: ChartBook, name: str) -> tuple[ControlChart, Series]:
    (chart,) = book.charts
    return chart, next(series for series in chart.series if series.name == name)


def test_the_page_reads_as_before() -> None:
    matches_golden("history_page.txt", visible(render_history(drifted(), [WARNED])))


def test_every_series_is_drawn_once_and_has_a_twin_in_numbers() -> None:
    book = drifted()
    page = render_history(book, [])
    n = len(book.charts[0].series)
    assert page.count('<figure class="chart">') == n
    assert len(set(re.findall(r'data-figure="([^"]+)-data"', page))) == n
    assert page.count("The same in numbers") == n
    assert visible(page).count("b25 |") == n


def test_findings_of_other_checks_stay_on_the_page_of_the_run() -> None:
    other = WARNED.model_copy(update={"code": "Q29", "sentence": "Twins."})
    text = visible(render_history(drifted(), [WARNED, other]))
    assert "One series drifts." in text
    assert "Twins." not in text


@pytest.mark.parametrize("n", [1, 2, 19, 20])
def test_early_on_nothing_is_said_to_be_right(n: int) -> None:
    book = book_of(kept_runs(n))
    text = visible(render_history(book, []))
    assert f"no: {book.charts[0].why}" in text
    assert "yes" not in text.split("Judged")[1][:8]
    assert not re.search(r"\bpass\b", text)


def test_the_limits_and_what_is_outside_of_them_are_drawn() -> None:
    chart, series = one(drifted(), "MSC (CD271+), CD271")
    figure = chart_figure(chart, series, "x")
    baseline, later, now, broken = figure.spec["data"]
    assert len(baseline["x"]) == 20
    assert len(later["x"]) + len(now["x"]) + len(broken["x"]) == 5
    assert 24 in broken["x"]
    assert not now["x"]
    lines = [shape["y0"] for shape in figure.spec["layout"]["shapes"] if shape["type"] == "line"]
    assert series.mean is not None
    assert series.sd is not None
    assert sorted(lines) == pytest.approx([series.mean + k * series.sd for k in range(-3, 4)])
    low, high = figure.spec["layout"]["yaxis"]["range"]
    assert all(low <= value <= high for trace in figure.spec["data"] for value in trace["y"])
    assert "outside of the limits: " in figure.alt
    json.dumps(figure.spec, allow_nan=False)


def test_a_point_very_far_out_stands_at_the_edge_and_hides_no_other() -> None:
    far = kept_run(kept_tube("far", batch="far", viability_pct=0.5))
    chart, series = one(book_of([*kept_runs(24), far]), "Viability")
    figure = chart_figure(chart, series, "x")
    assert abs(deviations(series, series.points[-1].value) or 0) > 20
    low, high = figure.spec["layout"]["yaxis"]["range"]
    assert series.sd is not None
    assert high - low < 20 * series.sd


def test_values_are_written_as_the_numbers_they_stand_for() -> None:
    book = book_of(kept_runs(1))
    _, edge = one(book, "MSC (CD271+), CD271")
    assert value_text(edge, 0.0) == "0"
    assert value_text(one(book, "Events of a tube")[1], 5.0) == "100,000"
    assert value_text(one(book, "Viability")[1], 92.0) == "92.0 %"
    assert value_text(edge, None) == "–"


def test_foreign_names_are_text_and_nothing_else() -> None:
    evil = "<img src=x onerror=alert(1)>"
    runs = [kept_run(kept_tube("t", batch=evil, instrument=evil))]
    page = render_history(book_of(runs), [])
    assert evil not in page
    assert "<img" not in page
    assert "\\u2039img" in page  # JSON of the drawing


def test_the_same_charts_give_the_same_bytes_and_nothing_from_outside() -> None:
    page = render_history(drifted(), [WARNED])
    assert page == render_history(ChartBook.model_validate_json(drifted().model_dump_json()), [WARNED])
    sources = re.findall(r'(?:src|href)="([^"#]+)"', page)
    assert all(not link.startswith("http") or link.startswith("https://doi.org/") for link in sources)
    assert "plotly.min.js" not in render_history(drifted(), [], plotly="inline").split("<script nonce")[0]


def test_two_instruments_have_a_table_each() -> None:
    both = kept_run(kept_tube("u", batch="b"), kept_tube("v", batch="b", instrument="Aria"))
    values = build(book_of([both]), [])
    assert [chart["instrument"] for chart in values["charts"]] == ["LSR 12345678", "Aria"]
    page = render_history(book_of([both]), [])
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_page_of_the_run_shows_what_was_seen_of_all_tubes_and_links_the_charts() -> None:
    run, results = golden_run()
    text = visible(render_index(run, results))
    assert "fail | duplicates Q29 | bm-001, sim hold the same bytes" in text
    assert "1 check passed or not applicable" in text
    assert 'href="history.html"' not in render_index(run, results)
    assert 'href="history.html"' in render_index(run, results, charted=True)
    bare = visible(render_index(make_run([make_result()]), [make_result()]))
    assert "All tubes together" not in bare
