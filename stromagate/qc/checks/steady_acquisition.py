"""How much of the acquisition the time gate had to remove."""

from __future__ import annotations

from stromagate.model.gates import GateNode
from stromagate.model.result import Finding
from stromagate.qc.check import Check, Evidence
from stromagate.qc.removal import SURELY, removal
from stromagate.qc.targets import main_target
from stromagate.qc.verdict import judge, not_applicable, said
from stromagate.qc.wording import events, percent


def look(evidence: Evidence) -> list[Finding]:
    """Judge the share of each time gate's parent that was cut out."""
    gates = [node for node in evidence.tree.nodes if node.method == "time"]
    if not gates:
        return [not_applicable(CHECK, "The template has no time gate.")]
    return [_removed(evidence, node) for node in gates]


def _removed(evidence: Evidence, node: GateNode) -> Finding:
    kept, before = evidence.counts[node.name], evidence.counts[node.parent]
    if node.state == "fallback" or kept is None or not before:
        return not_applicable(CHECK, "The time gate could not judge the acquisition.", node.name)
    removed_pct = 100 * (before - kept) / before
    share = f"{percent(removed_pct)} of {evidence.called(node.parent)}"
    sentence = f"{events(before - kept)} ({share}) were removed as unsteady in time."
    remedy = "Look at the removed stretches; with a clog or a bubble, filter the sample and acquire it again."
    finding = judge(CHECK, removed_pct, sentence, remedy=remedy, population=node.name)
    target = None if evidence.is_control else main_target(evidence)
    taken = removal(evidence, node, target) if target and before > kept else None
    if taken is None:
        return finding
    sentence = f"{sentence} {taken.sentence}"
    if finding.status == "pass" and taken.lost > taken.by_chance and taken.p < SURELY:
        return said(CHECK, "warn", sentence, remedy=_BURST, population=node.name, measured=removed_pct)
    return finding.model_copy(update={"sentence": sentence})


_BURST = "The target came in a burst that was cut out, or went with one: look at it in time before the count is used."


CHECK = Check(code="Q05", stage="acquisition", title="steady acquisition", run=look, warn=10.0, fail=30.0, unit="%")
