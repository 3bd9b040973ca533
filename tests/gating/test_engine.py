"""The walk through a template: order, refusals, seeds, and the same members as a replay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.random import Generator
from pydantic import ConfigDict

from stromagate.errors import SpecificationError
from stromagate.gating import engine
from stromagate.gating.engine import Gated, gate
from stromagate.gating.method import Fit, GatingMethod, PopulationView, methods, not_evaluable
from stromagate.gating.replay import count, members
from stromagate.gating.walk import Plan
from stromagate.model.gates import Axis, Boolean, GateTree, Geometry, Interval, Rectangle
from stromagate.model.template import GateParams, GateStep, GatingTemplate
from stromagate.prepare.prepared import Prepared
from tests.gating.tubes import LINEAR, Events, Grower, ready, shown, stained


class Scripted(GateParams):
    """Parameters of a method that does as it is told."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    does: Callable[[PopulationView, Generator], Fit]


def _run(parent: PopulationView, params: Scripted, rng: Generator) -> Fit:
    return params.does(parent, rng)


@pytest.fixture(autouse=True)
def _scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    real = methods.get
    declared = GatingMethod(Scripted, _run, lambda _: "as told", "Does as it is told.")
    monkeypatch.setattr(engine.methods, "get", lambda name: declared if name == "scripted" else real(name))


def small(*columns: list[float], names: tuple[str, ...] = ("X", "Y")) -> Prepared:
    axes = {name: Axis(name, LINEAR, False) for name in names}
    return ready(np.column_stack(columns).astype(np.float32), names, axes)


Step = dict[str, Any]


def told(
    name: str, parent: str, does: Geometry | Fit | Callable[[PopulationView, Generator], Fit], **more: Any
) -> Step:
    """Return one population whose gate is already known."""
    if isinstance(does, Fit):
        fit = does
        does = lambda _view, _rng: fit  # noqa: E731  (a function of its own would hide that nothing happens here)
    elif not callable(does):
        fit = Fit(does, f"{name} as told", "fixed", source="test")
        does = lambda _view, _rng: fit  # noqa: E731  (as above)
    return {"name": name, "parent": parent, "does": does, **more}


def gated(prepared: Prepared, *steps: Step, seed: int = 0) -> Gated:
    populations = [
        {"gate": {"method": "scripted"}, **{key: value for key, value in step.items() if key != "does"}}
        for step in steps
    ]
    template = GatingTemplate.model_validate(
        {
            "format": "stromagate.template/1",
            "name": "told",
            "version": "1.0.0",
            "status": "local",
            "title": "As told",
            "panel": {"required": []},
            "populations": populations,
        }
    )
    return gate(
        prepared,
        template,
        gates={step["name"]: [GateStep("scripted", Scripted(does=step["does"]))] for step in steps},
        seed=seed,
    )


@pytest.mark.parametrize("seed", range(4))
def test_fitting_replaying_and_streaming_find_the_same_events(seed: int) -> None:
    values, pnn, axes, spill = stained(seed, 20_000)
    if seed == 3:
        values[::97, 3], values[::89, 0], values[::83, -1] = np.nan, np.inf, -np.inf
    columns = {axis: shown(values, pnn, GateTree((), axes, spill), axis) for axis in axes}
    nodes = Grower(seed, columns).nodes(14)
    prepared = ready(values, pnn, axes, spill)
    found = gated(prepared, *(told(n.name, n.parent, n.geometry) for n in nodes if n.geometry is not None))
    evaluated = {node.name for node in found.tree.nodes if node.geometry is not None}
    again = members(prepared, found.tree)
    assert set(found.members) == {"all", *evaluated} == set(again)
    for name, rows in found.members.items():
        assert np.array_equal(rows, again[name]), name
        assert np.all(np.diff(rows) > 0)
    counted = count(Events(values, pnn), found.tree)
    assert counted == {name: found.counts[name] for name in found.counts if name in found.members}
    assert len(evaluated) > 5


def test_a_child_sees_its_parents_events_and_no_others() -> None:
    prepared = small([1, 2, 3, 4], [10, 20, 30, 40])
    seen: dict[str, list[float]] = {}

    def look(view: PopulationView, _rng: Generator) -> Fit:
        seen[view.name] = view.linear("Y").tolist()
        assert view.n == len(seen[view.name])
        assert view.population("all").n == 4
        assert view.axes == ("X", "Y")
        assert view.to_display("Y", 7.0) == 7.0
        return Fit(Interval("Y", None, 35.0), "below 35", "fitted", 0.5, "valley")

    found = gated(prepared, told("some", "all", Interval("X", 2.0, None)), told("few", "some", look))
    assert seen == {"some": [20.0, 30.0, 40.0]}
    assert found.members["few"].tolist() == [1, 2]
    assert found.counts == {"all": 4, "some": 3, "few": 2}
    node = found.tree.node("few")
    assert (node.method, node.state, node.spread, node.source) == ("scripted", "fitted", 0.5, "valley")
    assert node.sentence == "below 35"


def test_values_given_to_a_method_cannot_be_changed() -> None:
    def spoil(view: PopulationView, _rng: Generator) -> Fit:
        for values in (view.linear("X"), view.display("X")):
            with pytest.raises(ValueError, match="read-only"):
                values[0] = 9
        return not_evaluable("nothing could be spoilt")

    gated(small([1, 2], [1, 2]), told("p", "all", spoil))


def test_a_gate_added_elsewhere_changes_no_other_draw() -> None:
    drawn: list[dict[str, float]] = []

    def draw(name: str) -> Callable[[PopulationView, Generator], Fit]:
        def does(_view: PopulationView, rng: Generator) -> Fit:
            drawn[-1][name] = float(rng.random())
            return Fit(Interval("X", None, 9.0), "drawn", "fitted")

        return does

    def draws(*names: str, seed: int = 0) -> dict[str, float]:
        drawn.append({})
        gated(small([1.0, 2.0], [1.0, 2.0]), *(told(name, "all", draw(name)) for name in names), seed=seed)
        return drawn[-1]

    first = draws("a", "b")
    assert draws("a", "new", "b") | first == draws("a", "new", "b")
    assert first["a"] != first["b"]
    assert draws("a", "b", seed=1)["a"] != first["a"]


def test_an_empty_parent_is_not_a_parent_that_holds_nobody() -> None:
    called: list[str] = []

    def never(view: PopulationView, _rng: Generator) -> Fit:
        called.append(view.name)
        return not_evaluable("")

    found = gated(
        small([1, 2], [1, 2]),
        told("nobody", "all", Interval("X", 5.0, None)),
        told("child", "nobody", never),
        told("grandchild", "child", never),
    )
    assert called == []
    assert found.counts == {"all": 2, "nobody": 0, "child": None, "grandchild": None}
    assert found.members["nobody"].size == 0
    assert "child" not in found.members
    assert found.tree.node("child").state == "not_evaluable"
    assert "holds no events" in found.tree.node("child").sentence
    assert "“child” could not be evaluated" in found.tree.node("grandchild").sentence


def test_a_tube_without_events_is_walked_to_the_end() -> None:
    prepared = ready(np.empty((0, 2), dtype=np.float32), ("X", "Y"), {"X": Axis("X", LINEAR, False)})
    found = gated(prepared, told("a", "all", Interval("X", None, 1.0)), told("b", "a", Interval("X", None, 1.0)))
    assert found.counts == {"all": 0, "a": None, "b": None}


def test_what_needs_an_absent_marker_is_left_out_with_all_below_it_and_said() -> None:
    found = gated(
        small([1, 2], [1, 2]),
        told("a", "all", Interval("CD105", None, 1.0), requires=["CD105", "CD90"]),
        told("b", "a", Interval("X", None, 1.0)),
        told("c", "all", Interval("X", None, 1.5), requires=["X"]),
        told("d", "all", Boolean("none", ("a",))),
    )
    assert [node.name for node in found.tree.nodes] == ["c", "d"]
    assert "needs CD105 and CD90" in found.left_out["a"]
    assert "below “a”" in found.left_out["b"]
    assert found.counts == {"all": 2, "c": 1, "d": None}
    assert "“a”, which was not evaluated" in found.tree.node("d").sentence


def test_sentences_call_populations_by_their_labels() -> None:
    found = gated(
        small([1, 2], [1, 2]),
        told("a", "all", Interval("X", 5.0, None), label="First of all"),
        told("b", "a", Interval("X", None, 1.0)),
    )
    assert found.tree.node("b").sentence == "its parent “First of all” holds no events"


def test_a_gate_on_an_axis_the_tube_lacks_is_not_evaluable() -> None:
    found = gated(
        small([1, 2], [1, 2]),
        told("asks", "all", lambda view, _: Fit(Interval("X", None, float(view.display("CD90")[0])), "")),
        told("gives", "all", Interval("CD90", None, 1.0)),
        told("looks", "all", lambda view, _: Fit(Interval("X", None, float(view.population("none").n)), "")),
    )
    assert found.counts == {"all": 2, "asks": None, "gives": None, "looks": None}
    assert found.tree.node("asks").sentence == found.tree.node("gives").sentence == "this tube carries no CD90"
    assert "does not stand above" in found.tree.node("looks").sentence


def test_a_boolean_over_nothing_is_the_whole_parent_odd_values_included() -> None:
    prepared = small([1, 2, np.nan], [1, np.inf, 3])
    found = gated(prepared, told("kept", "all", Fit(Boolean("none", ()), "no Time: all kept", "fallback")))
    assert found.members["kept"].tolist() == [0, 1, 2]
    assert members(prepared, found.tree)["kept"].tolist() == [0, 1, 2]


def test_who_is_not_finite_is_neither_in_nor_out() -> None:
    found = gated(
        small([1, 9, np.nan, 1], [1, 1, 1, np.nan]),
        told("dead", "all", Interval("X", 5.0, None)),
        told("live", "all", Boolean("none", ("dead",))),
        told("outside", "all", Rectangle(("X", "Y"), (5.0, None), (None, None), inside=False)),
    )
    assert found.members["dead"].tolist() == [1]
    assert found.members["live"].tolist() == [0, 3]
    assert found.members["outside"].tolist() == [0]


@pytest.mark.parametrize(
    ("fit", "code"),
    [
        (Fit(Interval("X", 2.0, 1.0), ""), "gate.empty"),
        (Fit(None, "", "fitted"), "method.contract"),
        (Fit(Interval("X", None, 1.0), "", "not_evaluable"), "method.contract"),
    ],
)
def test_a_method_that_breaks_its_contract_is_named(fit: Fit, code: str) -> None:
    with pytest.raises(SpecificationError) as refused:
        gated(small([1, 2], [1, 2]), told("msc", "all", fit))
    assert (refused.value.code, refused.value.where) == (code, "msc")


def test_a_bug_in_a_method_surfaces_with_the_population_named() -> None:
    with pytest.raises(ZeroDivisionError) as bug:
        gated(small([1, 2], [1, 2]), told("msc", "all", lambda *_: Fit(None, str(1 / 0))))
    assert "population 'msc' by method 'scripted'" in bug.value.__notes__[0]


def test_the_tree_knows_every_axis_of_the_tube() -> None:
    found = gated(small([1, 2], [1, 2]), told("p", "all", Interval("X", None, 1.5)))
    assert set(found.tree.axes) == {"X", "Y"}
    assert Plan(found.tree, ("X",)).names == ("all", "p")
