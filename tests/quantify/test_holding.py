"""Which populations hold all events of another: read off the tree, true of every event, and no more than that."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.model.gates import ROOT, Boolean, GateTree
from stromagate.model.holding import holders
from stromagate.pipeline.template import load_template
from tests.quantify.test_statistics import node, tree_of

WITH_BLASTS = tree_of(
    node("viable", ROOT),
    node("any_cd45pos", "viable"),
    node("msc", "viable"),
    node("progenitors", "msc"),
    node("others", "viable", Boolean("none", ("msc",))),
    node("cd45pos", "viable", Boolean("all", ("any_cd45pos", "others"))),
    node("blasts", "cd45pos"),
    node("dim", "viable"),
    node("non_blast", "viable", Boolean("none", ("blasts",))),
    node("non_dim", "viable", Boolean("none", ("blasts", "dim"))),
)


def test_what_is_left_after_blasts_holds_the_msc_that_are_none() -> None:
    held = holders(WITH_BLASTS)
    assert {"non_blast", "viable", ROOT} <= held["msc"]
    assert "non_blast" in held["progenitors"]
    assert "non_blast" not in held["cd45pos"]
    assert "non_blast" not in held["blasts"]
    # "dim" may hold MSC, for all that the tree says
    assert "non_dim" not in held["msc"]
    # what is left after more was taken out is held by what is left after less
    assert "non_blast" in held["non_dim"]
    assert "non_dim" not in held["non_blast"]


def test_nothing_holds_itself_and_the_root_is_held_by_none() -> None:
    held = holders(WITH_BLASTS)
    assert held[ROOT] == frozenset()
    assert all(name not in above for name, above in held.items())


def test_msc_of_the_shipped_trunk_are_a_share_of_what_is_no_blast() -> None:
    populations = load_template("bm_stroma_core").template.populations
    nodes = []
    for item in populations:
        params = item.gate.params
        gate = Boolean(params["operation"], tuple(params["of"])) if item.gate.method == "boolean" else None
        nodes.append(node(item.name, item.parent, gate))
    held = holders(GateTree(tuple(nodes), {}))
    for name in ("msc", "progenitors", "endothelium"):
        assert "non_blast" in held[name]
        assert "cd45pos" not in held[name]


@st.composite
def trees(draw: st.DrawFn) -> tuple[GateTree, dict[str, set[int]]]:
    """A tree of gates of its own and combinations, and the events in each."""
    made, members = [], {ROOT: set(range(12))}
    for index in range(draw(st.integers(2, 9))):
        parent = draw(st.sampled_from(sorted(members)))
        others = sorted(set(members) - {ROOT})
        if others and draw(st.booleans()):
            of = tuple(draw(st.lists(st.sampled_from(others), min_size=1, max_size=3, unique=True)))
            operation = draw(st.sampled_from(["all", "any", "none"]))
            sets = [members[name] for name in of]
            inside = set.intersection(*sets) if operation == "all" else set.union(*sets)
            kept = members[parent] - inside if operation == "none" else members[parent] & inside
            made.append(node(f"p{index}", parent, Boolean(operation, of)))
        else:
            kept = members[parent] & set(draw(st.lists(st.integers(0, 11))))
            made.append(node(f"p{index}", parent))
        members[f"p{index}"] = kept
    return tree_of(*made), members


@settings(derandomize=True, deadline=None, max_examples=150)
@given(trees())
def test_whoever_holds_another_has_all_of_its_events(made: tuple[GateTree, dict[str, set[int]]]) -> None:
    tree, members = made
    for name, above in holders(tree).items():
        for holder in above:
            assert members[name] <= members[holder], (name, holder)
