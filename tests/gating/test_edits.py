"""Boundaries moved by a person: those and no others, members by replay, everything wrong said at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.errors import DocumentError, SpecificationError
from stromagate.gating.edits import Edited, apply
from stromagate.gating.engine import Gated, gate
from stromagate.gating.method import methods
from stromagate.gating.replay import members
from stromagate.model.config import RunConfig
from stromagate.model.edits import GateEdit, GateEdits, MadeOn, SampleEdits
from stromagate.model.gates import (
    NOT_SEPARABLE,
    Axis,
    Boolean,
    Ellipse,
    GateNode,
    GateTree,
    Geometry,
    Interval,
    Polygon,
    QuadrantPart,
    Rectangle,
    Spans,
)
from stromagate.model.template import GateStep, GatingTemplate
from stromagate.prepare.prepared import Prepared
from tests.gating.tubes import ASINH, LINEAR, LOGICLE, Grower, ready, shown, stained

STEPS: tuple[dict[str, Any], ...] = (
    {"name": "cells", "parent": "all", "gate": {"method": "fixed", "axis": "X", "low": 2.0}},
    {"name": "bright", "parent": "cells", "gate": {"method": "tail", "axis": "Y", "keep": "above"}},
    {"name": "brightest", "parent": "bright", "gate": {"method": "fixed", "axis": "Y", "low": 60.0}},
    {"name": "late", "parent": "bright", "gate": {"method": "valley", "axis": "X", "keep": "above"}},
    {"name": "dull", "parent": "cells", "gate": {"method": "boolean", "operation": "none", "of": ["bright"]}},
    {
        "name": "neither",
        "parent": "cells",
        "gate": {"method": "boolean", "operation": "none", "of": ["bright", "late"]},
    },
)


def tube() -> Prepared:
    """Ten events: too few for `tail` and `valley`, so that both are not evaluable."""
    values = np.column_stack([np.arange(10), np.arange(10) * 10]).astype(np.float32)
    return ready(values, ("X", "Y"), {name: Axis(name, LINEAR, False) for name in ("X", "Y")})


def fitted(prepared: Prepared) -> tuple[Gated, dict[str, list[GateStep]]]:
    template = GatingTemplate.model_validate(
        {
            "format": "stromagate.template/1",
            "name": "t",
            "version": "1.0.0",
            "status": "local",
            "title": "t",
            "panel": {"required": []},
            "populations": STEPS,
        }
    )
    gates = {
        spec.name: [GateStep(spec.gate.method, methods.get(spec.gate.method).params.model_validate(spec.gate.params))]
        for spec in template.populations
    }
    return gate(prepared, template, gates=gates), gates


def edit(population: str, geometry: Geometry, **more: str) -> GateEdit:
    said = {"who": "Reader B", "when": "2026-03-01T18:00:00Z", "why": "debris", **more}
    return GateEdit(population=population, geometry=geometry, **said)


def edits(found: Gated | GateTree, *made: GateEdit, **more: Any) -> SampleEdits:
    tree = found.tree if isinstance(found, Gated) else found
    return SampleEdits(sample_id="tube", tree_sha256=tree.digest(), edits=made, **more)


def problems(caught: pytest.ExceptionInfo[DocumentError]) -> list[tuple[str, str]]:
    return [(problem.path, problem.message) for problem in caught.value.problems]


def known(*nodes: GateNode) -> Gated:
    """Return nodes as the outcome of a fit; members do not matter."""
    return Gated(GateTree(nodes, tube().axes), {}, {"all": 10, **{node.name: 5 for node in nodes}})


def test_the_named_gate_moves_and_all_others_stay_as_fitted() -> None:
    prepared = tube()
    found, gates = fitted(prepared)
    done = apply(prepared, found, edits(found, edit("cells", Interval("X", 5.0, 9.0))), gates=gates)
    moved = done.gated.tree.node("cells")
    assert (moved.state, moved.edited_by, moved.method, moved.source) == (
        "edited",
        "Reader B",
        "fixed",
        "drawn by hand",
    )
    assert moved.sentence == (
        "X from 5 and X below 9, drawn by hand by Reader B on 2026-03-01T18:00:00Z: debris; "
        "the boundary before: X from 2 (fixed, fixed)"
    )
    assert done.gated.members["cells"].tolist() == [5, 6, 7, 8]
    assert done.gated.counts == {
        "all": 10,
        "cells": 4,
        **dict.fromkeys(("bright", "brightest", "late", "dull", "neither")),
    }
    assert done.fitted_counts == found.counts
    assert found.counts["cells"] == 8
    assert [node.geometry for node in done.replaced] == [Interval("X", 2.0, None)]
    assert found.tree.node("cells").state == "fixed"


def test_what_the_template_holds_comes_back_below_a_boundary_drawn_where_none_was() -> None:
    prepared = tube()
    found, gates = fitted(prepared)
    assert [node.name for node in found.tree.nodes if node.geometry is None] == [s["name"] for s in STEPS[1:]]
    done = apply(prepared, found, edits(found, edit("bright", Interval("Y", 40.0, None))), gates=gates)
    assert done.gated.counts == {
        "all": 10,
        "cells": 8,
        "bright": 6,
        "brightest": 4,
        "late": None,
        "dull": 2,
        "neither": None,
    }
    states = {node.name: node.state for node in done.gated.tree.nodes}
    assert states["brightest"] == states["dull"] == "fixed"
    assert states["late"] == states["neither"] == "not_evaluable"
    assert done.gated.tree.node("late").sentence.endswith("nothing is fitted after an edit: draw this boundary too")
    assert "nothing is fitted" not in done.gated.tree.node("neither").sentence
    assert "none: " in done.gated.tree.node("bright").sentence
    # Drawn too, the last ones are there as well, and the whole tree is what its replay gives.
    both = edits(found, edit("bright", Interval("Y", 40.0, None)), edit("late", Interval("X", 7.0, None)))
    done = apply(prepared, found, both, gates=gates)
    assert (done.gated.counts["late"], done.gated.counts["neither"]) == (3, 2)
    assert_is_its_replay(prepared, done)


def test_without_the_template_s_gates_nothing_comes_back_by_itself() -> None:
    prepared = tube()
    found, _ = fitted(prepared)
    done = apply(prepared, found, edits(found, edit("bright", Interval("Y", 40.0, None))))
    assert (done.gated.counts["bright"], done.gated.counts["brightest"]) == (6, None)


def test_an_edit_that_would_do_nothing_is_refused() -> None:
    prepared = tube()
    found, gates = fitted(prepared)
    with pytest.raises(DocumentError) as caught:
        apply(prepared, found, edits(found, edit("late", Interval("X", 7.0, None))), gates=gates)
    assert problems(caught) == [
        ("edits[0].population", "'late' stands on 'bright', which could not be evaluated on this tube")
    ]
    boolean = edits(found, edit("dull", Boolean("any", ("late", "cells"))))
    with pytest.raises(DocumentError, match="'dull' stands on 'late'"):
        apply(prepared, found, boolean, gates=gates)


def test_everything_wrong_is_said_at_once_with_the_nearest_names() -> None:
    prepared = tube()
    found, _ = fitted(prepared)
    found = replace(found, left_out={"cd105": "cd105 needs CD105, which this tube does not carry"})
    bad = edits(
        found,
        edit("cels", Interval("X", 1.0, None)),
        edit("cd105", Interval("X", 1.0, None)),
        edit("cells", Interval("XX", 3.0, 2.0)),
        edit("cells", Boolean("any", ("dulll", "bright"))),
        edit("dull", Polygon(("X", "Y"), ((0.0, 0.0), (1.0, 1.0), (2.0, 2.0)))),
        edit("neither", Boolean("any", ("late", "neither", "dul"))),
    )
    with pytest.raises(DocumentError) as caught:
        apply(prepared, found, bad)
    assert caught.value.exit_code == 4
    assert [path for path, _ in problems(caught)] == [
        "edits[0].population",
        "edits[1].population",
        "edits[2].geometry",
        "edits[2].geometry",
        "edits[3].population",
        "edits[3].geometry",
        "edits[3].geometry",
        "edits[4].geometry",
        "edits[5].geometry",
        "edits[5].geometry",
    ]
    text = str(caught.value)
    for said in (
        "did you mean 'cells'?",
        "this tube has no 'cd105': cd105 needs CD105",
        "this tube carries no XX (did you mean 'X'?",
        "runs from 3 to 2 and can hold no event",
        "'cells' is edited twice",
        "it combines 'bright', which does not stand above it",
        "the polygon encloses no area",
        "it combines 'neither', which does not stand above it",
        "it combines 'dul', which does not stand above it (did you mean 'dull'?)",
    ):
        assert said in text, said


def test_edits_of_another_tree_are_refused_and_say_what_to_do() -> None:
    prepared = tube()
    found, _ = fitted(prepared)
    other = edits(found, edit("cells", Interval("X", 5.0, None))).model_copy(update={"tree_sha256": "0" * 64})
    with pytest.raises(SpecificationError, match="000000000000 is not") as caught:
        apply(prepared, found, other)
    assert (caught.value.code, caught.value.exit_code) == ("edits.tree", 4)
    assert "the template, the file, the seed" in caught.value.message
    assert found.tree.digest() in (caught.value.hint or "")


def made(**changes: Any) -> MadeOn:
    fields = {
        "file_sha256": "a" * 64,
        "template_sha256": "b" * 64,
        "stromagate": "0.1.0",
        "libraries": {"numpy": "2.1", "scipy": "1.14"},
        "config": RunConfig(edits="e.json", file_sha256={"edits": "1" * 64, "compensation": "2" * 64}),
        "controls": ("c" * 64,),
    }
    return MadeOn(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"file_sha256": "f" * 64}, "the file (aaaaaaaaaaaa, now ffffffffffff)"),
        ({"template_sha256": "f" * 64}, "the template (bbbbbbbbbbbb, now ffffffffffff)"),
        ({"controls": ("c" * 64, "d" * 64)}, "the controls (1, now 2)"),
        ({"stromagate": "0.2.0"}, "stromagate (0.1.0, now 0.2.0)"),
        ({"libraries": {"numpy": "2.2", "scipy": "1.14"}}, "numpy (2.1, now 2.2)"),
        ({"config": made().config.model_copy(update={"seed": 7, "grid": 64, "edits": None})}, "seed (0, now 7)"),
        (
            {"config": made().config.model_copy(update={"file_sha256": {"edits": "9" * 64, "compensation": "3" * 64}})},
            "the content of the compensation file",
        ),
    ],
)
def test_a_refusal_names_what_changed_and_nothing_else(changes: dict[str, Any], said: str) -> None:
    prepared = tube()
    found, _ = fitted(prepared)
    other = SampleEdits(
        sample_id="tube", tree_sha256="0" * 64, edits=(edit("cells", Interval("X", 5.0, None)),), made_on=made()
    )
    with pytest.raises(SpecificationError) as caught:
        apply(prepared, found, other, now=made(**changes))
    assert caught.value.message.endswith(f"what changed since: {said}")


@pytest.mark.parametrize(
    ("before", "after", "spread"),
    [
        (Interval("dye0", 0.5, None), Interval("dye0", 0.6, None), 0.02),
        (Interval("dye0", 0.5, None), Rectangle(("dye0", "X"), (0.6, 1.0), (None, None)), 0.02),
        # The same number of decades on a scale of five decades instead of four and a half.
        (Interval("dye0", 0.5, None), Interval("dye1", 0.6, None), 0.02 * 4.5 / 5.0),
        (Interval("dye0", 0.5, None), Interval("X", 1.0, None), None),
        (Interval("X", 5.0, None), Interval("dye0", 0.6, None), None),
        (Interval("dye0", 0.5, None), Boolean("any", ()), None),
    ],
)
def test_a_hand_is_no_surer_than_the_fit_was(before: Geometry, after: Geometry, spread: float | None) -> None:
    values = np.ones((4, 3), dtype=np.float32)
    axes = {"X": Axis("X", LINEAR, False), "dye0": Axis("D0", LOGICLE, False), "dye1": Axis("D1", ASINH, False)}
    prepared = ready(values, ("X", "D0", "D1"), axes)
    node = GateNode("p", "all", "tail", before, "fitted", "as fitted", spread=0.02)
    found = Gated(GateTree((node,), axes), {}, {"all": 4, "p": 4})
    moved = apply(prepared, found, edits(found, edit("p", after))).gated.tree.node("p")
    assert moved.spread == (None if spread is None else pytest.approx(spread))
    assert ("is not known" in moved.sentence) == (spread is None)


def test_a_doubt_about_the_boundary_before_is_none_about_the_one_drawn_by_hand() -> None:
    shared: dict[str, Any] = {"method": "tail", "state": "fitted", "sentence": "", "doubts": (NOT_SEPARABLE,)}
    found = known(
        GateNode("p", "all", geometry=Interval("X", 1.0, None), **shared),
        GateNode("q", "all", geometry=Interval("Y", 1.0, None), **shared),
    )
    done = apply(tube(), found, edits(found, edit("p", Interval("X", 2.0, None))))
    assert {node.name: node.doubts for node in done.gated.tree.nodes} == {"p": (), "q": (NOT_SEPARABLE,)}
    assert done.replaced[0].doubts == (NOT_SEPARABLE,)


def test_what_a_person_says_stays_on_one_line() -> None:
    found = known(GateNode("p", "all", "fixed", Interval("X", 1.0, None), "fixed", ""))
    spoken = edit("p", Interval("X", 2.0, None), who=" A\nB ", why="first\n\n second\tthird")
    node = apply(tube(), found, edits(found, spoken)).gated.tree.node("p")
    assert node.edited_by == "A B"
    assert "by A B on 2026-03-01T18:00:00Z: first second third; the boundary" in node.sentence


def assert_is_its_replay(prepared: Prepared, done: Edited) -> None:
    again = members(prepared, done.gated.tree)
    assert list(again) == list(done.gated.members)
    for name, rows in again.items():
        assert np.array_equal(rows, done.gated.members[name])
        assert done.gated.counts[name] == len(rows)


def grown(seed: int, n: int = 3_000) -> tuple[Prepared, Gated]:
    """Return a made-up tube with a random tree that counts as fitted."""
    values, pnn, axes, spill = stained(seed, n)
    columns = {axis: shown(values, pnn, GateTree((), axes, spill), axis) for axis in axes}
    prepared = ready(values, pnn, axes, spill)
    tree = GateTree(Grower(seed, columns).nodes(8), axes, spill)
    found = members(prepared, tree)
    return prepared, Gated(tree, found, {name: len(rows) for name, rows in found.items()})


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 40), which=st.integers(0, 7), donor=st.integers(0, 7))
def test_there_and_back_again(seed: int, which: int, donor: int) -> None:
    """Editing to the same geometry changes no event, another geometry is replayed, and going back undoes it."""
    prepared, found = grown(seed)
    node, other = found.tree.nodes[which], found.tree.nodes[donor].geometry
    assert node.geometry is not None
    assert other is not None
    same = apply(prepared, found, edits(found, edit(node.name, node.geometry))).gated
    assert same.counts == found.counts
    assert all(np.array_equal(same.members[name], rows) for name, rows in found.members.items())
    above = {"all", *(item.name for item in found.tree.nodes[:which])}
    if isinstance(other, Boolean) and not set(other.of) <= above:
        return
    moved = apply(prepared, found, edits(found, edit(node.name, other)))
    assert_is_its_replay(prepared, moved)
    assert [item for item in moved.gated.tree.nodes if item.name != node.name] == [
        item for item in found.tree.nodes if item.name != node.name
    ]
    back = apply(prepared, moved.gated, edits(moved.gated, edit(node.name, node.geometry))).gated
    assert back.counts == found.counts


finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
bound = st.none() | finite
pair = st.tuples(finite, finite)
GEOMETRIES = st.one_of(
    st.builds(Interval, st.just("CD271"), bound, bound, st.booleans()),
    st.builds(Rectangle, st.just(("CD271", "CD146")), st.tuples(bound, bound), st.tuples(bound, bound), st.booleans()),
    st.builds(Polygon, st.just(("CD271", "CD146")), st.lists(pair, min_size=3, max_size=9).map(tuple), st.booleans()),
    st.builds(
        Ellipse,
        st.just(("CD271", "CD146")),
        pair,
        st.tuples(pair, pair),
        finite,
        st.booleans(),
    ),
    st.builds(
        QuadrantPart,
        st.just(("CD271", "CD146")),
        pair,
        st.tuples(st.sampled_from(["above", "below"]), st.sampled_from(["above", "below"])),
    ),
    st.builds(Spans, st.just("Time"), st.lists(pair, max_size=5).map(tuple)),
    st.builds(Boolean, st.sampled_from(["all", "any", "none"]), st.lists(st.sampled_from("abc")).map(tuple)),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(geometry=GEOMETRIES)
def test_every_geometry_survives_json_to_the_last_bit(geometry: Geometry) -> None:
    document = GateEdits(samples=(SampleEdits(sample_id="a", tree_sha256="0" * 64, edits=(edit("p", geometry),)),))
    again = GateEdits.model_validate_json(document.model_dump_json(), strict=True)
    assert again == document
    assert again.samples[0].edits[0].geometry == geometry
    assert type(again.samples[0].edits[0].geometry) is type(geometry)
