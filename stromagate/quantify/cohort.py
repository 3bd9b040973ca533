"""What tubes of a cohort are compared by: the indices and the rates of populations, replicates pooled by counts.

Indices are those of the pattern calls (net of background) where these are all reckoned alike, else rates as they were
counted: the two are never mixed, since a tube without controls would look richer than one with.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stromagate.model.cohort import SHARE, CohortNumber
from stromagate.model.detection import LOD_FLOOR_EVENTS
from stromagate.model.gates import Boolean
from stromagate.model.pattern import IndexValue
from stromagate.model.result import SampleResult, Statistic
from stromagate.quantify.intervals import settled

P, Q, MSC = "P", "Q", "MSC"
PER_MILLION = "per_million"
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Basis:
    """What all tubes of a cohort are read by: populations of the quantities, denominators, and which of two readings.

    ``populations`` names the population of every quantity of the table; of ``P/MSC`` it is that of the progenitors.
    ``by_calls`` says that indices are those of the pattern calls, ``net`` that background was taken off.
    """

    populations: Mapping[str, str]
    denominators: tuple[str, ...]
    by_calls: bool = False
    net: bool = False


def basis(results: Sequence[SampleResult]) -> Basis:
    """Return what tubes of one template are read by.

    Parameters
    ----------
    results : sequence of SampleResult
        At least one; all of one template.

    Returns
    -------
    Basis
        ``P``, ``Q``, ``P/MSC`` and ``MSC`` where the template has progenitors and MSC, else its indices. Denominators
        are those under which all tubes have a rate of each; the first tube's own first one where there are none.
    """
    first = results[0]
    populations = _populations(first)
    rated = [name for key, name in populations.items() if key != SHARE]
    there = [{name for name in one.denominators if all(rate_of(one, each, name) for each in rated)} for one in results]
    common = tuple(name for name in first.denominators if all(name in names for names in there))
    reckoned = [one.pattern for one in results if one.pattern.indices]
    net = P in populations and any(call.background for call in reckoned)
    alike = all(call.background or call.calibration is not None for call in reckoned)
    return Basis(populations, common or _own(first), by_calls=net and alike, net=net and alike)


def _populations(result: SampleResult) -> dict[str, str]:
    msc, progenitors = result.indices.get("msc", ""), result.indices.get("progenitors", "")
    if not msc or not progenitors:
        return {name: name for name in result.indices.values()}
    rest = _without(result, progenitors, msc)
    found = {P: progenitors, Q: rest, SHARE: progenitors, MSC: msc}
    return {key: name for key, name in found.items() if name}


def _without(result: SampleResult, part: str, whole: str) -> str:
    """Return the population of ``whole`` that is not in ``part``; empty where the template has none."""
    wanted = Boolean("none", (part,))
    nodes = (node for node in result.tree.nodes if node.parent == whole and node.geometry == wanted)
    return next((node.name for node in nodes), "")


def _own(result: SampleResult) -> tuple[str, ...]:
    there = {row.denominator for row in result.statistics if row.statistic == PER_MILLION}
    return tuple(name for name in result.denominators if name in there)[:1]


def rate_of(result: SampleResult, population: str, denominator: str) -> Statistic | None:
    """Return the rate of a population per million of a denominator, as it was counted; None where there is none."""
    return _row(result, population, PER_MILLION, denominator)


def _row(result: SampleResult, population: str, statistic: str, denominator: str) -> Statistic | None:
    key = (population, statistic, denominator)
    return next((one for one in result.statistics if (one.population, one.statistic, one.denominator) == key), None)


def offsets(results: Sequence[SampleResult], based: Basis) -> dict[str, float]:
    """Return c of ``log10(ppm + c)`` by denominator: half the median limit of detection of MSC (own choice of c)."""
    found: dict[str, float] = {}
    name = based.populations.get(MSC) or next(iter(based.populations.values()), "")
    for below in based.denominators:
        limits = sorted(_lod(one, name) / n for one in results if (n := one.count(below)))
        if limits:
            found[below] = float(f"{MILLION * limits[len(limits) // 2] / 2:.6g}")
    return found


def _lod(result: SampleResult, population: str) -> float:
    return next((one.lod_events for one in result.detection if one.population == population), float(LOD_FLOOR_EVENTS))


def numbers(result: SampleResult, based: Basis) -> tuple[CohortNumber, ...]:
    """Return the quantities of one tube under every denominator, then the rates of all its populations."""
    return (*_indices(result, based), *_all_rates(result, based))


def _indices(result: SampleResult, based: Basis) -> Iterator[CohortNumber]:
    for quantity, population in based.populations.items():
        if quantity == SHARE:
            yield _share(result, based)
            continue
        for below in based.denominators:
            found = rate_of(result, population, below)
            plain = as_number(quantity, found, population, below)
            yield net_rate(result, plain, quantity, below) if based.by_calls else plain


def as_number(quantity: str, row: Statistic | None, population: str, denominator: str) -> CohortNumber:
    """Return a number of a tube as one of the cohort; without a value where the tube has no such number."""
    unit = "per million" if row is None else row.unit
    if row is None:
        state = "not evaluable"
        return CohortNumber(
            quantity=quantity, population=population, denominator=denominator, unit=unit, value=None, state=state
        )
    return CohortNumber(
        quantity=quantity,
        population=population,
        denominator=denominator,
        unit=unit or "per million",
        value=row.value,
        ci_low=row.ci_low,
        ci_high=row.ci_high,
        state=row.state,
        n=row.n,
    )


def _share(result: SampleResult, based: Basis) -> CohortNumber:
    """Return progenitors among MSC; by the pattern call where that is net of background."""
    name = based.populations[SHARE]
    row = _row(result, name, "fraction", result.indices["msc"])
    plain = as_number(SHARE, row, name, "").model_copy(update={"unit": "fraction"})
    found = _index(result, SHARE, "") if based.by_calls else None
    return plain if found is None else plain.model_copy(update={**_of(found), "net": _is_net(result)})


def _is_net(result: SampleResult) -> bool:
    return bool(result.pattern.background)


def _index(result: SampleResult, index: str, denominator: str) -> IndexValue | None:
    return next((one for one in result.pattern.indices if (one.index, one.denominator) == (index, denominator)), None)


def _of(found: IndexValue) -> dict[str, float | None]:
    return {"value": found.value, "ci_low": found.ci_low, "ci_high": found.ci_high}


def net_rate(result: SampleResult, plain: CohortNumber, quantity: str, below: str) -> CohortNumber:
    """Return a rate as the pattern call reckons it: P and Q net of background, MSC as their sum.

    The sum's interval is put together from both as of independent counts (MOVER, doi:10.1002/sim.3095).
    """
    nothing: dict[str, float | None] = {"value": None, "ci_low": None, "ci_high": None}
    if quantity != MSC:
        found = _index(result, quantity, below)
        return plain.model_copy(update=nothing if found is None else {**_of(found), "net": _is_net(result)})
    parts = [one for name in (P, Q) if (one := _index(result, name, below)) is not None]
    values = [one.value for one in parts if one.value is not None]
    if len(values) < 2:
        return plain.model_copy(update=nothing)
    total = sum(values)
    down = [value - one.ci_low for value, one in zip(values, parts, strict=True) if one.ci_low is not None]
    up = [one.ci_high - value for value, one in zip(values, parts, strict=True) if one.ci_high is not None]
    low = settled(max(total - math.hypot(*down), 0.0)) if len(down) == 2 else None
    high = settled(total + math.hypot(*up)) if len(up) == 2 else None
    ends = {"ci_low": low, "ci_high": high}
    return plain.model_copy(update={"value": settled(total), **ends, "net": _is_net(result)})


def _all_rates(result: SampleResult, based: Basis) -> Iterator[CohortNumber]:
    """Yield the rates of every population as they were counted, and the share of progenitors: what tables also hold."""
    wanted, known = set(based.denominators), set(based.populations)
    for row in result.statistics:
        if row.statistic == PER_MILLION and row.denominator in wanted and row.population not in wanted | known:
            yield as_number(row.population, row, row.population, row.denominator)
    if SHARE in based.populations:
        name, msc = based.populations[SHARE], result.indices["msc"]
        yield as_number(name, _row(result, name, "fraction", msc), name, msc)
