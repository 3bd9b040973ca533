"""``stromagate_populations_mqc.json``: counts and rates of the populations a template asks for, with limits and state.

One row a tube; the denominator stands in the name of every rate's column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from stromagate.export.exporter import Exporter
from stromagate.export.multiqc import PARENT, denominators, populations, section, statistic, title
from stromagate.model.result import SampleResult

Column = tuple[str, dict[str, Any]]


def render(results: Sequence[SampleResult]) -> bytes:
    """Return the table of populations."""
    headers = dict(_columns(results))
    rows = {result.sample_id: _row(result, results) for result in results}
    said = (
        "Events and rates per million, with the limits of their intervals; a value is a quantity only if quantifiable."
    )
    table = {"id": "stromagate_populations_table", "title": "stromagate: populations", "no_violin": True}
    return section("table", "Populations", said, rows, **PARENT, headers=headers, pconfig=table)


def _columns(results: Sequence[SampleResult]) -> Iterator[Column]:
    yield "role", {"title": "Role", "scale": False}
    for population in populations(results):
        name = title(results, population)
        yield f"{population}_events", {"title": f"{name}: events", "format": "{:,.0f}", "min": 0, "scale": "Greys"}
        yield f"{population}_state", {"title": f"{name}: state", "scale": False}
        for place, below in enumerate(denominators(results)):
            column, said = f"{population}_per_million_{below}", f"{name} per million of: {title(results, below)}"
            look = {"format": "{:,.2f}", "min": 0, "scale": "Blues"}
            yield column, {"title": said, **look, "hidden": place > 0}
            for end, what in (("ci_low", "lower limit"), ("ci_high", "upper limit")):
                yield f"{column}_{end}", {"title": f"{said}, {what}", **look, "hidden": place > 0}


def _row(result: SampleResult, results: Sequence[SampleResult]) -> dict[str, float | str | None]:
    row: dict[str, float | str | None] = {"role": escape(result.role)}
    for population in populations(results):
        count = statistic(result, population, "count")
        row |= {f"{population}_events": count.value, f"{population}_state": _state(count.state)}
        for below in denominators(results):
            rate, column = statistic(result, population, "per_million", below), f"{population}_per_million_{below}"
            row |= {column: rate.value, f"{column}_ci_low": rate.ci_low, f"{column}_ci_high": rate.ci_high}
    return row


def _state(state: str) -> str | None:
    """Return a state without a comma: MultiQC takes one for the mark of thousands, in text as well."""
    first, comma, second = state.partition(", ")
    return f"{first} ({second})" if comma else first or None


EXPORTER = Exporter(
    filename="stromagate_populations_mqc.json",
    summary="counts and rates with limits and state, as a table for MultiQC",
    render=render,
    asked=True,
)
