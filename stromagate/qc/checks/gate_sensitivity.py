"""How much the rare counts hang on where exactly their boundary was put."""

from __future__ import annotations

from collections.abc import Iterator

from stromagate.model.result import Finding
from stromagate.qc.check import Check, Evidence
from stromagate.qc.straight import Cut, cut, within
from stromagate.qc.targets import added, each_target, fluorescence, judged_rows
from stromagate.qc.verdict import judge, not_applicable
from stromagate.qc.wording import events, percent

_SHIFT_DECADES = 0.1


def look(evidence: Evidence) -> list[Finding]:
    """Judge, for each index population, the largest change of its count when its own edges move by 0.1 decade."""
    return each_target(CHECK, evidence, _one)


def _one(evidence: Evidence, name: str) -> Finding:
    rows = judged_rows(CHECK, evidence, name)
    if isinstance(rows, Finding):
        return rows
    own = [cut(evidence, node, keep=keep) for node, keep in added(evidence, name)]
    if not own or not all(edges for edges, _ in own):
        return not_applicable(CHECK, f"{evidence.called(name)} is not cut by straight edges alone.", name)
    markers = {item.axis for item in fluorescence(evidence)}
    base = evidence.members[evidence.tree.node(name).parent]
    unmoved = within(evidence, base, own).size or rows.size
    changes = {
        (axis, way): 100 * (within(evidence, base, moved).size - unmoved) / unmoved
        for axis, way, moved in _moved(own, markers)
    }
    if not changes:
        return not_applicable(CHECK, f"{evidence.called(name)} has no marker's edge above zero.", name)
    axis, way = max(changes, key=lambda which: abs(changes[which]))
    change_pct = changes[axis, way]
    shift = f"{_SHIFT_DECADES:g} decade"
    sentence = (
        f"With the {axis} boundary {shift} {way}, {evidence.called(name)} would have {percent(abs(change_pct))} "
        f"{'fewer' if change_pct < 0 else 'more'} events than {unmoved:,}."
        if change_pct
        else f"No boundary of {evidence.called(name)} changes its {events(unmoved)} when it moves by {shift}."
    )
    remedy = "Read the count with that uncertainty beside its interval, which is of counting alone."
    return judge(CHECK, abs(change_pct), sentence, remedy=remedy, population=name)


def _moved(own: list[Cut], markers: set[str]) -> Iterator[tuple[str, str, list[Cut]]]:
    """Yield the cuts with one positive edge moved one way at a time."""
    for place, (edges, keep) in enumerate(own):
        for axis in (axis for axis in edges if axis in markers):
            for side in (0, 1):
                edge = edges[axis][side]
                if edge is None or edge <= 0:
                    continue
                for way, factor in (("lower", 10**-_SHIFT_DECADES), ("higher", 10**_SHIFT_DECADES)):
                    low, high = edges[axis]
                    shifted = (edge * factor, high) if side == 0 else (low, edge * factor)
                    yield axis, way, [*own[:place], ({**edges, axis: shifted}, keep), *own[place + 1 :]]


CHECK = Check(code="Q23", title="count stable under small shifts of its gate", run=look, warn=25.0, unit="% change")
