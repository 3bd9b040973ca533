"""Replicates of one specimen: their counts added up where they agree, and told apart where they do not.

Only the same definition is pooled: every gate that decides about a population was placed by the same method in all
tubes. Boundaries of replicates rest on the same controls and the same rule, so what they leave open is taken to go the
same way in all tubes: it is averaged, and does not shrink with their number as counting does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from stromagate.model.gates import ROOT
from stromagate.model.holding import holders
from stromagate.model.pooled import DIFFER, PooledGroup, PooledRate, PooledRun, RateKind
from stromagate.model.result import SampleEntry, SampleResult, Statistic
from stromagate.model.specimen import replicate_group
from stromagate.quantify.counts import SHARE_INTERVALS
from stromagate.quantify.dispersion import Dispersion, dispersion, overdispersed
from stromagate.quantify.intervals import poisson_ratio, settled
from stromagate.quantify.replicates import placed_alike, pooled_limits
from stromagate.quantify.states import count_state, rarest

_MILLION = 1_000_000
_HALF = 0.5
_KINDS: dict[str, RateKind] = {"per_million": "per_million", "fraction": "fraction", "ratio": "ratio"}


def pool(results: Sequence[SampleResult], failed: Iterable[SampleEntry] = ()) -> PooledRun:
    """Pool the replicates of a run.

    Parameters
    ----------
    results : sequence of SampleResult
        Tubes of one run, gated by one template.
    failed : iterable of SampleEntry
        Tubes of the run that have no result; named where they are replicates.

    Returns
    -------
    PooledRun
        A group for every specimen with two replicates or more in the sheet, in the order of the tubes.
    """
    groups: dict[tuple[tuple[str, str], ...], list[SampleResult | SampleEntry]] = {}
    tubes: list[SampleResult | SampleEntry] = [*results, *failed]
    for tube in tubes:
        shared = replicate_group(tube.labels)
        if shared is not None:
            made = {} if isinstance(tube, SampleEntry) else _preparation(tube)
            groups.setdefault(tuple({**shared, **made}.items()), []).append(tube)
    return PooledRun(groups=tuple(_group(dict(key), tubes) for key, tubes in groups.items() if len(tubes) > 1))


def _preparation(result: SampleResult) -> dict[str, str]:
    """Return how the tube was enriched by its file: such rates are of another kind of tube."""
    stated = result.instrument.get("STROMAGATE_PREPARATION", "")
    return {"preparation": stated} if stated else {}


def _group(labels: dict[str, str], tubes: Sequence[SampleResult | SampleEntry]) -> PooledGroup:
    results: list[SampleResult] = []
    left_out: dict[str, str] = {}
    for tube in tubes:
        if isinstance(tube, SampleEntry):
            left_out[tube.sample_id] = "it could not be analysed"
            continue
        same = ((one.sample_id, shared) for one in results if (shared := _shared(one, tube)))
        twin, shared = next(same, ("", ""))
        if twin:
            left_out[tube.sample_id] = f"it holds the same {shared} as {twin}"
        else:
            results.append(tube)
    rates = tuple(_rates(results)) if len(results) > 1 else ()
    return PooledGroup(labels=labels, samples=tuple(one.sample_id for one in results), left_out=left_out, rates=rates)


def _shared(one: SampleResult, other: SampleResult) -> str:
    """Return what two tubes have in common that no two acquisitions have; empty where nothing.

    A file saved again has other bytes: its events are known by all counts and medians, equal to the last digit.
    """
    if one.source.sha256 and one.source.sha256 == other.source.sha256:
        return "bytes"
    first, second = (
        [(row.statistic, row.value) for row in each.statistics if row.statistic in {"count", "median"}]
        for each in (one, other)
    )
    told = any(statistic == "median" and value is not None for statistic, value in first)
    return "events" if told and first == second else ""


def _rates(results: Sequence[SampleResult]) -> Iterator[PooledRate]:
    """Yield the rates of the index populations: per million of each denominator, shares and ratios."""
    first = results[0]
    indices, held = list(dict.fromkeys(first.indices.values())), holders(first.tree)
    for name in indices:
        for row in first.statistics:
            share = row.statistic == "fraction" and row.denominator in indices
            if row.population == name and (share or row.statistic in {"per_million", "ratio"}):
                yield _rate(row, results, held.get(name, frozenset()))


@dataclass(frozen=True, slots=True)
class _Rows:
    """The same rate of every tube, with the counts of its denominator."""

    rows: list[Statistic]
    counts: list[int]
    totals: list[int]
    per: int
    share: bool
    confidence: float

    @property
    def tested_against(self) -> list[int]:
        """Events of which the counts are a part: those of a ratio are its denominator's and its own."""
        return self.totals if self.share else [k + n for k, n in zip(self.counts, self.totals, strict=True)]


def _rate(row: Statistic, results: Sequence[SampleResult], held_by: frozenset[str]) -> PooledRate:
    found = [_same(row, result) for result in results]
    totals = [result.count(row.denominator) for result in results]
    counts = [None if one is None else one.n for one in found]
    plain = PooledRate(
        population=row.population,
        statistic=_KINDS[row.statistic],
        denominator=row.denominator,
        unit=row.unit,
        counts=tuple(counts),
        totals=tuple(totals),
        method="not pooled",
        state="not evaluable",
    )
    lacking = [one.sample_id for one, k, n in zip(results, counts, totals, strict=True) if k is None or not n]
    if lacking:
        return plain.model_copy(update={"reason": f"there is no such rate of {', '.join(lacking)}"})
    apart = placed_alike(results, (row.population, row.denominator))
    if apart:
        return plain.model_copy(update={"reason": apart})
    share = row.statistic != "ratio" and row.denominator in {ROOT, *held_by}
    rows = _Rows(
        [one for one in found if one is not None],
        [k or 0 for k in counts],
        [n or 0 for n in totals],
        _MILLION if row.statistic == "per_million" else 1,
        share,
        results[0].record.config.confidence,
    )
    return _together(plain, rows, results)


def _same(row: Statistic, result: SampleResult) -> Statistic | None:
    """Return the same rate of another tube."""
    key = (row.population, row.statistic, row.denominator)
    return next((one for one in result.statistics if (one.population, one.statistic, one.denominator) == key), None)


def _together(plain: PooledRate, rows: _Rows, results: Sequence[SampleResult]) -> PooledRate:
    spread = dispersion(rows.counts, rows.tested_against)
    k, n = sum(rows.counts), sum(rows.totals)
    counting = _counting(rows, spread, k, n, results[0].record.config.interval)
    low, high = _with_boundaries(rows, counting, k, n)
    said = {
        "n": k,
        "total": n,
        "value": rows.per * k / n,
        "counting_low": _scaled(counting[0], rows.per),
        "counting_high": _scaled(counting[1], rows.per),
        "ci_low": _scaled(low, rows.per),
        "ci_high": _scaled(high, rows.per),
        "method": "pooled" if spread.agree else "over-dispersed",
        "state": _state(plain, k, n, results) if spread.agree else DIFFER,
        "p": settled(spread.p),
        "dispersion": settled(spread.factor),
        "cv_pct": settled(spread.cv_pct),
        "poisson_cv_pct": settled(spread.poisson_cv_pct),
        "reason": "" if spread.agree else "the tubes differ by more than counting",
    }
    return plain.model_copy(update=said)


def _state(plain: PooledRate, k: int, n: int, results: Sequence[SampleResult]) -> str:
    """Return what may be said of all tubes' events; of a ratio what its rarer population allows, as in one tube."""
    states = [count_state(k, pooled_limits(results, plain.population))]
    if plain.statistic == "ratio":
        states.append(count_state(n, pooled_limits(results, plain.denominator)))
    return rarest(states)


def _counting(rows: _Rows, spread: Dispersion, k: int, n: int, interval: str) -> tuple[float, float | None]:
    """Return the limits of counting in units of ``k / n``; of tubes that differ those of the tubes."""
    bounds: Callable[[int, int, float], tuple[float, float]] = SHARE_INTERVALS[interval]
    low, high = bounds(k, n, rows.confidence) if rows.share else poisson_ratio(k, n, rows.confidence)
    if spread.agree:
        return low, high
    wide_low, wide_high = overdispersed(rows.counts, rows.totals, rows.confidence)
    most = min(wide_high, 1.0) if rows.share else wide_high
    return min(low, wide_low), None if high is None else max(high, most)


def _with_boundaries(rows: _Rows, counting: tuple[float, float | None], k: int, n: int) -> tuple[float, float | None]:
    """Widen the limits by what the boundaries leave open, weighted by the tubes' events, on the log scale."""
    reach = [0.0, 0.0]
    for row, total in zip(rows.rows, rows.totals, strict=True):
        if row.value is None or row.boundary_low is None:
            continue
        if row.boundary_high is None:
            return 0.0, None
        ends = (row.boundary_low, row.value, row.boundary_high)
        places = [math.log(value * total / rows.per + _HALF) for value in ends]
        reach[0] += (places[1] - places[0]) * total / n
        reach[1] += (places[2] - places[1]) * total / n
    here, (low, high) = math.log(k + _HALF), counting
    if reach[0] > 0:
        down = math.hypot(here - math.log(low * n + _HALF), reach[0])
        low = min(low, max(0.0, math.exp(here - down) - _HALF) / n)
    if high is not None and reach[1] > 0:
        up = math.hypot(math.log(high * n + _HALF) - here, reach[1])
        high = max(high, (math.exp(here + up) - _HALF) / n)
        high = min(high, 1.0) if rows.share else high
    return low, high


def _scaled(limit: float | None, per: int) -> float | None:
    return None if limit is None else settled(per * limit)
