"""Whether a tube was acquired right after one so rich that what stays in the tubing could be counted in it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from stromagate.model.result import RunFinding
from stromagate.qc.run_check import RunCheck, RunEvidence, TubeSeen, not_applicable, said
from stromagate.qc.wording import events, percent

CARRIED_SHARE = 0.001
"""Part of a tube's cells that may turn up in the next one: cleaning between tubes is held to less. Own choice."""


def look(evidence: RunEvidence) -> list[RunFinding]:
    """Warn of tubes whose count could be made of the tube before by more than a fifth."""
    pairs = list(_in_a_row(evidence))
    if not pairs:
        return [not_applicable(RUN_CHECK, "No two tubes state day and time of acquisition ($DATE, $BTIM).")]
    found = [finding for before, after in pairs if (finding := _risk(evidence, before, after)) is not None]
    clear = f"{len(pairs)} times one tube followed another, and none was rich enough to be counted in the next."
    return found or [said(RUN_CHECK, "pass", clear)]


def _in_a_row(evidence: RunEvidence) -> Iterator[tuple[TubeSeen, TubeSeen]]:
    """Yield each tube with the one acquired right before it; of tubes that began together neither was first."""
    sessions: dict[tuple[str, ...], list[TubeSeen]] = {}
    for tube in evidence.tubes:
        if tube.day and tube.begun_s is not None:
            sessions.setdefault((tube.day, tube.cytometer, tube.serial), []).append(tube)
    for tubes in sessions.values():
        for before, after in pairwise(sorted(tubes, key=lambda tube: tube.begun_s or 0.0)):
            if before.begun_s != after.begun_s:
                yield before, after


def _risk(evidence: RunEvidence, before: TubeSeen, after: TubeSeen) -> RunFinding | None:
    """Return the gravest finding of two tubes in a row; None where no count is at risk."""
    worst: tuple[float, str] | None = None
    for name in dict.fromkeys(evidence.template.indices.values()):
        there, here = before.result.count(name), after.result.count(name)
        if there and here:
            share_pct = 100 * CARRIED_SHARE * there / here
            if RUN_CHECK.warn is not None and share_pct > RUN_CHECK.warn and share_pct > (worst[0] if worst else 0.0):
                worst = share_pct, name
    if worst is None:
        return None
    share_pct, name = worst
    there, here = before.result.count(name) or 0, after.result.count(name) or 0
    sentence = (
        f"{after.name} was acquired right after {before.name}, which holds {events(there)} of {evidence.called(name)}: "
        f"one in {1 / CARRIED_SHARE:,.0f} of them would be {percent(share_pct)} of the {events(here)} counted in "
        f"{after.name}."
    )
    return said(
        RUN_CHECK,
        "warn",
        sentence,
        samples=(after.name, before.name),
        population=name,
        measured=share_pct,
        remedy=_WASH,
    )


_WASH = "Look whether these events come in the first seconds of the tube; run water between rich tubes and poor ones."

RUN_CHECK = RunCheck(code="Q63", title="no poor tube right after a rich one", run=look, warn=20.0, unit="%")
