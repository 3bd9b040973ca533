"""The replicates on the page of a run: pooled, apart, or too few."""

from __future__ import annotations

from stromagate.quantify.pooling import pool
from stromagate.report import render_index
from tests.quantify.test_pooling import three, tube
from tests.report.pages import make_run, visible


def shown(results: list) -> str:
    text = visible(render_index(make_run(results), results, pooled=pool(results)))
    return text.split("Replicates\n")[-1].split("How to cite")[0]


def test_tubes_that_agree() -> None:
    text = shown(three(180, 200, 205))
    line = next(line for line in text.splitlines() if "MSC (CD271+) | 180" in line)
    assert "P1 | t1, t2, t3 | MSC (CD271+) | 180, 200, 205 | 488 (" in line
    assert line.endswith("per million nucleated | 7 % [7 %] | p = 0.41 | pooled, quantifiable")
    assert "CD146+ progenitors | 5, 5, 5 | 2.56 %" in text


def test_tubes_that_differ() -> None:
    assert "p < 0.001 | replicates differ" in shown(three(18, 22, 45))


def test_a_twin_is_named_and_too_few_are_said() -> None:
    first, second = three(18, 22)
    twin = second.model_copy(update={"source": first.source})
    text = shown([first, twin])
    assert "without t2: it holds the same bytes as t1" in text
    assert "fewer than two tubes are left" in text


def test_runs_without_replicates_say_nothing_of_them() -> None:
    results = [tube(1, 20)]
    assert "Replicates" not in visible(render_index(make_run(results), results, pooled=pool(results)))
    assert "Replicates" not in visible(render_index(make_run(results), results))
