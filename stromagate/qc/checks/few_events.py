"""Whether enough events were acquired for a rare population."""

from __future__ import annotations

from stromagate.model.detection import LLOQ_FLOOR_EVENTS, LOD_FLOOR_EVENTS
from stromagate.model.result import Finding
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.targets import main_denominator, main_target
from stromagate.qc.verdict import judge, not_applicable, said


def look(evidence: Evidence) -> list[Finding]:
    """Say which frequency the tube can show; few events do not matter where the main target was counted well."""
    name = main_denominator(evidence)
    n, called = evidence.counts[name], evidence.called(name)
    if n is None:
        return [not_applicable(CHECK, f"{called} could not be evaluated.", name)]
    if n == 0:
        return [judge(CHECK, 0.0, f"There are no events in {called}.", remedy=_MORE, population=name, low_is_bad=True)]
    detect, quantify = (_frequency_per_million(k, n) for k in (LOD_FLOOR_EVENTS, LLOQ_FLOOR_EVENTS))
    reach = (
        f"There are {n:,} events in {called}: in 95 of 100 tubes a population is detected ({LOD_FLOOR_EVENTS} events) "
        f"from {detect:,.0f} per million on, and quantified ({LLOQ_FLOOR_EVENTS} events) from {quantify:,.0f} on."
    )
    target = main_target(evidence)
    if target and (evidence.counts[target] or 0) >= LLOQ_FLOOR_EVENTS:
        sentence = f"{reach} {evidence.called(target)} reached {LLOQ_FLOOR_EVENTS} all the same."
        return [said(CHECK, "pass", sentence, measured=float(n), population=name)]
    return [judge(CHECK, float(n), reach, remedy=_MORE, population=name, low_is_bad=True)]


def _frequency_per_million(count: int, n: int) -> float:
    """Return the least frequency at which ``n`` events hold ``count`` of the population in 95 of 100 tubes."""
    from scipy.special import gammaincinv

    return 1e6 * float(gammaincinv(count, _ASSURANCE)) / n


_ASSURANCE = 0.95
_MORE = "Acquire more events, or pool tubes of the same stain."

CHECK = Check(
    code="Q07",
    stage="acquisition",
    title="enough events",
    run=look,
    not_of_controls=BACKGROUND,
    warn=1e6,
    fail=2e5,
    unit="events",
)
