"""Whether the leukaemia is of a kind that the gates do not find, or do not keep out of stroma.

AML without CD34 is missed by gates on CD34, and AML without CD45, of red cells or of megakaryocytes lies where stroma
is looked for. The sheet's column `diagnosis` says the kind, or the blasts themselves where a template gates them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from stromagate.model.diagnosis import (
    CARRIED_SHARE,
    DIAGNOSIS,
    LEUKAEMIA_SHARE,
    MIN_BLASTS,
    UNSTATED_SHARE,
    is_leukaemia,
    is_of_blasts,
    lacking,
)
from stromagate.model.result import Finding
from stromagate.prepare.scales import raw_cut
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.targets import deciding, edges_of, targets
from stromagate.qc.verdict import not_applicable, said
from stromagate.qc.wording import events, listed, percent


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of leukaemia: the words for it in a diagnosis, what it is called, and the markers it escapes by."""

    words: str
    called: str
    markers: tuple[str, ...]


_CD34_NEGATIVE = _Kind(lacking("CD34"), "blasts without CD34", ("CD34",))
_KINDS = (
    _CD34_NEGATIVE,
    _Kind(lacking("CD45"), "blasts without CD45", ("CD45",)),
    _Kind(
        r"erythro?[- ]?leuk|\berythroid\b|\b(?:AML|FAB)?[- ]?M6[ab]?\b", "an erythroid leukaemia", ("CD45", "CD235a")
    ),
    _Kind(r"megakaryo|\b(?:AML|FAB)?[- ]?M7\b|\bAMKL\b", "a megakaryoblastic leukaemia", ("CD45", "CD31", "CD34")),
)


def look(evidence: Evidence) -> list[Finding]:
    """Warn of each kind that is stated or seen, with the populations that are then not to be relied on."""
    stated = evidence.labels.get(DIAGNOSIS, "").strip()
    kinds = {kind: f"The sample sheet gives {kind.called}" for kind in _KINDS if _names(kind, stated)}
    seen = _blasts_with_cd34(evidence)
    if seen is not None and seen.share_pct < 100 * CARRIED_SHARE:
        kinds.setdefault(_CD34_NEGATIVE, seen.sentence)
    if kinds:
        return [_warned(evidence, kind, why) for kind, why in kinds.items()]
    if stated:
        sentence = "The diagnosis in the sample sheet names no leukaemia that the gates are known to miss."
        return [said(CHECK, "pass", sentence)]
    if seen is not None:
        return [said(CHECK, "pass", f"{seen.sentence}.")]
    return [not_applicable(CHECK, f"Neither the sample sheet (column {DIAGNOSIS}) nor a gate of blasts says the kind.")]


def _names(kind: _Kind, text: str) -> bool:
    return bool(re.search(kind.words, text, re.IGNORECASE))


def _warned(evidence: Evidence, kind: _Kind, why: str) -> Finding:
    hit = [evidence.called(name) for name in targets(evidence) if _axes(evidence, name) & set(kind.markers)]
    gates = f"the gates on {' and '.join(kind.markers)} neither find nor keep out such cells"
    counts = f"not to be relied on: {listed(hit)}" if hit else "no index population of this template hangs on them"
    return said(CHECK, "warn", f"{why}: {gates}; {counts}.", remedy=_REMEDY)


def _axes(evidence: Evidence, name: str) -> set[str]:
    return {axis for node, _ in deciding(evidence, name) for axis in edges_of(node.geometry)}


@dataclass(frozen=True, slots=True)
class _Blasts:
    share_pct: float
    sentence: str


def _blasts_with_cd34(evidence: Evidence) -> _Blasts | None:
    """Return how many of a leukaemia's blasts carry CD34; None where the template does not say."""
    edge = next(_cd34_edges(evidence), None)
    for node in evidence.tree.nodes:
        rows = evidence.members.get(node.name)
        if edge is None or rows is None or not is_of_blasts(node.name) or rows.size < MIN_BLASTS:
            continue
        every = evidence.counts[evidence.template.denominators[0]] if evidence.template.denominators else None
        share_pct = 100 * rows.size / every if every else 0.0
        least = LEUKAEMIA_SHARE if is_leukaemia(evidence.labels.get(DIAGNOSIS, "")) else UNSTATED_SHARE
        if share_pct < 100 * least:
            continue
        carried_pct = 100 * float(np.mean(evidence.linear("CD34", rows) >= edge))
        shown = f"{percent(carried_pct)} of {events(rows.size)} {evidence.called(node.name)} carry CD34"
        return _Blasts(carried_pct, shown)
    return None


def _cd34_edges(evidence: Evidence) -> Iterator[float]:
    for node in evidence.tree.nodes:
        low, high = edges_of(node.geometry).get("CD34", (None, None))
        edge = low if low is not None else high
        if edge is not None:
            yield raw_cut(evidence.tree.axes["CD34"].scale, edge)


_REMEDY = (
    "Take stroma, stem cells and blasts of this tube only with markers that this leukaemia has or lacks for certain "
    "(its own aberrant ones, CD33, CD117, CD61), and compare with an FMO of the same patient."
)

CHECK = Check(
    code="Q25", stage="result", title="leukaemia of a kind that the gates know", run=look, not_of_controls=BACKGROUND
)
