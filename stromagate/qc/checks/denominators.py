"""Declared denominators that no rate can be given of."""

from __future__ import annotations

import numpy as np

from stromagate.model.gates import ROOT
from stromagate.model.holding import holders
from stromagate.model.result import Finding
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.targets import among, main_target
from stromagate.qc.verdict import not_applicable, said
from stromagate.qc.wording import events, percent

_SHARED_FRAC = 0.1


def look(evidence: Evidence) -> list[Finding]:
    """Warn of a denominator that is empty, or that is beside the main target and holds much of it."""
    names = {ROOT, *(node.name for node in evidence.tree.nodes)}
    declared = [name for name in evidence.template.denominators if name in names]
    if not declared:
        return [not_applicable(CHECK, "The template declares no denominator that this tube has.")]
    found = [finding for name in declared for finding in _one(evidence, name)]
    able = [name for name in declared if evidence.counts[name]]
    if found or able:
        return found or [said(CHECK, "pass", f"Every evaluated denominator ({len(able)}) has events to give rates of.")]
    return [not_applicable(CHECK, "No declared denominator could be evaluated.")]


def _one(evidence: Evidence, name: str) -> list[Finding]:
    if evidence.counts[name] == 0:
        sentence = f"The denominator {evidence.called(name)} has no events: there are no rates of it."
        return [said(CHECK, "warn", sentence, population=name, remedy=_LOOK)]
    target = main_target(evidence)
    rows, other = evidence.members.get(target or ""), evidence.members.get(name)
    if target is None or rows is None or other is None or _one_holds_the_other(evidence, target, name):
        return []
    shared = int(np.count_nonzero(among(rows, other)))
    if shared <= _SHARED_FRAC * rows.size:
        return []
    share = percent(100 * shared / rows.size)
    both = f"{events(shared)} of {evidence.called(target)} ({share})"
    sentence = f"{both} are in the denominator {evidence.called(name)} too, which should exclude them."
    return [said(CHECK, "warn", sentence, population=name, remedy=_LOOK)]


def _one_holds_the_other(evidence: Evidence, target: str, name: str) -> bool:
    held = holders(evidence.tree)
    return name in held[target] or target in held[name] or name == target


_LOOK = "Look at its boundary, and use the rates of another denominator."

CHECK = Check(code="Q38", stage="result", title="rates of every denominator", run=look, not_of_controls=BACKGROUND)
