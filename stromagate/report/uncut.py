"""What no denominator swells and no cut moves: shares of an index in another, the median beside them, and ratios."""

from __future__ import annotations

from typing import Any

from stromagate.model.result import SampleResult, Statistic
from stromagate.report.lookup import STATE_OK, asked, find, label
from stromagate.report.wording import count_text, estimate_text, share_text, within


def uncut(result: SampleResult) -> list[dict[str, Any]]:
    """Return one line for each such number of a tube.

    Returns
    -------
    list of dict
        ``title``, ``number`` with its interval, ``events`` it is made from, ``state``, and ``faint`` where it is not
        to be taken for a quantity.
    """
    order = asked(result)
    lines = [line for name in order for line in _of_index(result, name)]
    ratios = sorted(
        (row for row in result.statistics if row.statistic == "ratio"),
        key=lambda row: order.index(row.population) if row.population in order else len(order),
    )
    return [*lines, *(_line(result, _ratio_title(result, row), row, estimate_text(row)) for row in ratios)]


def share_of(result: SampleResult, row: Statistic | None) -> str:
    """Return a share as it is read: of few events with these, ``6 of 21 (29 %, 11–52 %)``."""
    return share_text(row, _events(result, row.denominator) if row else None)


def _of_index(result: SampleResult, name: str) -> list[dict[str, Any]]:
    """Return the share of an index in the index it is a part of, and the marker's median in the whole."""
    medians = [row for row in result.statistics if row.population == name and row.statistic == "median_of_parent"]
    lines: list[dict[str, Any]] = []
    for row in medians:
        share, whole = find(result, name, "fraction", row.denominator), within(label(result, row.denominator))
        if share is not None and not lines:
            lines.append(_line(result, f"{label(result, name)} among {whole}", share, share_of(result, share)))
        title = f"median {row.marker} (scale value) of all {whole}, without a cut"
        lines.append(_line(result, title, row, estimate_text(row)))
    return lines


def _ratio_title(result: SampleResult, row: Statistic) -> str:
    return f"{label(result, row.population)} to {within(label(result, row.denominator))}"


def _line(result: SampleResult, title: str, row: Statistic, number: str) -> dict[str, Any]:
    counts = count_text(row.n)
    if row.statistic in {"fraction", "ratio"}:
        word = "of" if row.statistic == "fraction" else "to"
        counts = f"{counts} {word} {count_text(_events(result, row.denominator))}"
    return {
        "title": title,
        "number": number,
        "events": counts,
        "state": row.state,
        "faint": row.state != STATE_OK,
    }


def _events(result: SampleResult, population: str) -> int | None:
    count = find(result, population, "count")
    return None if count is None else count.n
