"""Whether the stained tubes of a batch carry the same markers on the same detectors."""

from __future__ import annotations

from stromagate.model.result import RunFinding
from stromagate.qc.run_check import Batch, RunCheck, RunEvidence, TubeSeen, not_applicable, said, usual
from stromagate.qc.wording import listed

_NONE = "none"


def look(evidence: RunEvidence) -> list[RunFinding]:
    """Warn of every batch in which a marker of the template is on several detectors, or missing in some tubes."""
    compared = 0
    found = []
    for batch in evidence.batches():
        # What a control lacks or carries elsewhere is said of the control (Q12).
        stained = [tube for tube in batch.tubes if tube.stained]
        if len(stained) < 2:
            continue
        compared += len(stained)
        found += _differing(batch, stained)
    if not compared:
        return [not_applicable(RUN_CHECK, "No batch has two stained tubes to compare.")]
    alike = (
        f"{compared} stained tubes carry the markers of the template on the same detectors as the rest of their batch."
    )
    return found or [said(RUN_CHECK, "pass", alike, measured=0.0)]


def _differing(batch: Batch, tubes: list[TubeSeen]) -> list[RunFinding]:
    places = {tube.name: {item.axis: item.pnn for item in tube.result.panel.bindings} for tube in tubes}
    axes = dict.fromkeys(axis for bound in places.values() for axis in bound)
    words, odd = [], dict[str, None]()
    for axis in axes:
        values = {name: bound.get(axis, _NONE) for name, bound in places.items()}
        common, others = usual(values)
        if others:
            odd |= dict.fromkeys(others)
            words.append(f"{axis} on {' and '.join(sorted({values[name] for name in others}))}, not on {common}")
    if not words:
        return []
    sentence = f"In {batch.called} {listed(odd)} had another panel than the rest: {listed(words)}."
    return [said(RUN_CHECK, "warn", sentence, samples=odd, measured=float(len(words)), remedy=_REMEDY)]


_REMEDY = (
    "Look whether the marker names of these files are right; tubes of another panel belong into a batch of their own "
    "(columns `batch` and `panel` of the sheet)."
)

RUN_CHECK = RunCheck(code="Q61", title="one panel in a batch", run=look, warn=0.0, unit="markers")
