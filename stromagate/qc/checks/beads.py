"""Whether counting beads give absolute counts: enough of them, not washed, evenly spread, and no cells among them."""

from __future__ import annotations

import numpy as np

from stromagate.model.result import Finding, FindingStatus
from stromagate.model.specimen import BEAD_COLUMNS, MIN_BEADS, beads_refused, specimen
from stromagate.qc.check import Check, Evidence
from stromagate.qc.targets import among, targets
from stromagate.qc.verdict import judge, not_applicable, said
from stromagate.qc.wording import events, percent


def look(evidence: Evidence) -> list[Finding]:
    """Say why there are no absolute counts, or how steadily the beads came."""
    name, known = evidence.template.beads, specimen(evidence.labels)
    meant = known.says_any(*BEAD_COLUMNS)
    if name is None or name not in {node.name for node in evidence.tree.nodes}:
        if not meant:
            return [not_applicable(CHECK, "No beads were counted in this tube.")]
        sentence = "The sample sheet speaks of counting beads, and the template has no population of beads."
        return [said(CHECK, "warn", sentence, remedy="Gate the beads and name their population in `beads`.")]
    if not meant:
        return [not_applicable(CHECK, "The sample sheet says nothing of beads in this tube.", name)]
    count = evidence.counts[name]
    refused = beads_refused(known, count)
    if refused:
        measured = known.washed or (count is not None and count < MIN_BEADS)
        sentence, remedy = f"{refused[0]} There are no absolute counts.", refused[1]
        return [said(CHECK, "fail" if measured else "warn", sentence, remedy=remedy, population=name)]
    return [_drift(evidence, name), *_mixed(evidence, name)]


def _drift(evidence: Evidence, name: str) -> Finding:
    """Compare the beads' share of their parent in the thirds of the file, in the order in which they were recorded."""
    parent = evidence.members[evidence.tree.node(name).parent]
    edges = np.searchsorted(evidence.members[name], parent[[len(parent) // 3, 2 * len(parent) // 3]])
    thirds = np.diff([0, *edges, len(evidence.members[name])])
    sizes = np.diff([0, len(parent) // 3, 2 * len(parent) // 3, len(parent)])
    shares = thirds / sizes
    fall_pct = float(100 * (1 - shares.min() / shares.max()))
    p = _chance(thirds, sizes)
    named = ", ".join(percent(100 * float(share)) for share in shares)
    sentence = f"Of the thirds of the file, beads are {named}: the lowest lies {percent(fall_pct)} below the highest."
    if fall_pct > _FALL_PCT and p >= _CHANCE:
        return said(
            CHECK, "pass", f"{sentence} So few beads differ as much by chance.", population=name, measured=fall_pct
        )
    return judge(CHECK, fall_pct, sentence, remedy=_MIX, population=name)


def _chance(counts: np.ndarray, sizes: np.ndarray) -> float:
    """Return how often shares differ as much by chance (chi-square test of three shares)."""
    from scipy.special import chdtrc

    share = counts.sum() / sizes.sum()
    if share >= 1:
        return 1.0
    expected = sizes * share
    return float(chdtrc(2, float(np.sum((counts - expected) ** 2 / (expected * (1 - share))))))


def _mixed(evidence: Evidence, name: str) -> list[Finding]:
    """Name the index populations and denominators that beads are counted in: beads glow in every colour."""
    beads, found = evidence.members[name], []
    indices = targets(evidence)
    for population in dict.fromkeys((*indices, *evidence.template.denominators)):
        rows = evidence.members.get(population)
        if rows is None or population == name:
            continue
        n = int(among(beads, rows).sum())
        if n > (0 if population in indices else _FEW * rows.size):
            sentence = f"{events(n)} of {evidence.called(population)} lie in the gate of the beads."
            remedy = "Take the beads out of the cells: a `boolean` gate with `operation: none`, above all cells."
            status: FindingStatus = "fail" if population in indices else "warn"
            found.append(said(CHECK, status, sentence, remedy=remedy, population=population))
    return found


_FALL_PCT = 10.0
_FEW = 1e-3  # Beads that make up less of a denominator move no number. Own choice.
# Thirds of 1,000 beads differ by a tenth in many steady files; only what chance rarely does is told. Own choice.
_CHANCE = 0.01
_MIX = "Mix the tube while it runs: beads settle faster than cells. Take absolute counts of this tube with care."

CHECK = Check(
    code="Q51", title="counting beads", run=look, not_of_controls="it gives no absolute count", warn=_FALL_PCT, unit="%"
)
