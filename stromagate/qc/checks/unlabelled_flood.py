"""Whether the target is sought among so many other cells that the few of them that bind by chance could be its count.

Early erythroblasts with little CD71 and CD235a, or blasts without CD45, CD34 and CD31, pass every gate but the last.
What of the last antibody sticks to one such cell in a thousand no FMO shows, because an FMO lacks that antibody.
"""

from __future__ import annotations

from stromagate.model.result import Finding
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.targets import judged_rows, main_denominator, main_target, no_target
from stromagate.qc.verdict import judge, not_applicable, said
from stromagate.qc.wording import events, percent

# Own choices, tried on simulated marrows. Of most kinds of cells about one in a thousand is bright without the antigen.
_STICKY_FRAC = 0.001
# CD45-negative and -low cells outside the red series are about 1 % of nucleated cells, a few percent after depletion.
_FLOOD_PCT = 5.0


def look(evidence: Evidence) -> list[Finding]:
    """Hold one in a thousand of the cells among which the main target is sought against its count."""
    name = main_target(evidence)
    if name is None:
        return [no_target(CHECK)]
    rows = judged_rows(CHECK, evidence, name)
    if isinstance(rows, Finding):
        return [rows]
    parent, base = evidence.tree.node(name).parent, main_denominator(evidence)
    around, every = (evidence.counts[parent] or 0) - rows.size, evidence.counts[base]
    if not every or base in {parent, name}:
        return [not_applicable(CHECK, f"{evidence.called(name)} is not sought in a part of its denominator.", name)]
    share_pct = min(100 * around / every, 100.0)
    cells = f"{events(around)} of {evidence.called(parent)} are no {evidence.called(name)}"
    seen = f"{cells}: as many as {percent(share_pct)} of {evidence.called(base)}"
    if share_pct <= _FLOOD_PCT:
        return [said(CHECK, "pass", f"{seen}, which is no flood.", population=name)]
    sticky_pct = min(100 * _STICKY_FRAC * around / rows.size, 100.0)
    much = "as many as were counted" if sticky_pct >= 100 else f"{percent(sticky_pct)} of the count"
    sentence = f"{seen}; one in a thousand of them would be {much}."
    return [judge(CHECK, sticky_pct, sentence, remedy=_REMEDY, population=name)]


_REMEDY = (
    "Look at these cells' light scatter, CD71 and CD105: early erythroblasts or blasts that no dump takes. Some may be "
    "counted as the target, and all are in the denominator of its rate; a further dump marker is needed to part them."
)

CHECK = Check(
    code="Q48",
    stage="result",
    title="target not sought in a flood of other cells",
    run=look,
    not_of_controls=BACKGROUND,
    warn=25.0,
    unit="%",
)
