"""The tree on redrawn boundaries: what the fast way counts is what a replay of each redrawn tree counts."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from stromagate.gating import replay
from stromagate.gating.bits import Ladder, everywhere, packed, totals
from stromagate.gating.draws import boundary_draws
from stromagate.gating.engine import Gated
from stromagate.gating.geometry import check
from stromagate.gating.moves import is_uncertain, moved, redrawn_boundaries, shifts
from stromagate.model.gates import (
    Axis,
    Boolean,
    Ellipse,
    GateNode,
    GateTree,
    Interval,
    Polygon,
    QuadrantPart,
    Rectangle,
    Spans,
)
from stromagate.prepare.prepared import Prepared
from tests.gating.tubes import LINEAR, LOGICLE, Grower, node, ready, shown, stained, tree


def uncertain(item: GateNode, spread: float) -> GateNode:
    return replace(item, state="fitted", spread=spread)


def gated(prepared: Prepared, grown: GateTree) -> Gated:
    members = replay.members(prepared, grown)
    return Gated(
        grown, MappingProxyType(members), MappingProxyType({name: len(rows) for name, rows in members.items()})
    )


def one_by_one(prepared: Prepared, grown: GateTree, n: int, seed: int) -> dict[str, list[int]]:
    """Count every population by replaying each redrawn tree by itself."""
    redrawn = redrawn_boundaries(grown, n, seed)
    counts: dict[str, list[int]] = {item.name: [] for item in grown.nodes}
    for k in range(n):
        nodes = [
            replace(item, geometry=redrawn[item.name][k]) if item.name in redrawn else item for item in grown.nodes
        ]
        found = replay.members(prepared, replace(grown, nodes=tuple(nodes)))
        for name, made in counts.items():
            made.append(len(found[name]))
    return counts


def random_tree(seed: int, n_events: int, n_nodes: int) -> tuple[Prepared, GateTree]:
    values, pnn, axes, spill = stained(seed, n_events)
    columns = {axis: shown(values, pnn, GateTree((), axes, spill), axis) for axis in axes}
    size = {axis: float(np.diff(np.quantile(column, [0.2, 0.8]))[0]) for axis, column in columns.items()}
    rng = np.random.default_rng(seed)
    if seed % 2:
        at = rng.integers(0, len(values), 40), rng.integers(0, len(pnn), 40)
        values[at] = rng.choice(np.array([np.nan, np.inf, -np.inf, 3e38, -1e25], dtype=np.float32), 40)
    nodes = [
        uncertain(item, float(rng.uniform(0.002, 0.08)) * size[item.geometry.axes[0]])
        if item.geometry is not None and item.geometry.axes and rng.random() < 0.8
        else item
        for item in Grower(seed, columns).nodes(n_nodes)
    ]
    return ready(values, pnn, axes, spill), GateTree(tuple(nodes), axes, spill)


@pytest.mark.parametrize(("seed", "n"), [(0, 7), (1, 5), (2, 64), (3, 3), (4, 70), (5, 6), (6, 2), (7, 9)])
def test_every_redrawn_tree_is_counted_as_by_itself(seed: int, n: int) -> None:
    prepared, grown = random_tree(seed, 12_000, 12)
    drawn = boundary_draws(prepared, gated(prepared, grown), n, seed=seed)
    wanted = one_by_one(prepared, grown, n, seed)
    assert drawn
    assert any(np.ptp(counts) > 0 for counts in drawn.values())
    assert {name: counts.tolist() for name, counts in drawn.items()} == {name: wanted[name] for name in drawn}
    plain = gated(prepared, grown).counts
    still = set(wanted) - set(drawn)
    assert all(set(wanted[name]) == {plain[name]} for name in still)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 180))
def test_many_redrawn_boundaries_are_counted_as_by_themselves(seed: int) -> None:
    test_every_redrawn_tree_is_counted_as_by_itself(seed, 5)


@pytest.mark.parametrize("seed", range(4))
def test_boundaries_drawn_where_they_are_give_the_plain_counts(seed: int) -> None:
    prepared, grown = random_tree(seed, 6_000, 14)
    plain = gated(prepared, grown)
    drawn = boundary_draws(prepared, plain, 1, seed=seed)  # the middle quantile of one draw is no error at all
    assert {name: counts.tolist() for name, counts in drawn.items()} == {name: [plain.counts[name]] for name in drawn}
    assert boundary_draws(prepared, plain, 0) == {}


def test_who_stays_where_it_is() -> None:
    """Fixed and edited boundaries, those without a spread or with none to speak of, and combinations."""
    cut = Interval("dye0", 0.5, None)
    assert is_uncertain(uncertain(node("a", "all", cut), 0.01))
    for other in (
        node("a", "all", cut),
        uncertain(node("a", "all", cut), 0.0),
        replace(node("a", "all", cut), state="fitted"),
        replace(node("a", "all", cut), state="edited", spread=0.1),
        replace(node("a", "all", cut), spread=0.1),
        uncertain(node("a", "all", Boolean("none", ())), 0.1),
        node("a", "all", None),
    ):
        assert not is_uncertain(other)


def test_only_what_an_uncertain_boundary_decides_about_is_drawn() -> None:
    values, pnn, axes, spill = stained(3, 4_000)
    prepared = ready(values, pnn, axes, spill)
    grown = tree(
        node("fixed", "all", Interval("dye1", 0.4, None)),
        uncertain(node("fitted", "fixed", Interval("dye0", 0.4, None)), 0.02),
        node("child", "fitted", Interval("dye3", 0.4, None)),
        node("beside", "fixed", Interval("dye3", 0.4, None)),
        node("without", "fixed", Boolean("none", ("fitted",))),
        node("apart", "fixed", Boolean("any", ("beside",))),
        node("lost", "all", None),
        axes=axes,
        compensation=spill,
    )
    drawn = boundary_draws(prepared, gated(prepared, grown), 16)
    assert list(drawn) == ["fitted", "child", "without"]
    both = drawn["fitted"] + drawn["without"]
    assert set(both.tolist()) == {gated(prepared, grown).counts["fixed"]}


def test_the_error_of_a_gate_hangs_on_seed_and_name_alone() -> None:
    axes = {
        "x": Axis("FL1-A", LOGICLE, False),
        "y": Axis("FL2-A", LOGICLE, False),
        "size": Axis("FSC-A", LINEAR, False),
    }
    cut = uncertain(node("a", "all", Interval("x", 0.5, None)), 0.02)
    first = shifts(cut, axes, 128, 0)
    assert first.shape == (128, 1)
    assert np.array_equal(first, shifts(cut, axes, 128, 0))
    assert np.array_equal(
        first, shifts(replace(cut, parent="elsewhere", geometry=Interval("x", 0.1, 0.2)), axes, 128, 0)
    )
    assert not np.array_equal(first, shifts(cut, axes, 128, 1))
    assert not np.array_equal(first, shifts(replace(cut, name="b"), axes, 128, 0))
    assert first.mean() == pytest.approx(0, abs=1e-12)
    assert first.std() == pytest.approx(0.02, rel=0.02)
    assert abs(np.corrcoef(first[:, 0], shifts(replace(cut, name="b"), axes, 128, 0)[:, 0])[0, 1]) < 0.3


def test_two_sides_of_one_boundary_move_together() -> None:
    values, pnn, axes, spill = stained(5, 8_000)
    prepared = ready(values, pnn, axes, spill)
    sides = [("above", "above"), ("above", "below"), ("below", "above"), ("below", "below")]
    round_ = Ellipse(("dye0", "dye3"), (0.4, 0.4), ((0.02, 0.0), (0.0, 0.02)), 1.0)
    grown = tree(
        uncertain(node("above", "all", Interval("dye0", 0.4, None)), 0.02),
        uncertain(node("below", "all", Interval("dye0", None, 0.4)), 0.02),
        uncertain(node("elsewhere", "above", Interval("dye0", None, 0.6)), 0.02),
        *(
            uncertain(node(f"part{i}", "all", QuadrantPart(("dye0", "dye3"), (0.45, 0.4), (x, y))), 0.02)
            for i, (x, y) in enumerate(sides)
        ),
        uncertain(node("in", "all", round_), 0.02),
        uncertain(node("out", "all", replace(round_, inside=False)), 0.02),
        axes=axes,
        compensation=spill,
    )
    drawn = boundary_draws(prepared, gated(prepared, grown), 32)
    for names in (("above", "below"), ("part0", "part1", "part2", "part3"), ("in", "out")):
        assert set(sum(drawn[name] for name in names).tolist()) == {8_000}
        assert np.ptp(drawn[names[0]]) > 0
    apart = redrawn_boundaries(grown, 32, 0)
    assert [cut.low for cut in apart["above"]] == [cut.high for cut in apart["below"]]
    assert [cut.low - 0.4 for cut in apart["above"]] != [cut.high - 0.6 for cut in apart["elsewhere"]]


def test_a_second_axis_moves_by_itself_where_it_is_of_the_same_kind() -> None:
    axes = {
        "x": Axis("FL1-A", LOGICLE, False),
        "y": Axis("FL2-A", LOGICLE, False),
        "size": Axis("FSC-A", LINEAR, False),
    }
    cross = uncertain(node("a", "all", QuadrantPart(("x", "y"), (0.5, 0.5), ("above", "above"))), 0.02)
    both = shifts(cross, axes, 64, 0)
    assert sorted(both[:, 0]) == sorted(both[:, 1])
    assert not np.array_equal(both[:, 0], both[:, 1])
    mixed = shifts(replace(cross, geometry=Rectangle(("x", "size"), (0.5, 1e4), (None, None))), axes, 64, 0)
    assert not mixed[:, 1].any()


def test_what_moved_means() -> None:
    assert moved(Interval("x", 0.5, None), (0.1,)) == Interval("x", 0.6, None)
    assert moved(Interval("x", 0.25, 0.5, closed=True), (-0.25,)) == Interval("x", 0.0, 0.25, closed=True)
    assert moved(Spans("t", ((0.0, 1.0), (2.0, 3.0))), (0.5,)) == Spans("t", ((0.5, 1.5), (2.5, 3.5)))
    box = Rectangle(("x", "y"), (0.0, None), (1.0, 2.0), inside=False)
    assert moved(box, (0.5, -0.5)) == Rectangle(("x", "y"), (0.5, None), (1.5, 1.5), inside=False)
    cross = QuadrantPart(("x", "y"), (0.5, 0.5), ("above", "below"))
    assert moved(cross, (0.25, 0.5)) == QuadrantPart(("x", "y"), (0.75, 1.0), ("above", "below"))
    triangle = Polygon(("x", "y"), ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)))
    assert moved(triangle, (1.0, 5.0)) == Polygon(("x", "y"), ((1.0, 0.0), (2.0, 0.0), (1.0, 1.0)))
    assert moved(Boolean("all", ("a",)), (1.0,)) == Boolean("all", ("a",))
    round_ = Ellipse(("x", "y"), (0.0, 0.0), ((4.0, 0.0), (0.0, 1.0)), 1.0)  # reaches 2 along x
    longer, gone = moved(round_, (1.0, 0.0)), moved(round_, (-5.0, 0.0))
    assert isinstance(longer, Ellipse)
    assert (longer.distance_squared * 4.0) ** 0.5 == pytest.approx(3.0)
    check(gone)


@pytest.mark.parametrize("n", [1, 63, 64, 65, 128, 200])
def test_bits_count_as_flags_do(n: int) -> None:
    rng = np.random.default_rng(n)
    flags = rng.random((500, n)) < rng.choice([0.0, 0.3, 1.0], (500, 1))
    assert totals(packed(flags), n).tolist() == flags.sum(axis=0).tolist()
    assert totals(np.repeat(everywhere(n), 3, axis=1), n).tolist() == [3] * n
    places, values = rng.integers(0, 9, n) / 4, np.array([-1.0, 0.0, 0.3, 1.0, 2.0, 9.0])
    ladder = Ladder(places)
    assert np.array_equal(ladder.at_or_below(values), packed(places <= values[:, None]))
    assert np.array_equal(ladder.below(values), packed(places < values[:, None]))
