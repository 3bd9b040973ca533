"""Whether each marker stains the cells that its name says: antibodies left out, of another kind, or on other channels.

Two kinds of cells are in every marrow, and what they carry is known well enough to ask for it: leukocytes bright in
CD45, nearly all of which carry CD31, and red cells with their precursors, bright in CD235a, of which early ones carry
CD105 and none CD271, CD146 or CD34. A marker is read against the red series' own negative, so that the answer hangs on
no boundary of its own. All limits are the product's own choice, tried on simulated marrows in which antibodies were
left out and names exchanged. Not seen: CD271 exchanged with CD146 or CD34, CD45 with CD31, and rare markers left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from stromagate.model.gates import GateNode
from stromagate.model.result import Finding
from stromagate.model.sample import F64, Rows
from stromagate.prepare.scales import raw_cut
from stromagate.qc.check import Check, Evidence
from stromagate.qc.targets import edges_of
from stromagate.qc.verdict import not_applicable, said
from stromagate.qc.wording import events, percent

_WHITE, _RED = "CD45", "CD235a"
# Monocytes, granulocytes, platelets, plasma cells and most lymphocytes carry it; stroma does not.
_ON_WHITE = "CD31"
# Early erythroblasts carry it (10.3109/10428194.2013.781167).
_ON_EARLY_RED = "CD105"
_NOT_ON_RED = ("CD271", "CD146", "CD34")
_READ = (_ON_WHITE, _ON_EARLY_RED, *_NOT_ON_RED, _WHITE)

_FEWEST = 150  # of a kind of cells: of fewer nothing is said
_FEWEST_ALL = 5_000  # cells among which red ones are missed
_LEAST_RED_PCT = 0.6
_BRIGHTER = 10.0  # times the CD45 boundary: dim blasts and erythroblasts lie between
_DEVIATIONS = 5.5
_CLEARLY = 3.0  # times the end of the negative: cells that carry CD31 beyond doubt
_CARRIED_PCT, _PARTNER_PCT = 40.0, 80.0
_NONE_PCT = 10.0  # of cells with CD31 carry CD45: plasma cells may be most of them and carry little
_STRANGE_PCT = 10.0
_EXCHANGED_PCT, _EXCHANGED_TIMES = 3.0, 2.0


@dataclass(frozen=True, slots=True)
class _Kind:
    """Cells of one kind: what they are called, how many there are, and which percentage carries each marker."""

    called: str
    n: int
    carry: Mapping[str, float]

    def seen(self, axis: str) -> str:
        """Say how many carry a marker."""
        return f"{percent(self.carry[axis])} of {events(self.n)} {self.called} carry {axis}"


@dataclass(frozen=True, slots=True)
class _Kinds:
    """Red cells and all others, and where the negative of each marker ends on red ones (scale values)."""

    red: Rows
    others: Rows
    ends: Mapping[str, float]


def look(evidence: Evidence) -> list[Finding]:
    """Fail markers that look exchanged, left out or on the wrong cells."""
    kinds = _kinds(evidence)
    if isinstance(kinds, Finding):
        return [kinds]
    found = [*_on_white(evidence, kinds), *_on_red(evidence, kinds)]
    if found:
        return found
    read = ", ".join(axis for axis in _READ if axis in kinds.ends)
    sentence = f"By {events(kinds.red.size)} bright in {_RED} and by leukocytes, {read} stain the cells of their names."
    return [said(CHECK, "pass", sentence)]


def _kinds(evidence: Evidence) -> _Kinds | Finding:
    """Part red cells from the others, or say why that cannot be done."""
    bound = {item.axis for item in evidence.panel.bindings}
    markers = [axis for axis in _READ if axis in bound]
    dump = _first_edge(evidence, _RED, lower_only=False)
    if dump is None or not markers:
        return not_applicable(CHECK, f"No boundary of {_RED} was placed, by which markers could be told.")
    base = evidence.members[dump[0].parent]
    bright = evidence.linear(_RED, base) >= dump[1]
    red = base[bright]
    if base.size >= _FEWEST_ALL and 100 * red.size < _LEAST_RED_PCT * base.size:
        share = (
            f"Only {percent(100 * red.size / base.size)} of {events(base.size)} of {evidence.called(dump[0].parent)}"
        )
        sentence = f"{share} are bright in {_place(evidence, _RED)}; of lysed marrow several in a hundred are."
        return said(CHECK, "warn", sentence, remedy=_NO_RED, measured=100 * red.size / base.size)
    if red.size < _FEWEST:
        few = f"{events(red.size)} bright in {_RED} are too few to tell markers by (fewer than {_FEWEST})."
        return not_applicable(CHECK, few)
    ends = {axis: _negative_end(evidence.linear(axis, red).astype(np.float64)) for axis in markers}
    readable = {axis: end for axis, end in ends.items() if end is not None}
    if not readable:
        return not_applicable(CHECK, f"The cells bright in {_RED} have no negative that markers could be told by.")
    return _Kinds(red, base[~bright], readable)


def _on_white(evidence: Evidence, kinds: _Kinds) -> Iterator[Finding]:
    """Yield what is wrong where leukocytes lack CD31, or cells with CD31 lack CD45."""
    if _ON_WHITE not in kinds.ends or _WHITE not in kinds.ends:
        return
    white = _bright_white(evidence, kinds.others)
    if white.size >= _FEWEST:
        kind = _kind(evidence, kinds, white, f"bright in {_WHITE}")
        if kind.carry[_ON_WHITE] < _CARRIED_PCT:
            yield from _lacking(evidence, kind, _ON_WHITE, besides=_WHITE, alone=_CARRIED_PCT)
            return
    with_cd31 = kinds.others[evidence.linear(_ON_WHITE, kinds.others) >= _CLEARLY * kinds.ends[_ON_WHITE]]
    if with_cd31.size >= _FEWEST:
        kind = _kind(evidence, kinds, with_cd31, f"bright in {_ON_WHITE}")
        if kind.carry[_WHITE] < _CARRIED_PCT:
            yield from _lacking(evidence, kind, _WHITE, besides=_ON_WHITE, alone=_NONE_PCT)


def _on_red(evidence: Evidence, kinds: _Kinds) -> Iterator[Finding]:
    """Yield what is wrong where red cells carry what none of them has."""
    kind = _kind(evidence, kinds, kinds.red, f"bright in {_RED}")
    early = kind.carry.get(_ON_EARLY_RED)
    for axis in (axis for axis in _NOT_ON_RED if axis in kind.carry):
        share = kind.carry[axis]
        if early is not None and share > max(_EXCHANGED_PCT, _EXCHANGED_TIMES * early):
            yield _exchanged(evidence, axis, _ON_EARLY_RED, f"{kind.seen(axis)}, and {percent(early)} {_ON_EARLY_RED}")
        elif share > _STRANGE_PCT:
            sentence = (
                f"{_place(evidence, axis)} does not look like {axis}: {kind.seen(axis)}, where hardly any should."
            )
            yield said(CHECK, "fail", sentence, remedy=_WRONG.format(axis=axis), measured=share)


def _lacking(evidence: Evidence, kind: _Kind, axis: str, *, besides: str, alone: float) -> Iterator[Finding]:
    """Yield what is wrong with a marker that cells lack: another is in its place, or next to none carry it."""
    others = {other: share for other, share in kind.carry.items() if other not in {axis, besides}}
    partner = max(others, key=lambda other: others[other], default=axis)
    if others.get(partner, 0.0) >= _PARTNER_PCT:
        yield _exchanged(evidence, axis, partner, f"{kind.seen(axis)}, and {percent(others[partner])} {partner}")
    elif kind.carry[axis] < alone:
        sentence = f"{_place(evidence, axis)} does not look like {axis}: {kind.seen(axis)}, where nearly all should."
        yield said(CHECK, "fail", sentence, remedy=_LACKS.format(axis=axis), measured=kind.carry[axis])


def _exchanged(evidence: Evidence, one: str, other: str, seen: str) -> Finding:
    sentence = f"{_place(evidence, one)} and {_place(evidence, other)} look exchanged: {seen}."
    return said(CHECK, "fail", sentence, remedy=_EXCHANGED.format(one=one, other=other))


def _kind(evidence: Evidence, kinds: _Kinds, rows: Rows, called: str) -> _Kind:
    carry = {axis: 100 * float(np.mean(evidence.linear(axis, rows) >= end)) for axis, end in kinds.ends.items()}
    return _Kind(called, rows.size, carry)


def _bright_white(evidence: Evidence, rows: Rows) -> Rows:
    """Return the cells far above the boundary of CD45."""
    boundary = _first_edge(evidence, _WHITE, lower_only=True)
    if boundary is None or boundary[1] <= 0:
        return rows[:0]
    return rows[evidence.linear(_WHITE, rows) >= _BRIGHTER * boundary[1]]


def _first_edge(evidence: Evidence, axis: str, *, lower_only: bool) -> tuple[GateNode, float] | None:
    """Return the first gate on an axis alone, with its edge in scale values."""
    for node in evidence.tree.nodes:
        low, high = edges_of(node.geometry).get(axis, (None, None))
        edge = low if low is not None or lower_only else high
        if edge is not None and len(edges_of(node.geometry)) == 1 and node.parent in evidence.members:
            return node, raw_cut(evidence.tree.axes[axis].scale, edge)
    return None


def _negative_end(values: F64) -> float | None:
    """Return where cells without a marker end: so many deviations of their lower half above their middle.

    None where so many lie at the lowest value that they have been cut off there, and the lower half has no width.
    """
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    low, middle = np.quantile(values, [0.1587, 0.5])
    return float(middle + _DEVIATIONS * (middle - low)) if low > values.min() else None


def _place(evidence: Evidence, axis: str) -> str:
    """Return a marker with its channel."""
    return next(f"{axis} ({item.pnn})" for item in evidence.panel.bindings if item.axis == axis)


_NO_RED = (
    "Expected of blood, of cultures and of marrow freed of red cells; else find out whether the antibody was pipetted, "
    "and on which channel it is."
)
_EXCHANGED = (
    "Compare the names of both channels with the staining list. Where they are exchanged, bind {one} and {other} by "
    "hand (--marker MARKER=CHANNEL, or a panel file), for the controls as well, and run again."
)
_LACKS = (
    "Find out whether {axis} was pipetted, on which channel it is, and whether the compensation is right; use no count "
    "that {axis} decides."
)
_WRONG = (
    "Find out which antibody is on this channel, and whether the compensation is right; use no count that "
    "{axis} decides."
)

CHECK = Check(
    code="Q47",
    stage="file",
    title="markers stain the cells of their names",
    run=look,
    not_of_controls="it lacks antibodies on purpose",
    unit="%",
)
