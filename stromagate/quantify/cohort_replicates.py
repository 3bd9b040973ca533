"""Replicates in a cohort: one line for the tubes of one specimen, by counts, net of their background."""

from __future__ import annotations

import math
from collections.abc import Sequence

from stromagate.model.cohort import SHARE, CohortNumber
from stromagate.model.pooled import PooledGroup, PooledRate
from stromagate.model.result import SampleResult
from stromagate.quantify.cohort import PER_MILLION, Basis, as_number, net_rate, rate_of
from stromagate.quantify.combine import Limits, difference
from stromagate.quantify.intervals import settled
from stromagate.quantify.pooling import pool


def replicates(results: Sequence[SampleResult], based: Basis) -> list[PooledGroup]:
    """Return the groups of replicates, with the rates of every quantity of the table among theirs."""
    more = {f"cohort_{i}": name for i, name in enumerate(dict.fromkeys(based.populations.values()))}
    asked = [one.model_copy(update={"indices": {**one.indices, **more}}) for one in results]
    return [group for group in pool(asked).groups if len(group.samples) > 1]


def pooled_numbers(
    group: PooledGroup, members: Sequence[SampleResult], based: Basis
) -> tuple[tuple[CohortNumber, ...], str]:
    """Return the quantities of replicates together, or why there are none.

    Parameters
    ----------
    group : PooledGroup
        Their pooled rates.
    members : sequence of SampleResult
        The tubes, in the group's order.
    based : Basis
        What the cohort is read by.

    Returns
    -------
    tuple of CohortNumber, str
        The numbers and an empty text, or no numbers and the reason.
    """
    found: list[CohortNumber] = []
    counted: list[CohortNumber] = []
    for quantity, population in based.populations.items():
        for below in ("",) if quantity == SHARE else based.denominators:
            rate = _pooled(group, population, quantity, below or members[0].indices.get("msc", ""))
            if rate is None or rate.value is None:
                return (), "there is no pooled rate" if rate is None else rate.reason
            plain = _of_pooled(rate, quantity, below)
            found.append(_net_of(plain, rate, members, based) if based.by_calls and quantity != SHARE else plain)
            if quantity != population:
                counted.append(plain.model_copy(update={"quantity": population, "denominator": rate.denominator}))
    return (*found, *counted), ""


def _pooled(group: PooledGroup, population: str, quantity: str, below: str) -> PooledRate | None:
    kind = "fraction" if quantity == SHARE else PER_MILLION
    key = (population, kind, below)
    return next((one for one in group.rates if (one.population, one.statistic, one.denominator) == key), None)


def _of_pooled(rate: PooledRate, quantity: str, below: str) -> CohortNumber:
    return CohortNumber(
        quantity=quantity,
        population=rate.population,
        denominator=below,
        unit="fraction" if quantity == SHARE else "per million",
        value=rate.value,
        ci_low=rate.ci_low,
        ci_high=rate.ci_high,
        state=rate.state,
        n=rate.n,
    )


def _net_of(plain: CohortNumber, rate: PooledRate, members: Sequence[SampleResult], based: Basis) -> CohortNumber:
    """Take the tubes' background off a pooled rate, each weighted by its events.

    What each tube's controls leave open is added up in full and not as of independent tubes: replicates share them.
    """
    share = [(n or 0) / (rate.total or 1) for n in rate.totals]
    each = [_background(one, plain, based) for one in members]
    taken = sum(weight * off for weight, (off, _, _) in zip(share, each, strict=True))
    low = sum(weight * down for weight, (_, down, _) in zip(share, each, strict=True))
    high = sum(weight * up for weight, (_, _, up) in zip(share, each, strict=True))
    value = plain.value or 0.0
    limits: Limits = (plain.ci_low or 0.0, plain.ci_high)
    ends = difference(value, limits, taken, (taken - low, taken + high))
    return plain.model_copy(
        update={
            "net": all(one.pattern.background for one in members),
            "value": settled(max(value - taken, 0.0)),
            "ci_low": settled(max(ends[0], 0.0)),
            "ci_high": None if ends[1] is None else settled(ends[1]),
        }
    )


def _background(result: SampleResult, wanted: CohortNumber, based: Basis) -> tuple[float, float, float]:
    """Return the background taken off one tube's rate, and how far below and above it may lie.

    The distances are those that make the tube's net interval out of its raw one (MOVER, turned over).
    """
    raw = rate_of(result, wanted.population, wanted.denominator)
    if raw is None or raw.value is None:
        return 0.0, 0.0, 0.0
    net = net_rate(result, as_number(wanted.quantity, raw, wanted.population, wanted.denominator), wanted.quantity,
               wanted.denominator)  # fmt: skip
    if net.value is None:
        return 0.0, 0.0, 0.0
    up = _rest(net.value, net.ci_low, raw.value, raw.ci_low)
    down = _rest(net.value, net.ci_high, raw.value, raw.ci_high)
    taken = raw.value - net.value
    return taken, min(down, max(taken, 0.0)), up


def _rest(net: float, net_end: float | None, raw: float, raw_end: float | None) -> float:
    if net_end is None or raw_end is None:
        return 0.0
    return math.sqrt(max((net - net_end) ** 2 - (raw - raw_end) ** 2, 0.0))
