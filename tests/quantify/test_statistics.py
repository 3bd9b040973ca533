"""Which rows there are, what stands in them, and what is said where nothing can be."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.model.gates import Axis, Boolean, GateNode, GateTree, Geometry, Interval
from stromagate.model.holding import holders
from stromagate.model.result import Statistic
from stromagate.model.sample import F32
from stromagate.model.scales import Scale
from stromagate.model.template import GatingTemplate
from stromagate.quantify import statistics
from stromagate.quantify.intervals import clopper_pearson, poisson, poisson_ratio, wilson
from stromagate.quantify.states import count_state

CUT = Interval("CD146", 0.5, None)


def approx(bounds: tuple[float, float]):
    """The bounds to the digits that are written."""
    return pytest.approx(bounds, rel=1e-11)


def test_bounds_are_written_to_twelve_digits() -> None:
    made = statistics(MEMBERS, TRUNK, template_of(TRUNK, denominators=["all"]), linear=lambda axis, which: which)
    bounds = [bound for row in made for bound in (row.ci_low, row.ci_high) if bound is not None]
    assert len(bounds) > 20
    assert all(float(f"{bound:.12g}") == bound for bound in bounds)


def node(name: str, parent: str, geometry: Geometry | None = CUT) -> GateNode:
    state = "not_evaluable" if geometry is None else "fitted"
    return GateNode(name, parent, "fixed", geometry, state, "")


def tree_of(*nodes: GateNode) -> GateTree:
    axes = {"CD146": Axis("PE-A", Scale(), True), "CD271": Axis("APC-A", Scale(), True)}
    return GateTree(nodes, axes)


def template_of(tree: GateTree, **fields: object) -> GatingTemplate:
    populations = [
        {"name": item.name, "parent": item.parent, "gate": {"method": item.method}} for item in tree.nodes
    ] or [{"name": "x", "parent": "all", "gate": {"method": "fixed"}}]
    return GatingTemplate.model_validate(
        {
            "format": "stromagate.template/1",
            "name": "t",
            "version": "1.0.0",
            "status": "local",
            "title": "t",
            "panel": {"required": ["CD146"]},
            "populations": populations,
            **fields,
        }
    )


def rows(start: int, stop: int) -> np.ndarray:
    return np.arange(start, stop, dtype=np.intp)


def run(tree: GateTree, members: Mapping[str, np.ndarray], values: F32 | None = None, **fields: object):
    data = np.arange(10_000, dtype=np.float32) if values is None else values
    made = statistics(members, tree, template_of(tree, **fields), linear=lambda axis, which: data[which])
    return {(row.population, row.statistic, row.denominator or row.marker): row for row in made}


TRUNK = tree_of(
    node("nucleated", "all"),
    node("cd45pos", "nucleated"),
    node("cd45neg", "nucleated"),
    node("stroma", "cd45neg"),
    node("msc", "stroma"),
    node("progenitors", "msc"),
)
MEMBERS = {
    "all": rows(0, 10_000),
    "nucleated": rows(1000, 9000),
    "cd45pos": rows(1000, 7000),
    "cd45neg": rows(7000, 9000),
    "stroma": rows(7000, 7400),
    "msc": rows(7000, 7062),
    "progenitors": rows(7010, 7031),
}


def test_counts_carry_poisson_intervals_and_the_root_none() -> None:
    made = run(TRUNK, MEMBERS)
    assert made["all", "count", ""] == Statistic(
        population="all", parent="", statistic="count", value=10_000, unit="events", state="quantifiable", n=10_000
    )
    msc = made["msc", "count", ""]
    assert (msc.value, msc.n, msc.unit, msc.parent) == (62, 62, "events", "stroma")
    assert (msc.ci_low, msc.ci_high) == approx(poisson(62))


def test_fraction_of_the_parent_always_and_once() -> None:
    made = statistics(MEMBERS, TRUNK, template_of(TRUNK, denominators=["msc"]), linear=lambda axis, which: which)
    of_parent = [row for row in made if row.population == "progenitors" and row.denominator == "msc"]
    assert [row.statistic for row in of_parent] == ["fraction", "per_million"]
    fraction, per_million = of_parent
    assert fraction.value == pytest.approx(21 / 62)
    assert (fraction.ci_low, fraction.ci_high) == approx(clopper_pearson(21, 62))
    assert fraction.unit == "fraction"
    assert per_million.value == pytest.approx(1e6 * 21 / 62)
    assert (per_million.ci_low, per_million.ci_high) == pytest.approx(
        tuple(1e6 * bound for bound in clopper_pearson(21, 62))
    )
    assert per_million.unit == "per million"


def test_rates_of_declared_denominators_above() -> None:
    made = run(TRUNK, MEMBERS, denominators=["nucleated", "msc"])
    assert made["msc", "per_million", "nucleated"].value == pytest.approx(62 * 1e6 / 8000)
    assert made["msc", "fraction", "nucleated"].value == pytest.approx(62 / 8000)
    assert ("msc", "per_million", "msc") not in made  # of itself
    assert ("stroma", "per_million", "msc") not in made  # msc lies below
    assert ("nucleated", "per_million", "msc") not in made


def test_a_denominator_on_a_side_branch_is_a_ratio_with_its_own_interval() -> None:
    made = run(TRUNK, MEMBERS, denominators=["cd45pos"])
    ratio = made["msc", "per_million", "cd45pos"]
    assert ratio.value == pytest.approx(62 * 1e6 / 6000)
    low, high = poisson_ratio(62, 6000)
    assert (ratio.ci_low, ratio.ci_high) == approx((low * 1e6, high * 1e6))
    assert ("msc", "fraction", "cd45pos") not in made
    # what hangs below nothing of the denominator's trunk has no row
    assert ("nucleated", "per_million", "cd45pos") not in made


def test_a_side_branch_ratio_may_exceed_a_million() -> None:
    members = {**MEMBERS, "cd45pos": rows(1000, 1010)}
    ratio = run(TRUNK, members, denominators=["cd45pos"])["cd45neg", "per_million", "cd45pos"]
    assert ratio.value == pytest.approx(200e6)
    assert ratio.ci_low < 200e6 < ratio.ci_high


def test_side_branches_may_share_events() -> None:
    members = {**MEMBERS, "cd45pos": rows(1000, 7011)}  # eleven MSC are in it as well
    row = run(TRUNK, members, denominators=["cd45pos"])["msc", "per_million", "cd45pos"]
    assert row.value == pytest.approx(62 * 1e6 / 6011)
    assert (row.ci_low, row.ci_high) == approx(tuple(1e6 * bound for bound in poisson_ratio(62, 6011)))


def test_all_as_a_declared_denominator() -> None:
    made = run(TRUNK, MEMBERS, denominators=["all"])
    assert made["msc", "per_million", "all"].value == pytest.approx(6200)
    assert made["nucleated", "fraction", "all"].value == pytest.approx(0.8)


def test_a_denominator_that_this_tube_lacks_gives_no_rows() -> None:
    tree = tree_of(node("msc", "all"))
    made = statistics(
        {"all": rows(0, 10), "msc": rows(0, 5)},
        tree,
        template_of(TRUNK, denominators=["nucleated"]),
        linear=lambda axis, which: which,
    )
    assert {row.denominator for row in made} == {"", "all"}


def test_a_population_that_could_not_be_evaluated_has_rows_without_values() -> None:
    tree = tree_of(node("stroma", "all"), node("msc", "stroma", None), node("progenitors", "msc", None))
    made = run(
        tree,
        {"all": rows(0, 1000), "stroma": rows(0, 100)},
        denominators=["stroma", "msc"],
        intensities=["CD146"],
    )
    mine = [row for row in made.values() if row.population in {"msc", "progenitors"}]
    assert {row.statistic for row in mine} == {"count", "fraction", "per_million", "median"}
    for row in mine:
        assert (row.value, row.ci_low, row.ci_high, row.n, row.state) == (None, None, None, None, "not evaluable")


def test_a_drawn_gate_below_one_that_could_not_be_placed() -> None:
    tree = tree_of(node("msc", "all", None), node("progenitors", "msc"))
    made = run(tree, {"all": rows(0, 1000)}, denominators=["msc"])
    assert made["progenitors", "count", ""].state == "not evaluable"
    assert made["progenitors", "per_million", "msc"].value is None


def test_an_evaluated_population_over_one_that_could_not_be() -> None:
    tree = tree_of(node("cd45pos", "all", None), node("msc", "all"))
    made = run(tree, {"all": rows(0, 1000), "msc": rows(0, 60)}, denominators=["cd45pos"])
    row = made["msc", "per_million", "cd45pos"]
    assert (row.value, row.state, row.n) == (None, "not evaluable", 60)
    assert made["msc", "count", ""].state == "quantifiable"


def test_an_empty_denominator_gives_no_rate() -> None:
    tree = tree_of(node("msc", "all"), node("progenitors", "msc"))
    made = run(tree, {"all": rows(0, 0), "msc": rows(0, 0), "progenitors": rows(0, 0)}, denominators=["msc"])
    for key in (("progenitors", "fraction", "msc"), ("progenitors", "per_million", "msc"), ("msc", "fraction", "all")):
        assert (made[key].value, made[key].ci_low, made[key].state, made[key].n) == (None, None, "not evaluable", 0)
    assert (made["msc", "count", ""].value, made["msc", "count", ""].state) == (0, "not detected")


def test_none_found_in_a_full_denominator_is_a_number() -> None:
    tree = tree_of(node("msc", "all"))
    row = run(tree, {"all": rows(0, 10_000), "msc": rows(0, 0)}, denominators=["all"])["msc", "per_million", "all"]
    assert (row.value, row.ci_low, row.state) == (0, 0, "not detected")
    assert row.ci_high == pytest.approx(368.8, abs=0.1)


def test_wilson_on_request() -> None:
    made = statistics(
        MEMBERS, TRUNK, template_of(TRUNK), linear=lambda axis, which: which, confidence=0.9, interval=wilson
    )
    (row,) = [row for row in made if row.population == "progenitors" and row.statistic == "fraction"]
    assert (row.ci_low, row.ci_high) == approx(wilson(21, 62, 0.9))


@pytest.mark.parametrize(
    ("count", "state"),
    [
        (None, "not evaluable"),
        (0, "not detected"),
        (19, "not detected"),
        (20, "detected, not quantifiable"),
        (49, "detected, not quantifiable"),
        (50, "quantifiable"),
        (10**9, "quantifiable"),
    ],
)
def test_states_change_at_the_floors(count: int | None, state: str) -> None:
    assert count_state(count) == state


def test_rates_carry_the_state_of_the_counted_events_not_of_the_denominator() -> None:
    made = run(TRUNK, MEMBERS, denominators=["nucleated"])
    assert made["progenitors", "per_million", "nucleated"].state == "detected, not quantifiable"
    assert made["progenitors", "fraction", "msc"].state == "detected, not quantifiable"


def test_booleans_hold_what_their_parts_hold() -> None:
    tree = tree_of(
        node("a", "all"),
        node("b", "all"),
        node("a1", "a"),
        node("a2", "a"),
        node("both", "all", Boolean("all", ("a1", "b"))),
        node("either", "all", Boolean("any", ("a1", "a2"))),
        node("neither", "all", Boolean("none", ("a1",))),
    )
    held = holders(tree)
    assert held["both"] == {"all", "a", "a1", "b"}
    assert held["either"] == {"all", "a"}
    assert held["neither"] == {"all"}


def test_a_boolean_intersection_has_a_share_of_each_part() -> None:
    tree = tree_of(node("a", "all"), node("b", "all"), node("both", "all", Boolean("all", ("a", "b"))))
    members = {"all": rows(0, 1000), "a": rows(0, 500), "b": rows(400, 900), "both": rows(400, 500)}
    made = run(tree, members, denominators=["a", "b"])
    assert made["both", "fraction", "a"].value == pytest.approx(0.2)
    assert made["both", "fraction", "b"].value == pytest.approx(0.2)
    assert made["a", "per_million", "b"].value == pytest.approx(1e6)
    assert ("a", "fraction", "b") not in made


def test_medians_of_the_declared_markers_of_this_tube() -> None:
    values = np.arange(10_000, dtype=np.float32)
    made = run(TRUNK, MEMBERS, values, intensities=["CD146", "CD999"])
    row = made["msc", "median", "CD146"]
    assert row.value == 7030.5
    assert (row.unit, row.denominator, row.n, row.state) == ("scale value", "", 62, "quantifiable")
    assert row.ci_low < row.value < row.ci_high
    assert not [key for key in made if "CD999" in key]
    assert ("all", "median", "CD146") not in made


def test_members_must_be_there() -> None:
    with pytest.raises(KeyError):
        run(TRUNK, {name: value for name, value in MEMBERS.items() if name != "stroma"})


def test_what_is_declared_twice_is_given_once() -> None:
    made = statistics(
        MEMBERS,
        TRUNK,
        template_of(TRUNK, denominators=["msc", "msc"], intensities=["CD146", "CD146"]),
        linear=lambda axis, which: which.astype(np.float32),
    )
    keys = [(row.population, row.statistic, row.denominator, row.marker) for row in made]
    assert len(keys) == len(set(keys))


@st.composite
def _tubes(draw: st.DrawFn):
    """A random tree over at most 300 events: thresholds, booleans, and boundaries that could not be placed."""
    n = draw(st.integers(0, 300))
    members, nodes, able = {"all": rows(0, n)}, [], {"all"}
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    for place in range(draw(st.integers(1, 8))):
        name, parent = f"p{place}", draw(st.sampled_from(["all", *(item.name for item in nodes)]))
        geometry = CUT
        parts = [item.name for item in nodes if item.name in able]
        if draw(st.integers(0, 5)) == 0:
            geometry = None
        elif parts and draw(st.booleans()):
            named = tuple(draw(st.lists(st.sampled_from(parts), min_size=1, max_size=2, unique=True)))
            geometry = Boolean(draw(st.sampled_from(["all", "any", "none"])), named)
        nodes.append(node(name, parent, geometry))
        if geometry is None or parent not in able:
            continue
        able.add(name)
        inside = {part: np.isin(members[parent], members[part]) for part in getattr(geometry, "of", ())}
        stacked = np.array(list(inside.values()) or [rng.random(members[parent].size) < rng.random()])
        how = {"all": stacked.all(0), "any": stacked.any(0), "none": ~stacked.any(0)}
        members[name] = members[parent][how[getattr(geometry, "operation", "any")]]
    declared = draw(st.lists(st.sampled_from(["all", *(item.name for item in nodes)]), max_size=4))
    return tree_of(*nodes), members, declared


@settings(derandomize=True, deadline=None, max_examples=150)
@given(_tubes())
def test_any_tube_gives_consistent_numbers(tube) -> None:
    tree, members, declared = tube
    made = run(tree, members, denominators=declared, intensities=["CD146"])
    counts = {row.population: row.value for (_, statistic, _), row in made.items() if statistic == "count"}
    assert list(counts) == ["all", *(item.name for item in tree.nodes)]
    for (population, statistic, denominator), row in made.items():
        assert counts[population] == (members[population].size if population in members else None)
        assert (row.value is None) == (row.state == "not evaluable")
        if row.value is None:
            assert row.ci_low is row.ci_high is None
            assert population not in members or not (members.get(denominator, rows(0, 0)).size)
        elif row.ci_low is not None:
            assert row.ci_low <= row.value * (1 + 1e-11)
            assert row.ci_high is None or row.value <= row.ci_high * (1 + 1e-11)
        if statistic == "fraction" and row.value is not None:
            assert 0 <= row.value <= 1
            assert np.isin(members[population], members[denominator]).all()
            if (population, "per_million", denominator) in made:
                assert made[population, "per_million", denominator].value == pytest.approx(1e6 * row.value)
