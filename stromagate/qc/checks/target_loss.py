"""Whether a boundary on the way to the rare cells cuts through them: many alike lie just beyond it.

All gates on the way are looked at, one after the other, with the others held: a valley of another marker, or a cut
beyond autofluorescent cells, can take most of the target away while the count itself looks well placed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import takewhile

from stromagate.model.detection import LOD_FLOOR_EVENTS
from stromagate.model.gates import ROOT, Boolean, GateNode
from stromagate.model.result import Finding
from stromagate.model.sample import Rows
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.straight import Cut, cut, within
from stromagate.qc.targets import Edges, deciding, edges_of, is_scatter, no_target, path_to, targets
from stromagate.qc.verdict import judge, not_applicable
from stromagate.qc.wording import events, percent

_BEYOND_DECADES = 0.2
# Voltages of scatter differ by more between instruments than stains do, and gates by size have fixed edges.
_BEYOND_SCATTER_DECADES = 0.3
# Straight edges must give the population itself, or what lies beyond one of them means nothing.
_OTHERWISE_FRAC = 0.1


def look(evidence: Evidence) -> list[Finding]:
    """Judge, for each index population, the gate that removes most of what would be in it a little further out.

    A target within another target parts a continuum as a rule: how much its count hangs on that edge is Q23's matter.
    """
    every = targets(evidence)
    outer = [name for name in every if not {node.name for node in path_to(evidence, name)[:-1]} & set(every)]
    return [_one(evidence, name) for name in outer] or [no_target(CHECK)]


def _one(evidence: Evidence, name: str) -> Finding:
    called, count = evidence.called(name), evidence.counts[name]
    if count is None:
        return not_applicable(CHECK, f"{called} could not be evaluated.", name)
    base = _base(evidence, name)
    # The rarest gates are the last ones.
    gates = [gate for gate in reversed(deciding(evidence, name)) if _is_movable(gate[0])]
    cuts = [cut(evidence, node, keep=keep) for node, keep in gates]
    if not any(_outward(item) != item for item in cuts):
        return not_applicable(CHECK, f"{called} has no boundary that could lie further out.", name)
    near = within(evidence, evidence.members[base], [_outward(item) for item in cuts])
    kept = within(evidence, near, cuts).size
    if abs(kept - count) > _OTHERWISE_FRAC * max(count, LOD_FLOOR_EVENTS):
        return not_applicable(CHECK, f"{called} is not cut by straight edges alone.", name)
    widened = {gates[place][0]: n for place, n in _counts(evidence, near, cuts)}
    worst = max(widened, key=lambda gate: widened[gate])
    if widened[worst] < LOD_FLOOR_EVENTS:
        alike = f"{events(widened[worst])} look like {called}, with what lies just beyond its boundaries"
        return not_applicable(CHECK, f"{alike}: too few to judge a loss by.", name)
    lost_pct = 100 * (widened[worst] - kept) / widened[worst]
    sentence = (
        f"Of {events(widened[worst])} that would be {called} if the boundary of {evidence.called(worst.name)} lay "
        f"{_decades(edges_of(worst.geometry)):g} decade further out, it removes {percent(lost_pct)}."
    )
    return judge(CHECK, lost_pct, sentence, remedy=_REMEDY, population=name)


def _base(evidence: Evidence, name: str) -> str:
    """Return the last population on the way before the first one that is made by edges: singlets, as a rule."""
    trunk = takewhile(lambda node: not _is_movable(node) and not _is_boolean(node), path_to(evidence, name))
    return [ROOT, *(node.name for node in trunk if node.name != name)][-1]


def _is_boolean(node: GateNode) -> bool:
    return isinstance(node.geometry, Boolean)


def _is_movable(node: GateNode) -> bool:
    return node.method not in {"time", "margin", "singlet"} and bool(edges_of(node.geometry))


def _counts(evidence: Evidence, near: Rows, cuts: list[Cut]) -> Iterator[tuple[int, int]]:
    """Yield the place of each gate, and how many rows there are with that gate alone further out.

    Gates on the same axes move together, as one may stand just behind the other; the rarest of them is named.
    """
    for axes in dict.fromkeys(tuple(edges) for edges, _ in cuts):
        moved = [_outward(item) if tuple(item[0]) == axes else item for item in cuts]
        yield next(i for i, (edges, _) in enumerate(cuts) if tuple(edges) == axes), within(evidence, near, moved).size


def _outward(item: Cut) -> Cut:
    """Return a cut whose positive edges are moved so that it keeps more."""
    edges, keep = item
    factor = 10.0 ** (_decades(edges) if keep else -_decades(edges))
    return {axis: _scaled(pair, factor) for axis, pair in edges.items()}, keep


def _decades(edges: Mapping[str, Edges]) -> float:
    return _BEYOND_SCATTER_DECADES if all(is_scatter(axis) for axis in edges) else _BEYOND_DECADES


def _scaled(pair: Edges, factor: float) -> Edges:
    low, high = pair
    return (
        low / factor if low is not None and low > 0 else low,
        high * factor if high is not None and high > 0 else high,
    )


_REMEDY = "Look at that boundary: if it cuts through the cells, move it; the count is too low, or not separable there."

CHECK = Check(
    code="Q39",
    stage="gating",
    title="target not cut by a boundary",
    run=look,
    not_of_controls=BACKGROUND,
    warn=25.0,
    fail=50.0,
    unit="%",
)
