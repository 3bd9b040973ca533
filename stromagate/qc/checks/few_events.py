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
        none = f"There are no events in {called}."
        return [judge(CHECK, 0.0, none, remedy=_remedy(evidence, n), population=name, low_is_bad=True)]
    detect, quantify = (_frequency_per_million(k, n) for k in (LOD_FLOOR_EVENTS, LLOQ_FLOOR_EVENTS))
    reach = (
        f"There are {n:,} events in {called}: in 95 of 100 tubes a population is detected ({LOD_FLOOR_EVENTS} events) "
        f"from {detect:,.0f} per million on, and quantified ({LLOQ_FLOOR_EVENTS} events) from {quantify:,.0f} on."
    )
    target = main_target(evidence)
    if target and (evidence.counts[target] or 0) >= LLOQ_FLOOR_EVENTS:
        sentence = f"{reach} {evidence.called(target)} reached {LLOQ_FLOOR_EVENTS} all the same."
        return [said(CHECK, "pass", sentence, measured=float(n), population=name)]
    if evidence.enriched:
        return [_of_enriched(evidence, n, reach, name)]
    return [judge(CHECK, float(n), reach, remedy=_remedy(evidence, n), population=name, low_is_bad=True)]


def _of_enriched(evidence: Evidence, n: int, reach: str, name: str) -> Finding:
    """Hold an enriched tube to its own rate: the limits are those of rare cells in whole marrow."""
    target = main_target(evidence)
    found = evidence.counts[target] if target else None
    sentence = f"{reach} The tube is enriched ({evidence.enriched}), for which no number of events is asked"
    if target is None or not found:
        why = f", and it has no rate of its own to go by: no {evidence.called(target)}." if target else "."
        return said(CHECK, "warn", f"{sentence}{why}", remedy=_remedy(evidence, n), measured=float(n), population=name)
    least = float(f"{n * _frequency_per_million(LLOQ_FLOOR_EVENTS, found) / 1e6:.2g}")
    sentence += (
        f"; at its own rate, {found:,} {evidence.called(target)}, it takes about {least:,.0f} to quantify them, which "
        "takes for granted that this rate is right."
    )
    return said(CHECK, "warn", sentence, remedy=_remedy(evidence, n), measured=float(n), population=name)


def _frequency_per_million(count: int, n: int) -> float:
    """Return the least frequency at which ``n`` events hold ``count`` of the population in 95 of 100 tubes."""
    from scipy.special import gammaincinv

    return 1e6 * float(gammaincinv(count, _ASSURANCE)) / n


def _remedy(evidence: Evidence, n: int) -> str:
    """Say how to plan: with this tube's own rate and losses, or with the median of healthy marrow where it has none."""
    more, target = "Acquire more events, or pool tubes of the same stain. How many to record:", main_target(evidence)
    found, kept_pct = evidence.counts[target] if target else None, 100 * n / max(evidence.sample.n_events, 1)
    if not found or not _LEAST_KEPT_PCT <= kept_pct <= 100:
        return f"{more} stromagate plan --ppm {_USUAL_PPM}, or another rate that you expect."
    options = f"--ppm {float(f'{1e6 * found / n:.3g}'):g} --nucleated {kept_pct:.3g} --singlets 100 --viable 100"
    return f"{more} stromagate plan {options}, at the rate and with the losses of this tube."


_ASSURANCE = 0.95
# MSC per million nucleated cells: 1,520 per mL in 35.2 million, medians of 54 donors (PMC6125756).
_USUAL_PPM = 43
_LEAST_KEPT_PCT = 0.1  # a tube that lost nearly all of its events is no tube to plan with; own choice

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
