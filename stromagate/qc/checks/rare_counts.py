"""Index populations counted with too few events to be a quantity."""

from __future__ import annotations

from stromagate.model.detection import CountState, ruled
from stromagate.model.result import Finding, FindingStatus
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.targets import each_target
from stromagate.qc.verdict import not_applicable, said
from stromagate.qc.wording import events


def look(evidence: Evidence) -> list[Finding]:
    """Warn of each index population that is no quantity, with the limit that its state follows from.

    A tube may truly have so few, so that is no failure. The limits are the tube's own: 20 and 50 events, or what its
    background asks for beyond these.
    """
    return each_target(CHECK, evidence, _one)


def _one(evidence: Evidence, name: str) -> Finding:
    count = evidence.counts[name]
    if count is None:
        return not_applicable(CHECK, f"{evidence.called(name)} could not be evaluated.", name)
    limits = next((each for each in evidence.detection if each.population == name), None)
    ruling = ruled(count, limits)
    status: FindingStatus = "pass" if ruling.state == "quantifiable" else "warn"
    sentence = f"{evidence.called(name)} has {events(count)}, {ruling.reason}."
    remedy = _REMEDY.get(ruling.state, "")
    finding = said(CHECK, status, sentence, remedy=remedy, population=name, measured=float(count))
    return finding.model_copy(update={"limit": float(ruling.limit)})


_REMEDY: dict[CountState, str] = {
    "not detected": "Report it as not detected.",
    "detected, not quantifiable": "Report it as detected, not quantifiable, with its interval.",
}

CHECK = Check(
    code="Q36", stage="result", title="targets counted well", run=look, not_of_controls=BACKGROUND, unit="events"
)
