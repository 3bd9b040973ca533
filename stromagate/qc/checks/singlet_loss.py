"""Whether the singlet gates remove the rare cells that are looked for: stroma is large and of odd shape.

A provisional target is made of the singlet gate's parent with the straight edges on the way to the target, the singlet
gates themselves left out; what a singlet gate removes of it is the loss.
"""

from __future__ import annotations

import numpy as np

from stromagate.model.detection import LOD_FLOOR_EVENTS
from stromagate.model.gates import GateNode
from stromagate.model.result import Finding
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.removal import removal
from stromagate.qc.straight import cut, within
from stromagate.qc.targets import added, among, deciding, edges_of, main_target, path_to
from stromagate.qc.verdict import judge, not_applicable
from stromagate.qc.wording import events, percent


def look(evidence: Evidence) -> list[Finding]:
    """Judge the share of the provisional target that all singlet gates together remove."""
    target = main_target(evidence)
    path = path_to(evidence, target) if target else []
    singlets = [node for node in path if node.method == "singlet"]
    if not target or not singlets:
        return [not_applicable(CHECK, "No singlet gate stands above an index population.")]
    straight = [gate for gate in reversed(deciding(evidence, target)) if _straight(gate[0])]
    if not any(gate in straight for gate in added(evidence, target)):
        reason = f"{evidence.called(target)} has no straight edge to look for it outside the singlets."
        return [not_applicable(CHECK, reason, target)]
    # The rarest gates are the last ones.
    cuts = [cut(evidence, node, keep=keep) for node, keep in straight]
    kept_frac, fewest = 1.0, None
    for gate in singlets:
        if evidence.counts[gate.name] is None:
            return [not_applicable(CHECK, f"{evidence.called(gate.name)} could not be evaluated.", target)]
        before = within(evidence, evidence.members[gate.parent], cuts)
        kept = among(before, evidence.members[gate.name])
        fewest = before.size if fewest is None else min(fewest, before.size)
        kept_frac *= np.count_nonzero(kept) / before.size if before.size else 1.0
    if not fewest or fewest < LOD_FLOOR_EVENTS:
        alike = f"{events(fewest or 0)} look like {evidence.called(target)} before the singlet gates"
        reason = f"{alike}: too few to judge a loss by."
        return [not_applicable(CHECK, reason, target)]
    lost_pct = 100 * (1 - kept_frac)
    alike = f"{events(fewest)} that look like {evidence.called(target)}"
    taken = [found for gate in singlets if (found := removal(evidence, gate, target)) is not None and found.removed]
    worst = min(taken, key=lambda found: found.p, default=None)
    sentence = f"Of {alike}, singlet gates remove {percent(lost_pct)}."
    sentence = f"{sentence} {worst.sentence}" if worst else sentence
    remedy = "The target is being lost as doublets: widen the singlet gate, or dissociate the sample better."
    return [judge(CHECK, lost_pct, sentence, remedy=remedy, population=target)]


def _straight(node: GateNode) -> bool:
    return node.method != "singlet" and bool(edges_of(node.geometry))


CHECK = Check(
    code="Q09",
    stage="gating",
    title="target not lost as doublets",
    run=look,
    not_of_controls=BACKGROUND,
    warn=20.0,
    fail=50.0,
    unit="%",
)
