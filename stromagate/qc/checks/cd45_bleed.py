"""Whether the rare cells crowd against the CD45 boundary, as leaking leukocytes do."""

from __future__ import annotations

import numpy as np

from stromagate.model.gates import GateNode
from stromagate.model.result import Finding
from stromagate.prepare.scales import raw_cut
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.targets import deciding, edges_of, judged_rows, main_target, no_target
from stromagate.qc.verdict import judge, not_applicable
from stromagate.qc.wording import percent

_MARKER = "CD45"
_LAST_DECADES = 0.2


def look(evidence: Evidence) -> list[Finding]:
    """Judge the share of the target in the last 0.2 decade below the upper CD45 edge."""
    name = main_target(evidence)
    if name is None:
        return [no_target(CHECK)]
    rows = judged_rows(CHECK, evidence, name)
    if isinstance(rows, Finding):
        return [rows]
    uppers = [_upper(node, keep=keep) for node, keep in deciding(evidence, name)]
    edges = [raw_cut(evidence.tree.axes[_MARKER].scale, upper) for upper in uppers if upper is not None]
    if not edges or min(edges) <= 0:
        return [not_applicable(CHECK, f"{evidence.called(name)} has no CD45 boundary above zero.", name)]
    values = evidence.linear(_MARKER, rows)
    near = np.count_nonzero(values >= min(edges) * 10**-_LAST_DECADES)
    near_pct = 100 * int(near) / rows.size
    last = f"the last {_LAST_DECADES:g} decade below the CD45 boundary"
    sentence = f"{percent(near_pct)} of {evidence.called(name)} lie in {last}."
    remedy = "Leukocytes or blasts may leak in: look at the boundary and at the dump markers."
    return [judge(CHECK, near_pct, sentence, remedy=remedy, population=name)]


def _upper(node: GateNode, *, keep: bool) -> float | None:
    """Return the edge below which a gate keeps events: its upper one, or the lower one of what it throws out."""
    edges = edges_of(node.geometry)
    low, high = edges.get(_MARKER, (None, None))
    if keep:
        return high
    return low if high is None and len(edges) == 1 else None


CHECK = Check(
    code="Q17",
    stage="gating",
    title="target clear of the CD45 boundary",
    run=look,
    not_of_controls=BACKGROUND,
    warn=30.0,
    unit="%",
)
