"""Whether the target is more frequent than an aspirate can hold."""

from __future__ import annotations

from stromagate.model.result import Finding
from stromagate.qc.check import Check, Evidence
from stromagate.qc.targets import main_denominator, main_target
from stromagate.qc.verdict import judge, not_applicable


def look(evidence: Evidence) -> list[Finding]:
    """Judge the rate of the main target in the first denominator."""
    name, base = main_target(evidence), main_denominator(evidence)
    if name is None:
        return [not_applicable(CHECK, "The template names no index population to look at.")]
    count, total = evidence.counts[name], evidence.counts[base]
    if count is None or not total:
        return [not_applicable(CHECK, f"The rate of {name} in {base} could not be evaluated.", name)]
    rate = 1e6 * count / total
    remedy = "Expected of a digest, a culture or an enriched tube; in an aspirate it means contamination."
    return [judge(CHECK, rate, f"{rate:,.0f} {name} per million {base}.", remedy=remedy, population=name)]


CHECK = Check(code="Q28", title="frequency possible in an aspirate", run=look, warn=1000.0, unit="per million")
