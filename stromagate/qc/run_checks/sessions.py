"""Whether the tubes of a batch were acquired on one day and one cytometer, its controls among them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from stromagate.model.result import RunFinding
from stromagate.qc.run_check import Batch, RunCheck, RunEvidence, TubeSeen, not_applicable, said
from stromagate.qc.wording import listed


def look(evidence: RunEvidence) -> list[RunFinding]:
    """Warn of batches of the sheet that were acquired on several days or cytometers."""
    batches = [batch for batch in evidence.batches() if batch.by_sheet]
    stating = [batch for batch in batches if sum(bool(tube.day or tube.cytometer) for tube in batch.tubes) > 1]
    if not stating:
        return [
            not_applicable(RUN_CHECK, "The sheet names no batch whose files state a day or a cytometer twice or more.")
        ]
    found = [finding for batch in stating for finding in (*_days(batch), *_cytometers(batch))]
    n = sum(len(batch.tubes) for batch in stating)
    alike = f"{n} tubes were acquired on the day and the cytometer of the rest of their batch, as far as files say."
    return found or [said(RUN_CHECK, "pass", alike)]


def _days(batch: Batch) -> list[RunFinding]:
    """Tell controls of another day, and stained tubes of several; a day itself is never written."""
    stained = {tube.day for tube in batch.tubes if tube.stained and tube.day}
    late = [tube.name for tube in batch.tubes if not tube.stained and tube.day and stained and tube.day not in stained]
    found = []
    if late:
        what = "the control" if len(late) == 1 else "controls"
        was = "was" if len(late) == 1 else "were"
        sentence = f"In {batch.called} {what} {listed(late)} {was} acquired on another day than the stained tubes."
        found.append(said(RUN_CHECK, "warn", sentence, samples=late, remedy=_CONTROLS))
    if len(stained) > 1:
        names = _apart((tube for tube in batch.tubes if tube.stained), lambda tube: tube.day)
        sentence = (
            f"The stained tubes of {batch.called} were acquired on {len(stained)} days; not with the first: {names}."
        )
        found.append(said(RUN_CHECK, "warn", sentence, remedy=_SPLIT))
    return found


def _cytometers(batch: Batch) -> list[RunFinding]:
    used = {(tube.cytometer, tube.serial) for tube in batch.tubes if tube.cytometer}
    if len(used) < 2:
        return []
    names = _apart(batch.tubes, lambda tube: f"{tube.cytometer}\0{tube.serial}" if tube.cytometer else "")
    sentence = f"The tubes of {batch.called} were acquired on {len(used)} cytometers; not on the first: {names}."
    return [said(RUN_CHECK, "warn", sentence, remedy=_SPLIT)]


def _apart(tubes: Iterable[TubeSeen], key: Callable[[TubeSeen], str]) -> str:
    """Return the tubes that are not of the first one's day or cytometer, listed."""
    stating = [tube for tube in tubes if key(tube)]
    return listed(tube.name for tube in stating if key(tube) != key(stating[0]))


_CONTROLS = "Acquire the controls of a batch with its tubes; until then look at every boundary that was set on them."
_SPLIT = "Write tubes that were acquired apart into batches of their own (column `batch` of the sheet)."

RUN_CHECK = RunCheck(code="Q64", title="one session a batch", run=look)
