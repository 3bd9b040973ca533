"""Each marker left out in turn: the counts of a tree in which its gates let everything through, event by event."""

from __future__ import annotations

import numpy as np
import pytest

from stromagate.gating.conditions import Condition, carried, conditions
from stromagate.gating.leave_out import WithoutMarker, without_each_marker
from stromagate.model.gates import Boolean, GateTree, Interval, QuadrantPart, Rectangle
from stromagate.prepare.prepared import Prepared
from stromagate.prepare.scales import forward
from tests.gating.test_draws import gated
from tests.gating.tubes import node, ready, stained, tree


@pytest.fixture(scope="module")
def tube() -> tuple[Prepared, GateTree]:
    values, pnn, axes, spill = stained(4, 20_000)
    values[::97, 2] = np.nan
    grown = tree(
        node("large", "all", Interval("FSC", 3e4, None)),
        node("early", "large", Interval("Time", None, 150.0)),
        node("alive", "early", Interval("dye0", None, 0.6)),
        node("bright", "early", Interval("dye1", 0.45, None)),
        node("dim", "alive", Rectangle(("dye3", "FSC"), (0.2, 4e4), (0.7, None))),
        node("target", "dim", Boolean("all", ("bright",))),
        node("rest", "dim", Boolean("none", ("bright",))),
        node("cross", "dim", QuadrantPart(("dye3", "dye4"), (0.4, 0.3), ("below", "above"))),
        node("either", "dim", Boolean("any", ("bright", "cross"))),
        node("outside", "alive", Boolean("none", ("cross",))),
        node("one", "dim", Boolean("any", ("bright",))),
        node("below_either", "either", Interval("dye2", 0.4, None)),
        axes=axes,
        compensation=spill,
    )
    return ready(values, pnn, axes, spill), grown


def _display(prepared: Prepared, grown: GateTree, axis: str) -> np.ndarray:
    return forward(grown.axes[axis].scale, prepared.exact(axis, np.arange(prepared.n)))


def test_a_marker_left_out_lets_through_what_its_gates_took_away(tube: tuple[Prepared, GateTree]) -> None:
    prepared, grown = tube
    plain = gated(prepared, grown)
    x = {axis: _display(prepared, grown, axis) for axis in ("FSC", "Time", "dye0", "dye1", "dye3", "dye4")}
    early = (x["FSC"] >= 3e4) & (x["Time"] < 150.0) & (x["FSC"] >= 4e4)
    alive, bright = x["dye0"] < 0.6, x["dye1"] >= 0.45
    dim = (x["dye3"] >= 0.2) & (x["dye3"] < 0.7)
    found = without_each_marker(prepared, plain, ["target", "rest"])
    # The gate of `dim` is on a marker and on size: it is left out whole.
    sized = (x["FSC"] >= 3e4) & (x["Time"] < 150.0)
    assert found == (
        WithoutMarker("target", "dye0", ("alive",), int(np.sum(early & dim & bright))),
        WithoutMarker("target", "dye3", ("dim",), int(np.sum(sized & alive & bright))),
        WithoutMarker("target", "dye1", ("bright",), int(np.sum(early & alive & dim))),
        WithoutMarker("rest", "dye0", ("alive",), int(np.sum(early & dim & ~bright & np.isfinite(x["dye1"])))),
        WithoutMarker("rest", "dye3", ("dim",), int(np.sum(sized & alive & ~bright & np.isfinite(x["dye1"])))),
        WithoutMarker("rest", "dye1", ("bright",), int(np.sum(early & alive & dim))),
    )
    assert all(item.count >= len(plain.members[item.population]) for item in found)


def test_a_gate_on_two_markers_is_left_out_with_either(tube: tuple[Prepared, GateTree]) -> None:
    prepared, grown = tube
    x = {axis: _display(prepared, grown, axis) for axis in ("FSC", "Time", "dye0", "dye3", "dye4")}
    sized = (x["FSC"] >= 3e4) & (x["Time"] < 150.0) & (x["dye0"] < 0.6)
    dim = (x["dye3"] >= 0.2) & (x["dye3"] < 0.7) & (x["FSC"] >= 4e4)
    found = {item.marker: item for item in without_each_marker(prepared, gated(prepared, grown), ["cross"])}
    assert found["dye3"].gates == ("dim", "cross")
    assert found["dye3"].count == np.sum(sized)
    assert found["dye4"].gates == ("cross",)
    assert found["dye4"].count == np.sum(sized & dim)


@pytest.mark.parametrize("name", ["either", "outside", "below_either"])
def test_alternatives_are_passed_over(tube: tuple[Prepared, GateTree], name: str) -> None:
    prepared, grown = tube
    assert not conditions(grown, name).whole
    assert without_each_marker(prepared, gated(prepared, grown), [name]) == ()


def test_one_alternative_is_none(tube: tuple[Prepared, GateTree]) -> None:
    prepared, grown = tube
    assert conditions(grown, "one") == conditions(grown, "target")
    counts = [
        [(item.marker, item.count) for item in without_each_marker(prepared, gated(prepared, grown), [name])]
        for name in ("one", "target")
    ]
    assert counts[0] == counts[1]


def test_a_population_that_could_not_be_evaluated_is_left_out(tube: tuple[Prepared, GateTree]) -> None:
    prepared, grown = tube
    nodes = tuple(node(n.name, n.parent, None if n.name == "bright" else n.geometry) for n in grown.nodes)
    gone = GateTree(nodes, grown.axes, grown.compensation)
    assert without_each_marker(prepared, gated(prepared, gone), ["target", "nowhere"]) == ()
    assert not conditions(gone, "target").whole


def test_conditions_are_listed_from_the_first_gate_down(tube: tuple[Prepared, GateTree]) -> None:
    _, grown = tube
    assert conditions(grown, "rest").each == (
        Condition("large", keep=True),
        Condition("early", keep=True),
        Condition("alive", keep=True),
        Condition("dim", keep=True),
        Condition("bright", keep=False),
    )
    assert conditions(grown, "all").each == ()


def test_a_population_carries_what_it_asks_more_of(tube: tuple[Prepared, GateTree]) -> None:
    _, grown = tube
    assert carried(grown, "target") == {"FSC", "dye3", "dye1"}
    assert carried(grown, "rest") == {"FSC", "dye3"}
    assert carried(grown, "cross") == {"FSC", "dye3", "dye4"}
    far = node("low", "all", Interval("dye0", None, 0.5))
    above = node("not_low", "all", Boolean("none", ("low",)))
    assert carried(GateTree((far, above), grown.axes), "not_low") == {"dye0"}
    assert carried(GateTree((far, above), grown.axes), "low") == frozenset()
