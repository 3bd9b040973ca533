"""One edge moved by a tenth of a decade at a time: the changes are those of replaying the tree with that edge moved."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from stromagate.gating import replay
from stromagate.gating.sensitivity import STEP_DECADES, sensitivities
from stromagate.gating.tree import deciding_gates
from stromagate.model.gates import Boolean, Ellipse, GateTree, Geometry, Interval, QuadrantPart, Rectangle
from stromagate.model.result import Sensitivity
from stromagate.prepare.prepared import Prepared
from stromagate.prepare.scales import forward, inverse
from tests.gating.test_draws import gated
from tests.gating.tubes import node, ready, stained, tree


def _tube(seed: int = 4) -> tuple[Prepared, GateTree]:
    values, pnn, axes, spill = stained(seed, 20_000)
    grown = tree(
        node("large", "all", Interval("FSC", 3e4, None)),
        node("early", "large", Interval("Time", None, 150.0)),
        node("alive", "early", Interval("dye0", None, 0.6)),
        node("bright", "early", Interval("dye1", 0.45, None)),
        node("dim", "alive", Rectangle(("dye3", "FSC"), (0.2, 4e4), (0.7, None))),
        node("target", "dim", Boolean("all", ("bright",))),
        node("rest", "dim", Boolean("none", ("bright",))),
        node("cross", "dim", QuadrantPart(("dye3", "dye4"), (0.4, 0.3), ("below", "above"))),
        axes=axes,
        compensation=spill,
    )
    return ready(values, pnn, axes, spill), grown


def _with(grown: GateTree, name: str, geometry: Geometry) -> GateTree:
    return replace(grown, nodes=tuple(replace(n, geometry=geometry) if n.name == name else n for n in grown.nodes))


def _times(grown: GateTree, axis: str, at: float, factor: float) -> float:
    scale = grown.axes[axis].scale
    return float(forward(scale, inverse(scale, at) * factor)[0])


def _one(found: tuple[Sensitivity, ...], population: str, gate: str, axis: str) -> list[Sensitivity]:
    return [item for item in found if (item.population, item.gate, item.axis) == (population, gate, axis)]


def test_each_edge_is_moved_by_itself() -> None:
    prepared, grown = _tube()
    plain, box, cross = gated(prepared, grown), grown.node("dim").geometry, grown.node("cross").geometry
    assert isinstance(box, Rectangle)
    assert isinstance(cross, QuadrantPart)
    found = sensitivities(prepared, plain, ["target", "cross"])
    assert [(item.population, item.gate, item.axis) for item in found] == [
        ("target", "alive", "dye0"),
        ("target", "bright", "dye1"),
        ("target", "dim", "dye3"),
        ("target", "dim", "dye3"),
        ("cross", "alive", "dye0"),
        ("cross", "dim", "dye3"),
        ("cross", "dim", "dye3"),
        ("cross", "cross", "dye3"),
        ("cross", "cross", "dye4"),
    ]
    for population, gate, edge, geometry in (
        ("target", "alive", 0, lambda by: Interval("dye0", None, _times(grown, "dye0", 0.6, by))),
        ("target", "bright", 0, lambda by: Interval("dye1", _times(grown, "dye1", 0.45, by), None)),
        ("cross", "dim", 0, lambda by: replace(box, low=(_times(grown, "dye3", 0.2, by), 4e4))),
        ("target", "dim", 1, lambda by: replace(box, high=(_times(grown, "dye3", 0.7, by), None))),
        ("cross", "cross", 1, lambda by: replace(cross, origin=(0.4, _times(grown, "dye4", 0.3, by)))),
    ):
        move = [item for item in found if (item.population, item.gate) == (population, gate)][edge]
        for change, factor in ((move.lower, 10**-STEP_DECADES), (move.higher, 10**STEP_DECADES)):
            moved = replay.members(prepared, _with(grown, gate, geometry(factor)))
            assert change == math.log(len(moved[population]) / len(plain.members[population]))
        assert (move.lower, move.higher) != (0, 0)


def test_scatter_time_bent_gates_and_edges_below_zero_are_left_alone() -> None:
    prepared, grown = _tube()
    assert {item.axis for item in sensitivities(prepared, gated(prepared, grown), ["target"])} == {
        "dye0",
        "dye1",
        "dye3",
    }
    zero = float(forward(grown.axes["dye0"].scale, 0.0)[0])
    for geometry in (
        Interval("dye0", None, zero),
        Ellipse(("dye0", "dye1"), (0.4, 0.4), ((0.1, 0.0), (0.0, 0.1)), 1.0),
    ):
        changed = _with(grown, "alive", geometry)
        assert not _one(sensitivities(prepared, gated(prepared, changed), ["target"]), "target", "alive", "dye0")


def test_a_moved_gate_that_leaves_nothing_is_told_from_one_that_changes_nothing() -> None:
    prepared, grown = _tube()
    narrow = _with(grown, "bright", Interval("dye1", 0.45, 0.452))
    found = _one(sensitivities(prepared, gated(prepared, narrow), ["bright"]), "bright", "bright", "dye1")
    assert (found[0].higher, found[1].lower) == (None, None)  # the lower edge above the upper one
    assert found[0].lower is not None
    assert found[0].lower > 0
    nobody = _with(grown, "bright", Interval("dye1", 5.0, None))
    assert {(s.lower, s.higher) for s in sensitivities(prepared, gated(prepared, nobody), ["target"])} == {(None, None)}


def test_populations_that_are_not_there_have_none() -> None:
    prepared, grown = _tube()
    assert sensitivities(prepared, gated(prepared, grown), ["large", "nobody"]) == ()
    assert sensitivities(prepared, gated(prepared, grown), []) == ()


def test_which_gates_decide() -> None:
    _, grown = _tube()
    assert deciding_gates(grown, "target") == {"large", "early", "alive", "bright", "dim"}
    assert deciding_gates(grown, "rest") == deciding_gates(grown, "target")
    assert deciding_gates(grown, "bright") == {"large", "early", "bright"}
    assert deciding_gates(grown, "all") == frozenset()


@pytest.mark.parametrize("population", ["target", "rest"])
def test_what_one_part_loses_the_other_gains(population: str) -> None:
    prepared, grown = _tube(5)
    plain = gated(prepared, grown)
    counts = {name: len(plain.members[name]) for name in ("target", "rest", "dim")}
    found = {
        name: _one(sensitivities(prepared, plain, [name]), name, "bright", "dye1")[0]
        for name in counts
        if name != "dim"
    }
    left = [round(counts[name] * math.exp(found[name].higher or 0)) for name in found]
    assert sum(left) == counts["dim"]
    assert (found[population].higher or 0) * (1 if population == "rest" else -1) > 0
