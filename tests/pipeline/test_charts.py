"""From a history to charts: what is one series, which batches are the baseline, when drift is told and when not."""

from __future__ import annotations

import pytest

from stromagate.model.history import ControlChart, Series
from stromagate.pipeline.charts import BASELINE, FEWEST_DECLARED, chart_book
from tests.pipeline.histories import LABELS, book_of, boundary, kept_run, kept_runs, kept_tube, median


def chart_of(*args, **kwargs) -> ControlChart:
    (chart,) = book_of(*args, **kwargs).charts
    return chart


def series(chart: ControlChart, name: str) -> Series:
    return next(each for each in chart.series if each.name == name)


def test_before_the_baseline_is_whole_nothing_is_judged() -> None:
    for n in (1, 5, BASELINE - 1):
        chart = chart_of(kept_runs(n))
        assert not chart.ready
        assert f"{n} of the {BASELINE}" in chart.why
        assert all(each.mean is None and each.why for each in chart.series)
    last = chart_of(kept_runs(BASELINE))
    assert (last.ready, last.why) == (False, "the run is part of the baseline itself")
    assert series(last, "MSC (CD271+), CD271").mean is not None
    assert chart_of(kept_runs(BASELINE + 1)).ready


def test_a_gain_that_creeps_is_told_where_it_shows_and_nowhere_else() -> None:
    chart = chart_of(kept_runs(25, shift_from=21))
    moved = {"MSC (CD271+), CD271", "CD271 of MSC (CD271+)"}
    broken = {each.name for each in chart.series if any(point.rules for point in each.points)}
    assert broken == moved
    for name in moved:
        rules = [point.rules for point in series(chart, name).points]
        assert rules[:20] == [()] * 20
        assert "1-3s" in rules[-1]
        assert "2-2s" in rules[-1]


def test_ten_on_one_side_needs_ten_after_the_baseline() -> None:
    runs = kept_runs(30, shift_from=21, step=0.0)
    moved = [run if i < 20 else _brighter(run, 1.2) for i, run in enumerate(runs)]
    rules = [point.rules for point in series(chart_of(moved), "MSC (CD271+), CD271").points]
    assert "10x" in rules[-1]
    assert not any("10x" in rule for rule in rules[:-1])


def _brighter(run, factor: float):
    tubes = [
        tube.model_copy(
            update={"boundaries": tuple(b.model_copy(update={"raw": b.raw * factor}) for b in tube.boundaries)}
        )
        for tube in run.tubes
    ]
    return kept_run(*tubes)


def test_a_tube_that_was_run_twice_counts_once_in_its_first_place_as_the_last_run_had_it() -> None:
    runs = kept_runs(3)
    again = kept_run(*(tube.model_copy(update={"viability_pct": 50.0}) for tube in runs[0].tubes), stromagate="9.9.9")
    chart = chart_of([*runs, again])
    assert chart.batches == ("b1", "b2", "b3")
    assert chart.now == (0,)
    assert series(chart, "Viability").points[0].value == 50.0
    assert [point.n_tubes for point in series(chart, "Viability").points] == [2, 2, 2]


def test_other_templates_instruments_and_panels_are_other_series() -> None:
    runs = kept_runs(3)
    other = kept_run(kept_tube("x", batch="b4"), template_sha256="00" * 32)
    cytometer = kept_run(kept_tube("y", batch="b5", instrument="Aria"))
    panel = kept_run(kept_tube("z", batch="b6", panel="f" * 16))
    last = kept_run(kept_tube("w", batch="b7"))
    chart = chart_of([*runs, other, cytometer, panel, last])
    assert chart.batches == ("b1", "b2", "b3", "b7")
    both = kept_run(kept_tube("u", batch="b8"), kept_tube("v", batch="b8", instrument="Aria"))
    book = chart_book([*runs, cytometer, both], both, LABELS)
    assert [(one.instrument, one.batches) for one in book.charts] == [
        ("LSR 12345678", ("b1", "b2", "b3", "b8")),
        ("Aria", ("b5", "b8")),
    ]


def test_batches_without_a_name_are_their_runs() -> None:
    alone, pair = kept_run(kept_tube("a")), kept_run(kept_tube("b"), kept_tube("c"))
    assert chart_of([alone, pair]).batches == ("a", f"run {pair.run[:8]}")
    same_name = kept_run(kept_tube("a", sha256="9" * 64))
    assert chart_of([alone, same_name]).batches == ("a", "a")


def test_a_declared_baseline_goes_over_the_first_batches() -> None:
    runs = kept_runs(16, shift_from=4, step=0.0)
    named = tuple(f"B{n}" for n in range(4, 4 + FEWEST_DECLARED))
    chart = chart_of(runs, declared=named)
    assert (chart.ready, chart.declared, chart.n_baseline, chart.judged_from) == (True, True, FEWEST_DECLARED, 8)
    points = series(chart, "Viability").points
    assert [i for i, point in enumerate(points) if point.baseline] == [3, 4, 5, 6, 7]
    assert not any(point.rules for point in points[:8])
    few = chart_of(runs, declared=named[:3])
    assert not few.ready
    assert "baseline.txt names 3" in few.why
    assert not chart_of(runs, declared=("elsewhere",)).declared


def test_a_series_that_most_of_the_baseline_lacks_has_no_limits() -> None:
    runs = kept_runs(24)
    lacking = [
        kept_run(*(tube.model_copy(update={"viability_pct": None}) for tube in run.tubes)) if i < 8 else run
        for i, run in enumerate(runs)
    ]
    found = series(chart_of(lacking), "Viability")
    assert (found.mean, found.why) == (None, "12 of 20 batches of the baseline have it")
    assert not any(point.rules for point in found.points)


def test_a_boundary_that_never_moves_has_no_limits() -> None:
    runs = [kept_run(kept_tube(f"t{i}")) for i in range(24)]
    chart = chart_of(runs)
    assert chart.ready
    assert series(chart, "MSC (CD271+), CD271").why == "it is the same in the whole baseline"


def test_rates_are_drawn_and_not_judged() -> None:
    runs = kept_runs(24)
    rich = kept_run(kept_tube("t", batch="rich", rates={"msc": 90_000.0}))
    found = series(chart_of([*runs, rich]), "MSC (CD271+) per million")
    assert not found.judged
    assert not any(point.rules for point in found.points)


def test_edges_of_one_gate_are_told_apart_and_stretches_are_not_followed() -> None:
    both = (boundary("c", "CD45", 100.0), boundary("c", "CD45", 900.0, side="below"))
    stretches = (boundary("s", "FSC-A", 1.0, linear=True), boundary("s", "FSC-A", 2.0, linear=True))
    chart = chart_of([kept_run(kept_tube("a", boundaries=(*both, *stretches)))])
    names = [each.name for each in chart.series]
    assert {"c, CD45, lower edge", "c, CD45, upper edge"} <= set(names)
    assert "s, FSC-A" not in names


def test_boundaries_measured_by_references_have_a_series_in_their_units() -> None:
    ways = [0.40, 0.42, 0.41]
    runs = [
        kept_run(kept_tube(f"t{i}", boundaries=(boundary("msc", "CD271", 900.0, way=w),))) for i, w in enumerate(ways)
    ]
    found = series(chart_of(runs), "MSC (CD271+), CD271, between its references")
    assert [point.value for point in found.points] == ways


def test_brightest_and_dimmest_reference_are_followed() -> None:
    medians = tuple(median(name, "CD45", value) for name, value in (("a", 5.0), ("b", 500.0), ("c", 50_000.0)))
    chart = chart_of([kept_run(kept_tube(f"t{i}", medians=medians)) for i in range(3)])
    assert [each.name for each in chart.series if each.kind == "reference"] == ["CD45 of c", "CD45 of a"]


@pytest.mark.parametrize("n", [1, 24])
def test_the_charts_are_a_document_that_reads_back(n: int) -> None:
    book = book_of(kept_runs(n))
    assert type(book).model_validate_json(book.model_dump_json()) == book
