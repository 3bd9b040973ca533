"""The tight spots of the fast path: cuts on compensated events, tiny shapes in dense data, corners of the grid."""

from __future__ import annotations

import numpy as np
import pytest

from stromagate.gating import raster
from stromagate.gating.geometry import contains
from stromagate.gating.walk import Plan, walk
from stromagate.model.gates import Axis, Ellipse, GateTree, Interval, Polygon
from stromagate.model.scales import Scale
from tests.gating.tubes import ASINH, LINEAR, LOGICLE, node, shown, stained, tree, truth


@pytest.mark.parametrize("axis", ["dye0", "dye1", "dye2"])
def test_a_cut_exactly_on_a_compensated_event_counts_that_event_as_above(axis: str) -> None:
    values, pnn, axes, spill = stained(21, 3_000)
    exact = shown(values, pnn, GateTree((), axes, spill), axis)
    gates = tuple(node(f"p{row}", "all", Interval(axis, float(exact[row]), None)) for row in range(0, 3_000, 10))
    found = walk(Plan(tree(*gates, axes=axes, compensation=spill), pnn), values)
    wrong = [gate.name for gate in gates if not found[gate.name].full_mask(3_000)[int(gate.name[1:])]]
    assert wrong == []
    counts = {gate.name: int((exact >= gate.geometry.low).sum()) for gate in gates if gate.geometry is not None}
    assert {name: found[name].count for name in counts} == counts


@pytest.mark.parametrize("width", [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7])
@pytest.mark.parametrize("scale", [LOGICLE, ASINH])
def test_shapes_as_small_as_float32_can_tell_are_exact(width: float, scale: object) -> None:
    """All events lie within a few float32 steps of the shape, where quick values say nothing."""
    rng = np.random.default_rng(8)
    values = (1_000 + rng.normal(0, 4_000 * width, (6_000, 2))).astype(np.float32)
    axes = {name: Axis(name, scale, False) for name in ("X", "Y")}
    x, y = (shown(values, ("X", "Y"), GateTree((), axes), axis) for axis in axes)
    at = float(np.median(x)), float(np.median(y))
    corners = tuple((at[0] + width * dx, at[1] + width * dy) for dx, dy in ((-1, -1), (1, -0.7), (0.6, 1), (-0.2, 0.1)))
    variance = width**2
    gates = (
        node("polygon", "all", Polygon(("X", "Y"), corners)),
        node("ellipse", "all", Ellipse(("X", "Y"), at, ((variance, variance / 2), (variance / 2, variance)), 1.0)),
    )
    grown = tree(*gates, axes=axes)
    wanted = truth(values, ("X", "Y"), grown)
    found = walk(Plan(grown, ("X", "Y")), values)
    assert {name: found[name].members().tolist() for name in wanted} == {k: v.tolist() for k, v in wanted.items()}
    assert 0 < len(wanted["polygon"]) < 6_000


@pytest.mark.parametrize("width", [3e-3, 3e-4, 3e-5])
def test_small_shapes_on_compensated_axes_are_exact(width: float) -> None:
    values, pnn, axes, spill = stained(9, 20_000)
    x, y = (shown(values, pnn, GateTree((), axes, spill), axis) for axis in ("dye0", "dye1"))
    # Around an event, with a corner and a point of the border on it.
    gates = []
    for row in range(0, 20_000, 1_000):
        at = float(x[row]), float(y[row])
        corners = (at, (at[0] + width, at[1]), (at[0] + width / 3, at[1] + width))
        matrix = ((width**2, 0.0), (0.0, width**2))
        gates.append(node(f"p{row}", "all", Polygon(("dye0", "dye1"), corners)))
        gates.append(node(f"e{row}", "all", Ellipse(("dye0", "dye1"), (at[0] + width, at[1]), matrix, 1.0)))
    grown = tree(*gates, axes=axes, compensation=spill)
    wanted, found = truth(values, pnn, grown), walk(Plan(grown, pnn), values)
    assert {name: found[name].count for name in wanted} == {name: len(rows) for name, rows in wanted.items()}
    assert all(row in wanted[f"p{row}"] for row in range(0, 20_000, 1_000))


@pytest.mark.parametrize("seed", range(12))
def test_no_cell_of_the_grid_claims_what_it_does_not_hold(seed: int) -> None:
    """Points beside every corner of every cell, displaced by as much as the grid was told they may be."""
    rng = np.random.default_rng(seed)
    corners = tuple((float(x), float(y)) for x, y in rng.uniform(-1, 1, (int(rng.integers(3, 10)), 2)))
    off = float(rng.choice([0.0, 1e-5, 1e-3]))
    grid = raster.build(corners, (off, off))
    assert grid is not None
    steps = np.arange(-3, 260, dtype=np.float64)
    lines = [steps / float(grid.per_unit[side]) + float(grid.start[side]) for side in (0, 1)]
    x, y = (part.ravel() for part in np.meshgrid(*lines))
    for _ in range(4):
        near = [part + rng.normal(0, 0.002, len(part)) / float(grid.per_unit[0]) for part in (x, y)]
        quick = [part.astype(np.float32) for part in near]
        true = np.column_stack([part + rng.uniform(-off, off, len(part)) for part in quick])
        cells, inside = grid.classify(*quick), contains(Polygon(("X", "Y"), corners), true)
        assert not np.any((cells == raster.IN) & ~inside)
        assert not np.any((cells == raster.OUT) & inside)
        assert np.mean(cells == raster.ASK) < 0.2


def test_what_is_not_finite_is_out_of_every_grid() -> None:
    grid = raster.build(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)), (0.0, 0.0))
    assert grid is not None
    odd = np.array([np.nan, np.inf, -np.inf, 3e38, 0.5], dtype=np.float32)
    for x in odd:
        cells = grid.classify(np.full(5, x, dtype=np.float32), odd)
        assert (cells[:4] == raster.OUT).all()
    assert grid.classify(odd[4:], odd[4:]).tolist() == [raster.IN]


def test_a_grid_whose_cells_can_tell_nothing_is_not_made() -> None:
    assert raster.build(((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)), (0.1, 0.0)) is None
    assert raster.build(((1e6, 0.0), (1e6 + 1e-3, 0.0), (1e6, 1.0)), (0.0, 0.0)) is None
    assert raster.build(((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)), (float("inf"), 0.0)) is None


def test_a_wider_error_makes_a_wider_grid_and_a_smaller_one_keeps_it() -> None:
    from stromagate.gating.sieve import make_sieve

    class Off:
        """Columns whose quick values are off by a stated amount."""

        def __init__(self, slack: float) -> None:
            rng = np.random.default_rng(0)
            self.true = rng.uniform(0, 1, (4_000, 2))
            self.seen = (self.true + rng.uniform(-slack, slack, self.true.shape)).astype(np.float32)
            self.off = slack

        n = 4_000

        def quick(self, axis: str) -> np.ndarray:
            return self.seen[:, "XY".index(axis)]

        def finite(self, _axis: str) -> bool:
            return True

        def slack(self, _axis: str) -> float:
            return self.off + 1e-7

        def exact(self, axis: str, rows: np.ndarray) -> np.ndarray:
            return self.true[rows, "XY".index(axis)]

    shape = Polygon(("X", "Y"), ((0.1, 0.1), (0.9, 0.2), (0.5, 0.95)))
    sieve = make_sieve(shape, {"X": LINEAR, "Y": LINEAR})
    for slack in (0.0, 5e-4, 1e-5, 0.3, 0.0):
        columns = Off(slack)
        assert np.array_equal(sieve.inside(columns), contains(shape, columns.true))


@pytest.mark.parametrize("scale", [LOGICLE, ASINH, LINEAR])
@pytest.mark.parametrize("at", [-1e300, -1e39, -400.0, -60.0, 60.0, 400.0, 1e39, 1e300])
def test_a_cut_beyond_all_events_has_them_on_one_side(scale: Scale, at: float) -> None:
    """Somebody wrote a cut in the wrong units: all or none, as the definition says, and not the other way round."""
    values = np.array([[-3e38], [-1.0], [0.0], [5.0], [3e38], [np.inf], [-np.inf], [np.nan]], dtype=np.float32)
    gates = (
        node("above", "all", Interval("X", at, None)),
        node("below", "all", Interval("X", None, at)),
        node("around", "all", Interval("X", -abs(at), abs(at), closed=True)),
    )
    grown = tree(*gates, axes={"X": Axis("X", scale, False)})
    found = walk(Plan(grown, ("X",)), values)
    wanted = truth(values, ("X",), grown)
    assert {name: found[name].members().tolist() for name in wanted} == {k: v.tolist() for k, v in wanted.items()}
    assert found["above"].count + found["below"].count == 5


@pytest.mark.parametrize("size", [1e-44, 1e-39, 1e-20, 1e20, 1e38, 1e39, 1e300])
def test_polygons_of_any_size_are_exact_or_left_to_the_definition(size: float) -> None:
    rng = np.random.default_rng(1)
    with np.errstate(over="ignore", under="ignore"):
        values = (rng.uniform(-2, 2, (3_000, 2)) * size).astype(np.float32)
    axes = {name: Axis(name, LINEAR, False) for name in ("X", "Y")}
    shape = Polygon(("X", "Y"), ((-size, -size), (size, -size), (size, size), (0.0, 0.0)))
    grown = tree(node("p", "all", shape), axes=axes)
    wanted = truth(values, ("X", "Y"), grown)
    assert walk(Plan(grown, ("X", "Y")), values)["p"].members().tolist() == wanted["p"].tolist()


@pytest.mark.parametrize("r", [0.0, 0.9, -0.9999, 0.9999999, 1 - 1e-12, 1 - 1e-15])
@pytest.mark.parametrize("spread", [(1.0, 1.0), (1e-4, 1e5)])
def test_thin_ellipses_are_exact(r: float, spread: tuple[float, float]) -> None:
    rng = np.random.default_rng(3)
    true = rng.normal(0, 1, (5_000, 1)) + rng.normal(0, 1e-3, (5_000, 2))
    values = (true * np.array(spread) * np.sign([1, r or 1]) + 10.0).astype(np.float32)
    axes = {name: Axis(name, LINEAR, False) for name in ("X", "Y")}
    a, b, c = spread[0] ** 2, r * spread[0] * spread[1], spread[1] ** 2
    for within in (True, False):
        shape = Ellipse(("X", "Y"), (10.0, 10.0), ((a, b), (b, c)), 2.0, inside=within)
        grown = tree(node("e", "all", shape), axes=axes)
        wanted = truth(values, ("X", "Y"), grown)
        assert walk(Plan(grown, ("X", "Y")), values)["e"].members().tolist() == wanted["e"].tolist()
