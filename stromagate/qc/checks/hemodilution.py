"""How much of a marrow is blood."""

from __future__ import annotations

from stromagate.model.result import Finding
from stromagate.model.specimen import BLOOD_COLUMNS, MAX_BLOOD_SHARE, BloodShare, blood_shares, specimen
from stromagate.qc.check import Check, Evidence
from stromagate.qc.verdict import judge, not_applicable, said
from stromagate.qc.wording import listed, percent


def look(evidence: Evidence) -> list[Finding]:
    """Judge the share of blood by the first method that the sheet has the counts for; name the others beside it."""
    known = specimen(evidence.labels)
    if not known.says_any(*BLOOD_COLUMNS):
        return [not_applicable(CHECK, "The sample sheet has no counts of blood and marrow.")]
    found = blood_shares(known)
    usable = [one for one in found if one.purity[0] <= 1 - _inside(one) <= one.purity[1]]
    if not usable:
        reason = "The counts in the sample sheet are not complete, or a method is used where it does not hold."
        return [not_applicable(CHECK, f"{reason} For the erythrocyte method fill in {listed(_RED)}.")]
    first = usable[0]
    if first.share < -_SCATTER:
        return [said(CHECK, "warn", _contradiction(first), remedy=_CHECK_CELLS, measured=100 * first.share)]
    others = [f"{_much(one)} by {one.method}" for one in found if one is not first]
    beside = f" ({', '.join(others)})" if others else ""
    sentence = f"By {first.method}, {_much(first)} of the nucleated cells came from blood{beside}: {_meaning(first)}."
    return [judge(CHECK, 100 * _inside(first), sentence, remedy=_REMEDY)]


def _inside(one: BloodShare) -> float:
    return min(max(one.share, 0.0), 1.0)


def _much(one: BloodShare) -> str:
    if one.share < -_SCATTER:
        return "less than none"
    return "more than all" if one.share > 1 else percent(100 * _inside(one))


def _contradiction(one: BloodShare) -> str:
    return (
        f"By {one.method}, {-100 * one.share:.0f} % less than none of the nucleated cells came from blood: the counts "
        f"in the sample sheet ({listed(one.columns)}) contradict each other."
    )


def _meaning(one: BloodShare) -> str:
    if one.share > 1:
        return "these counts contradict each other"
    if one.share > MAX_BLOOD_SHARE:
        return "cells per million of this marrow are not assessable"
    return f"cells that blood does not have were {1 / (1 - _inside(one)):.2f} times as frequent without it"


_SCATTER = 0.05
"""A share of blood that is negative by no more than this is scatter of the counts, and none. Own choice."""
_RED = ("rbc_bm", "rbc_pb", "wbc_pb", "tnc_bm")
_CHECK_CELLS = (
    "Look whether these cells of the sample sheet are right and in one unit, and whether the reference for pure marrow "
    "fits this patient; until then take no share of blood from them."
)
_REMEDY = (
    "Do not compare rates per nucleated cell with those of other marrows: take ratios between cells of the marrow, and "
    "draw a first pull of 1 to 2 mL next time."
)

CHECK = Check(
    code="Q24",
    title="blood in the marrow",
    run=look,
    not_of_controls="the marrow is judged by its stained tube",
    warn=30.0,
    fail=50.0,
    unit="%",
)
