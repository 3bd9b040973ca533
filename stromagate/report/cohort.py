"""What the page of a cohort shows: patterns, the map of P and Q, every tube in one table, spreads, heat, quality."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from stromagate.model.cohort import SHARE, Cohort, CohortTube
from stromagate.model.pattern import PATTERNS
from stromagate.report.cohort_heat import NAMED_UP_TO, heat_figure
from stromagate.report.cohort_look import probability_text
from stromagate.report.cohort_map import WHISKERS_UP_TO, map_figure
from stromagate.report.cohort_spread import spread_figure
from stromagate.report.cohort_text import cell, states_text
from stromagate.report.lookup import STATE_OK, STATUS_WORDS
from stromagate.report.wording import count_text, number_text

_MAX_NAMED = 12
_UNCHECKED = ("", "not checked")


_NAMED = 5
"""More tubes than this are counted and not named in a sentence."""


def build(cohort: Cohort, links: Mapping[str, str], pages: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of the page.

    Parameters
    ----------
    cohort : Cohort
        The tubes.
    links : mapping of str to str
        Address of a tube's report by the tube's name, where there is one.
    pages : mapping of str to str
        Address of a patient's page by patient.
    """
    below = cohort.denominators or ("",)
    rates = [name for name in cohort.quantities if name != SHARE]
    return {
        "summary": _summary(cohort),
        "kind": [(name, value) for name, value in cohort.strata.items() if value],
        "denominators": [(name, cohort.label(name)) for name in cohort.denominators],
        "columns": [(key, title, key != SHARE) for key, title in cohort.quantities.items()],
        "rows": [_row(cohort, tube, links, pages) for tube in cohort.tubes],
        "variants": [[[cell(tube.number(key, name)) for key in rates] for tube in cohort.tubes] for name in below],
        "patterns": _patterns(cohort),
        "found_patterns": list(dict.fromkeys(tube.pattern for tube in cohort.tubes)),
        "found_words": list(dict.fromkeys(_word(tube)[1] for tube in cohort.tubes)),
        "maps": [drawn for name in below if (drawn := map_figure(cohort, name)) is not None],
        "spreads": _spreads(cohort, below),
        "heats": [drawn for name in below if (drawn := heat_figure(cohort, name)) is not None],
        "made_of": _made_of(cohort),
        "named": len(cohort.tubes) <= NAMED_UP_TO,
        "crowded": len(cohort.tubes) > WHISKERS_UP_TO,
        "checks": _checks(cohort),
        "confidence": f"{100 * cohort.confidence:g} %",
        "left_out": [(one.sample_id, one.run, one.reason) for one in cohort.left_out],
        "grouped": bool(cohort.group_by),
        "as_counted": _as_counted(cohort),
        "n_simulated": sum(tube.simulated for tube in cohort.tubes),
        "dotted": any(cut.p_low < cut.p_high or cut.q_low < cut.q_high for cut in cohort.cuts.values()),
        "several_runs": len(cohort.runs) > 1,
    }


def _as_counted(cohort: Cohort) -> str:
    """Return the tubes of a net cohort whose indices are not net, by name, or how many where they are many."""
    names = [tube.name for tube in cohort.tubes if not any(one.net for one in tube.numbers if one.quantity == "P")]
    return ", ".join(names) if len(names) <= _NAMED else f"{count_text(len(names))} tubes"


def _summary(cohort: Cohort) -> list[tuple[str, str]]:
    n_tubes = sum(len(tube.samples) for tube in cohort.tubes)
    unnamed = sum(not tube.patient_id for tube in cohort.tubes)
    told = [
        ("Tubes", count_text(n_tubes)),
        ("Patients", count_text(len(cohort.patients)) + (f" + {unnamed} unnamed" if unnamed else "")),
    ]
    if n_tubes > len(cohort.tubes):
        told.append(("Lines, replicates as one", count_text(len(cohort.tubes))))
    counted = Counter(tube.pattern for tube in cohort.tubes)
    assigned = sum(counted[name] for name in PATTERNS)
    told += [("With a pattern", count_text(assigned)), ("Left out", count_text(len(cohort.left_out)))]
    return [*told, ("Controls, not shown", count_text(cohort.n_controls))]


def _made_of(cohort: Cohort) -> str:
    """Return what the calibration of the calls was made of, in words."""
    if cohort.calibration is None:
        return ""
    n = count_text(cohort.calibration.n)
    match cohort.calibration.level:
        case "L1":
            return f"Made of {n} of the lab's own controls"
        case "L2":
            return f"Made of {n} tubes of a cohort"
        case _:
            return f"Cut-points fitted on {n} patients"


def _row(cohort: Cohort, tube: CohortTube, links: Mapping[str, str], pages: Mapping[str, str]) -> dict[str, Any]:
    symbol, word = _word(tube)
    first = cohort.denominators[0] if cohort.denominators else ""
    asked = [found for key in cohort.quantities if key != SHARE and (found := tube.number(key, first))]
    grave = [found for found in tube.findings if found.status == tube.worst]
    return {
        "name": tube.name,
        "link": links.get(tube.name, ""),
        "members": [(one.name, links.get(one.name, "")) for one in tube.members],
        "run": tube.run,
        "adjusted": tube.adjusted,
        "patient": tube.patient_id,
        "page": pages.get(tube.patient_id, ""),
        "when": tube.labels.get("timepoint", "") or (f"day {day}" if (day := tube.labels.get("day", "")) else ""),
        "group": tube.group or "not stated",
        "cells": [cell(tube.number(key, first)) for key in cohort.quantities],
        "state": states_text(asked),
        "sure": all(one.state in {"", STATE_OK} for one in asked),
        "pattern": tube.pattern,
        "assigned": tube.pattern in PATTERNS,
        "probability": probability_text(tube),
        "reason": tube.reason,
        "symbol": symbol,
        "word": word,
        "severity": list(STATUS_WORDS).index(tube.worst) if tube.worst else len(STATUS_WORDS),
        "checks": ", ".join(dict.fromkeys(found.check.replace("_", " ") for found in grave[:2])),
        "n_more": max(0, len({found.code for found in tube.findings}) - len({found.code for found in grave[:2]})),
    }


def _word(tube: CohortTube) -> tuple[str, str]:
    return STATUS_WORDS[tube.worst] if tube.worst else _UNCHECKED


def _patterns(cohort: Cohort) -> list[dict[str, Any]]:
    """Return how many tubes were called what, the four patterns first, and why none was assigned."""
    counted = Counter(tube.pattern for tube in cohort.tubes)
    order: list[str] = [name for name in PATTERNS if counted[name] or cohort.calibration is not None]
    order += [name for name in counted if name not in PATTERNS]
    rows = []
    for name in order:
        reasons = [tube.reason for tube in cohort.tubes if tube.pattern == name and name not in PATTERNS]
        rows.append(
            {
                "name": name,
                "n": count_text(counted[name]),
                "reasons": _alike(reasons)[:_MAX_NAMED],
            }
        )
    return rows


def _alike(texts: Sequence[str]) -> list[tuple[str, int]]:
    """Return sentences with how often each is said, the commonest first; numbers in which they differ as a range."""
    found: dict[str, list[list[str]]] = {}
    for text in filter(None, texts):
        found.setdefault(_NUMBER.sub("#", text), []).append(_NUMBER.findall(text))
    said = []
    for pattern, each in found.items():
        parts = pattern.split("#")
        filled = parts[0]
        for values, rest in zip(zip(*each, strict=True), parts[1:], strict=False):
            ends = sorted(set(values), key=lambda value: float(value.replace(",", "")))
            filled += (ends[0] if len(ends) == 1 else f"{ends[0]} to {ends[-1]}") + rest
        said.append((filled, len(each)))
    return sorted(said, key=lambda one: -one[1])


_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?![\w.]*\w)")


def _spreads(cohort: Cohort, below: tuple[str, ...]) -> list[tuple[str, str, list[Any]]]:
    """Return the distribution of each quantity: its name, what it is, and a drawing a denominator (one of a share)."""
    drawn = []
    for key, title in cohort.quantities.items():
        some = [spread_figure(cohort, key, name) for name in (below[:1] if key == SHARE else below)]
        if all(some):
            drawn.append((key, title, some))
    return drawn


def _checks(cohort: Cohort) -> list[dict[str, Any]]:
    """Return every check that warned or failed anywhere: how many tubes, and which."""
    names: dict[str, str] = {}
    status: dict[str, dict[str, str]] = {}
    for tube in cohort.tubes:
        for found in tube.findings:
            names.setdefault(found.code, found.check.replace("_", " "))
            by_tube = status.setdefault(found.code, {})
            if by_tube.get(tube.name) != "fail":
                by_tube[tube.name] = found.status
    rows = []
    for code, by_tube in status.items():
        failed = [name for name, word in by_tube.items() if word == "fail"]
        warned = [name for name, word in by_tube.items() if word == "warn"]
        tubes = [*failed, *warned]
        rows.append(
            {
                "code": code,
                "check": names[code],
                "n_fail": len(failed),
                "n_warn": len(warned),
                "fail_width": number_text(100 * len(failed) / len(cohort.tubes)),
                "warn_width": number_text(100 * len(warned) / len(cohort.tubes)),
                "tubes": ", ".join(tubes[:_MAX_NAMED]),
                "n_more": max(0, len(tubes) - _MAX_NAMED),
            }
        )
    return sorted(rows, key=lambda row: (-row["n_fail"], -row["n_warn"], row["code"]))
