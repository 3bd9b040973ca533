"""Whether a detector's light drifted over the run: the first tenth of the events against the last.

What the detector recorded is compared, not compensated values: a detector that drifts moves all it records by one
factor, whatever the cells, while compensated negatives lie around zero and have no logarithm.
"""

from __future__ import annotations

import numpy as np

from stromagate.model.gates import ROOT
from stromagate.model.result import Finding
from stromagate.model.sample import F32, Rows
from stromagate.qc.check import Check, Evidence
from stromagate.qc.order import why_unordered
from stromagate.qc.targets import deciding, fluorescence, targets
from stromagate.qc.verdict import judge, not_applicable

_ALWAYS = ("CD45", "CD146")
_PARTS = 10
# A quantile of a tenth is known to 0.03 decade from so many events where its cells spread over a decade.
_FEWEST = 500
# Own choice: at and above the middle, where light and not noise is read; their median, so that a few cells more of one
# kind at one end of the run are no drift.
_QUANTILES = (0.5, 0.6, 0.7, 0.8, 0.9)


def look(evidence: Evidence) -> list[Finding]:
    """Judge the marker that moved most between the start and the end, of CD45, CD146 and what decides on targets."""
    reason = why_unordered(evidence)
    if reason:
        return [not_applicable(CHECK, reason)]
    rows = _steady(evidence)
    part = rows.size // _PARTS
    if part < _FEWEST:
        few = f"Fewer than {_PARTS * _FEWEST:,} events: start and end of the run cannot be compared."
        return [not_applicable(CHECK, few)]
    events = evidence.sample.events
    moved = {}
    for item in fluorescence(evidence):
        if item.axis in _markers(evidence):
            decades = _decades(events[rows[:part], item.channel], events[rows[-part:], item.channel])
            if decades is not None:
                moved[f"{item.axis} ({item.pnn})"] = decades
    if not moved:
        return [not_applicable(CHECK, "No marker in use has a middle above zero to compare start and end by.")]
    worst = max(moved, key=lambda name: abs(moved[name]))
    way = "brighter" if moved[worst] > 0 else "dimmer"
    sentence = (
        f"Of {len(moved)} markers {worst} moved most: its light is {abs(moved[worst]):.2f} decade {way} in the last "
        f"tenth of the events than in the first."
    )
    return [judge(CHECK, abs(moved[worst]), sentence, remedy=_REMEDY)]


def _markers(evidence: Evidence) -> set[str]:
    """Return the markers whose drift moves a target across a boundary."""
    gates = [node.geometry for name in targets(evidence) for node, _ in deciding(evidence, name) if node.geometry]
    return {*_ALWAYS, *(axis for gate in gates for axis in gate.axes)}


def _steady(evidence: Evidence) -> Rows:
    """Return what the first time gate kept, all events where there is none."""
    kept = (evidence.members.get(node.name) for node in evidence.tree.nodes if node.method == "time")
    return next((rows for rows in kept if rows is not None), evidence.members[ROOT])


def _decades(first: F32, last: F32) -> float | None:
    """Return by how much light rose, decades; None where no quantile is above zero at both ends."""
    first, last = first[np.isfinite(first)], last[np.isfinite(last)]
    if min(first.size, last.size) < _FEWEST:
        return None
    start, end = (np.quantile(values.astype(np.float64), _QUANTILES) for values in (first, last))
    light = (start > 0) & (end > 0)
    return float(np.median(np.log10(end[light] / start[light]))) if light.any() else None


_REMEDY = (
    "Look at the time plots: let the instrument warm up, and check laser and fluidics. Boundaries of one run are one "
    "value, so cells near them count differently at its start and at its end."
)

CHECK = Check(
    code="Q06", stage="acquisition", title="light steady over the run", run=look, warn=0.15, fail=0.3, unit="decades"
)
