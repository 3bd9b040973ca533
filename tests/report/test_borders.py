"""Combinations show the boundaries they are made of: no population is without a line a reader can question."""

from __future__ import annotations

import pytest

from stromagate.model.gates import Boolean, GateNode, GateTree, Geometry, Interval, Rectangle
from stromagate.model.result import DensityView
from stromagate.report import render_sample
from stromagate.report.borders import borders, drawable, parts_of
from tests.report.pages import side, view, visible
from tests.results import make_result

X, Y = side("CD271"), side("CD146")
HIGH_271, HIGH_146 = Interval("CD271", 0.5, None), Interval("CD146", 0.45, None)


def node(name: str, geometry: Geometry | None, spread: float | None = None) -> GateNode:
    return GateNode(name, "all", "m", geometry, "fitted" if geometry else "not_evaluable", "", spread=spread)


NODES = {
    item.name: item
    for item in (
        node("cd271", HIGH_271, 0.01),
        node("cd146", HIGH_146),
        node("cd3", Interval("CD3", 0.1, None)),
        node("gone", None),
        node("one", Boolean("all", ("cd146",))),
        node("rest", Boolean("none", ("cd271",))),
        node("both", Boolean("all", ("cd271", "one", "cd3"))),
        node("empty", Boolean("any", ("gone",))),
        node("loop", Boolean("any", ("loop", "cd146"))),
        node("neither", Boolean("none", ("cd271", "cd146"))),
        node("not_one", Boolean("none", ("one",))),
        node("either", Boolean("any", ("cd271", "cd146"))),
        node("middle", Interval("CD271", 0.4, 0.6)),
        node("band", Boolean("all", ("middle", "cd146"))),
    )
}


def plot(name: str) -> DensityView:
    return view(name, NODES[name].geometry, x=X, y=Y)


def names(name: str) -> list[str]:
    return [part.name for part in parts_of(NODES[name], NODES)]


def test_a_combination_comes_down_to_its_boundaries_each_once() -> None:
    assert names("cd271") == ["cd271"]
    assert names("both") == ["cd271", "cd3", "cd146"]
    assert names("empty") == []
    assert names("gone") == []
    assert names("loop") == ["cd146"]


def test_what_lies_on_other_axes_is_known() -> None:
    parts = parts_of(NODES["both"], NODES)
    assert [part.name for part in drawable(plot("both"), parts)] == ["cd271", "cd146"]


def test_all_boundaries_on_the_axes_are_drawn_with_their_bands() -> None:
    drawn = borders(plot("both"), NODES["both"], NODES)
    assert [shape["type"] for shape in drawn.shapes] == ["rect", "line", "line"]
    assert (drawn.shapes[1]["x0"], drawn.shapes[2]["y0"]) == (0.5, 0.45)
    assert (drawn.anchor, drawn.side) == ((X.high, None), "right")


def test_membership_in_one_population_is_its_own_cut() -> None:
    drawn = borders(plot("one"), NODES["one"], NODES)
    assert [shape["y0"] for shape in drawn.shapes] == [0.45]
    assert drawn.side == "above"


def test_what_one_cut_leaves_has_its_share_on_the_other_side() -> None:
    drawn = borders(plot("rest"), NODES["rest"], NODES)
    assert (drawn.anchor, drawn.side) == ((X.low, None), "left")


@pytest.mark.parametrize(
    ("name", "anchor", "side"),
    [
        ("neither", (X.low, Y.low), "above"),
        ("not_one", (X.high, Y.low), "above"),
        ("either", (X.high, None), "right"),
        ("band", None, "center"),
        ("loop", (X.high, None), "right"),
    ],
)
def test_the_share_stands_in_a_corner_that_is_kept_and_in_none_where_none_is(
    name: str, anchor: tuple[float, float] | None, side: str
) -> None:
    drawn = borders(plot(name), NODES[name], NODES)
    assert drawn.shapes
    assert (drawn.anchor, drawn.side) == (anchor, side)


@pytest.mark.parametrize("name", ["empty", "gone"])
def test_nothing_false_is_drawn_where_nothing_could_be_placed(name: str) -> None:
    drawn = borders(plot(name), NODES[name], NODES)
    assert (drawn.shapes, drawn.anchor) == ([], None)


def test_an_ordinary_gate_is_drawn_as_before() -> None:
    gate = Rectangle(("CD271", "CD146"), (0.5, 0.4), (0.9, 0.8))
    own = node("r", gate)
    drawn = borders(view("r", gate, x=X, y=Y), own, {"r": own})
    assert [shape["type"] for shape in drawn.shapes] == ["rect"]


def test_the_table_twin_names_the_boundaries_of_a_combination() -> None:
    result = make_result(tree=GateTree(tuple(NODES.values()), make_result().tree.axes), views=(plot("both"),))
    text = visible(render_sample(result)).split("both in numbers")[1].split("Findings")[0]
    assert "cd271 (0.0100 display units, 1 s.d.), cd146 (spread not estimated)" in text
    assert "cd3 (spread not estimated)" in text
    assert "CD271 | from | 0.5000" in text
    assert "CD146 | from | 0.4500" in text
