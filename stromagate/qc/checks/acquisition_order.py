"""Whether the order of acquisition is known."""

from __future__ import annotations

import numpy as np

from stromagate.model.result import Finding
from stromagate.model.sample import F32
from stromagate.qc.check import Check, Evidence
from stromagate.qc.verdict import judge, not_applicable, said
from stromagate.qc.wording import events, percent


def look(evidence: Evidence) -> list[Finding]:
    """Warn where time is missing, stands still or runs backwards, or where its unit is unknown."""
    sample = evidence.sample
    clock = next((channel for channel in sample.channels if channel.is_time), None)
    if clock is None:
        return [said(CHECK, "warn", "The file has no Time channel: clogs and bubbles cannot be found.", remedy=_RECORD)]
    if sample.n_events < 2:
        return [not_applicable(CHECK, f"The file holds {events(sample.n_events)}: time has no course.")]
    return [_course(evidence, clock.pnn, sample.events[:, clock.index])]


def _course(evidence: Evidence, pnn: str, times: F32) -> Finding:
    with np.errstate(invalid="ignore"):
        steps = np.diff(times)
    if not np.isfinite(steps).all():
        return said(CHECK, "warn", f"{pnn} holds values that are no numbers.", remedy=_RECORD)
    if not steps.any():
        return said(CHECK, "warn", f"{pnn} has the same value in all events.", remedy=_RECORD)
    back = int(np.count_nonzero(steps < 0))
    if back:
        share = percent(100 * back / steps.size)
        sentence = f"{pnn} runs backwards at {events(back)} ({share}): joined or sorted files have no flow rate."
        return judge(CHECK, float(back), sentence, remedy="Analyse the tube as it was acquired.")
    if evidence.sample.timestep_s is None:
        sentence = f"{pnn} only rises, but the file has no $TIMESTEP: its unit is not known."
        return said(CHECK, "warn", sentence, remedy="Rates are per unit of the file's clock; no count depends on it.")
    return judge(CHECK, 0.0, f"{pnn} only rises, in steps of {evidence.sample.timestep_s:g} s.")


_RECORD = "Record Time on the instrument and export it with the tube."

CHECK = Check(code="Q04", stage="file", title="order of acquisition known", run=look, warn=0.0, unit="backward steps")
