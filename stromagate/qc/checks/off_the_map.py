"""Whether the target is more frequent than an aspirate can hold."""

from __future__ import annotations

from stromagate.model.result import Finding
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.targets import main_denominator, main_target, no_target
from stromagate.qc.verdict import judge, not_applicable


def look(evidence: Evidence) -> list[Finding]:
    """Judge the rate of the main target in the first denominator."""
    name, base = main_target(evidence), main_denominator(evidence)
    if name is None:
        return [no_target(CHECK)]
    count, total = evidence.counts[name], evidence.counts[base]
    if count is None or not total:
        reason = f"The rate of {evidence.called(name)} in {evidence.called(base)} could not be evaluated."
        return [not_applicable(CHECK, reason, name)]
    rate = 1e6 * count / total
    sentence = f"{rate:,.0f} {evidence.called(name)} per million of {evidence.called(base)}."
    if evidence.enriched:
        how = f"{sentence} The tube is enriched ({evidence.enriched}), where no rate is too high."
        return [not_applicable(CHECK, how, name)]
    remedy = (
        "Expected of a digest, a culture or an enriched tube (say it in the column `preparation` of the sample sheet); "
        "in an aspirate it means contamination."
    )
    return [judge(CHECK, rate, sentence, remedy=remedy, population=name)]


CHECK = Check(
    code="Q28",
    stage="result",
    title="frequency possible in an aspirate",
    run=look,
    not_of_controls=BACKGROUND,
    warn=1000.0,
    unit="per million",
)
