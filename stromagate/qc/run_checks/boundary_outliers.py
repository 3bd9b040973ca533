"""Whether a boundary of one tube lies far from where it lies in the other tubes of its batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from stromagate.model.result import RunFinding
from stromagate.qc.places import Edge, fitted_edges
from stromagate.qc.run_check import Batch, RunCheck, RunEvidence, not_applicable, said

FEWEST_TUBES = 6
"""Fewer tubes tell no spread to measure an outlier by. Own choice."""

LEAST_DECADES, LEAST_SHARE = 0.2, 0.1
"""Shifts below these are no finding, however alike the other tubes are: in decades of intensity, and as a share of a
linear value. Own choice."""

_MAD_TO_SD = 1.482602  # of a normal distribution


def look(evidence: RunEvidence) -> list[RunFinding]:
    """Warn of each fitted boundary more than three deviations (by the MAD) from the median of its batch."""
    n_compared = 0
    found = []
    for batch in evidence.batches():
        for edges in _by_gate(batch).values():
            if len(edges) >= FEWEST_TUBES:
                n_compared += 1
                found += _outliers(evidence, batch, edges)
    if not n_compared:
        reason = f"No batch has {FEWEST_TUBES} stained tubes or more in which the same boundary was fitted."
        return [not_applicable(RUN_CHECK, reason)]
    alike = f"Each of {n_compared} boundaries lies in all tubes where it lies in the rest of their batch."
    return found or [said(RUN_CHECK, "pass", alike)]


def _by_gate(batch: Batch) -> dict[tuple[str, str, str], dict[str, Edge]]:
    """Return the edges of stained tubes by gate, axis and side; a gate with several edges of one kind is left out."""
    found: dict[tuple[str, str, str], dict[str, Edge]] = {}
    for tube in (tube for tube in batch.tubes if tube.stained):
        edges = [(edge.population, edge.axis, edge.side) for edge in fitted_edges(tube.result)]
        once = {key for key, n in Counter(edges).items() if n == 1}
        for edge in fitted_edges(tube.result):
            key = (edge.population, edge.axis, edge.side)
            if key in once:
                found.setdefault(key, {})[tube.name] = edge
    return found


def _outliers(evidence: RunEvidence, batch: Batch, edges: Mapping[str, Edge]) -> list[RunFinding]:
    places = np.array([edge.place for edge in edges.values()])
    middle = float(np.median(places))
    sd = _MAD_TO_SD * float(np.median(np.abs(places - middle)))
    found = []
    for (name, edge), place in zip(edges.items(), places, strict=True):
        away = abs(float(place) - middle)
        least = LEAST_SHARE * abs(middle) if edge.linear else LEAST_DECADES
        if away <= least or away <= (RUN_CHECK.warn or 0.0) * sd:
            continue
        usual = float(np.median([other.raw for other in edges.values()]))
        moved = f"{100 * away / abs(middle):,.0f} %" if edge.linear and middle else f"{away:.2f} decades"
        sentence = (
            f"In {name} {evidence.called(edge.population)} is cut on {edge.axis} at {edge.raw:,.0f}, {moved} "
            f"{'above' if place > middle else 'below'} the median of {batch.called} ({usual:,.0f}, {len(edges)} tubes)."
        )
        found.append(
            said(
                RUN_CHECK,
                "warn",
                sentence,
                samples=[name],
                population=edge.population,
                measured=away / sd if sd > 0 else None,
                remedy=_LOOK,
            )
        )
    return found


_LOOK = "Look at this boundary in the tube's report; where cells and not the boundary moved, find out why."

RUN_CHECK = RunCheck(
    code="Q15", title="boundaries where they lie in the batch", run=look, warn=3.0, unit="robust standard deviations"
)
