"""Boundaries that a person moved, put into a fitted tree: those and no others, and members by replay of the outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from stromagate.errors import DocumentError, Problem, SpecificationError, did_you_mean, nearest
from stromagate.gating import replay
from stromagate.gating.engine import Gated
from stromagate.gating.geometry import check
from stromagate.gating.method import methods
from stromagate.gating.population import AbsentAxisError, Population, no_others
from stromagate.gating.tree import evaluable
from stromagate.gating.wording import listed, number
from stromagate.model.gates import ROOT, Axis, Boolean, GateNode, GateTree, Geometry, combined, straight_edges

if TYPE_CHECKING:
    from stromagate.model.edits import GateEdit, MadeOn, SampleEdits
    from stromagate.model.template import GateStep
    from stromagate.prepare.prepared import Prepared

BY_HAND = "drawn by hand"
LATER = "what it stands on has been edited since, and nothing is fitted after an edit: draw this boundary too"
# What of a configuration can move no boundary of the fitted tree.
_SAFE = frozenset({"edits", "file_sha256", "confidence", "interval", "boundary_draws", "grid"})


@dataclass(frozen=True, slots=True)
class Edited:
    """A tube after the edits, and what they took the place of.

    Attributes
    ----------
    gated : Gated
        Tree with the edits in it, members and counts by its replay.
    replaced : tuple of GateNode
        The edited gates as they were fitted, in the tree's order.
    fitted_counts : mapping of str to int or None
        Number of events by population before the edits.
    """

    gated: Gated
    replaced: tuple[GateNode, ...]
    fitted_counts: Mapping[str, int | None]


def apply(
    prepared: Prepared,
    gated: Gated,
    sample: SampleEdits,
    *,
    gates: Mapping[str, Sequence[GateStep]] | None = None,
    now: MadeOn | None = None,
) -> Edited:
    """Put a person's boundaries into a tube's fitted tree.

    Every other boundary stays exactly as it was fitted. A population that had none because its parent had none gets one
    only where the template itself holds it (a fixed, drawn or Boolean gate); nothing is fitted again.

    Parameters
    ----------
    prepared : Prepared
        The tube.
    gated : Gated
        As the template was fitted on it.
    sample : SampleEdits
        The edits, bound to the digest of the fitted tree.
    gates : mapping of str to sequence of GateStep, optional
        The template's gates, for those that it holds itself.
    now : MadeOn, optional
        What this tree was fitted from, so that a refusal can name what changed.

    Returns
    -------
    Edited

    Raises
    ------
    SpecificationError
        The edits were made on another tree.
    DocumentError
        Everything that is wrong with the edits on this tube, at once.
    """
    _same_tree(gated.tree, sample, now)
    tree = edited_tree(prepared, gated.tree, sample.edits, f"edits of {sample.sample_id}", gates, gated.left_out)
    members = replay.members(prepared, tree)
    counts = {name: len(members[name]) if name in members else None for name in (ROOT, *(n.name for n in tree.nodes))}
    outcome = Gated(tree, MappingProxyType(members), MappingProxyType(counts), gated.left_out)
    moved = {edit.population for edit in sample.edits}
    replaced = tuple(node for node in gated.tree.nodes if node.name in moved)
    return Edited(outcome, replaced, MappingProxyType(dict(gated.counts)))


def edited_tree(
    prepared: Prepared,
    tree: GateTree,
    edits: Sequence[GateEdit],
    where: str,
    gates: Mapping[str, Sequence[GateStep]] | None = None,
    left_out: Mapping[str, str] | None = None,
) -> GateTree:
    """Return a fitted tree with a person's boundaries in it, without asking who is within them.

    Parameters
    ----------
    prepared : Prepared
        The tube.
    tree : GateTree
        As the template was fitted on it.
    edits : sequence of GateEdit
        The edits.
    where : str
        What an error calls them.
    gates : mapping of str to sequence of GateStep, optional
        The template's gates, for those that it holds itself.
    left_out : mapping of str to str, optional
        Populations that the tube does not have, and why.

    Raises
    ------
    DocumentError
        Everything that is wrong with the edits on this tube, at once.
    """
    problems = [
        Problem(None, f"edits[{index}].{place}", message, hint)
        for index, edit in enumerate(edits)
        for place, message, hint in _faults(index, edits, tree, left_out or {})
    ]
    if problems:
        raise DocumentError("edits.tube", where, problems)
    by_name = {edit.population: edit for edit in edits}
    edited = replace(tree, nodes=tuple(_put(prepared, tree, by_name, gates or {})))
    able = evaluable(edited)
    lost = [_idle(index, edit, edited) for index, edit in enumerate(edits) if edit.population not in able]
    if lost:
        raise DocumentError("edits.tube", where, lost)
    return edited


def _same_tree(tree: GateTree, sample: SampleEdits, now: MadeOn | None) -> None:
    digest = tree.digest()
    if digest == sample.tree_sha256:
        return
    changed = list(_changes(sample.made_on, now)) if sample.made_on and now else []
    what = (
        f"what changed since: {'; '.join(changed)}"
        if changed
        else "the template, the file, the seed, a setting, the controls or the program changed since"
    )
    raise SpecificationError(
        "edits.tree",
        f"these edits were made on other boundaries than those fitted now ({sample.tree_sha256[:12]} is not "
        f"{digest[:12]}): {what}",
        where=sample.sample_id,
        hint="run without --edits, look at the tube again, and start a new document: stromagate edits DIR --sample "
        f"{sample.sample_id} --population NAME; what is fitted now has the SHA-256 {digest}",
    )


def _changes(was: MadeOn, now: MadeOn) -> Iterator[str]:
    """Yield what differs between what two trees were fitted from."""
    for called, old, new in (
        ("the file", was.file_sha256, now.file_sha256),
        ("the template", was.template_sha256, now.template_sha256),
    ):
        if old != new:
            yield f"{called} ({old[:12]}, now {new[:12]})"
    if was.controls != now.controls:
        yield f"the controls ({len(was.controls)}, now {len(now.controls)})"
    old_set, new_set = (made.config.model_dump(exclude=set(_SAFE)) for made in (was, now))
    for name in sorted(key for key in new_set if old_set.get(key) != new_set[key]):
        yield f"{name} ({old_set.get(name)}, now {new_set[name]})"
    files = [{key: sha for key, sha in made.config.file_sha256.items() if key != "edits"} for made in (was, now)]
    for name in sorted(key for key in files[0].keys() | files[1].keys() if files[0].get(key) != files[1].get(key)):
        yield f"the content of the {name} file"
    if was.stromagate != now.stromagate:
        yield f"stromagate ({was.stromagate}, now {now.stromagate})"
    for name in sorted(was.libraries.keys() | now.libraries.keys()):
        if was.libraries.get(name) != now.libraries.get(name):
            yield f"{name} ({was.libraries.get(name)}, now {now.libraries.get(name)})"


def _faults(
    index: int, edits: Sequence[GateEdit], tree: GateTree, left_out: Mapping[str, str]
) -> Iterator[tuple[str, str, str | None]]:
    """Yield what is wrong with one edit: the part of it, what, and what would be right."""
    edit, names = edits[index], [node.name for node in tree.nodes]
    name = edit.population
    if name in left_out:
        yield "population", f"this tube has no '{name}': {left_out[name]}", None
    elif name not in names:
        yield "population", f"no population is named '{name}'", did_you_mean(name, names)
    if name in [earlier.population for earlier in edits[:index]]:
        yield "population", f"'{name}' is edited twice", "keep one edit a population"
    for axis in edit.geometry.axes:
        if axis not in tree.axes:
            yield "geometry", f"this tube carries no {axis}", did_you_mean(axis, tree.axes)
    if isinstance(edit.geometry, Boolean):
        above = names[: names.index(name)] if name in names else names
        for other in edit.geometry.of:
            if other not in above:
                close = nearest(other, above)
                hint = f"did you mean '{close}'?" if close else "combine populations that stand above it"
                yield "geometry", f"it combines '{other}', which does not stand above it", hint
    try:
        check(edit.geometry)
    except SpecificationError as error:
        yield "geometry", error.message, error.hint


def _put(
    prepared: Prepared, tree: GateTree, edits: Mapping[str, GateEdit], gates: Mapping[str, Sequence[GateStep]]
) -> Iterator[GateNode]:
    """Yield the tree's nodes with the edits in them, and those that have a boundary only now."""
    moved: set[str] = set()
    able = {ROOT}
    for node in tree.nodes:
        steps = gates.get(node.name, ())
        found = _edited(node, edits[node.name], tree.axes) if node.name in edits else node
        stands_on = {found.parent, *_combined(found, steps)}
        if node.name not in edits and node.geometry is None and stands_on & moved and stands_on <= able:
            found = _written(prepared, node, steps)
        if found.geometry is not None and stands_on <= able:
            able.add(node.name)
        if found.geometry is not None and (node.name in edits or stands_on & moved):
            moved.add(node.name)
        yield found


def _combined(node: GateNode, steps: Sequence[GateStep]) -> tuple[str, ...]:
    """Return the populations that a gate looks at besides its parent."""
    if node.geometry is None:
        return steps[0].params.populations_used() if steps else ()
    return combined(node.geometry)


def _edited(node: GateNode, edit: GateEdit, axes: Mapping[str, Axis]) -> GateNode:
    before = node.geometry
    was = f"{_shape(before)} ({node.method}, {node.state.replace('_', ' ')})" if before else f"none: {node.sentence}"
    spread = _kept_spread(node, edit.geometry, axes)
    unsure = "; how sure the new boundary is, is not known" if spread is None and node.spread is not None else ""
    return replace(
        node,
        geometry=edit.geometry,
        state="edited",
        sentence=f"{_shape(edit.geometry)}, {BY_HAND} by {_one_line(edit.who)} on {edit.when}: {_one_line(edit.why)}; "
        f"the boundary before: {was}{unsure}",
        spread=spread,
        spread_second=node.spread_second if node.geometry and node.geometry.axes == edit.geometry.axes else None,
        source=BY_HAND,
        edited_by=_one_line(edit.who),
        doubts=(),  # they were of the boundary before, whose node stands among the replaced ones
    )


def _kept_spread(node: GateNode, geometry: Geometry, axes: Mapping[str, Axis]) -> float | None:
    """Return the fitted spread on the new boundary's first axis: a hand is no surer than the fit was.

    From one display scale to another it goes by decades; linear axes have none to go by.
    """
    if node.spread is None or node.geometry is None or not node.geometry.axes or not geometry.axes:
        return None
    old, new = node.geometry.axes[0], geometry.axes[0]
    if old == new:
        return node.spread
    scales = [axes[name].scale for name in (old, new)]
    if any(scale.kind == "linear" for scale in scales):
        return None
    old_decades, new_decades = (scale.decades + scale.negative_decades for scale in scales)
    return node.spread * old_decades / new_decades


def _written(prepared: Prepared, node: GateNode, steps: Sequence[GateStep]) -> GateNode:
    """Return a node that was not evaluable with the boundary that its template holds, or told to be drawn too."""
    if steps and (method := methods.get(steps[0].method)).written:
        everything = Population(prepared, ROOT, None, no_others)
        try:
            fit = method.fit(everything, steps[0].params, np.random.Generator(np.random.PCG64(0)))
        except AbsentAxisError:
            return node
        return replace(
            node,
            geometry=fit.geometry,
            state=fit.state,
            sentence=fit.sentence,
            spread=fit.spread,
            source=fit.source,
            doubts=fit.doubts,
        )
    return replace(node, sentence=f"{node.sentence}; {LATER}")


def _idle(index: int, edit: GateEdit, tree: GateTree) -> Problem:
    """Return what keeps an edited boundary from having an effect."""
    node, able = tree.node(edit.population), evaluable(tree)
    missing = listed((f"'{name}'" for name in node.stands_on if name not in able), "and")
    return Problem(
        None,
        f"edits[{index}].population",
        f"'{node.name}' stands on {missing}, which could not be evaluated on this tube",
        "draw that boundary too",
    )


def _shape(geometry: Geometry) -> str:
    """Return a boundary in a few words, numbers in display units."""
    if isinstance(geometry, Boolean):
        return f"{geometry.operation} of {listed(geometry.of, 'and') if geometry.of else 'nothing'}"
    edges = [f"{axis} {side} {number(at)}" for axis, side, at in straight_edges(geometry)]
    if geometry.kind in {"interval", "rectangle", "quadrant"} and edges:
        outside = "" if getattr(geometry, "inside", True) else "outside of "
        return outside + listed(edges, "and")
    return f"{geometry.kind} on {listed(geometry.axes, 'and')}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
