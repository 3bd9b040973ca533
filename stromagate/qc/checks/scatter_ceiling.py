"""Whether the rare cells lie at the top of light scatter."""

from __future__ import annotations

from stromagate.model.result import Finding
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.signal import at_ceiling
from stromagate.qc.targets import each_target, judged_rows, scatter
from stromagate.qc.verdict import judge, not_applicable
from stromagate.qc.wording import percent


def look(evidence: Evidence) -> list[Finding]:
    """Judge, for each index population, the scatter channel in which most of it lies at the top."""
    return each_target(CHECK, evidence, _one)


def _one(evidence: Evidence, name: str) -> Finding:
    rows = judged_rows(CHECK, evidence, name)
    if isinstance(rows, Finding):
        return rows
    channels = evidence.sample.channels
    measured = {item.pnn: at_ceiling(evidence.sample, channels[item.channel], rows) for item in scatter(evidence)}
    shares = {pnn: share for pnn, share in measured.items() if share is not None}
    if not shares:
        return not_applicable(CHECK, "No scatter channel in use states a range that its values keep.", name)
    worst = max(shares, key=lambda pnn: shares[pnn])
    where = worst if shares[worst] else "a scatter channel"
    sentence = f"{percent(shares[worst])} of {evidence.called(name)} lie at the top of {where}."
    return judge(CHECK, shares[worst], sentence, remedy="Lower the voltage of that detector.", population=name)


CHECK = Check(
    code="Q10",
    stage="acquisition",
    title="target within light scatter",
    run=look,
    not_of_controls=BACKGROUND,
    warn=10.0,
    fail=40.0,
    unit="%",
)
