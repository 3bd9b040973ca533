"""What the page of a run shows: every tube in one table, what failed, and the stained tubes compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from stromagate.model.pattern import PATTERNS
from stromagate.model.result import RunIndex, SampleEntry, SampleResult, Statistic
from stromagate.pattern.statement import probability_text
from stromagate.report.figures import Figure
from stromagate.report.lookup import (
    STATE_OK,
    STATUS_WORDS,
    enrichment,
    find,
    label,
    primary_denominator,
    role,
    simulated,
    told_first,
    worst,
)
from stromagate.report.tubes import Mark, tubes_figure
from stromagate.report.wording import LLOQ_MARK, count_text, estimate_text, marked, number_text, within

# More lines than this are no longer compared by eye; the table has them all.
_MAX_TUBES_DRAWN = 60


def build(run: RunIndex, results: Sequence[SampleResult]) -> dict[str, Any]:
    """Return the values of the run's page."""
    by_id = {result.sample_id: result for result in results}
    done = [entry for entry in run.samples if entry.sample_id in by_id]
    stained = [entry for entry in done if not role(entry.labels).is_control]
    controls = [entry for entry in done if role(entry.labels).is_control]
    one = results[0] if results else None
    drawn = [by_id[entry.sample_id] for entry in stained]
    below = _denominator(results)
    return {
        "groups": [
            (title, [_row(entry, by_id[entry.sample_id], below) for entry in entries])
            for title, entries in (("Stained tubes", stained), ("Control tubes: background, not findings", controls))
            if entries
        ],
        "failures": [_failure(entry) for entry in run.samples if entry.sample_id not in by_id],
        "not_exported": [{"path": path, **_said(error)} for path, error in sorted(run.not_exported.items())],
        "names": _names(one, below),
        "figure_of_tubes": _comparison(drawn[:_MAX_TUBES_DRAWN], below),
        "n_not_drawn": max(0, len(drawn) - _MAX_TUBES_DRAWN),
        "summary": _summary(run, results, len(stained), len(controls)),
        "notices": _notices(results),
        "confidence": f"{100 * run.config.confidence:g} %",
        "calibration": run.calibration,
        "cite": run.template,
    }


def _summary(run: RunIndex, results: Sequence[SampleResult], n_stained: int, n_controls: int) -> list[tuple[str, str]]:
    judged = [result for result in results if not role(result.labels).is_control]
    gravest = [found.status for result in judged if (found := worst(result.findings))]
    return [
        ("Tubes", count_text(len(run.samples))),
        ("Stained", count_text(n_stained)),
        ("Controls", count_text(n_controls)),
        ("Stained, with a failed check", count_text(gravest.count("fail"))),
        ("Stained, with a warning at most", count_text(gravest.count("warn"))),
        ("Could not be analysed", count_text(len(run.samples) - len(results))),
    ]


def _denominator(results: Sequence[SampleResult]) -> str:
    """Return the one denominator of all rates on the page: the first that all tubes have, else the first tube's own.

    A tube without an optional marker lacks the denominators that need it; a rate of another one in their column would
    be read as a rate of them.
    """
    if not results:
        return ""
    there = [{row.denominator for row in one.statistics if row.statistic == "per_million"} for one in results]
    common = (name for name in results[0].denominators if all(name in names for names in there))
    return next(common, primary_denominator(results[0]))


def _names(result: SampleResult | None, denominator: str) -> dict[str, str]:
    """Return how the columns are called; all tubes of a run share one template."""
    if result is None:
        return {"msc": "MSC", "progenitors": "Progenitors", "denominator": ""}
    named = {key: label(result, name) for key, name in result.indices.items()}
    return {
        "msc": named.get("msc", ""),
        "progenitors": named.get("progenitors", ""),
        "denominator": within(label(result, denominator)) if denominator else "",
    }


def _row(entry: SampleEntry, result: SampleResult, denominator: str) -> dict[str, Any]:
    found = next(iter(told_first(result)), None)
    symbol, word = STATUS_WORDS[found.status] if found else ("", "not checked")
    cells = _cells(result, denominator)
    return {
        "id": entry.sample_id,
        "link": f"samples/{quote(entry.sample_id, errors='replace')}/report.html",
        "role": role(entry.labels).text,
        "is_control": role(entry.labels).is_control,
        "patient": entry.labels.get("patient_id", ""),
        "status": entry.status,
        "adjusted": bool(result.edits),
        "n_events": count_text(result.n_events),
        "n_events_value": result.n_events,
        "cells": _of_control(cells) if role(entry.labels).is_control else cells,
        "uncut": _uncut(result),
        "pattern": _pattern(result),
        "symbol": symbol,
        "word": word,
        "severity": list(STATUS_WORDS).index(found.status) if found else len(STATUS_WORDS),
        "finding": found.check.replace("_", " ") if found and found.status in {"warn", "fail"} else "",
        "sentence": found.sentence if found else "",
    }


def _cells(result: SampleResult, denominator: str) -> list[dict[str, Any]]:
    """Return count and rate of both indices, and the share of progenitors among MSC."""
    msc, progenitors = result.indices.get("msc", ""), result.indices.get("progenitors", "")
    rows = [
        find(result, name, statistic, below)
        for name in (msc, progenitors)
        for statistic, below in (("count", None), ("per_million", denominator))
    ]
    return [_cell(row) for row in (*rows, find(result, progenitors, "fraction", msc))]


def _of_control(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the counts of a control in grey: on boundaries of its own they are no rate and no share of anything."""
    empty = {"text": "", "head": "", "below": "", "value": -1, "faint": True, "state": ""}
    return [{**cell, "faint": True, "state": ""} if place in {0, 2} else empty for place, cell in enumerate(cells)]


def _uncut(result: SampleResult) -> str:
    """Return the median beside the share of progenitors, which no cut moves."""
    row = find(result, result.indices.get("progenitors", ""), "median_of_parent")
    return "" if row is None or row.value is None else f"{row.marker} median {number_text(row.value)}"


def _pattern(result: SampleResult) -> dict[str, Any]:
    """Return what was called of a tube, and why nothing was."""
    call = result.pattern
    assigned = call.pattern in PATTERNS
    chance = probability_text(call.probability) if assigned and call.probability is not None else ""
    return {"name": call.pattern, "chance": chance, "faint": not assigned, "sentence": call.sentence or call.reason}


def _cell(row: Statistic | None) -> dict[str, Any]:
    if row is None or row.value is None:
        return {"text": "–", "head": "–", "below": "", "value": -1, "faint": True, "state": row.state if row else ""}
    text = marked(count_text(row.value), row) if row.statistic == "count" else estimate_text(row)
    faint = row.state not in {"", STATE_OK}
    head, _, rest = text.partition(" (") if " (" in text else text.partition(f" {LLOQ_MARK}")
    below = f"({rest}" if " (" in text else LLOQ_MARK if LLOQ_MARK in text else ""
    return {
        "text": text,
        "head": head,
        "below": below,
        "value": row.value,
        "faint": faint,
        "state": row.state if faint else "",
    }


def _failure(entry: SampleEntry) -> dict[str, str]:
    return {"id": entry.sample_id, "file": entry.file, **_said(entry.error or {})}


def _said(error: Mapping[str, str | None]) -> dict[str, str]:
    return {key: error.get(key) or "" for key in ("code", "message", "where", "hint")}


def _notices(results: Sequence[SampleResult]) -> list[tuple[str, str]]:
    found = []
    made = sum(simulated(result.instrument, result.labels) for result in results)
    if made:
        found.append(("Simulated tubes", f"{_share_of(made, results)} made by a simulator: no cell of any person."))
    enriched = Counter(how for result in results if (how := enrichment(result.instrument, result.labels)))
    for how, n in sorted(enriched.items()):
        text = f"{_share_of(n, results)} enriched: such rates cannot be compared with those of whole marrow."
        found.append((f"Preparation: {how}", text))
    return found


def _share_of(n: int, results: Sequence[SampleResult]) -> str:
    if n < len(results):
        return f"{n} of {len(results)} analysed tubes are" if n > 1 else f"1 of {len(results)} analysed tubes is"
    return f"All {n} analysed tubes are" if n > 1 else "The analysed tube is"


def _comparison(results: Sequence[SampleResult], below: str) -> Figure | None:
    """Return the drawing of rates by tube; None where no tube has a rate."""
    marks = [mark for result in results for mark in _marks(result, below)]
    if not marks:
        return None
    denominator = within(label(results[0], below))
    names = " and ".join(dict.fromkeys(mark.series for mark in marks))
    alt = f"{names} per million {denominator} in {len(results)} stained tubes; the table above has every number."
    tubes = [result.sample_id for result in results]
    return tubes_figure(marks, tubes, "tubes", unit=f"per million {denominator} (log scale)", alt=alt)


def _marks(result: SampleResult, denominator: str) -> list[Mark]:
    marks = []
    for key in ("msc", "progenitors"):
        name = result.indices.get(key, "")
        row = find(result, name, "per_million", denominator)
        if row is None or row.value is None or row.ci_low is None or row.ci_high is None:
            continue
        sure = row.state in {"", STATE_OK}
        marks.append(Mark(result.sample_id, label(result, name), row.value, row.ci_low, row.ci_high, sure))
    return marks
