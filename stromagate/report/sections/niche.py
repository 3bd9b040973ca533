"""Read-outs of the niche: topic by topic its numbers, what they are compared with, and its warnings beside them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

from stromagate.model.gates import ROOT
from stromagate.model.readouts import (
    CONTROL_MEDIAN,
    LOG_RATIO,
    MEDIAN_DIFFERENCE,
    MFI_RATIO,
    MIN_DENOMINATOR_EVENTS,
    MIN_MEDIAN_EVENTS,
    NO_CONTROL,
    NOT_APPLICABLE,
    NOT_POSITIVE,
    TOO_FEW,
    TOO_FEW_BELOW,
    Blasts,
    applies,
    flags,
    lost,
    reason,
)
from stromagate.model.result import SampleResult, Statistic
from stromagate.model.template import Readout, ReadoutRow, ReadoutWarning, Strata
from stromagate.report.lookup import STATE_OK, find, label, role
from stromagate.report.lookup import reason as gate_reason
from stromagate.report.section import Section
from stromagate.report.wording import NONE, count_text, estimate_text, number_text, share_text, within


def _build(result: SampleResult) -> dict[str, Any] | None:
    """Leave the section out of controls, and of templates and results that know no read-outs."""
    if not result.template.readouts or role(result.labels).is_control:
        return None
    topics = [_topic(result, readout) for readout in result.template.readouts]
    shown = [topic for topic in topics if topic["rows"]]
    if not shown:
        return None
    return {
        "topics": shown,
        "nothing": [topic["title"] for topic in topics if not topic["rows"]],
        "confidence": f"{100 * result.record.config.confidence:g} %",
        "medians": any(topic["medians"] for topic in shown),
        "least": MIN_MEDIAN_EVENTS,
        "logs": any(topic["logs"] for topic in shown),
        "least_below": MIN_DENOMINATOR_EVENTS,
    }


def _topic(result: SampleResult, readout: Readout) -> dict[str, Any]:
    """Return one read-out; ``rows`` is empty where the tube carries nothing of it."""
    rows, strata, lacking = list[dict[str, Any]](), list[dict[str, str]](), list[str]()
    signs = [each for each in readout.warnings if applies(each, result.labels)]
    flagged = ", ".join(flags(readout, result.labels))
    for row in readout.rows:
        made = [_of_row(result, row, name, signs, flagged) for name in _populations(row)]
        found = [each for each in made if each is not None]
        rows += found
        if not found:
            lacking.append(_lacks(result, row))
        elif row.strata is not None:
            strata += _strata(result, row, row.strata)
    return {
        "name": readout.name,
        "title": readout.title,
        "rows": rows,
        "strata": strata,
        "lacking": list(dict.fromkeys(lacking)),
        "warnings": [_warning(result, each) for each in sorted(readout.warnings, key=lambda each: each not in signs)],
        "medians": any(row.kind == MFI_RATIO for row in readout.rows) and bool(rows),
        "logs": any(row.kind == LOG_RATIO for row in readout.rows) and bool(rows),
    }


def _populations(row: ReadoutRow) -> list[str]:
    return [name for name in (row.population, row.carried_by) if name is not None]


def _warning(result: SampleResult, each: ReadoutWarning) -> dict[str, Any]:
    why = reason(each.when, result.labels) if each.when else ""
    here = f"In this tube: {why}." if why else ""
    return {
        "text": each.text,
        "doi": each.doi or "",
        "loud": bool(why),
        "hard": each.hard,
        "flag": each.flag,
        "here": here,
    }


def _of_row(
    result: SampleResult, row: ReadoutRow, population: str, signs: list[ReadoutWarning], flagged: str
) -> dict[str, Any] | None:
    """Return one line of a topic's table; None where the tube does not carry what it needs."""
    statistic = {"share": "fraction"}.get(row.kind, row.kind)
    found = next(
        (
            each
            for each in result.statistics
            if (each.population, each.statistic) == (population, statistic)
            and (each.marker == row.marker if row.kind == MFI_RATIO else each.denominator == row.denominator)
        ),
        None,
    )
    if found is None:
        return None
    number, more, counted = _number(result, row, found)
    marks = [{"text": each.flag, "hard": each.hard} for each in signs if each.flag and found.value is not None]
    # The flags stand beside the state here, and in it where the number is exported.
    state = STATE_OK if flagged and found.state == flagged else found.state.removesuffix(f"; {flagged}")
    return {
        "title": _title(result, row, population),
        "what": _WHAT.get(row.kind, "") + (_CARRIED if population == row.carried_by else ""),
        "number": number,
        "more": more,
        "events": counted,
        "state": "" if marks and state == STATE_OK else state,
        "flags": marks,
        "why": _why(result, row, found),
        "faint": found.value is None or state != STATE_OK or any(each["hard"] for each in marks),
    }


def _title(result: SampleResult, row: ReadoutRow, population: str) -> str:
    """Return what a line is called: every share names what it is a share of."""
    own, other = label(result, population), within(label(result, row.denominator or ROOT))
    if row.kind == MFI_RATIO:
        return f"{row.label or row.marker} of {within(own)}"
    if row.kind == "share":
        return f"{row.label or own}, share of {other}"
    return row.label or f"{own} to {other}"


def _lacks(result: SampleResult, row: ReadoutRow) -> str:
    """Return what a line that is not there would have been about."""
    return row.label or (row.marker if row.kind == MFI_RATIO and row.marker else label(result, row.population))


def _number(result: SampleResult, row: ReadoutRow, found: Statistic) -> tuple[str, str, str]:
    """Return a number, what stands below it, and the events that it was made from."""
    if row.kind == MFI_RATIO:
        return _over_control(result, found)
    total = _events(result, found.denominator)
    if row.kind == "share":
        share, counted = share_text(found, total), f"{count_text(found.n)} of {count_text(total)}"
        return share, "", "" if share.startswith(counted) else counted
    counted = f"{count_text(found.n)} to {count_text(total)}"
    if row.kind == LOG_RATIO and found.value is not None:
        return _as_ratio(found), f"natural logarithm {_signed(found)}", counted
    return estimate_text(found), "", counted


def _over_control(result: SampleResult, found: Statistic) -> tuple[str, str, str]:
    own, control = (_beside(result, found, statistic) for statistic in ("median", CONTROL_MEDIAN))
    apart = _beside(result, found, MEDIAN_DIFFERENCE)
    medians = f"median {number_text(own.value)} over {number_text(control.value)}" if own and control else ""
    counted = f"{count_text(found.n)} over {count_text(control.n if control else None)}"
    if found.state == NOT_POSITIVE and apart is not None and apart.value is not None:
        return NONE, f"{medians}: {_signed(apart, 100)} % of the axis apart", counted
    return estimate_text(found), medians, counted


def _beside(result: SampleResult, found: Statistic, statistic: str) -> Statistic | None:
    """Return another number of the same population and marker."""
    for row in result.statistics:
        if (row.population, row.marker, row.statistic) == (found.population, found.marker, statistic):
            return row
    return None


def _as_ratio(found: Statistic) -> str:
    """Return a log ratio as the ratio that it is the logarithm of."""
    names = ("value", "ci_low", "ci_high")
    turned = {name: None if (end := getattr(found, name)) is None else math.exp(end) for name in names}
    return estimate_text(found.model_copy(update={**turned, "statistic": "ratio"}))


def _signed(found: Statistic, times: float = 1.0) -> str:
    """Return a number that may lie below zero, with its interval."""
    if found.value is None:
        return NONE
    ends = [None if end is None else number_text(times * end) for end in (found.ci_low, found.ci_high)]
    interval = f" ({ends[0]} to {ends[1]})" if None not in ends else ""
    return f"{number_text(times * found.value)}{interval}"


def _events(result: SampleResult, population: str) -> int | None:
    count = find(result, population, "count")
    return None if count is None else count.n


def _why(result: SampleResult, row: ReadoutRow, found: Statistic) -> str:
    """Say in words why there is no number, and what would give one."""
    words: dict[str, Callable[[], str]] = {
        NO_CONTROL: lambda: _no_control(result, found),
        TOO_FEW: lambda: _too_few(result, found),
        NOT_POSITIVE: lambda: "values around zero have no ratio that means anything",
        TOO_FEW_BELOW: lambda: f"of “{label(result, found.denominator)}”; it takes {MIN_DENOMINATOR_EVENTS}",
        NOT_APPLICABLE: lambda: lost(row, result.labels, _blasts(result, row)),
        "not evaluable": lambda: _unevaluated(result, found.population),
    }
    return words.get(found.state, str)()


def _too_few(result: SampleResult, found: Statistic) -> str:
    control = _beside(result, found, CONTROL_MEDIAN)
    there = f" and {count_text(control.n)} in the FMO control" if control else ""
    return f"{count_text(found.n)} in the tube{there}; it takes {MIN_MEDIAN_EVENTS} in both"


def _no_control(result: SampleResult, found: Statistic) -> str:
    """Say which control is missing, or why one that is there was not used."""
    unused = [use for use in result.controls if use.role == found.denominator]
    if unused and all(use.unused for use in unused):
        return f"{unused[0].sample_id} is not used: {unused[0].reason}"
    return f"stain a tube without {found.marker} beside this one (role `{found.denominator}` in the sheet)"


def _unevaluated(result: SampleResult, population: str) -> str:
    """Return the sentence of the first gate above that could not be placed."""
    nodes, name, said = {node.name: node for node in result.tree.nodes}, population, ""
    while name in nodes:
        if nodes[name].geometry is None:
            said = gate_reason(result, nodes[name])
        name = nodes[name].parent
    return said


def _blasts(result: SampleResult, row: ReadoutRow) -> Blasts:
    parents = {node.name: node.parent for node in result.tree.nodes}
    carriers = row.carriers or ""
    every = result.denominators[0] if result.denominators else ""
    return Blasts(result.count(carriers), result.count(parents.get(carriers, "")), result.count(every))


def _strata(result: SampleResult, row: ReadoutRow, strata: Strata) -> Iterator[dict[str, str]]:
    """Yield where a ratio lies among published strata, named as these and as no outcome."""
    found = next(
        (
            each
            for each in result.statistics
            if (each.population, each.statistic, each.marker) == (row.population, MFI_RATIO, row.marker)
        ),
        None,
    )
    if found is None or found.value is None:
        return
    ends = [end for end in (found.ci_low, found.ci_high) if end is not None]
    place, reached = _place(found.value, strata), sorted({_place(end, strata) for end in ends})
    unsure = "" if set(reached) <= {place} else " Its interval reaches into another of them."
    yield {
        "text": f"{_title(result, row, row.population)} lies {place}.{unsure} Published strata of this ratio: "
        f"{_listed(strata)} ({strata.source}). They place the number and are no outcome of anybody.",
        "doi": strata.doi or "",
    }


def _listed(strata: Strata) -> str:
    between = [f"{low:g} to {high:g}" for low, high in itertools.pairwise(strata.limits)]
    return ", ".join([f"below {strata.limits[0]:g}", *between, f"above {strata.limits[-1]:g}"])


def _place(value: float, strata: Strata) -> str:
    """Return the stratum of a value: an edge belongs to the one between."""
    limits = strata.limits
    if value < limits[0]:
        return f"below {limits[0]:g}"
    if value > limits[-1]:
        return f"above {limits[-1]:g}"
    for low, high in itertools.pairwise(limits):
        if value <= high:
            return f"between {low:g} and {high:g}"
    return f"at {limits[0]:g}"


_WHAT = {MFI_RATIO: "median over that of the FMO control"}
_CARRIED = "; for comparison, since these carry it"

SECTION = Section(
    title="Niche",
    order=37,
    fragment="niche.html.j2",
    build=_build,
    summary="What this panel shows beside the counts of stroma, topic by topic. The warnings beside each belong to it.",
    wide=True,
)
