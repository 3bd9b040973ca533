"""Whether the rare cells glow instead of carrying their markers: dead and glowing cells are bright in every detector.

Two signs of it: they are bright in a detector that no antibody was for, or what they show of the markers that define
them goes along with a marker that has nothing to do with these.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from stromagate.model.result import Finding
from stromagate.model.sample import F64, Channel, Rows
from stromagate.prepare.labels import split_pulse
from stromagate.prepare.scales import forward
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.targets import deciding, edges_of, fluorescence, is_scatter, judged_rows, main_target, no_target
from stromagate.qc.verdict import judge, not_applicable, said
from stromagate.qc.wording import events

# Own choice: light of detectors compares but roughly, and stroma glows at less than a tenth of its CD271.
_BRIGHT_FRAC = 0.5


def look(evidence: Evidence) -> list[Finding]:
    """Compare what the main target shows of its own markers with empty detectors and with all other markers."""
    name = main_target(evidence)
    if name is None:
        return [no_target(CHECK)]
    rows = judged_rows(CHECK, evidence, name)
    if isinstance(rows, Finding):
        return [rows]
    own = _own(evidence)
    if not own:
        return [not_applicable(CHECK, f"No marker is required to be bright on {evidence.called(name)}.", name)]
    glowing = list(_bright_in_empty(evidence, name, rows, own[0]))
    along = _along(evidence, name, rows, own)
    return [*glowing, along]


def _own(evidence: Evidence) -> list[str]:
    """Return the markers that index populations are cut from below on, those of the main target first."""
    names = [main_target(evidence), *evidence.template.indices.values()]
    there = {node.name for node in evidence.tree.nodes}
    bound = {item.axis for item in fluorescence(evidence)}
    found = [
        axis
        for name in names
        if name in there
        for node, keep in deciding(evidence, name)
        for axis, (low, high) in edges_of(node.geometry).items()
        if axis in bound and (low is not None and high is None if keep else low is None and high is not None)
    ]
    return list(dict.fromkeys(found))


def _along(evidence: Evidence, name: str, rows: Rows, own: list[str]) -> Finding:
    others = [item.axis for item in fluorescence(evidence) if item.axis not in own]
    shown = {axis: _displayed(evidence, axis, rows) for axis in (*own, *others)}
    found = {(one, other): r for one in own for other in others if (r := _r(shown[one], shown[other])) is not None}
    if not found:
        return not_applicable(CHECK, f"{evidence.called(name)} shows no second marker to compare with.", name)
    one, other = max(found, key=lambda pair: found[pair])
    r = found[one, other]
    sentence = f"On {events(rows.size)} {evidence.called(name)} {one} goes along most with {other} (r = {r:.2f})."
    return judge(CHECK, r, sentence, remedy=_REMEDY, population=name)


def _displayed(evidence: Evidence, axis: str, rows: Rows) -> F64:
    return forward(evidence.tree.axes[axis].scale, evidence.linear(axis, rows).astype(np.float64))


def _r(one: F64, other: F64) -> float | None:
    numbers = np.isfinite(one) & np.isfinite(other)
    one, other = one[numbers], other[numbers]
    if one.size < 3 or not (np.ptp(one) > 0 and np.ptp(other) > 0):
        return None
    return float(np.clip(np.corrcoef(one, other)[0, 1], -1.0, 1.0))


def _bright_in_empty(evidence: Evidence, name: str, rows: Rows, own: str) -> Iterator[Finding]:
    """Yield the empty detectors in which the target is half as bright as in its own marker."""
    own_light = _middle(evidence.linear(own, rows).astype(np.float64))
    for channel in _empty(evidence):
        light = _middle(_light(evidence, channel, rows))
        if own_light > 0 and light > _BRIGHT_FRAC * own_light:
            sentence = (
                f"{evidence.called(name)} are as bright in {channel.pnn}, which no marker was read in, as in {own} "
                f"(medians {light:,.0f} and {own_light:,.0f})."
            )
            yield said(CHECK, "warn", sentence, remedy=_REMEDY, population=name)


def _middle(values: F64) -> float:
    """Return the median of what are numbers; 0 where none are."""
    values = values[np.isfinite(values)]
    return float(np.median(values)) if values.size else 0.0


def _empty(evidence: Evidence) -> Iterator[Channel]:
    """Yield the detectors without a name of a stain that spillover was taken out of: others hold their neighbours'."""
    sample, used = evidence.sample, evidence.tree.compensation
    bound = {split_pulse(item.pnn)[0] for item in evidence.panel.bindings}
    for channel in sample.channels:
        stem, pulse = split_pulse(channel.pnn)
        copied = channel.pns.strip().casefold() in {"", channel.pnn.strip().casefold()}
        light = not (channel.is_time or is_scatter(channel.pnn.upper()) or stem in {"fsc", "ssc", "time"})
        if copied and light and stem not in bound and pulse in {"", "a"} and used and channel.pnn in used.channels:
            yield channel


def _light(evidence: Evidence, channel: Channel, rows: Rows) -> F64:
    """Return compensated values of some rows in a channel of the matrix."""
    used, names = evidence.tree.compensation, list(evidence.sample.pnn)
    if used is None:
        return np.asarray(evidence.sample.events[rows, channel.index], dtype=np.float64)
    columns = [names.index(pnn) for pnn in used.channels]
    measured = evidence.sample.events[rows][:, columns].astype(np.float64)
    inverse = np.linalg.inv(np.array(used.matrix, dtype=np.float64))
    return np.asarray(measured @ inverse[:, used.channels.index(channel.pnn)])


_REMEDY = (
    "Dead or autofluorescent cells, or light that compensation left, may pass for the target: look at these two "
    "colours against each other and at the viability dye, and compare with the unstained tube or an FMO."
)

CHECK = Check(
    code="Q18",
    stage="result",
    title="target not bright by its glow alone",
    run=look,
    not_of_controls=BACKGROUND,
    warn=0.9,
    unit="r",
)
