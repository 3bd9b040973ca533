"""Whether gates at the end of a detector's range remove the rare cells: these are large and bright.

What they remove is counted with the straight edges of all other gates that decide about an index population, so that
nothing of it is lost in silence.
"""

from __future__ import annotations

from stromagate.model.detection import LOD_FLOOR_EVENTS
from stromagate.model.result import Finding
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.removal import removal
from stromagate.qc.straight import cut, within
from stromagate.qc.targets import added, among, deciding, each_target, edges_of, path_to, targets
from stromagate.qc.verdict import judge, not_applicable
from stromagate.qc.wording import events, percent

_METHOD = "margin"


def look(evidence: Evidence) -> list[Finding]:
    """Judge, for each index population, the share of what looks like it that the margin gates above it remove."""
    if not any(node.method == _METHOD for name in targets(evidence) for node in path_to(evidence, name)):
        return [not_applicable(CHECK, "No margin gate stands above an index population.")]
    return each_target(CHECK, evidence, _one)


def _one(evidence: Evidence, name: str) -> Finding:
    called = evidence.called(name)
    margins = [node for node in path_to(evidence, name) if node.method == _METHOD]
    if not margins:
        return not_applicable(CHECK, f"No margin gate stands above {called}.", name)
    for node in margins:
        if evidence.counts[node.name] is None:
            return not_applicable(CHECK, f"{evidence.called(node.name)} could not be evaluated.", name)
    straight = [gate for gate in deciding(evidence, name) if gate[0].method != _METHOD and edges_of(gate[0].geometry)]
    if not any(gate in straight for gate in added(evidence, name)):
        return not_applicable(CHECK, f"{called} has no straight edge to look for it among what was removed.", name)
    # The rarest gates are the last ones.
    cuts = [cut(evidence, node, keep=keep) for node, keep in reversed(straight)]
    alike = within(evidence, evidence.members[margins[0].parent], cuts)
    kept = alike
    for node in margins:
        kept = kept[among(kept, evidence.members[node.name])]
    lost = alike.size - kept.size
    if alike.size < LOD_FLOOR_EVENTS:
        few = f"Of {events(alike.size)} that look like {called}, margin gates remove {lost:,}"
        return not_applicable(CHECK, f"{few}: too few to judge a loss by.", name)
    lost_pct = 100 * lost / alike.size
    sentence = f"Of {events(alike.size)} that look like {called}, margin gates remove {lost:,} ({percent(lost_pct)})."
    taken = [found for node in margins if (found := removal(evidence, node, name)) is not None and found.removed]
    worst = min(taken, key=lambda found: found.p, default=None)
    sentence = f"{sentence} {worst.sentence}" if worst else sentence
    return judge(CHECK, lost_pct, sentence, remedy=_REMEDY, population=name)


_REMEDY = "They lie at the end of a detector: lower its voltage, or leave that end out of the margin gate."

# The limits are those of a target at the top of its detectors (Q11).
CHECK = Check(
    code="Q50",
    stage="acquisition",
    title="target not lost at a detector's end",
    run=look,
    not_of_controls=BACKGROUND,
    warn=2.0,
    fail=10.0,
    unit="%",
)
