"""The numbers themselves: events, rates with their intervals and denominators, and the state of each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from stromagate.model.detection import LLOQ_FLOOR_EVENTS
from stromagate.model.gates import ROOT
from stromagate.model.result import SampleResult, Statistic
from stromagate.report.lookup import STATE_OK, asked, find, label, primary_denominator, walk
from stromagate.report.section import Section
from stromagate.report.uncertainty import STEP, of_what, parts
from stromagate.report.uncut import share_of, uncut
from stromagate.report.wording import LLOQ_MARK, below_lloq, count_text, estimate_text, marked, number_text, within

# A share of one in a hundred or more is read more easily as a percentage than per million.
_PERCENT_FROM = 0.01
_COUNTED_BY = {
    "clopper-pearson": "exact for events (Poisson) and shares (Clopper-Pearson), MOVER for ratios",
    "wilson": "exact for events (Poisson), Wilson for shares, MOVER for ratios",
}


def _build(result: SampleResult) -> dict[str, Any]:
    columns = _columns(result)
    names = [node.name for node, _ in walk(result)]
    primary = primary_denominator(result)
    populations = [_population(result, name) for name in columns]
    kinds = {name: kind for name in result.denominators if (kind := _kind(result, columns, name))}
    return {
        "populations": populations,
        "rates": [_rates(result, columns, name, kind) for name, kind in kinds.items()],
        "uncut": uncut(result),
        "mark": LLOQ_MARK,
        "has_faint": any(population["faint"] for population in populations),
        "all_columns": [_title(result, name, kinds.get(name, "per_million")) for name in result.denominators],
        "all_rows": [_full_row(result, name, kinds) for name in [ROOT, *names]],
        "medians": _medians(result),
        "confidence": f"{100 * result.record.config.confidence:g} %",
        "of_what": of_what(result),
        "counted_by": _COUNTED_BY[result.record.config.interval],
        "parts": [parts(result, name) for name in asked(result) if (row := find(result, name, "count")) and row.n],
        "parts_of": f"per million {within(label(result, primary))}" if primary else "events",
        "step": STEP,
        "floor": LLOQ_FLOOR_EVENTS,
        "raised": any(each.lloq_events > LLOQ_FLOOR_EVENTS for each in result.detection),
        "bursts": _bursts(result),
        "fitted": [count_text(result.fitted_counts.get(name)) for name in columns] if result.edits else [],
    }


def _bursts(result: SampleResult) -> str:
    """Say of which population the intervals are too narrow, because its cells came in bursts."""
    found = next((each for each in result.findings if (each.code, each.status) == ("Q21", "warn")), None)
    if found is None:
        return ""
    much = (
        f"about {number_text(math.sqrt(found.measured or 0), 2)} times as wide"
        if (found.measured or 0) > 1
        else "wider"
    )
    name = label(result, found.population)
    return (
        f"▲ The events of “{name}” came in bursts (check {found.code}): its intervals, and those of all it holds, "
        f"are too narrow. What counting alone leaves open is {much}; none was widened."
    )


def _columns(result: SampleResult) -> list[str]:
    """Return the populations the pattern is read from, each followed by its children."""
    named = (
        name for top in asked(result) for name in (top, *(node.name for node, _ in walk(result) if node.parent == top))
    )
    return list(dict.fromkeys(named))


def _population(result: SampleResult, name: str) -> dict[str, Any]:
    count = find(result, name, "count")
    return {
        "label": label(result, name),
        "events": count_text(count.value if count else None),
        "mark": below_lloq(count),
        "state": count.state if count else "",
        "faint": count is not None and count.state != STATE_OK,
    }


def _rates(result: SampleResult, columns: list[str], denominator: str, kind: str) -> dict[str, Any]:
    """Return one line of the table: what is divided by, and the rate of every population."""
    rows = [find(result, name, kind, denominator) for name in columns]
    return {
        "title": _title(result, denominator, kind),
        "values": [share_of(result, row) if kind == "fraction" else estimate_text(row) for row in rows],
    }


def _title(result: SampleResult, denominator: str, kind: str) -> str:
    return f"{'per million' if kind == 'per_million' else '% of'} {within(label(result, denominator))}"


def _kind(result: SampleResult, columns: list[str], denominator: str) -> str:
    """Return the statistic a line shows, one for all populations; empty where none has a rate of that denominator.

    A denominator without events is left to the full table, which says so.
    """
    shares = [row for name in columns if (row := find(result, name, "fraction", denominator))]
    rates = [row for name in columns if (row := find(result, name, "per_million", denominator))]
    large = any(row.value is not None and row.value >= _PERCENT_FROM for row in shares)
    if not large and any(row.value is not None for row in rates):
        return "per_million"
    return "fraction" if large else ""


def _full_row(result: SampleResult, name: str, kinds: Mapping[str, str]) -> dict[str, Any]:
    """Return all rates of a population, each in the unit of its denominator's column."""
    count = find(result, name, "count")
    return {
        "label": label(result, name),
        "parent": label(result, count.parent) if count and count.parent else "",
        "events": estimate_text(count),
        "rates": [_full_rate(result, name, each, kinds.get(each, "per_million")) for each in result.denominators],
        "state": count.state if count else "",
        "faint": count is not None and count.state != STATE_OK,
    }


def _full_rate(result: SampleResult, name: str, denominator: str, kind: str) -> str:
    """Return one cell; cells beside the denominator have a rate per million and no share, and say so."""
    found, beside = find(result, name, kind, denominator), find(result, name, "per_million", denominator)
    if found is None and beside is not None and beside.value is not None:
        return f"{estimate_text(beside)} per million"
    return estimate_text(found)


def _medians(result: SampleResult) -> dict[str, Any]:
    """Return medians as a table of populations by markers, both in the order of the statistics."""
    found = {(row.population, row.marker): row for row in result.statistics if row.statistic == "median"}
    populations, markers = (list(dict.fromkeys(names)) for names in zip(*found, strict=True)) if found else ([], [])
    return {"markers": markers, "rows": [_median_row(result, name, markers, found) for name in populations]}


def _median_row(
    result: SampleResult, name: str, markers: list[str], found: dict[tuple[str, str], Statistic]
) -> dict[str, Any]:
    cells = [found.get((name, marker)) for marker in markers]
    count = find(result, name, "count")
    return {
        "label": label(result, name),
        "events": marked(count_text(count.value if count else None), count),
        "medians": [estimate_text(cell) for cell in cells],
        "faint": any(cell is not None and cell.state != STATE_OK for cell in cells),
    }


SECTION = Section(
    title="Numbers",
    order=30,
    fragment="numbers.html.j2",
    build=_build,
    summary="Every rate names what it is divided by. Raw counts: no blank has been subtracted.",
    wide=True,
)
