"""Whether the markers were compensated, with what, and how level that left the one channel that shows it.

Only a channel without its antibody tells spillover from stain. A run reads no single stains, but an FMO control has one
such channel: what goes along there with a bright colour is what the matrix left, or took out too much. In a stained
tube nothing can be said of it, but for far too much (Q02). An edited matrix is no other than one that was acquired.
"""

from __future__ import annotations

import numpy as np

from stromagate.model.gates import ROOT
from stromagate.model.panel import Binding, Compensation
from stromagate.model.result import Finding
from stromagate.model.sample import F64, Rows
from stromagate.prepare.labels import is_compensated_name
from stromagate.qc.check import Check, Evidence
from stromagate.qc.signal import ceiling
from stromagate.qc.targets import fluorescence
from stromagate.qc.verdict import judge, not_applicable, said
from stromagate.qc.wording import listed


def look(evidence: Evidence) -> list[Finding]:
    """Warn where a marker was gated on values that still hold other dyes' light; on an FMO control, measure it."""
    bound = {item.pnn: item.axis for item in fluorescence(evidence)}
    if not bound:
        return [not_applicable(CHECK, "No fluorescence channel is used.")]
    used = evidence.tree.compensation
    if used is not None:
        return [_with_matrix(used, bound), *_left_in_fmo(evidence)]
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


def _left_in_fmo(evidence: Evidence) -> list[Finding]:
    """Judge the bright colour that goes along most with the channel of the antibody that an FMO control lacks."""
    kind, _, marker = evidence.role.strip().partition(":")
    bound = {item.axis.casefold(): item for item in fluorescence(evidence)}
    lacking = bound.get(marker.strip().casefold())
    if kind.casefold() != "fmo" or lacking is None or not evidence.tree.axes[lacking.axis].compensated:
        return []
    slopes = {
        item.axis: slope
        for item in bound.values()
        if item is not lacking and (slope := _slope_pct(evidence, lacking, item)) is not None
    }
    if not slopes:
        return []
    worst = max(slopes, key=lambda axis: abs(slopes[axis]))
    spiller, slope = bound[worst.casefold()], slopes[worst]
    way = "left" if slope > 0 else "taken out too much"
    sentence = (
        f"{lacking.axis} ({lacking.pnn}), whose antibody is left out, tells how level {len(slopes)} bright "
        f"colour{'s were' if len(slopes) > 1 else ' was'} compensated: of {spiller.axis} ({spiller.pnn}) "
        f"{abs(slope):.1f} % are {way}, the most of them."
    )
    pair = f"of {spiller.axis} into {lacking.axis}"
    amount = "too small" if slope > 0 else "too large"
    remedy = (
        f"The value {pair} in the matrix is {amount}, or the antibody was not left out: make the matrix again from "
        "single stains of the same day, and look at the staining list."
    )
    return [judge(CHECK, abs(slope), sentence, remedy=remedy)]


def _slope_pct(evidence: Evidence, lacking: Binding, spiller: Binding) -> float | None:
    """Return what goes along with a colour in a channel without antibody, in % of its light; None if it is dim."""
    top = ceiling(evidence.sample, evidence.sample.channels[spiller.channel])
    rows = evidence.members[ROOT]
    for node in evidence.tree.nodes:  # dead cells glow in all channels at once
        if node.geometry is not None and _DYE in node.geometry.axes and node.name in evidence.members:
            rows = evidence.members[node.name]
            break
    light = evidence.linear(spiller.axis, rows).astype(np.float64)
    dark = evidence.linear(lacking.axis, rows).astype(np.float64)
    finite = np.isfinite(light) & np.isfinite(dark)
    order = np.argsort(light[finite], kind="stable")
    n_bright = max(_FEWEST, int(_BRIGHT_FRAC * order.size))
    if top is None or order.size < n_bright / _DIM_FRACS[1]:
        return None
    bright, dim = order[-n_bright:], order[slice(*(int(part * order.size) for part in _DIM_FRACS))]
    recorded = float(np.median(evidence.sample.events[rows[finite][bright], spiller.channel]))
    more = _between(light[finite], bright, dim)
    # What is cut off at the top spills more than it shows, and where all cells are as bright there is no slope.
    if recorded > _CUT_OFF_FRAC * top or more < max(_LEAST_LIGHT_FRAC * top, _LEAST_MORE_FRAC * recorded):
        return None
    return 100 * _between(dark[finite], bright, dim) / more


def _between(values: F64, bright: Rows, dim: Rows) -> float:
    return float(np.median(values[bright]) - np.median(values[dim]))


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


_DYE = "Viability"
# Own choices: the brightest fiftieth, and cells that lack the colour where it is not on most of them.
_BRIGHT_FRAC, _DIM_FRACS, _FEWEST = 0.02, (0.1, 0.5), 200
# Own choice, of the detector's range: kinds of cells differ in glow by some hundreds of units of 262,144, which is
# several percent of a dimmer colour.
_LEAST_LIGHT_FRAC = 0.04
_LEAST_MORE_FRAC, _CUT_OFF_FRAC = 0.5, 0.95

# In 56 FMO tubes of simulated marrow 1.5 % are left at most, glow included; at other voltages than the matrix is for,
# 13 %. Wrong values in a stained tube, or of less than 5 %, are not seen.
CHECK = Check(
    code="Q01", stage="compensation", title="markers compensated", run=look, fail=5.0, unit="% of the other colour"
)
