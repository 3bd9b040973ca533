"""Whether enough events were acquired for a rare population."""

from __future__ import annotations

from stromagate.model.detection import LLOQ_FLOOR_EVENTS, LOD_FLOOR_EVENTS
from stromagate.model.result import Finding
from stromagate.qc.check import Check, Evidence
from stromagate.qc.targets import main_denominator, main_target
from stromagate.qc.verdict import judge, not_applicable, said
from stromagate.qc.wording import events


def look(evidence: Evidence) -> list[Finding]:
    """Say which frequency the tube can show; few events do not matter where the main target was counted well."""
    name = main_denominator(evidence)
    n = evidence.counts[name]
    if n is None:
        return [not_applicable(CHECK, f"{name} could not be evaluated.", name)]
    if n == 0:
        return [judge(CHECK, 0.0, f"{name} has no events.", remedy=_MORE, population=name, low_is_bad=True)]
    reach = (
        f"{name} has {events(n)}: on average {LOD_FLOOR_EVENTS} events need {1e6 * LOD_FLOOR_EVENTS / n:,.0f} "
        f"per million, {LLOQ_FLOOR_EVENTS} need {1e6 * LLOQ_FLOOR_EVENTS / n:,.0f}."
    )
    target = main_target(evidence)
    if target and (evidence.counts[target] or 0) >= LLOQ_FLOOR_EVENTS:
        sentence = f"{reach} {target} reached {LLOQ_FLOOR_EVENTS} all the same."
        return [said(CHECK, "pass", sentence, measured=float(n), population=name)]
    return [judge(CHECK, float(n), reach, remedy=_MORE, population=name, low_is_bad=True)]


_MORE = "Acquire more events, or pool tubes of the same stain."

CHECK = Check(code="Q07", title="enough events", run=look, warn=1e6, fail=2e5, unit="events")
