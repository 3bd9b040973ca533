"""Index populations counted with too few events to be a quantity."""

from __future__ import annotations

import math
from dataclasses import replace

from stromagate.model.detection import LLOQ_FLOOR_EVENTS, LOD_FLOOR_EVENTS
from stromagate.model.result import Finding
from stromagate.qc.check import Check, Evidence
from stromagate.qc.targets import each_target
from stromagate.qc.verdict import judge, not_applicable
from stromagate.qc.wording import events


def look(evidence: Evidence) -> list[Finding]:
    """Warn of each index population under 50 events, or under what its background asks for.

    A tube may truly have so few, so that is no failure.
    """
    return each_target(CHECK, evidence, _one)


def _one(evidence: Evidence, name: str) -> Finding:
    count = evidence.counts[name]
    if count is None:
        return not_applicable(CHECK, f"{evidence.called(name)} could not be evaluated.", name)
    limits = next((each for each in evidence.detection if each.population == name), None)
    lloq = LLOQ_FLOOR_EVENTS if limits is None else max(LLOQ_FLOOR_EVENTS, math.ceil(limits.lloq_events))
    if count < LOD_FLOOR_EVENTS:
        says, remedy = f"under the {LOD_FLOOR_EVENTS} that are told from none", "Report it as not detected."
    elif limits is not None and count <= limits.lob_events:
        says, remedy = f"no more than background may leave ({limits.lob_events})", "Report it as not detected."
    elif count < lloq:
        beside = " beside its background" if lloq > LLOQ_FLOOR_EVENTS else ""
        says = f"under the {lloq:,} that make a quantity{beside}"
        remedy = "Report it as detected, not quantifiable, with its interval."
    else:
        says, remedy = "enough for a quantity", ""
    sentence = f"{evidence.called(name)} has {events(count)}, {says}."
    return judge(
        replace(CHECK, warn=float(lloq)), float(count), sentence, remedy=remedy, population=name, low_is_bad=True
    )


CHECK = Check(
    code="Q36", stage="result", title="targets counted well", run=look, warn=float(LLOQ_FLOOR_EVENTS), unit="events"
)
