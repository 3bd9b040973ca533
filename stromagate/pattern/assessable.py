"""Whether a tube could have told its pattern: its quality, and enough cells to see what the cut-points are about."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from stromagate.model.detection import LOD_FLOOR_EVENTS, DetectionLimits
from stromagate.model.pattern import Acquire, Index
from stromagate.model.result import SampleResult
from stromagate.pattern.cut_points import Cuts
from stromagate.pattern.evidence import MILLION, MSC, PROGENITORS, Counted, Evidence


def failed_checks(result: SampleResult) -> list[str]:
    """Return the failed checks that forbid a pattern, a sentence without its full stop each."""
    return [f"the check {item.code} failed: {item.sentence.rstrip('.')}" for item in result.findings if item.spoils]


def caveats(result: SampleResult) -> list[str]:
    """Return what a reader of a call must know beside it, a sentence without its full stop each."""
    found = [
        f"the check {item.code} failed because there are few cells, which the probabilities reckon with"
        for item in result.findings
        if item.status == "fail" and not item.spoils
    ]
    if not result.labels.get("age", "").strip():
        found.append("the sample sheet does not say the donor's age, and CD146 on these cells falls with it")
    return list(dict.fromkeys(found))


def could_tell(counted: Counted, evidence: Evidence, cuts: Mapping[Index, Cuts], denominator: str) -> bool:
    """Say whether each index would show as detected events if it were high, or is detected here anyway.

    Low is told from high alone: a tube that could not have shown a high index says nothing by showing none.
    """
    n = counted.total(denominator)
    return all(
        cut.high * n / MILLION >= _detected_from(evidence, index) or _is_detected(counted, evidence, index)
        for index, cut in cuts.items()
    )


def _is_detected(counted: Counted, evidence: Evidence, index: Index) -> bool:
    events = counted.p if index == "P" else counted.q
    return int(events[0]) >= _detected_from(evidence, index)


def to_acquire(counted: Counted, evidence: Evidence, cuts: Mapping[Index, Cuts], denominator: str) -> Acquire:
    """Return how many events of the denominator would show either index as detected if it were high."""
    needed = max(_needed(evidence, cuts))
    n_now = counted.total(denominator)
    n_events = _rounded_up(max(needed, n_now + 1))
    times = n_events / n_now
    two = float(f"{times:.2g}")
    said = f"{two:,.0f}" if two >= 10 else f"{two:g}"
    sentence = f"acquire at least {n_events:,} events of this denominator, {said} times as many as there are"
    return Acquire(denominator=denominator, n_events=n_events, n_now=n_now, sentence=sentence)


def _needed(evidence: Evidence, cuts: Mapping[Index, Cuts]) -> Iterator[float]:
    for index, cut in cuts.items():
        known = _limits(evidence, index)
        least = max(_detected_from(evidence, index), known.lod_events if known else LOD_FLOOR_EVENTS)
        yield least * MILLION / max(cut.high, 1e-3)


def _detected_from(evidence: Evidence, index: Index) -> int:
    known = _limits(evidence, index)
    return known.detected_from if known else LOD_FLOOR_EVENTS


def _limits(evidence: Evidence, index: Index) -> DetectionLimits | None:
    """Return the limits of an index; those of MSC stand for MSC without CD146."""
    return evidence.limits.get(PROGENITORS if index == "P" else MSC)


def _rounded_up(n: float) -> int:
    """Return a number of events with two digits, never below it."""
    step = int(10.0 ** max(0, math.floor(math.log10(n)) - 1))
    return math.ceil(n / step) * step
