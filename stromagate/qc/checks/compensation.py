"""Whether the markers were compensated, and with what."""

from __future__ import annotations

import numpy as np

from stromagate.model.panel import Compensation
from stromagate.model.result import Finding
from stromagate.prepare.labels import is_compensated_name
from stromagate.qc.check import Check, Evidence
from stromagate.qc.targets import fluorescence
from stromagate.qc.verdict import not_applicable, said
from stromagate.qc.wording import listed


def look(evidence: Evidence) -> list[Finding]:
    """Warn where a marker was gated on values that still hold other dyes' light."""
    bound = {item.pnn: item.axis for item in fluorescence(evidence)}
    if not bound:
        return [not_applicable(CHECK, "No fluorescence channel is used.")]
    used = evidence.tree.compensation
    if used is not None:
        return [_with_matrix(used, bound)]
    done = [pnn for pnn in bound if is_compensated_name(pnn)]
    if len(done) == len(bound):
        return [
            said(CHECK, "pass", "By their names all channels in use were exported compensated; no matrix was applied.")
        ]
    if done:
        rest = listed(pnn for pnn in bound if pnn not in done)
        return [_warn(f"{listed(done)} were exported compensated, {rest} were not and stayed as measured.", _AGAIN)]
    return [_without_matrix(evidence)]


_AGAIN = "Give a matrix with --compensation FILE.csv, or export the tube again with its matrix."


def _with_matrix(used: Compensation, bound: dict[str, str]) -> Finding:
    matrix = np.array(used.matrix, dtype=np.float64)
    if not np.any(matrix - np.diag(np.diag(matrix))):
        return _warn(f"The matrix in use ({used.source}) takes nothing out: all spillover in it is zero.", _AGAIN)
    outside = [f"{axis} ({pnn})" for pnn, axis in bound.items() if pnn not in used.channels]
    if outside:
        sentence = f"The matrix in use ({used.source}) leaves out {listed(outside)}: not compensated."
        return _warn(sentence, "Use a matrix that covers all markers of the template.")
    return said(CHECK, "pass", f"All markers were compensated with {used.source} over {len(used.channels)} channels.")


def _without_matrix(evidence: Evidence) -> Finding:
    spill = evidence.sample.spillover
    match spill.status:
        case "absent":
            return _warn("The file carries no spillover matrix and none was given: values are not compensated.", _AGAIN)
        case "unit":
            return _warn(f"{spill.keyword} of the file is a unit matrix: values are not compensated.", _AGAIN)
        case "malformed":
            return _warn(
                f"{spill.keyword} of the file cannot be read ({spill.reason}): values are not compensated.", _AGAIN
            )
        case _:
            sentence = f"The file carries a matrix ({spill.keyword}), and it was not used: values are not compensated."
            return _warn(sentence, "Leave out --compensation none unless the values are compensated already.")


def _warn(sentence: str, remedy: str) -> Finding:
    return said(CHECK, "warn", sentence, remedy=remedy)


CHECK = Check(code="Q01", stage="compensation", title="markers compensated", run=look)
