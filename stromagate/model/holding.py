"""Which populations hold all events of another by the way both were gated: what a share needs, and a ratio must not be.

Read off the tree alone, never off the events of one tube: two populations that happen to share all or none of theirs
would be a share in one tube and a ratio in the next.
"""

from __future__ import annotations

from collections.abc import Mapping

from stromagate.model.gates import ROOT, Boolean, GateNode, GateTree


def holders(tree: GateTree) -> dict[str, frozenset[str]]:
    """Return, for every population, those that hold all of its events by the way it was gated.

    Parents do, and so does every population that a boolean "all of" names, or that holds all an "any of" names. What is
    left of a population after others were taken out ("none of") holds all that these exclude: cells that are no blasts
    hold the MSC, where blasts are leukocytes and leukocytes were defined as no MSC.

    Parameters
    ----------
    tree : GateTree
        Populations in order, parents first.

    Returns
    -------
    dict
        By population, the root ``all`` included; no population holds itself.
    """
    held: dict[str, frozenset[str]] = {ROOT: frozenset()}
    for node in tree.nodes:
        above = held[node.parent] | {node.parent}
        if isinstance(node.geometry, Boolean) and node.geometry.of:
            named = [held[name] | {name} for name in node.geometry.of]
            if node.geometry.operation == "all":
                above = above.union(*named)
            elif node.geometry.operation == "any":
                above = above | frozenset.intersection(*named)
        held[node.name] = above
    return _with_rests(tree, held)


def _with_rests(tree: GateTree, held: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Add every "none of" population to those that hold what it cannot have lost."""
    rests = {node.name: _left_out(node) for node in tree.nodes if _left_out(node)}
    full = dict(held)
    for rest, left_out in rests.items():
        parent = tree.node(rest).parent
        for name, above in held.items():
            whole = parent in above
            if rest != name and whole and all(_apart(name, other, held, rests) for other in left_out):
                full[name] = full[name] | held[rest] | {rest}
    return full


def _left_out(node: GateNode) -> tuple[str, ...]:
    """Return what a "none of" leaves out; nothing for any other gate."""
    return node.geometry.of if isinstance(node.geometry, Boolean) and node.geometry.operation == "none" else ()


def _apart(one: str, other: str, held: Mapping[str, frozenset[str]], rests: Mapping[str, tuple[str, ...]]) -> bool:
    """Say whether two populations exclude each other: one lies in what is left after the other was taken out."""
    both = held[one] | {one}, held[other] | {other}
    return any(
        taken_out in theirs for mine, theirs in (both, both[::-1]) for name in mine for taken_out in rests.get(name, ())
    )
