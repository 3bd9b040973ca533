"""The four parts of a cross: one origin, a second cut that shifts along the first axis do not pull, honest refusals."""

from __future__ import annotations

import csv
import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng
from pydantic import ValidationError

import stromagate as sg
from stromagate.errors import DocumentError
from stromagate.export import export
from stromagate.fcs import read_fcs
from stromagate.gating import edits, engine, replay
from stromagate.gating.controls import distribution
from stromagate.gating.draws import boundary_draws
from stromagate.gating.geometry import contains
from stromagate.gating.method import Fit, Outside
from stromagate.gating.methods.quadrant import Params, explain, fit
from stromagate.gating.moves import is_uncertain, redrawn_boundaries, shifts
from stromagate.model.controls import ControlTube
from stromagate.model.edits import GateEdit, SampleEdits
from stromagate.model.gates import NOT_SEPARABLE, Axis, GateTree, Interval, QuadrantPart
from stromagate.model.result import SampleResult
from stromagate.pipeline import analyze
from stromagate.pipeline.template import load_template
from stromagate.prepare.prepared import prepare
from stromagate.simulate import Tube, TubeOrder, scenario, simulate_tube, write_tube
from tests.gating.methods.populations import ASINH, FakePopulation
from tests.gating.tubes import LINEAR, LOGICLE, node, ready, stained

PARTS = [("above", "above"), ("above", "below"), ("below", "above"), ("below", "below")]
PLAIN = {"axes": ["CD45", "CD271"], "keep": ["below", "above"]}


def two_markers(
    n: int = 20_000, seed: int = 1, *, pulled: float = 0.0, second: float = 0.7, bright: float = 0.3
) -> FakePopulation:
    """Return cells dim and bright in both markers; what is bright in CD45 has its CD271 negative pulled up."""
    rng = default_rng(seed)
    x, y = rng.random(n) < 0.4, rng.random(n) < bright
    columns = {
        "CD45": np.where(x, rng.normal(0.7, 0.05, n), rng.normal(0.2, 0.05, n)),
        "CD271": np.where(y, rng.normal(second, 0.04, n), rng.normal(0.2, 0.04, n) + pulled * x),
    }
    return FakePopulation({axis: column.astype(np.float32) for axis, column in columns.items()})


def cross(population: FakePopulation, seed: int = 0, **given: Any) -> Fit:
    return fit(population, Params.model_validate({**PLAIN, **given}), default_rng(seed))


def origin(fitted: Fit) -> tuple[float, float]:
    assert isinstance(fitted.geometry, QuadrantPart), fitted.sentence
    return fitted.geometry.origin


@pytest.mark.parametrize("rule", ["valley", "tail", "shoulder"])
def test_every_event_is_in_one_part_of_a_cross(rule: str) -> None:
    population = two_markers()
    points = np.column_stack([population.values[axis] for axis in PLAIN["axes"]]).astype(np.float64)
    parts = [
        cross(population, seed, keep=keep, first_cut={"rule": rule}, second_cut={"rule": rule})
        for seed, keep in enumerate(PARTS)
    ]
    assert len({origin(part) for part in parts}) == 1
    assert [part.geometry.sides for part in parts if isinstance(part.geometry, QuadrantPart)] == PARTS
    held = np.sum([contains(part.geometry, points) for part in parts if part.geometry], axis=0)
    assert (held == 1).all()
    shares = [contains(part.geometry, points).mean() for part in parts if part.geometry]
    assert shares == pytest.approx([0.12, 0.28, 0.18, 0.42], abs=0.01)


@settings(max_examples=20, deadline=None)
@given(
    seeds=st.lists(st.integers(0, 2**32), min_size=2, max_size=2),
    keep=st.lists(st.sampled_from(PARTS), min_size=2, max_size=2),
    tube=st.integers(0, 50),
    rules=st.tuples(*[st.sampled_from(["valley", "tail", "shoulder"])] * 2),
    on=st.sampled_from(["above", "below", "all"]),
)
def test_the_cuts_hang_neither_on_chance_nor_on_the_part(
    seeds: list[int], keep: list[Any], tube: int, rules: tuple[str, str], on: str
) -> None:
    population = two_markers(2_000, tube, pulled=0.1)
    same = {"first_cut": {"rule": rules[0]}, "second_cut": {"rule": rules[1]}, "second_on": on}
    one, other = (cross(population, seed, keep=side, **same) for seed, side in zip(seeds, keep, strict=True))
    assert (one.geometry is None) == (other.geometry is None)
    if one.geometry is not None:
        assert origin(one) == origin(other)


def test_a_shift_along_the_first_axis_does_not_pull_the_second_cut() -> None:
    still, pulled = two_markers(bright=0.05), two_markers(pulled=0.2, bright=0.05)
    rule = {"rule": "tail", "mads": 5}
    alone = origin(cross(still, second_cut=rule))
    assert origin(cross(pulled, second_cut=rule)) == pytest.approx(alone, abs=0.005)
    together = origin(cross(pulled, second_cut=rule | {"negative": "highest", "search": [0, 0.5]}, second_on="all"))
    assert together[1] > alone[1] + 0.15
    bright = cross(pulled, second_cut=rule, second_on="above")
    assert origin(bright)[1] == pytest.approx(alone[1] + 0.2, abs=0.02)
    assert "events above the cut on CD45" in bright.sentence


@pytest.mark.parametrize("axis", [0, 1])
def test_what_cannot_be_parted_is_not_cut(axis: int) -> None:
    population = two_markers()
    name = PLAIN["axes"][axis]
    one_peak = default_rng(5).normal(0.3, 0.05, population.n).astype(np.float32)
    fitted = cross(FakePopulation({**population.values, name: one_peak}))
    assert fitted.state == "not_evaluable"
    assert fitted.doubts == (NOT_SEPARABLE,)
    assert "no cross on CD45 and CD271" in fitted.sentence
    assert f"{name} not cut: not separable" in fitted.sentence


def test_doubts_of_either_cut_are_handed_on() -> None:
    population = two_markers(second=0.21)
    fitted = cross(population, second_cut={"rule": "tail", "mads": 3})
    assert fitted.state == "fitted"
    assert fitted.doubts == (NOT_SEPARABLE,)


def test_a_side_with_too_few_events_is_said() -> None:
    population = two_markers()
    dim = np.flatnonzero(population.values["CD45"] < 0.45)
    fitted = cross(FakePopulation({axis: np.delete(column, dim[300:]) for axis, column in population.values.items()}))
    assert fitted.state == "not_evaluable"
    assert "among the 300 events below the cut on CD45" in fitted.sentence
    assert "300 events are too few for a valley (at least 500)" in fitted.sentence


@pytest.mark.parametrize("n", [0, 1, 99])
def test_next_to_no_events_give_no_cross(n: int) -> None:
    fitted = cross(two_markers(n), first_cut={"rule": "tail"})
    assert fitted.state == "not_evaluable"
    assert fitted.spread is None
    assert "too few" in fitted.sentence


def test_a_cut_of_last_resort_makes_the_part_one_too() -> None:
    population = two_markers()
    clipped = np.maximum(population.values["CD271"], np.float32(0.2))
    fitted = cross(FakePopulation({**population.values, "CD271": clipped}), second_cut={"rule": "tail"})
    assert fitted.state == "fallback"
    assert "its width was taken from the side of the cut" in fitted.sentence


def test_values_that_are_no_numbers_are_on_neither_side() -> None:
    population = two_markers()
    lost = population.values["CD45"].copy()
    lost[::7] = np.nan
    there = np.isfinite(lost)
    fewer = FakePopulation({axis: column[there] for axis, column in population.values.items()})
    fitted = cross(FakePopulation({**population.values, "CD45": lost}))
    assert origin(fitted) == origin(cross(fewer))


def test_a_cut_may_be_set_on_controls() -> None:
    shown = two_markers()
    # Linear values of the negatives, as an FMO tube would show them.
    dim = FakePopulation({"CD271": default_rng(9).normal(0.2, 0.04, 9_000).astype(np.float32)}, scales={"CD271": ASINH})
    tube = ControlTube("f", "fmo:CD271", "00", 9_000, {("parent", "CD271"): distribution(dim.linear("CD271"))})
    population = replace(shown, scales={"CD271": ASINH}, outside=Outside((tube,)))
    params = {"second_cut": {"rule": "control", "anchor": "parent"}}
    fitted = cross(population, **params)
    assert 0.3 < origin(fitted)[1] < 0.5
    assert fitted.source.startswith("fmo:CD271 x1")
    missing = cross(replace(population, outside=Outside()), **params)
    assert missing.state == "not_evaluable"
    assert "no fmo:CD271 tube" in missing.sentence
    asked = Params.model_validate({**PLAIN, **params, "first_cut": {"rule": "control", "anchor": "all_of_them"}})
    assert asked.populations_used() == ("all_of_them", "parent")
    assert [(need.role, need.population) for need in asked.controls_used()] == [
        ("fmo:CD45", "all_of_them"),
        ("fmo:CD271", "parent"),
    ]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"axes": ["CD45", "CD45"]}, "the axis CD45 is named twice"),
        ({"first_cut": {"rule": "vally"}}, "no rule is named 'vally'.*did you mean 'valley'"),
        ({"first_cut": {"mads": 3}}, "`rule` is missing: valley, tail, shoulder or control"),
        ({"second_cut": "tail"}, "a cut is written as a rule and its parameters"),
        ({"second_cut": {"rule": "tail", "mads": 30}}, "less than or equal to 20"),
        ({"second_cut": {"rule": "valley", "mads": 3}}, "Extra inputs"),
        ({"second_cut": {"rule": "valley", "axis": "CD45"}}, "Extra inputs"),
        ({"second_cut": {"rule": "control"}}, "Field required"),
        ({"keep": ["+", "-"]}, "'above' or 'below'"),
        ({"second_on": "dim"}, "'below', 'above' or 'all'"),
    ],
)
def test_wrong_parameters_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=f"(?s){said}"):
        Params.model_validate({**PLAIN, **wrong})


def test_parameters_survive_the_way_to_a_worker() -> None:
    params = Params.model_validate({**PLAIN, "second_cut": {"rule": "tail", "search": [0.1, 0.4]}})
    assert pickle.loads(pickle.dumps(params)) == params
    assert explain(params) == (
        "CD45 below the valley between its two main peaks and CD271 above the cut 5 deviations above its largest "
        "peak, found on the events below the cut on CD45"
    )


def test_each_edge_is_redrawn_by_its_own_spread() -> None:
    axes = {"x": Axis("FL1-A", LOGICLE, False), "y": Axis("FL2-A", LOGICLE, False), "s": Axis("FSC-A", LINEAR, False)}
    part = QuadrantPart(("x", "y"), (0.5, 0.5), ("above", "above"))
    placed = replace(node("a", "all", part), state="fitted", spread=0.01, spread_second=0.04)
    errors = shifts(placed, axes, 128, 0)
    assert errors.std(axis=0) == pytest.approx([0.01, 0.04], rel=0.02)
    assert abs(np.corrcoef(errors.T)[0, 1]) < 0.3
    mixed = replace(placed, geometry=replace(part, axes=("x", "s")), spread_second=300.0)
    assert shifts(mixed, axes, 128, 0)[:, 1].std() == pytest.approx(300, rel=0.02)
    only_second = replace(placed, spread=None)
    assert is_uncertain(only_second)
    assert not shifts(only_second, axes, 128, 0)[:, 0].any()
    assert not is_uncertain(replace(only_second, spread_second=None))


def test_parts_whose_spreads_differ_still_move_as_one_cross() -> None:
    values, pnn, axes, spill = stained(5, 4_000)
    prepared = ready(values, pnn, axes, spill)
    nodes = tuple(
        replace(
            node(f"part{i}", "all", QuadrantPart(("dye0", "dye3"), (0.45, 0.4), keep)),
            state="fitted",
            spread=0.02 + i / 500,
            spread_second=0.01 + i / 500,
        )
        for i, keep in enumerate(PARTS)
    )
    grown = GateTree(nodes, axes, spill)
    redrawn = redrawn_boundaries(grown, 16, 0)
    assert len({tuple(cut.origin for cut in cuts if isinstance(cut, QuadrantPart)) for cuts in redrawn.values()}) == 1
    members = replay.members(prepared, grown)
    drawn = boundary_draws(prepared, engine.Gated(grown, members, {k: len(v) for k, v in members.items()}), 16)
    assert set(sum(drawn.values()).tolist()) == {4_000}


def test_a_second_spread_is_part_of_a_tree_and_its_absence_is_not() -> None:
    axes = {"x": Axis("FL1-A", LOGICLE, False)}
    plain = GateTree((node("a", "all", Interval("x", 0.5, None)),), axes)
    known = GateTree((replace(plain.nodes[0], spread_second=0.1),), axes)
    assert plain.digest() != known.digest()
    # As it was before there was a second spread: edits are bound to it.
    assert plain.digest() == "e069604334d7952d191a79921ea3faa817a3cc24bb4fdf373e9b1cd269b68e2d"


TEMPLATE = """
format: stromagate.template/1
name: crossed
version: 1.0.0
status: local
title: Four parts of one cross
panel: {required: [Viability, CD45, CD271]}
populations:
  - {name: singlets, parent: all, gate: {method: singlet, axes: [FSC-A, FSC-H]}}
  - {name: viable, parent: singlets, gate: {method: tail, axis: Viability, keep: below}}
  - {name: dim, parent: viable, gate: {method: quadrant, axes: [CD45, CD271], keep: [below, below], &}}
  - {name: msc, parent: viable, gate: {method: quadrant, axes: [CD45, CD271], keep: [below, above], &}}
  - {name: leukocytes, parent: viable, gate: {method: quadrant, axes: [CD45, CD271], keep: [above, below], &}}
  - {name: odd, parent: viable, gate: {method: quadrant, axes: [CD45, CD271], keep: [above, above], &}}
denominators: [viable]
indices: {msc: msc}
""".replace("&", "first_cut: {rule: valley, which: lowest}, second_cut: {rule: tail, mads: 6}")


NAMES = ("dim", "msc", "leukocytes", "odd")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Tube]:
    """Return a folder with a simulated tube and the template, and the tube's truth."""
    folder = tmp_path_factory.mktemp("crossed")
    (folder / "crossed.yaml").write_text(TEMPLATE)
    order = TubeOrder(scenario("healthy"), "t", "t", prepared="cd45_depleted", n_events=40_000, seed=31)
    tube = simulate_tube(order)
    write_tube(tube, folder / "tube.fcs")
    return folder, tube


def test_a_whole_template_on_a_simulated_tube(simulated: tuple[Path, Tube]) -> None:
    folder, tube = simulated
    result = analyze(folder / "tube.fcs", template=folder / "crossed.yaml")
    parts = [result.tree.node(name) for name in NAMES]
    assert {part.state for part in parts} == {"fitted"}, parts[0].sentence
    assert len({part.geometry.origin for part in parts if isinstance(part.geometry, QuadrantPart)}) == 1
    counts = {name: result.count(name) for name in ("all", "singlets", "viable", *NAMES)}
    assert sum(counts[name] or 0 for name in NAMES) == counts["viable"]
    assert sg.count_populations(folder / "tube.fcs", result.tree) == counts
    loaded = load_template(folder / "crossed.yaml")
    prepared = prepare(read_fcs(folder / "tube.fcs"), loaded.template)
    gated = engine.gate(prepared, loaded.template, gates=loaded.gates)
    again = replay.members(prepared, result.tree)
    assert {name: rows.tolist() for name, rows in gated.members.items()} == {k: v.tolist() for k, v in again.items()}
    true = np.flatnonzero(tube.truth.viable_singlet & tube.truth.is_one_of("msc_cd146neg", "progenitors"))
    found = gated.members["msc"]
    right = len(np.intersect1d(found, true))
    assert right / len(true) >= 0.8
    # Without a gate on erythroid cells some of these are among them.
    assert right / len(found) >= 0.6


def test_both_spreads_are_written_and_read_again(simulated: tuple[Path, Tube]) -> None:
    folder, _ = simulated
    result = analyze(folder / "tube.fcs", template=folder / "crossed.yaml")
    node = result.tree.node("msc")
    assert node.spread is not None
    assert node.spread_second is not None
    assert f"; spread {node.spread:.3g} on CD45 and {node.spread_second:.3g} on CD271" in node.sentence
    again = SampleResult.model_validate_json(json.dumps(result.to_json()))
    assert again.tree.node("msc") == node
    assert again.tree.digest() == result.tree.digest()
    rows = list(csv.DictReader(export("thresholds_csv", [result]).decode().splitlines()))
    spreads = {row["axis"]: float(row["spread"]) for row in rows if row["population"] == "msc"}
    assert spreads == {"CD45": node.spread, "CD271": node.spread_second}


def test_a_part_that_cannot_be_cut_may_fall_back_on_another_cross(simulated: tuple[Path, Tube]) -> None:
    folder, _ = simulated
    rare = "second_cut: {rule: valley, search: [0.9, 0.95]}, otherwise: {method: quadrant, second_cut: {rule: tail}}"
    (folder / "fallback.yaml").write_text(TEMPLATE.replace("second_cut: {rule: tail, mads: 6}", rare))
    result = analyze(folder / "tube.fcs", template=folder / "fallback.yaml")
    parts = [result.tree.node(name) for name in NAMES]
    assert {part.state for part in parts} == {"fallback"}
    assert "no cross on CD45 and CD271 among the" in parts[0].sentence
    assert "; instead CD45 cut at" in parts[0].sentence
    assert len({part.geometry.origin for part in parts if isinstance(part.geometry, QuadrantPart)}) == 1
    sides = [part.geometry.sides for part in parts if isinstance(part.geometry, QuadrantPart)]
    assert sides == [PARTS[3], PARTS[2], PARTS[1], PARTS[0]]


@pytest.mark.parametrize(
    ("written", "place", "said"),
    [
        ("{rule: valley, mads: 6}", "second_cut.mads", "allowed: rule, search, which, min_events, max_depth"),
        ("{rule: tail, mad: 6}", "second_cut.mad", "did you mean `mads`? allowed: rule, negative, mads"),
        ("{rule: control, control: unstained}", "second_cut.anchor", "`anchor` is missing"),
        ("{rule: tail, search: [0.4, 0.1]}", "second_cut.search", "[low, high] with low below high"),
        ("{rule: tails}", "second_cut", "did you mean 'tail'?"),
    ],
)
def test_mistakes_in_a_cut_are_named_at_their_place(tmp_path: Path, written: str, place: str, said: str) -> None:
    (tmp_path / "wrong.yaml").write_text(
        TEMPLATE.replace("second_cut: {rule: tail, mads: 6}", f"second_cut: {written}")
    )
    with pytest.raises(DocumentError) as caught:
        load_template(tmp_path / "wrong.yaml")
    assert len(caught.value.problems) == 4
    problem = caught.value.problems[0]
    assert problem.path == f"populations[2].gate.{place}"
    assert said in f"{problem.message} {problem.hint}"


def test_a_hand_keeps_both_spreads_only_on_the_same_axes(simulated: tuple[Path, Tube]) -> None:
    folder, _ = simulated
    loaded = load_template(folder / "crossed.yaml")
    prepared = prepare(read_fcs(folder / "tube.fcs"), loaded.template)
    gated = engine.gate(prepared, loaded.template, gates=loaded.gates)
    fitted = gated.tree.node("msc")
    assert isinstance(fitted.geometry, QuadrantPart)
    moved_up = replace(fitted.geometry, origin=(fitted.geometry.origin[0], 0.7))
    for geometry, kept in ((moved_up, fitted.spread_second), (Interval("CD45", None, 0.4), None)):
        edit = GateEdit(population="msc", geometry=geometry, who="a", when="2026-11-30T09:00:00Z", why="b")
        sample = SampleEdits(sample_id="t", tree_sha256=gated.tree.digest(), edits=(edit,))
        node = edits.apply(prepared, gated, sample).gated.tree.node("msc")
        assert (node.state, node.spread_second) == ("edited", kept)
