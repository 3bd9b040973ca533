"""Whether the CD146+ share hangs on CD31: endothelium is CD146-bright, and CD31 is what keeps it out.

The gates are applied again without their CD31 edges: what is then counted holds the endothelium that CD31 takes away.
Where the share rises much, the share of this tube is only as good as its CD31. Where it falls, CD31 keeps out cells
without CD146, such as plasma cells that glow: no endothelium, and none of this check's matter.
"""

from __future__ import annotations

from stromagate.model.detection import LOD_FLOOR_EVENTS
from stromagate.model.gates import ROOT
from stromagate.model.result import Finding
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.straight import Cut, cut, within
from stromagate.qc.targets import deciding, edges_of, judged_rows, no_target, path_to
from stromagate.qc.verdict import judge, not_applicable, said
from stromagate.qc.wording import events, percent

_MARKER = "CD31"
# Straight edges must give the populations themselves, or what they give without one marker means nothing.
_OTHERWISE_FRAC = 0.05
# Three cells more change the share of thirty by a fifth: only what chance rarely does is told; own choice.
_P_VALUE = 0.01


def look(evidence: Evidence) -> list[Finding]:
    """Judge how much the share of CD146+ cells in the main target rises without the CD31 gates."""
    part, whole = (evidence.template.indices.get(index, "") for index in ("progenitors", "msc"))
    there = {node.name for node in evidence.tree.nodes}
    if not {part, whole} <= there:
        return [no_target(CHECK)]
    rows = judged_rows(CHECK, evidence, whole)
    if isinstance(rows, Finding):
        return [rows]
    called, count = evidence.called(part), evidence.counts[part]
    if not count:
        return [not_applicable(CHECK, f"{called} has no events, or could not be evaluated.", part)]
    if not any(_MARKER in edges_of(node.geometry) for node, _ in deciding(evidence, whole)):
        return [not_applicable(CHECK, f"No gate on {_MARKER} decides about {evidence.called(whole)}.", whole)]
    if any(_by_edges(evidence, name) is None for name in (part, whole)):
        return [not_applicable(CHECK, f"{called} is not cut by straight edges alone.", part)]
    return [_judged(evidence, part, whole)]


def _judged(evidence: Evidence, part: str, whole: str) -> Finding:
    called, of = evidence.called(part), evidence.called(whole)
    before = 100 * (evidence.counts[part] or 0) / (evidence.counts[whole] or 1)
    few, many = (_replayed(evidence, name, without=_MARKER) for name in (part, whole))
    after = 100 * few / many
    rise_pct = 100 * max(after / before - 1, 0.0)
    p = _chance(few - (evidence.counts[part] or 0), many - (evidence.counts[whole] or 0), before / 100)
    sentence = (
        f"{called} are {percent(before)} of {events(evidence.counts[whole] or 0)} {of}; without the {_MARKER} gates "
        f"they would be {percent(after)} of {many:,}."
    )
    if p >= _P_VALUE:
        return said(CHECK, "pass", sentence, population=part, measured=rise_pct)
    return judge(CHECK, rise_pct, sentence, remedy=_REMEDY, population=part)


def _chance(carrying: int, more: int, share: float) -> float:
    """Return how often so many or more of the cells that come in carry CD146, were they as the others (binomial)."""
    from scipy.special import bdtrc

    return float(bdtrc(carrying - 1, more, share)) if 0 < carrying <= more else 1.0


def _by_edges(evidence: Evidence, name: str) -> int | None:
    """Return how many events the straight edges give; None where the population is not made by them."""
    kept, count = _replayed(evidence, name), evidence.counts[name] or 0
    return kept if abs(kept - count) <= _OTHERWISE_FRAC * max(count, LOD_FLOOR_EVENTS) else None


def _replayed(evidence: Evidence, name: str, without: str = "") -> int:
    """Return the size of a population by its straight edges, those of one marker left out."""
    gates = [(node, keep) for node, keep in reversed(deciding(evidence, name)) if edges_of(node.geometry)]
    cuts = [_left(cut(evidence, node, keep=keep), without) for node, keep in gates]
    return int(within(evidence, evidence.members[_trunk(evidence, name)], [item for item in cuts if item[0]]).size)


def _left(item: Cut, without: str) -> Cut:
    edges, keep = item
    return {axis: pair for axis, pair in edges.items() if axis != without}, keep


def _trunk(evidence: Evidence, name: str) -> str:
    """Return the last population on the way that no straight edge makes: single cells, as a rule."""
    trunk = ROOT
    for node in path_to(evidence, name):
        if node.geometry is None or edges_of(node.geometry) or node.method == "boolean":
            break
        trunk = node.name
    return trunk


_REMEDY = (
    "Endothelium may be counted among the CD146+ cells, or a weak CD31 decides: look at CD31 and CD34 against CD146, "
    "and confirm with CD144 where it was stained."
)

# A fall is none of it: where monoblasts are kept out by CD31, the share without it is a quarter lower, and it is right
# with it. In clean simulated tubes it falls by less than a tenth.
CHECK = Check(
    code="Q20",
    stage="gating",
    title="CD146+ share does not hang on CD31",
    run=look,
    not_of_controls=BACKGROUND,
    warn=20.0,
    unit="% more",
)
