"""Whether the stained tubes of a batch are of one kind of specimen, prepared in one way."""

from __future__ import annotations

from collections.abc import Mapping

from stromagate.model.result import RunFinding
from stromagate.qc.run_check import Batch, RunCheck, RunEvidence, TubeSeen, not_applicable, said, usual
from stromagate.qc.wording import listed

_COLUMNS = ("specimen", "preparation")


def look(evidence: RunEvidence) -> list[RunFinding]:
    """Warn of batches in which specimen or preparation differ, as sheet or files state them."""
    compared = 0
    found = []
    for batch in evidence.batches():
        for column in _COLUMNS:
            stated = {tube.name: word for tube in batch.tubes if tube.stained and (word := _stated(tube, column))}
            if len(stated) > 1:
                compared += 1
                found += _differing(batch, column, stated)
    if not compared:
        return [not_applicable(RUN_CHECK, "No two stained tubes of a batch state their specimen or preparation.")]
    return found or [said(RUN_CHECK, "pass", "Specimen and preparation are the same within each batch, where stated.")]


def _stated(tube: TubeSeen, column: str) -> str:
    """Return the sheet's word, else for the preparation what the file says of it."""
    kept = tube.result.instrument.get("STROMAGATE_PREPARATION", "") if column == "preparation" else ""
    return " ".join((tube.said(column) or kept).casefold().replace("_", " ").split())


def _differing(batch: Batch, column: str, stated: Mapping[str, str]) -> list[RunFinding]:
    common, odd = usual(stated)
    if not odd:
        return []
    others = listed(dict.fromkeys(f"{stated[name]} ({name})" for name in odd))
    sentence = f"In {batch.called} the {column} differs: most are {common}, and not {others}."
    return [said(RUN_CHECK, "warn", sentence, samples=odd, remedy=_REMEDY)]


_REMEDY = (
    "Compare no rates across them: digests, separated cells and whole marrow lose different cells, and no pattern of "
    "one holds for the other."
)

RUN_CHECK = RunCheck(code="Q26", title="one kind of specimen in a batch", run=look)
