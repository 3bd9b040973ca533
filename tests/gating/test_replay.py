"""A tree replayed: block by block as all at once, fast as slow, and never by chance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from stromagate.errors import SpecificationError
from stromagate.gating.geometry import check
from stromagate.gating.replay import count, count_and_read
from stromagate.gating.walk import Plan, walk
from stromagate.model.gates import (
    Axis,
    Boolean,
    Ellipse,
    GateTree,
    Interval,
    Polygon,
    QuadrantPart,
    Rectangle,
    Spans,
)
from stromagate.model.panel import Compensation
from stromagate.model.scales import Scale
from stromagate.prepare.scales import forward, inverse
from stromagate.prepare.unmix import Unmix
from tests.gating.tubes import ASINH, LINEAR, LOGICLE, Events, Grower, node, shown, stained, tree, truth


def replayed(values: np.ndarray, pnn: tuple[str, ...], grown: GateTree, rows: int) -> dict[str, np.ndarray]:
    plan, parts, start = Plan(grown, pnn), {}, 0
    for block in Events(values, pnn).blocks(rows):
        for name, population in walk(plan, block).items():
            parts.setdefault(name, []).append(population.members() + start)
        start += len(block)
    return {name: np.concatenate(found) for name, found in parts.items()}


def same(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> dict[str, int]:
    """Return the number of events that differ, by population, where any do."""
    assert list(found) == list(wanted)
    return {name: n for name in wanted if (n := np.setxor1d(found[name], wanted[name]).size)}


@pytest.mark.parametrize("seed", range(6))
def test_random_trees_hold_what_the_definition_says(seed: int) -> None:
    values, pnn, axes, spill = stained(seed, 30_000)
    if seed % 2:
        rng = np.random.default_rng(seed)
        at = rng.integers(0, len(values), 80), rng.integers(0, len(pnn), 80)
        values[at] = rng.choice(np.array([np.nan, np.inf, -np.inf, 3e38, -1e25, 1e-42], dtype=np.float32), 80)
    columns = {axis: shown(values, pnn, GateTree((), axes, spill), axis) for axis in axes}
    grown = GateTree(Grower(seed, columns).nodes(12), axes, spill)
    wanted = truth(values, pnn, grown)
    assert same(replayed(values, pnn, grown, 12_345), wanted) == {}
    assert count(Events(values, pnn), grown) == {name: len(rows) for name, rows in wanted.items()}


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 160))
def test_many_random_trees_hold_what_the_definition_says(seed: int) -> None:
    test_random_trees_hold_what_the_definition_says(seed)


def test_nothing_hangs_on_where_a_block_ends() -> None:
    values, pnn, axes, spill = stained(7, 9_000)
    columns = {axis: shown(values, pnn, GateTree((), axes, spill), axis) for axis in axes}
    grown = GateTree(Grower(7, columns).nodes(14), axes, spill)
    whole = replayed(values, pnn, grown, len(values))
    for rows in (1_000, 2_500, 4_097):
        assert same(replayed(values, pnn, grown, rows), whole) == {}


@pytest.mark.parametrize("scale", [LOGICLE, ASINH, LINEAR, Scale("logicle", 1e6, 1.2, 4.5, 0.3)])
@pytest.mark.parametrize("closed", [False, True])
def test_events_around_a_cut_fall_as_in_display_units(scale: Scale, closed: bool) -> None:
    """Every float32 beside a cut, and cuts that lie exactly on an event."""
    rng = np.random.default_rng(5)
    for at in [*rng.uniform(-0.1, 1.0, 20), 0.0, float(forward(scale, 0.0)[0])]:
        raw = np.float32(inverse(scale, at)[0]).view(np.int32) + np.arange(-2_000, 2_000, dtype=np.int32)
        values = raw.view(np.float32)[:, None]
        values = values[np.isfinite(values[:, 0])]
        on_event = float(forward(scale, float(values[len(values) // 2, 0]))[0])
        for cut in (at, on_event, math.nextafter(on_event, 2)):
            gates = (
                node("low", "all", Interval("X", cut, None)),
                node("high", "all", Interval("X", None, cut, closed)),
            )
            found = replayed(values, ("X",), tree(*gates, axes={"X": Axis("X", scale, False)}), 1 << 15)
            display = forward(scale, values[:, 0])
            assert found["low"].tolist() == np.flatnonzero(display >= cut).tolist()
            assert found["high"].tolist() == np.flatnonzero(display <= cut if closed else display < cut).tolist()


corner = st.floats(-0.3, 1.2, allow_nan=False)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.lists(st.tuples(corner, corner), min_size=3, max_size=9, unique=True), st.booleans(), st.integers(0, 2))
def test_polygons_through_the_grid_are_those_of_the_definition(
    corners: list[tuple[float, float]], within: bool, which: int
) -> None:
    values, pnn, axes, spill = stained(11, 4_000, dyes=3)
    pair = [("dye0", "dye1"), ("dye1", "dye0"), ("dye0", "FSC")][which]
    factor = 262144.0 if pair[1] == "FSC" else 1.0
    shape = Polygon(pair, tuple((x, y * factor) for x, y in corners), inside=within)
    grown = tree(node("p", "all", shape), axes=axes, compensation=spill)
    assume(_possible(shape))
    assert same(replayed(values, pnn, grown, 1 << 15), truth(values, pnn, grown)) == {}


def _possible(shape: Polygon) -> bool:
    try:
        check(shape)
    except SpecificationError:
        return False
    return True


@pytest.mark.parametrize(
    "corners",
    [
        ((0.2, 0.2), (0.2 + 1e-12, 0.9), (0.2, 0.9)),
        ((-1e6, -1e6), (1e6, -1e6), (1e6, 1e6), (0.3, 0.4)),
        ((0.3, 0.3), (0.3, 0.3), (0.8, 0.3), (0.8, 0.8)),
        ((0.0, 0.5), (0.5, 0.5), (1.0, 0.5), (1.0, 0.6)),
        ((0.5, -5.0), (0.51, 5.0), (0.52, -5.0)),
    ],
)
def test_awkward_polygons_are_those_of_the_definition(corners: tuple[tuple[float, float], ...]) -> None:
    values, pnn, axes, spill = stained(3, 20_000, dyes=3)
    grown = tree(node("p", "all", Polygon(("dye0", "dye1"), corners)), axes=axes, compensation=spill)
    assert same(replayed(values, pnn, grown, 1 << 15), truth(values, pnn, grown)) == {}


def test_values_far_over_the_top_of_the_scale_are_not_lost() -> None:
    """The table of a scale ends; a polygon or an ellipse that reaches further is still exact."""
    rng = np.random.default_rng(1)
    values = (10 ** rng.uniform(0, 30, (5_000, 2)) * rng.choice([-1, 1], (5_000, 2))).astype(np.float32)
    axes = {name: Axis(name, LOGICLE, False) for name in ("X", "Y")}
    far = float(forward(LOGICLE, 1e25)[0])
    gates = (
        node("polygon", "all", Polygon(("X", "Y"), ((0.1, 0.1), (far, 0.1), (far, far)))),
        node("ellipse", "all", Ellipse(("X", "Y"), (0.0, 0.0), ((far**2, 0.0), (0.0, far**2)), 0.5)),
        node("rest", "all", Ellipse(("X", "Y"), (0.0, 0.0), ((far**2, 0.0), (0.0, far**2)), 0.5, inside=False)),
    )
    grown = tree(*gates, axes=axes)
    wanted = truth(values, ("X", "Y"), grown)
    assert 0 < len(wanted["polygon"]) < 5_000
    assert same(replayed(values, ("X", "Y"), grown, 1 << 15), wanted) == {}


def test_a_value_that_is_not_finite_elsewhere_does_not_spoil_a_compensated_axis() -> None:
    """Time lies between the detectors here: its NaN is no part of any compensated value."""
    rng = np.random.default_rng(2)
    values = rng.normal(1_000, 300, (3_000, 3)).astype(np.float32)
    values[::7, 1] = np.nan
    values[5, 0] = np.inf
    spill = Compensation("test", ("A", "B"), ((1.0, 0.2), (0.1, 1.0)))
    axes = {"a": Axis("A", LOGICLE, True), "Time": Axis("Time", LINEAR, False)}
    gates = (node("low", "all", Interval("a", None, 2.0)), node("timed", "all", Interval("Time", None, 1e9)))
    found = replayed(values, ("A", "Time", "B"), tree(*gates, axes=axes, compensation=spill), 1 << 15)
    assert found["low"].tolist() == [row for row in range(3_000) if row != 5]
    assert found["timed"].tolist() == [row for row in range(3_000) if row % 7]


def test_whoever_cannot_be_decided_is_not_counted_as_out() -> None:
    values = np.array([[1, 1], [9, 1], [np.nan, 1], [1, np.nan]], dtype=np.float32)
    axes = {"X": Axis("X", LINEAR, False), "Y": Axis("Y", LINEAR, False)}
    gates = (
        node("dead", "all", Interval("X", 5.0, None)),
        node("live", "all", Boolean("none", ("dead",))),
        node("timed", "live", Interval("Y", None, 5.0)),
        node("not_timed", "all", Boolean("none", ("timed",))),
    )
    found = replayed(values, ("X", "Y"), tree(*gates, axes=axes), 1 << 15)
    assert found["live"].tolist() == [0, 3]
    assert found["not_timed"].tolist() == [1]


def test_what_was_not_evaluable_has_no_count_and_neither_has_what_hangs_on_it() -> None:
    gates = (
        node("a", "all", Interval("X", 1.0, None)),
        node("b", "all", None),
        node("c", "b", Interval("X", 2.0, None)),
        node("d", "a", Boolean("any", ("a", "c"))),
        node("e", "d", Interval("X", None, 9.0)),
    )
    events = Events(np.array([[0.0], [1.0], [3.0]], dtype=np.float32), ("X",))
    assert count(events, tree(*gates, axes={"X": Axis("X", LINEAR, False)})) == {"all": 3, "a": 2}


def test_a_file_without_events_counts_nobody() -> None:
    values, pnn, axes, spill = stained(1, 0)
    gates = (
        node("a", "all", Interval("dye0", 0.2, None)),
        node("b", "a", Polygon(("dye0", "FSC"), ((0, 0), (1, 0), (1, 9)))),
    )
    assert count(Events(values, pnn), tree(*gates, axes=axes, compensation=spill)) == {"all": 0, "a": 0, "b": 0}


@pytest.mark.parametrize(
    ("gates", "code", "says"),
    [
        ([node("a", "x", Interval("X", 1.0, None))], "tree.parent", "'x' does not stand above"),
        ([node("a", "all", Interval("X", 1.0, None))] * 2, "tree.name", "two populations are called 'a'"),
        ([node("all", "all", Interval("X", 1.0, None))], "tree.name", "'all'"),
        ([node("a", "all", Interval("Q", 1.0, None))], "tree.axis", "'Q'"),
        (
            [node("a", "all", Boolean("any", ("b",))), node("b", "all", Interval("X", 1.0, None))],
            "tree.population",
            "'b'",
        ),
        ([node("a", "all", Rectangle(("X", "Y"), (3.0, None), (2.0, None)))], "gate.empty", "from 3 to 2"),
        ([node("a", "all", QuadrantPart(("X", "Z"), (0.0, 0.0), ("above", "above")))], "channel.unknown", "FL9"),
        ([node("a", "all", Spans("W", ((0.0, 1.0),)))], "scale.parameter", "width"),
    ],
)
def test_a_tree_that_does_not_fit_is_refused_before_anything_is_counted(gates: list, code: str, says: str) -> None:
    axes = {
        "X": Axis("X", LINEAR, False),
        "Y": Axis("Y", LINEAR, False),
        "Z": Axis("FL9", LINEAR, False),
        "W": Axis("X", Scale("logicle", 1e5, 9.0, 4.5), False),
    }
    events = Events(np.zeros((3, 2), dtype=np.float32), ("X", "Y"))
    with pytest.raises(SpecificationError, match=says) as refused:
        count(events, tree(*gates, axes=axes))
    assert refused.value.code == code


def test_an_axis_nobody_gates_on_need_not_be_in_the_file() -> None:
    axes = {"X": Axis("X", LINEAR, False), "Z": Axis("FL9", LINEAR, True)}
    events = Events(np.zeros((3, 1), dtype=np.float32), ("X",))
    assert count(events, tree(node("a", "all", Interval("X", None, 1.0)), axes=axes)) == {"all": 3, "a": 3}


def test_a_tree_that_was_written_down_counts_the_same() -> None:
    """Every kind of gate, by way of the JSON that results are kept in."""
    values, pnn, axes, spill = stained(5, 4_000)
    columns = {axis: shown(values, pnn, GateTree((), axes, spill), axis) for axis in axes}
    nodes = (*Grower(5, columns).nodes(20), node("lost", "all", None))
    grown = GateTree(nodes, axes, spill)
    assert {item.geometry.kind for item in nodes if item.geometry} >= {"interval", "spans", "polygon", "ellipse"}
    adapter = TypeAdapter(GateTree)
    again = adapter.validate_json(adapter.dump_json(grown))
    assert again == grown
    assert again.digest() == grown.digest()
    assert count(Events(values, pnn), again) == count(Events(values, pnn), grown)


def test_values_are_read_in_the_pass_that_counts() -> None:
    values, pnn, axes, spill = stained(3, 70_000)
    columns = {axis: shown(values, pnn, GateTree((), axes, spill), axis) for axis in axes}
    grown = GateTree(Grower(3, columns).nodes(8), axes, spill)
    wanted, axis = truth(values, pnn, grown), next(name for name, each in axes.items() if each.compensated)
    empty = GateTree((*grown.nodes, node("nobody", "all", Interval(axis, 900.0, None))), axes, spill)
    asked = {**dict.fromkeys(wanted, (axis,)), "nobody": (axis,), "elsewhere": (axis,)}
    blocks = Events(values, pnn)
    counts, read = count_and_read(blocks, empty, asked)
    assert counts == count(Events(values, pnn), empty)
    assert set(read) == {(name, axis) for name in counts}
    assert read["nobody", axis].size == 0
    exact = Unmix(pnn, {axis: axes[axis]}, spill)[axis].exact(values).astype(np.float32)
    for name, rows in wanted.items():
        np.testing.assert_array_equal(read[name, axis], exact[rows])


def test_a_channel_that_is_not_there_is_refused() -> None:
    values, pnn, axes, spill = stained(0, 1000)
    with_more = {**axes, "gone": Axis("Qdot-A", LINEAR, False)}
    with pytest.raises(SpecificationError, match="Qdot-A"):
        count_and_read(Events(values, pnn), GateTree((), with_more, spill), {"all": ("gone",)})
