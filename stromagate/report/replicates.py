"""The replicates of a run in one table: what each tube had, what they have together, and whether they agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stromagate.model.pooled import PooledGroup, PooledRate, PooledRun
from stromagate.model.result import SampleResult, Statistic
from stromagate.report.lookup import STATE_OK, label
from stromagate.report.wording import NONE, count_text, estimate_text, number_text


def build(pooled: PooledRun | None, results: Sequence[SampleResult]) -> list[dict[str, Any]]:
    """Return the groups with a line for every index population; empty where there are no replicates."""
    if pooled is None or not results:
        return []
    return [_group(group, results[0]) for group in pooled.groups]


def _group(group: PooledGroup, one: SampleResult) -> dict[str, Any]:
    rates = [rate for name in dict.fromkeys(one.indices.values()) if (rate := group.rate(name)) is not None]
    shares = [rate for rate in group.rates if rate.statistic == "fraction"]
    rows = [_row(rate, one) for rate in (*rates, *shares)]
    return {
        "title": group.title,
        "tubes": ", ".join(group.samples),
        "left_out": list(group.left_out.items()),
        "rows": rows or [_empty()],
    }


def _empty() -> dict[str, Any]:
    cells = dict.fromkeys(("label", "counts", "estimate", "of", "cv", "chance"), NONE)
    return {**cells, "verdict": "fewer than two tubes are left", "faint": True}


def _row(rate: PooledRate, one: SampleResult) -> dict[str, Any]:
    unit = "per million" if rate.statistic == "per_million" else "of"
    return {
        "label": label(one, rate.population),
        "counts": ", ".join(count_text(count) for count in rate.counts),
        "estimate": estimate_text(_as_statistic(rate)),
        "of": f"{unit} {label(one, rate.denominator)}",
        "cv": NONE if rate.cv_pct is None else f"{rate.cv_pct:.0f} % [{rate.poisson_cv_pct or 0:.0f} %]",
        "chance": NONE if rate.p is None else f"p = {number_text(rate.p, 2)}" if rate.p >= 0.001 else "p < 0.001",
        "verdict": f"not pooled: {rate.reason}" if rate.method == "not pooled" else _words(rate),
        "faint": rate.state != STATE_OK,
    }


def _words(rate: PooledRate) -> str:
    return f"pooled, {rate.state}" if rate.method == "pooled" else rate.state


def _as_statistic(rate: PooledRate) -> Statistic:
    """Return the rate as numbers of tubes are written."""
    return Statistic(
        population=rate.population,
        parent="",
        statistic=rate.statistic,
        value=rate.value,
        unit=rate.unit,
        denominator=rate.denominator,
        ci_low=rate.ci_low,
        ci_high=rate.ci_high,
        state=rate.state,
        n=rate.n,
    )
