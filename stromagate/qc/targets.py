"""Which populations and axes the checks look at: the template's indices, the way down to them, and their markers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from stromagate.model.detection import LOD_FLOOR_EVENTS
from stromagate.model.gates import ROOT, Boolean, GateNode, Geometry, Interval, QuadrantPart, Rectangle
from stromagate.model.panel import Binding
from stromagate.model.result import Finding
from stromagate.model.sample import Rows
from stromagate.qc.check import Check, Evidence
from stromagate.qc.verdict import not_applicable
from stromagate.qc.wording import events

Edges = tuple[float | None, float | None]


def targets(evidence: Evidence) -> list[str]:
    """Return the populations the template's indices are read from, as far as this tube has them, each once."""
    names = {node.name for node in evidence.tree.nodes}
    return [name for name in dict.fromkeys(evidence.template.indices.values()) if name in names]


def main_target(evidence: Evidence) -> str | None:
    """Return the population of the index ``msc``, else of the first index; None where there is none."""
    wanted, there = evidence.template.indices.get("msc"), targets(evidence)
    return wanted if wanted in there else next(iter(there), None)


def main_denominator(evidence: Evidence) -> str:
    """Return the first declared denominator that this tube has; all events where there is none."""
    names = {node.name for node in evidence.tree.nodes}
    return next((name for name in evidence.template.denominators if name in names), ROOT)


def read_nodes(evidence: Evidence) -> list[GateNode]:
    """Return the gates that a tube is read by: all of a stained one, of a control those above what it is an anchor of.

    A control's other boundaries, the one on the antibody it lacks before all, decide nothing: its background is counted
    on the boundaries of the stained tube.
    """
    if not evidence.is_control:
        return list(evidence.tree.nodes)
    kind, there = evidence.role.strip().casefold().partition(":")[0], {node.name for node in evidence.tree.nodes}
    needs = (need for needs in evidence.control_needs.values() for need in needs)
    anchors = {need.population for need in needs if need.role.partition(":")[0] == kind and need.population in there}
    above = {node.name for name in anchors for node in path_to(evidence, name)}
    above |= {node.name for name in anchors for node, _ in deciding(evidence, name)}
    return [node for node in evidence.tree.nodes if node.name in above]


def channels_used(evidence: Evidence) -> set[str]:
    """Return the ``$PnN`` of all axes, and those that the matrix mixes into them."""
    mixed = () if evidence.tree.compensation is None else evidence.tree.compensation.channels
    return {*(item.pnn for item in evidence.panel.bindings), *mixed}


def no_target(check: Check) -> Finding:
    """Return the finding of a check that looks at index populations where the template names none."""
    return not_applicable(check, "The template names no index population to look at.")


def each_target(check: Check, evidence: Evidence, one: Callable[[Evidence, str], Finding]) -> list[Finding]:
    """Return one finding a target; `no_target` where there is none."""
    return [one(evidence, name) for name in targets(evidence)] or [no_target(check)]


def judged_rows(check: Check, evidence: Evidence, name: str) -> Rows | Finding:
    """Return the rows of a target, shape (n,), or the finding in their stead where they are too few to judge by."""
    count, called = evidence.counts[name], evidence.called(name)
    if count is None:
        return not_applicable(check, f"{called} could not be evaluated.", name)
    if count < LOD_FLOOR_EVENTS:
        reason = f"{called} has {events(count)}, which is too few to judge by (fewer than {LOD_FLOOR_EVENTS})."
        return not_applicable(check, reason, name)
    return evidence.members[name]


def path_to(evidence: Evidence, name: str) -> list[GateNode]:
    """Return the nodes from the first gate down to the population."""
    by_name = {node.name: node for node in evidence.tree.nodes}
    path: list[GateNode] = []
    while name in by_name:
        path.insert(0, by_name[name])
        name = by_name[name].parent
    return path


def deciding(evidence: Evidence, name: str) -> list[tuple[GateNode, bool]]:
    """Return the gates that decide who is in a population, from the first down, each with the side that is kept.

    A boolean "all of" is decided by its parts and the gates above them, a "none of" by the outside of its parts.
    """
    by_name = {node.name: node for node in evidence.tree.nodes}
    found: list[tuple[GateNode, bool]] = []
    for node in path_to(evidence, name):
        if not isinstance(node.geometry, Boolean):
            found.append((node, True))
        elif node.geometry.operation == "all":
            found += [gate for part in node.geometry.of for gate in deciding(evidence, part)]
        elif node.geometry.operation == "none":
            found += [(by_name[part], False) for part in node.geometry.of if part in by_name]
    return [gate for place, gate in enumerate(found) if gate not in found[:place]]


def added(evidence: Evidence, name: str) -> list[tuple[GateNode, bool]]:
    """Return the gates that a population adds to those that decide who is in its parent."""
    above = deciding(evidence, evidence.tree.node(name).parent)
    return [gate for gate in deciding(evidence, name) if gate not in above]


def among(few: Rows, many: Rows) -> NDArray[np.bool_]:
    """Return which of some sorted rows are among other sorted rows, without looking at all of the others."""
    if not many.size:
        return np.zeros(few.size, dtype=np.bool_)
    inside: NDArray[np.bool_] = many[np.minimum(np.searchsorted(many, few), many.size - 1)] == few
    return inside


def edges_of(geometry: Geometry | None) -> dict[str, Edges]:
    """Return the straight edges of a gate by axis, in display units; empty where it has none or keeps the outside."""
    match geometry:
        case Interval():
            return {geometry.axis: (geometry.low, geometry.high)}
        case Rectangle(inside=True):
            return dict(zip(geometry.axes, zip(geometry.low, geometry.high, strict=True), strict=True))
        case QuadrantPart():
            cross = zip(geometry.axes, geometry.origin, geometry.sides, strict=True)
            return {axis: (at, None) if side == "above" else (None, at) for axis, at, side in cross}
        case _:
            return {}


def scatter(evidence: Evidence) -> Iterator[Binding]:
    """Yield the bound light-scatter axes."""
    return (item for item in evidence.panel.bindings if is_scatter(item.axis))


def fluorescence(evidence: Evidence) -> Iterator[Binding]:
    """Yield the bound axes that are neither scatter nor time."""
    channels = evidence.sample.channels
    for item in evidence.panel.bindings:
        if not is_scatter(item.axis) and item.axis != "Time" and not channels[item.channel].is_time:
            yield item


def is_scatter(axis: str) -> bool:
    """Whether an axis of a template is light scatter."""
    return axis.startswith(("FSC-", "SSC-"))
