"""Background, net and limits as numbers of their own, and what populations hold without each marker.

A net number is the difference of two with the limits of both (MOVER); where the control is so small that its own limits
reach further than those of the tube's count, it is told and called too small to subtract.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stromagate.gating.leave_out import WithoutMarker
from stromagate.model.detection import AT_MOST, TOO_SMALL, UNSTAINED, DetectionLimits
from stromagate.model.result import Statistic
from stromagate.quantify.background import Background, limits_of_mean
from stromagate.quantify.combine import Limits, difference
from stromagate.quantify.intervals import settled

_MILLION = 1_000_000


def background_rows(
    known: Sequence[Background],
    found: Sequence[DetectionLimits],
    rows: Sequence[Statistic],
    denominators: Sequence[str],
    confidence: float,
) -> Iterator[Statistic]:
    """Yield background, net and limits of every population as numbers of their own.

    ``marker`` is the role of the controls (``fmo:CD271``, ``unstained``, ``blank``) or ``blanks`` for the laboratory's.

    Parameters
    ----------
    known : sequence of Background
        As `background.backgrounds` returns them.
    found : sequence of DetectionLimits
        As `background.detection` returns them.
    rows : sequence of Statistic
        The tube's other numbers: raw counts with their limits, and the events of the denominators.
    denominators : sequence of str
        Declared denominators, of which the first that is there gives the rates.
    confidence : float
        Level of the intervals, between 0 and 1.
    """
    raw = {row.population: row for row in rows if row.statistic == "count"}
    rated = {(row.population, row.denominator) for row in rows if row.statistic == "per_million"}
    for each in known:
        count = raw[each.population]
        main = next((name for name in denominators if (each.population, name) in rated), "")
        per = raw[main].value if main in raw else None
        yield from _pair(each, count, confidence, "", 1.0, each.base)
        if per:
            yield from _pair(each, count, confidence, "_per_million", _MILLION / per, main)
    for limit in found:
        for name, value in (("lob", limit.lob_events), ("lod", limit.lod_events), ("lloq", limit.lloq_events)):
            yield Statistic(
                population=limit.population,
                parent=raw[limit.population].parent if limit.population in raw else "",
                statistic=name,
                value=value,
                unit="events",
                marker=limit.source,
            )


def left_out_rows(
    left_out: Sequence[WithoutMarker], rows: Sequence[Statistic], denominators: Sequence[str]
) -> Iterator[Statistic]:
    """Yield what populations hold without each of their markers, in events and per million of the main denominator."""
    raw = {row.population: row for row in rows if row.statistic == "count"}
    rated = {(row.population, row.denominator) for row in rows if row.statistic == "per_million"}
    for item in left_out:
        shared = {"population": item.population, "parent": raw[item.population].parent, "marker": item.marker}
        yield Statistic(statistic="without_marker", value=item.count, unit="events", n=item.count, **shared)
        main = next((name for name in denominators if (item.population, name) in rated), "")
        per = raw[main].value if main in raw else None
        if per:
            rate = {"statistic": "without_marker_per_million", "unit": "per million", "denominator": main}
            yield Statistic(value=settled(item.count * _MILLION / per), n=item.count, **rate, **shared)


def _pair(
    each: Background, count: Statistic, confidence: float, suffix: str, per: float, denominator: str
) -> Iterator[Statistic]:
    """Yield background and net in one unit."""
    mean, own = each.expected.mean, limits_of_mean(each.expected, confidence)
    unit = "per million" if suffix else "events"
    shared = {
        "population": each.population,
        "parent": count.parent,
        "unit": unit,
        "marker": each.role,
        "denominator": denominator,
    }
    state = AT_MOST if each.role == UNSTAINED else ""
    yield _row(shared, f"background{suffix}", mean, per, own, own, n=each.expected.counted, state=state)
    if state:
        return
    raw = count.value or 0.0
    both, counting = (count.ci_low or 0.0, count.ci_high), (count.counting_low or 0.0, count.counting_high)
    small = raw > 0 and own[1] - mean > raw - counting[0]
    yield _row(
        shared,
        f"net{suffix}",
        raw - mean,
        per,
        difference(raw, both, mean, own),
        difference(raw, counting, mean, own),
        n=count.n,
        state=TOO_SMALL if small else "",
    )


def _row(
    shared: Mapping[str, str],
    statistic: str,
    value: float,
    per: float,
    both: Limits,
    counting: Limits,
    *,
    n: int | None,
    state: str,
) -> Statistic:
    low, high, alone_low, alone_high = (settled(None if limit is None else limit * per) for limit in (*both, *counting))
    return Statistic.model_validate(
        {
            **shared,
            "statistic": statistic,
            "value": settled(value * per),
            "ci_low": low,
            "ci_high": high,
            "counting_low": alone_low,
            "counting_high": alone_high,
            "n": n,
            "state": state,
            "interval": "MOVER of exact Poisson" if statistic.startswith("net") else "exact Poisson",
        }
    )
