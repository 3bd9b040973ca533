"""A tube held open: a preview is what applying the edit gives, event for event, and nothing is kept by asking."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stromagate.errors import DocumentError, SpecificationError
from stromagate.gating import live_sides
from stromagate.gating.edits import apply
from stromagate.gating.engine import Gated
from stromagate.gating.geometry import contains
from stromagate.gating.kept_columns import KeptColumns, Part
from stromagate.gating.live import LiveTube
from stromagate.gating.replay import members
from stromagate.gating.unedited import unedited
from stromagate.gating.unsettled import unsettled
from stromagate.model.edits import GateEdit, SampleEdits
from stromagate.model.gates import Axis, Boolean, Ellipse, GateTree, Geometry, Interval, Polygon
from stromagate.model.panel import Compensation
from stromagate.prepare.prepared import Prepared
from tests.gating.test_edits import edit, edits, fitted
from tests.gating.test_edits import tube as ten_events
from tests.gating.tubes import LINEAR, Grower, node, ready, shown, stained, tree

N = 3000


def grown(seed: int, n_gates: int) -> tuple[Prepared, GateTree, Grower]:
    """Return a made tube with some values that are no numbers, a random tree, and what draws more gates on it."""
    values, pnn, axes, spill = stained(seed, N)
    rng = np.random.default_rng(seed)
    for column in rng.choice(values.shape[1], 2, replace=False):
        values[rng.choice(N, 40, replace=False), column] = rng.choice([np.nan, np.inf, -np.inf], 40)
    prepared = ready(values, pnn, axes, spill)
    blank = tree(axes=axes, compensation=spill)
    with np.errstate(invalid="ignore"):
        seen = {axis: shown(values, pnn, blank, axis) for axis in axes}
    grower = Grower(seed, seen)
    return prepared, tree(*grower.nodes(n_gates), axes=axes, compensation=spill), grower


def opened(prepared: Prepared, planted: GateTree, **more: Any) -> LiveTube:
    return LiveTube(prepared, planted, members(prepared, planted), **more)


def applied(prepared: Prepared, planted: GateTree, edits: Mapping[str, Geometry], **more: Any) -> Gated:
    """Put edits into a tree by the road of a run."""
    rows = members(prepared, planted)
    gated = Gated(planted, rows, MappingProxyType({name: len(each) for name, each in rows.items()}))
    made = tuple(
        GateEdit(population=name, geometry=at, who="A", when="2026-03-01T18:00:00Z", why="b")
        for name, at in edits.items()
    )
    return apply(prepared, gated, SampleEdits(sample_id="t", tree_sha256=planted.digest(), edits=made), **more).gated


def dragged(geometry: Geometry, grower: Grower, names: list[str]) -> Geometry:
    """Return a boundary as a hand moves it: a vertex or an edge a little, or the whole gate drawn again."""
    rng = grower.rng
    if rng.random() < 0.6:
        if isinstance(geometry, Polygon):
            at = int(rng.integers(len(geometry.vertices)))
            x, y = geometry.vertices[at]
            spans = [float(np.ptp(np.quantile(grower.values[axis], [0.05, 0.95]))) for axis in geometry.axes]
            there = (x + float(rng.normal(0, 0.1)) * spans[0], y + float(rng.normal(0, 0.1)) * spans[1])
            return replace(geometry, vertices=(*geometry.vertices[:at], there, *geometry.vertices[at + 1 :]))
        if isinstance(geometry, Ellipse):
            mean = tuple(
                at + float(rng.normal(0, 0.3)) * row[i] ** 0.5
                for i, (at, row) in enumerate(zip(geometry.mean, geometry.covariance, strict=True))
            )
            return replace(
                geometry, mean=mean, distance_squared=geometry.distance_squared * float(rng.uniform(0.7, 1.4))
            )
        if isinstance(geometry, Interval):
            low = None if geometry.low is None else grower._edge(geometry.axis, 0, 0.4)
            high = None if geometry.high is None else grower._edge(geometry.axis, 0.6, 1)
            if low is None or high is None or low < high:
                return replace(geometry, low=low, high=high)
    kind = str(rng.choice([kind for kind in grower.kinds if kind != "boolean" or names]))
    return getattr(grower, kind)(names)


@given(seed=st.integers(0, 10_000), n_gates=st.integers(1, 9), n_edits=st.integers(1, 4))
@settings(max_examples=35, deadline=None)
@example(seed=3, n_gates=8, n_edits=4)
def test_a_preview_is_what_applying_the_edits_gives(seed: int, n_gates: int, n_edits: int) -> None:
    prepared, planted, grower = grown(seed, n_gates)
    tube = opened(prepared, planted)
    edits: dict[str, Geometry] = {}
    for _ in range(n_edits):
        at = int(grower.rng.integers(n_gates))
        node = planted.nodes[at]
        now = edits.get(node.name, node.geometry)
        assert now is not None
        geometry = dragged(now, grower, [each.name for each in planted.nodes[:at]])
        before = dict(tube.counts)
        preview = tube.recount(node.name, geometry)
        assert tube.counts == before
        edits[node.name] = geometry
        truth = applied(prepared, planted, edits)
        tube.keep(node.name, geometry)
        assert tube.counts == truth.counts
        assert preview == {name: truth.counts[name] for name in tube.downstream(node.name)}
        assert {name: rows.tolist() for name, rows in tube.members.items()} == {
            name: rows.tolist() for name, rows in truth.members.items()
        }
        assert [each.geometry for each in tube.tree.nodes] == [each.geometry for each in truth.tree.nodes]
    assert tube.edits == edits
    back = tube.with_edits({})
    assert back.counts == opened(prepared, planted).counts
    assert back.tree == planted
    assert tube.edits == edits


SQUARE = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))


def plain_tube(columns: dict[str, Any], spill: Compensation | None = None) -> Prepared:
    axes = {name: Axis(name, LINEAR, spill is not None) for name in columns}
    return ready(np.column_stack(list(columns.values())).astype(np.float32), tuple(columns), axes, spill)


def test_a_gate_drawn_on_other_axes_changes_who_could_be_out_of_it() -> None:
    """Nobody changes sides of the gate itself, and yet one event without a value on X is out of it for sure now."""
    prepared = plain_tube({"X": [1, 9, np.nan, 1], "Y": [1, 9, 1, np.nan]})
    planted = tree(
        node("bright", "all", Interval("X", 5.0, None)),
        node("rest", "all", Boolean("none", ("bright",))),
        axes=prepared.axes,
    )
    tube = opened(prepared, planted)
    assert tube.members["rest"].tolist() == [0, 3]
    assert tube.recount("bright", Interval("Y", 5.0, None)) == {"bright": 1, "rest": 2}
    tube.keep("bright", Interval("Y", 5.0, None))
    assert tube.members["rest"].tolist() == [0, 2]


@pytest.mark.parametrize(
    "shapes",
    [
        (
            Polygon(("A", "B"), ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))),
            Polygon(("A", "B"), ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (0.5, 0.0))),
        ),
        (
            Ellipse(("A", "B"), (0.0, 0.0), ((1.0, 0.0), (0.0, 1.0)), 4.0),
            Ellipse(("A", "B"), (3.0, 0.0), ((1.0, 0.0), (0.0, 1.0)), 4.0),
        ),
    ],
    ids=["polygon", "ellipse"],
)
def test_an_event_that_float32_loses_is_not_lost(shapes: tuple[Geometry, Geometry]) -> None:
    """Its detectors hold 3e38 each: their sum overflows in float32, and the exact one is (0, 0)."""
    huge = np.full((2000, 2), 3e38)
    huge[1:] = np.random.default_rng(0).normal(0, 1, (1999, 2))
    spill = Compensation("t", ("A", "B"), ((0.5, 0.5), (-0.5, 0.5)))
    inverse = np.linalg.inv(np.array(spill.matrix))
    huge[0] = (3e38, 3e38)
    prepared = plain_tube({"A": huge[:, 0], "B": huge[:, 1]}, spill)
    assert not np.isfinite(prepared.linear("A")[:1] + prepared.linear("B")[:1]).all()
    assert np.isfinite(huge[:1] @ inverse).all()
    planted = tree(node("g", "all", shapes[0]), axes=prepared.axes, compensation=spill)
    columns = KeptColumns(prepared)
    may = unsettled(*shapes, columns, Part(columns), {"A": LINEAR, "B": LINEAR})
    assert may is None or may[0]
    tube = opened(prepared, planted)
    tube.keep("g", shapes[1])
    assert (
        tube.members["g"].tolist()
        == members(prepared, replace(planted, nodes=(node("g", "all", shapes[1]),)))["g"].tolist()
    )


def test_a_dragged_vertex_asks_only_for_the_events_that_its_sides_pass_over() -> None:
    rng = np.random.default_rng(1)
    prepared = plain_tube({"X": rng.uniform(-5, 15, 5000), "Y": rng.uniform(-5, 15, 5000)})
    columns = KeptColumns(prepared)
    now = Polygon(("X", "Y"), (*SQUARE[:2], (12.0, 10.0), SQUARE[3]))
    may = unsettled(Polygon(("X", "Y"), SQUARE), now, columns, Part(columns), {"X": LINEAR, "Y": LINEAR})
    assert may is not None
    x, y = prepared.linear("X"), prepared.linear("Y")
    assert not may[(x < 9.9) | (x > 12.1) | (y > 10.1)].any()
    really = (y > 0) & (y < 10) & (x >= 10) & (x < 10 + y / 5)
    assert may[really].all()
    assert np.count_nonzero(may) <= np.count_nonzero(really) + 10


def test_a_moved_ellipse_asks_neither_for_its_middle_nor_for_what_is_far() -> None:
    rng = np.random.default_rng(1)
    prepared = plain_tube({"X": rng.normal(0, 1, 5000), "Y": rng.normal(0, 1, 5000)})
    was = Ellipse(("X", "Y"), (0.0, 0.0), ((1.0, 0.6), (0.6, 1.0)), 2.0)
    columns = KeptColumns(prepared)
    wider = replace(was, distance_squared=2.2)
    may = unsettled(was, wider, columns, Part(columns), {"X": LINEAR, "Y": LINEAR})
    assert may is not None
    x, y = prepared.linear("X").astype(float), prepared.linear("Y").astype(float)
    distance = (x * x - 1.2 * x * y + y * y) / (1 - 0.36)
    assert may[(distance > 2.0) & (distance < 2.2)].all()
    assert not may[(distance < 1.9) | (distance > 2.3)].any()
    assert unsettled(was, replace(was, inside=False), columns, Part(columns), {"X": LINEAR, "Y": LINEAR}) is None
    assert unsettled(None, was, columns, Part(columns), {"X": LINEAR, "Y": LINEAR}) is None


def test_what_the_template_holds_comes_back_below_a_boundary_drawn_where_none_was() -> None:
    prepared = ten_events()
    found, gates = fitted(prepared)
    tube = LiveTube(prepared, found.tree, found.members, gates=gates)
    assert dict(tube.counts) == {"all": 10, "cells": 8}
    drawn = Interval("Y", 40.0, None)
    assert tube.recount("bright", drawn) == {"bright": 6, "brightest": 4, "dull": 2}
    assert tube.downstream("bright") == ("bright", "brightest", "late")
    tube.keep("bright", drawn)
    truth = apply(prepared, found, edits(found, edit("bright", drawn)), gates=gates).gated
    assert {name: truth.counts[name] for name in tube.counts} == tube.counts
    assert tube.with_edits({}).counts == {"all": 10, "cells": 8}
    assert tube.tree.node("bright").sentence == live_sides.NOT_SAVED
    # Below a parent that is drawn away, all are gone again.
    tube.keep("cells", Interval("X", 100.0, None))
    assert dict(tube.counts)["brightest"] == 0


@pytest.mark.parametrize(
    ("population", "geometry", "said"),
    [
        ("bright", Interval("Z", 1.0, None), "this tube carries no Z"),
        ("brigt", Interval("Y", 1.0, None), "no population is named 'brigt'"),
        ("bright", Interval("Y", 3.0, 2.0), "can hold no event"),
        ("cells", Boolean("any", ("bright",)), "does not stand above it"),
        ("brightest", Interval("Y", 1.0, None), "stands on 'bright', which could not be evaluated"),
    ],
)
def test_what_cannot_be_drawn_is_refused_and_nothing_moves(population: str, geometry: Geometry, said: str) -> None:
    prepared = ten_events()
    found, gates = fitted(prepared)
    tube = LiveTube(prepared, found.tree, found.members, gates=gates)
    for ask in (tube.recount, tube.keep, lambda name, at: tube.with_edits({name: at})):
        with pytest.raises(DocumentError) as caught:
            ask(population, geometry)
        assert said in caught.value.message
    assert tube.tree == found.tree
    assert dict(tube.counts) == {"all": 10, "cells": 8}


def test_a_population_that_the_tube_lacks_says_why() -> None:
    prepared = ten_events()
    found, _ = fitted(prepared)
    tube = LiveTube(prepared, found.tree, found.members, left_out={"plasma": "needs CD138"})
    with pytest.raises(DocumentError, match="this tube has no 'plasma': needs CD138"):
        tube.recount("plasma", Interval("X", 1.0, None))


@pytest.mark.parametrize("n_edits", [1, 2])
def test_the_tree_before_the_edits_is_told_from_the_one_after(n_edits: int) -> None:
    prepared = ten_events()
    found, gates = fitted(prepared)
    made = [edit("bright", Interval("Y", 40.0, None)), edit("late", Interval("X", 7.0, None))][:n_edits]
    done = apply(prepared, found, edits(found, *made), gates=gates)
    assert unedited(done.gated.tree, done.replaced, done.fitted_counts, {}).digest() == found.tree.digest()
    assert unedited(found.tree, (), {}, {}) == found.tree


def test_plots_count_the_events_that_were_asked_for() -> None:
    x = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, np.nan])
    prepared = plain_tube({"X": x, "Y": 10 * x})
    planted = tree(
        node("upper", "all", Interval("X", 4.0, None)),
        node("top", "upper", Interval("Y", 75.0, None)),
        axes=prepared.axes,
    )
    tube = opened(prepared, planted)
    flat = tube.density("all", "X", x_range=(0.0, 16.0), grid=16)
    assert (flat.population, flat.parent, flat.nx, flat.ny, flat.n_parent, flat.n_shown) == ("all", "all", 16, 1, 10, 9)
    assert np.flatnonzero(np.frombuffer(base64.b64decode(flat.grid), np.uint8)).tolist() == list(range(1, 10))
    assert flat.y is None
    assert flat.outline is None
    part = tube.density("upper", "X", "Y", x_range=(4.0, 8.0), y_range=(0.0, 160.0), grid=16)
    assert (part.n_parent, part.n_shown, part.peak) == (6, 4, 1)
    assert (part.x.low, part.x.high) == (4.0, 8.0)
    grid = np.frombuffer(base64.b64decode(part.grid), np.uint8).reshape(16, 16)
    assert [(int(row), int(column)) for row, column in np.argwhere(grid)] == [(4, 0), (5, 4), (6, 8), (7, 12)]
    back = tube.density("all", "X", "Y", rows_of="top", grid=16)
    assert (back.population, back.n_parent, back.n_shown) == ("top", 2, 2)
    # The plot follows a moved gate: its parent's events are others now.
    tube.keep("upper", Interval("X", 8.0, None))
    assert tube.density("upper", "X", grid=16).n_parent == 2


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"parent": "nobody", "x": "X"}, "no population is named 'nobody'"),
        ({"parent": "bright", "x": "X"}, "'bright' could not be evaluated on this tube"),
        ({"parent": "cells", "x": "CD3"}, "this tube carries no CD3"),
        ({"parent": "cells", "x": "X", "rows_of": "late"}, "'late' could not be evaluated"),
        ({"parent": "cells", "x": "X", "x_range": (2.0, 2.0)}, "a plot from 2 to 2 on X shows nothing"),
        ({"parent": "cells", "x": "X", "x_range": (float("nan"), 2.0)}, "shows nothing"),
        ({"parent": "cells", "x": "X", "grid": 4000}, "a plot of 4000 bins a side cannot be made"),
    ],
)
def test_plots_that_cannot_be_made_are_refused(asked: dict[str, Any], said: str) -> None:
    prepared = ten_events()
    found, _ = fitted(prepared)
    with pytest.raises(SpecificationError) as caught:
        LiveTube(prepared, found.tree, found.members).density(**asked)
    assert said in caught.value.message
    assert caught.value.hint


def test_those_who_ask_while_one_moves_see_whole_states() -> None:
    """Of two complementary populations the counts of one moment always make the whole."""
    rng = np.random.default_rng(2)
    prepared = plain_tube({"X": rng.uniform(0, 1, 20_000)})
    planted = tree(
        node("low", "all", Interval("X", None, 0.5)), node("rest", "all", Boolean("none", ("low",))), axes=prepared.axes
    )
    tube, stop, torn = opened(prepared, planted), threading.Event(), list[Mapping[str, int]]()

    def ask() -> None:
        while not stop.is_set():
            counts = tube.counts
            if counts["low"] + counts["rest"] != counts["all"]:
                torn.append(counts)
            tube.density("low", "X", grid=16)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for at in np.linspace(0.1, 0.9, 40):
        tube.keep("low", Interval("X", None, float(at)))
    stop.set()
    for thread in threads:
        thread.join()
    assert torn == []
    assert tube.counts["low"] == np.count_nonzero(prepared.linear("X") < np.float32(0.9))


def test_columns_make_room_for_each_other() -> None:
    values, pnn, axes, spill = stained(1, 1000)
    prepared = ready(values, pnn, axes, spill)
    kept = KeptColumns(prepared, most_bytes=8000)
    first = kept.quick("dye0")
    assert kept.quick("dye0") is first
    kept.quick("dye1")
    kept.quick("dye3")
    again = kept.quick("dye0")
    assert again is not first
    assert np.array_equal(again, prepared.linear("dye0"))
    rows = np.array([3, 5, 900])
    assert np.array_equal(kept.part("dye2", rows), prepared.linear("dye2", rows))
    assert np.array_equal(kept.shown("dye0"), prepared.display("dye0"))
    with pytest.raises(ValueError, match="read-only"):
        again[0] = 1.0


@pytest.mark.parametrize("n", [0, 1])
def test_a_tube_of_no_events_or_one_is_a_tube(n: int) -> None:
    prepared = plain_tube({"X": np.full(n, 5.0), "Y": np.full(n, 5.0)})
    planted = tree(
        node("g", "all", Polygon(("X", "Y"), SQUARE)),
        node("rest", "all", Boolean("none", ("g",))),
        axes=prepared.axes,
    )
    tube = opened(prepared, planted)
    away = Polygon(("X", "Y"), tuple((x + 20, y) for x, y in SQUARE))
    assert tube.recount("g", away) == {"g": 0, "rest": n}
    assert tube.recount("g", Ellipse(("X", "Y"), (5.0, 5.0), ((1.0, 0.0), (0.0, 1.0)), 1.0)) == {"g": n, "rest": 0}
    assert tube.density("all", "X", "Y", grid=16).n_parent == n
    assert tube.density("rest", "X", grid=16).n_shown == 0


@given(
    seed=st.integers(0, 10_000),
    together=st.sampled_from([0.0, 0.9, 0.9999, 0.999999]),
    offset=st.sampled_from([0.0, 100.0, 2e5]),
    width=st.sampled_from([1e-2, 1.0, 1e4]),
)
@settings(max_examples=60, deadline=None)
def test_whoever_changes_sides_was_marked(seed: int, together: float, offset: float, width: float) -> None:
    """Narrow ellipses far from zero lose the most digits in float32, and slivers of polygons come nearest to points."""
    rng = np.random.default_rng(seed)
    covariance = np.array([[1.0, together], [together, 1.0]]) * width**2
    points = rng.multivariate_normal((offset, offset), covariance, 2000).astype(np.float32)
    prepared = plain_tube({"X": points[:, 0], "Y": points[:, 1]})
    columns, scales = KeptColumns(prepared), {"X": LINEAR, "Y": LINEAR}
    rows = tuple(tuple(map(float, row)) for row in covariance)
    was: Geometry = Ellipse(("X", "Y"), (offset, offset), rows, 2.0)
    step = float(rng.normal(0, 0.05)) * width
    assert isinstance(was, Ellipse)
    now: Geometry = replace(
        was, mean=(offset + step, offset - step), distance_squared=2.0 * float(rng.uniform(0.9, 1.1))
    )
    corners = points[rng.choice(2000, 5, replace=False)].astype(float)  # on events, where a last bit decides
    star = tuple((float(x), float(y)) for x, y in corners)
    there = (star[0][0] + 4 * step, star[0][1])
    pairs = [(was, now), (Polygon(("X", "Y"), star), Polygon(("X", "Y"), (there, *star[1:])))]
    for before, after in pairs:
        may = unsettled(before, after, columns, Part(columns), scales)
        exact = np.column_stack([prepared.exact(axis, np.arange(2000)) for axis in ("X", "Y")])
        changed = contains(before, exact) ^ contains(after, exact)
        assert may is None or not (changed & ~may).any()
