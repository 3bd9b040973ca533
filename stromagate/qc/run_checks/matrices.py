"""Whether the tubes of a batch were compensated with the same spillover matrix."""

from __future__ import annotations

import numpy as np

from stromagate.model.panel import Compensation
from stromagate.model.result import RunFinding
from stromagate.qc.run_check import Batch, RunCheck, RunEvidence, not_applicable, said
from stromagate.qc.wording import listed, percent

# A matrix that was written with fewer digits is still the same one.
_SAME_SHARE = 1e-4


def look(evidence: RunEvidence) -> list[RunFinding]:
    """Warn of every batch in which several matrices were used, with the pair of detectors that differs most."""
    compared = 0
    found = []
    for batch in evidence.batches():
        used = {tube.name: tube.result.tree.compensation for tube in batch.tubes}
        if len(used) < 2 or not any(used.values()):
            continue
        compared += len(used)
        found += _differing(batch, used)
    if not compared:
        return [not_applicable(RUN_CHECK, "No two tubes of a batch were compensated.")]
    alike = f"{compared} tubes were compensated with the spillover matrix of the rest of their batch."
    return found or [said(RUN_CHECK, "pass", alike, measured=0.0)]


def _differing(batch: Batch, used: dict[str, Compensation | None]) -> list[RunFinding]:
    kinds: list[tuple[Compensation | None, list[str]]] = []
    for name, matrix in used.items():
        for known, names in kinds:
            if _differences(known, matrix)[0] <= _SAME_SHARE:
                names.append(name)
                break
        else:
            kinds.append((matrix, [name]))
    common, _ = max(kinds, key=lambda kind: len(kind[1]))
    found = []
    for matrix, names in kinds:
        share, words = _differences(common, matrix)
        if matrix is not common:
            sentence = f"In {batch.called} {listed(names)} used another spillover matrix than the rest: {words}."
            measured = 100 * share if np.isfinite(share) else None
            found.append(said(RUN_CHECK, "warn", sentence, samples=names, measured=measured, remedy=_REMEDY))
    return found


def _differences(common: Compensation | None, other: Compensation | None) -> tuple[float, str]:
    """Return the largest difference of two matrices as a share of spill, and it in words; infinite without a pair."""
    if common is None or other is None:
        return (0.0, "") if common is other else (np.inf, _uncompensated(other))
    if set(common.channels) != set(other.channels):
        apart = sorted(set(common.channels) ^ set(other.channels))
        return np.inf, f"{listed(apart)} {'stands' if len(apart) == 1 else 'stand'} in one of the two alone"
    order = [other.channels.index(name) for name in common.channels]
    one, two = np.array(common.matrix), np.array(other.matrix)[np.ix_(order, order)]
    row, column = np.unravel_index(int(np.argmax(np.abs(one - two))), one.shape)
    pair = f"{common.channels[row]} into {common.channels[column]}"
    said_here, said_there = percent(100 * float(two[row, column])), percent(100 * float(one[row, column]))
    return float(np.abs(one - two)[row, column]), f"{pair} {said_here}, not {said_there}"


def _uncompensated(other: Compensation | None) -> str:
    return (
        "none was used, and the rest were compensated"
        if other is None
        else "they were compensated, and the rest were not"
    )


_REMEDY = "Compensate a batch with one matrix: run it again with --compensation FILE, or look why the files differ."

RUN_CHECK = RunCheck(code="Q62", title="one spillover matrix in a batch", run=look, warn=0.0, unit="%")
