"""Index populations of which much is background: tubes that should hold none of them hold many as well."""

from __future__ import annotations

from stromagate.model.detection import LAB_BLANKS, LOD_FLOOR_EVENTS, BackgroundCount
from stromagate.model.result import Finding
from stromagate.qc.check import BACKGROUND, Check, Evidence
from stromagate.qc.targets import each_target
from stromagate.qc.verdict import judge, not_applicable
from stromagate.qc.wording import control_kind, events, percent

_TELLS_FROM_EVENTS = 3.0
"""Own choice: a control that would show fewer events than this at the first limit shows nothing by showing none."""


def look(evidence: Evidence) -> list[Finding]:
    """Hold the background of each target against its count, by the kind of blanks that shows most of it."""
    return each_target(CHECK, evidence, _one)


def _one(evidence: Evidence, name: str) -> Finding:
    called, count = evidence.called(name), evidence.counts[name]
    known = [each for each in evidence.background if each.population == name and not each.is_bound]
    if count is None:
        return not_applicable(CHECK, f"{called} could not be evaluated.", name)
    if not known:
        return not_applicable(CHECK, f"No control or blank shows how much of {called} is background.", name)
    if count < LOD_FLOOR_EVENTS:
        reason = f"{called} has {events(count)}: too few to ask how much of it is background."
        return not_applicable(CHECK, reason, name)
    assert CHECK.warn is not None
    tell = [each for each in known if _would_show(each, count) or _share_pct(each, count) > CHECK.warn]
    if not tell:
        kinds = " and the ".join(dict.fromkeys(map(_kind, known)))
        return not_applicable(CHECK, f"Too small to show how much of {called} is background: the {kinds}.", name)
    worst = max(tell, key=lambda each: _share_pct(each, count))
    share_pct, kind = _share_pct(worst, count), _kind(worst)
    at_least = "" if _would_show(worst, count) else "at least "
    sentence = (
        f"{events(worst.events)} of {called} in the {kind}: scaled to this tube, {at_least}{percent(share_pct)} of its "
        f"{events(count)}."
    )
    return judge(CHECK, share_pct, sentence, remedy=_REMEDY, population=name)


def _share_pct(each: BackgroundCount, count: int) -> float:
    """Return the share of a target that is background; where the control is too small to tell, the least it can be."""
    return 100 * (each.expected if _would_show(each, count) else each.low) / count


def _would_show(each: BackgroundCount, count: int) -> bool:
    """Say whether blanks would show some events if the first limit were just reached."""
    assert CHECK.warn is not None
    return CHECK.warn / 100 * count >= _TELLS_FROM_EVENTS * each.scale


def _kind(each: BackgroundCount) -> str:
    if each.role == LAB_BLANKS:
        return "laboratory's blanks"
    return control_kind(each.role) + ("s" if each.n_blanks > 1 else "")


_REMEDY = (
    "Report raw, background and net count side by side, and look at the plots of that control: what lies beyond the "
    "boundary there needs another boundary, another dye or a better compensation."
)

CHECK = Check(
    code="Q16",
    title="little of the target is background",
    run=look,
    not_of_controls=BACKGROUND,
    warn=20.0,
    fail=50.0,
    unit="%",
)
