"""Background of what is asked for: raw, background and net side by side, limits, and each marker left out."""

from __future__ import annotations

import math
from typing import Any

from stromagate.model.detection import (
    LAB_BLANKS,
    LLOQ_FLOOR_EVENTS,
    LOD_FLOOR_EVENTS,
    TOO_SMALL,
    UNSTAINED,
    BackgroundCount,
    DetectionLimits,
    ruled,
)
from stromagate.model.result import SampleResult, Statistic
from stromagate.quantify.background import MIN_BLANK_EVENTS
from stromagate.report.lookup import STATE_OK, asked, find, label, primary_denominator, role
from stromagate.report.section import Section
from stromagate.report.wording import NONE, count_text, estimate_text, number_text, within


def _build(result: SampleResult) -> dict[str, Any] | None:
    """Leave the section out of control tubes, and of results that are older than limits of detection."""
    if not result.detection:
        return None
    names = asked(result)
    limits = {each.population: each for each in result.detection}
    pairs = [each for name in names for each in result.background if each.population == name]
    main = primary_denominator(result)
    return {
        "pairs": [_pair(result, each, main) for each in pairs],
        "per": f"per million {within(label(result, main))}" if main else "",
        "notes": _notes(pairs),
        "least": MIN_BLANK_EVENTS,
        "unknown": _unknown(result, names),
        "limits": [_limits(result, limits[name]) for name in names if name in limits],
        "without": _without(result, names, main),
        "confidence": f"{100 * result.record.config.confidence:g} %",
    }


def _pair(result: SampleResult, each: BackgroundCount, main: str) -> dict[str, Any]:
    """Return one population by one kind of blanks: what was counted there, and what follows for this tube."""
    raw, net = find(result, each.population, "count"), _row(result, each, "net")
    rates = [_row(result, each, f"{name}_per_million") if main else None for name in ("background", "net")]
    small = each.too_small or (net is not None and net.state == TOO_SMALL)
    has_net = not (each.is_bound or small)
    raw_rate = find(result, each.population, "per_million", main) if main else None
    here = f"{number_text(each.scale)} here, by {within(label(result, each.scaled_by))}"
    return {
        "label": label(result, each.population),
        "kind": _kind(each),
        "counted": count_text(each.events),
        "stands_for": f"one event there stands for {here}",
        "raw": estimate_text(raw),
        "background": _signed(_row(result, each, "background")),
        "net": _signed(net) if has_net else NONE,
        "raw_rate": estimate_text(raw_rate) if raw_rate else "",
        "background_rate": _signed(rates[0]) if rates[0] else "",
        "net_rate": _signed(rates[1]) if rates[1] and has_net else "",
        "faint": raw is None or raw.state != STATE_OK,
        "bound": each.is_bound,
        "small": small and not each.is_bound,
        "silent": each.too_small and not each.is_bound,
    }


def _row(result: SampleResult, each: BackgroundCount, statistic: str) -> Statistic | None:
    return next(
        (
            row
            for row in result.statistics
            if (row.population, row.statistic, row.marker) == (each.population, statistic, each.role)
        ),
        None,
    )


def _signed(row: Statistic | None) -> str:
    """Return a number with an interval that may begin below zero: ``20 (−7.9 to 35.6)``."""
    if row is None or row.value is None:
        return NONE
    value = count_text(row.value) if row.unit == "events" and row.value == int(row.value) else number_text(row.value)
    if row.ci_low is None or row.ci_high is None:
        return value
    return f"{value} ({number_text(row.ci_low)} to {number_text(row.ci_high)})"


def _kind(each: BackgroundCount) -> str:
    if each.role == LAB_BLANKS:
        return f"the laboratory's blanks ({each.n_blanks})"
    name = role({"role": each.role}).text
    return name if each.n_blanks == 1 else f"{name} ({each.n_blanks} tubes)"


def _notes(pairs: list[BackgroundCount]) -> list[str]:
    """Return what each kind of blanks can tell and what it cannot."""
    roles = {each.role.partition(":")[0] for each in pairs}
    said = {
        "fmo": "An FMO control is the same marrow, stroma included. It shows what spillover and glow put beyond the "
        "cut; stroma that glows so far is counted rightly in this tube, so that the net number errs low. It cannot "
        "show what the antibody itself sticks to, for it is not in there: there the net number errs high.",
        "blank": "A blank is stained and holds no stroma. It shows what other cells leave in the gate, for whatever "
        "reason, and nothing of what stroma's own glow does.",
        UNSTAINED: "In an unstained tube all cells pass the gates that keep leukocytes and red cells out. Its count is "
        "an upper bound of what glow lets through: it is neither subtracted nor a limit.",
    }
    if LAB_BLANKS in roles:
        roles.add("blank")
    return [text for kind, text in said.items() if kind in roles]


def _unknown(result: SampleResult, names: list[str]) -> str:
    there = {each.population for each in result.background if not each.is_bound}
    telling = {each.population for each in result.background if not each.is_bound and not each.too_small}
    floors = f"the limits are the floors of {LOD_FLOOR_EVENTS} and {LLOQ_FLOOR_EVENTS} events alone"
    none, small = (
        ", ".join(f"“{label(result, name)}”" for name in names if name not in telling and (name in there) is some)
        for some in (False, True)
    )
    said = (
        [f"No FMO control and no blank shows the background of {none}: {floors}, and its number is raw."]
        if none
        else []
    )
    if small:
        said.append(
            f"Its controls hold too few events to tell the background of {small}: {floors}, and its number is raw."
        )
    return " ".join(said)


def _limits(result: SampleResult, each: DetectionLimits) -> dict[str, Any]:
    count = find(result, each.population, "count")
    return {
        "label": label(result, each.population),
        "events": count_text(count.value if count else None),
        "lob": count_text(each.lob_events) if each.method != "floors" else NONE,
        "lod": count_text(math.ceil(max(each.lod_events, each.detected_from))),
        "lloq": f"from {count_text(each.quantified_from)}",
        "by": _by(each),
        "state": count.state if count else "",
        "words": _words(count, each),
        "faint": count is None or count.state != STATE_OK,
    }


def _by(each: DetectionLimits) -> str:
    """Say what set the limits."""
    if each.method == "floors":
        return "the floors"
    source = "the laboratory's blanks" if each.source == LAB_BLANKS else role({"role": each.source}).text
    raised = each.lod_events > LOD_FLOOR_EVENTS or each.lloq_events > LLOQ_FLOOR_EVENTS
    law = {"non-parametric": "their own 95th percentile"}.get(each.method, each.method)
    return f"{source}, {law}" if raised else f"{source}, {law}: no higher than the floors"


def _words(count: Statistic | None, each: DetectionLimits) -> str:
    """Say what may be made of the number."""
    if count is None or count.value is None:
        return "There is no count."
    ruling = ruled(int(count.value), each)
    reason = f"{ruling.reason[0].upper()}{ruling.reason[1:]}"
    if ruling.state == "not detected":
        return f"{reason}."
    if ruling.state == STATE_OK:
        return f"{reason}: it may be compared, with its interval."
    return f"{reason}: it is there; how much of it is known by its interval alone, and never as a point."


def _without(result: SampleResult, names: list[str], main: str) -> dict[str, Any]:
    """Return a table of markers by populations: events that there would be without each marker."""
    found = {(row.population, row.marker): row for row in result.statistics if row.statistic == "without_marker"}
    rates = {
        (row.population, row.marker): row
        for row in result.statistics
        if row.statistic == "without_marker_per_million" and row.denominator == main
    }
    columns = [name for name in names if any(population == name for population, _ in found)]
    markers = list(dict.fromkeys(marker for _, marker in found))
    return {
        "columns": [label(result, name) for name in columns],
        "counted": [
            {"text": estimate_text(row), "faint": row is None or row.state != STATE_OK}
            for row in (find(result, name, "count") for name in columns)
        ],
        "rows": [
            {
                "marker": marker,
                "cells": [
                    _cell(result, name, found.get((name, marker)), rates.get((name, marker))) for name in columns
                ],
            }
            for marker in markers
        ],
    }


def _cell(result: SampleResult, name: str, row: Statistic | None, rate: Statistic | None) -> dict[str, str]:
    count = find(result, name, "count")
    if row is None or row.value is None or count is None or count.value is None:
        return {"events": NONE, "more": ""}
    added = row.value - count.value
    times = f", {number_text(row.value / count.value)} times as many" if count.value and added else ""
    per = f"{number_text(rate.value)} per million" if rate else ""
    return {"events": count_text(row.value), "more": f"{per}{times}" if added else "nothing more"}


SECTION = Section(
    title="Background",
    order=57,
    fragment="background.html.j2",
    build=_build,
    summary="How much of each number other cells, spillover and glow would make without it: raw, background and net.",
    wide=True,
)
