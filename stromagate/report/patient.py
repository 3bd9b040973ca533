"""What the page of a patient shows: tubes in the order of time, what each has, what changed, and what forbids that."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from stromagate.model.calibration import STRATA
from stromagate.model.cohort import SHARE, Cohort, CohortNumber, CohortTube
from stromagate.quantify.combine import Limits, difference
from stromagate.report.cohort_look import probability_text
from stromagate.report.cohort_text import as_text, cell
from stromagate.report.lookup import STATUS_WORDS
from stromagate.report.patient_course import course_figure
from stromagate.report.wording import NONE, count_text, number_text

_TITLES = {"specimen": "Specimen", "preparation": "Preparation", "pull": "Pull", "storage": "Storage"}
_SAID = ("batch", "replicate", "hours_to_stain")


def build(cohort: Cohort, patient: str, links: Mapping[str, str], elsewhere: Sequence[str] = ()) -> dict[str, Any]:
    """Return the values of the page.

    Parameters
    ----------
    cohort : Cohort
        The tubes, this patient's among them.
    patient : str
        Whose page it is.
    links : mapping of str to str
        Address of a tube's report by the tube's name.
    elsewhere : sequence of str
        What else there is of the patient that cannot stand here, in words.
    """
    tubes, by_day = in_order(cohort.patients[patient])
    first = cohort.denominators[0] if cohort.denominators else ""
    pairs = _pairs(tubes)
    return {
        "patient": patient,
        "by_day": by_day,
        "n_tubes": sum(len(tube.samples) for tube in tubes),
        "tubes": [_head(tube, links) for tube in tubes],
        "facts": _facts(tubes),
        "numbers": [(key, title, [_cell(tube.number(key, first)) for tube in tubes]) for key, title in _asked(cohort)],
        "below": cohort.label(first) if first else "",
        "others": _others(cohort, tubes),
        "figures": [
            drawn
            for share in (False, True)
            if (drawn := course_figure(cohort, tubes, first, share=share, joined=_joined(tubes))) is not None
        ],
        "changes": [_change(cohort, one, other, first) for one, other in pairs],
        "forbidden": [line for one, other in pairs if (line := _why_not(one, other))],
        "elsewhere": list(elsewhere),
        "confidence": f"{100 * cohort.confidence:g} %",
        "n_simulated": sum(tube.simulated for tube in tubes),
    }


def in_order(tubes: Sequence[CohortTube]) -> tuple[list[CohortTube], bool]:
    """Return tubes by ``day`` where all have one that is a number or a date, else as they came; and which it was."""
    days = [_day(tube.labels.get("day", "")) for tube in tubes]
    known = [day for day in days if day is not None]
    if len(known) < len(tubes) or len({kind for kind, _ in known}) > 1:
        return list(tubes), False
    return [tube for _, tube in sorted(zip(known, tubes, strict=True), key=lambda pair: pair[0])], True


def _day(text: str) -> tuple[str, float] | None:
    plain = text.strip().casefold().removeprefix("day").strip()
    if re.fullmatch(r"[+-]?\d+(\.\d+)?", plain):
        return "number", float(plain)
    try:
        return "date", float(date.fromisoformat(plain).toordinal())
    except ValueError:
        return None


def when(tube: CohortTube) -> str:
    """Return at which point in time a tube was taken, as the sheet calls it; its name where it says nothing."""
    said = tube.labels.get("timepoint", "").strip() or tube.labels.get("visit", "").strip()
    day = tube.labels.get("day", "").strip()
    stated = f"day {day}" if re.fullmatch(r"[+-]?\d+(\.\d+)?", day) else day
    return ", ".join(dict.fromkeys(part for part in (said, stated) if part))


def _head(tube: CohortTube, links: Mapping[str, str]) -> dict[str, Any]:
    symbol, word = STATUS_WORDS[tube.worst] if tube.worst else ("", "not checked")
    members = tube.members or (tube,)
    return {
        "when": when(tube) or NONE,
        "members": [(one.name, links.get(one.name, "")) for one in members],
        "adjusted": tube.adjusted,
        "pattern": tube.pattern,
        "probability": probability_text(tube),
        "reason": tube.reason,
        "symbol": symbol,
        "word": word,
        "checks": ", ".join(dict.fromkeys(f"{found.check.replace('_', ' ')}" for found in tube.findings[:3])),
        "n_more": max(0, len(tube.findings) - 3),
        "n_events": count_text(tube.n_events),
    }


def _facts(tubes: Sequence[CohortTube]) -> list[tuple[str, list[str], bool]]:
    """Return what is known of each tube: a title, a value a tube, and whether a difference forbids comparing."""
    rows = [(_TITLES[name], [tube.strata.get(name, "") for tube in tubes], True) for name in STRATA]
    rows.append(("Cytometer", [tube.instrument or "not said" for tube in tubes], True))
    for name in _SAID:
        values = [tube.labels.get(name, "").strip() for tube in tubes]
        if any(values):
            rows.append((name.replace("_", " ").capitalize(), [value or NONE for value in values], False))
    return [(title, values, forbids and len(set(values)) > 1) for title, values, forbids in rows]


def _asked(cohort: Cohort) -> list[tuple[str, str]]:
    return list(cohort.quantities.items())


def _cell(number: CohortNumber | None) -> dict[str, Any]:
    made = cell(number)
    return {**made, "events": "" if made["n"] is None else f"{count_text(made['n'])} events"}


def _others(cohort: Cohort, tubes: Sequence[CohortTube]) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """Return the same rates under the other denominators."""
    rates = [key for key in cohort.quantities if key != SHARE]
    return [
        (cohort.label(name), [(key, [_text(tube.number(key, name)) for tube in tubes]) for key in rates])
        for name in cohort.denominators[1:]
    ]


def _text(number: CohortNumber | None) -> str:
    return NONE if number is None or number.value is None else as_text(number)


def differs(one: CohortTube, other: CohortTube) -> list[str]:
    """Return in what two tubes differ that forbids comparing their numbers, in words."""
    found = []
    if one.template_sha256 != other.template_sha256:
        found.append("they were gated with different templates")
    for name in STRATA:
        pair = one.strata.get(name, ""), other.strata.get(name, "")
        if pair[0] != pair[1]:
            found.append(f"{_TITLES[name].casefold()}: {pair[0]} and {pair[1]}")
    if one.instrument != other.instrument:
        found.append(f"cytometer: {one.instrument or 'not said'} and {other.instrument or 'not said'}")
    return found


def _pairs(tubes: Sequence[CohortTube]) -> list[tuple[CohortTube, CohortTube]]:
    """Return each tube with the one before it, and the last with the first where others lie between."""
    pairs = list(zip(tubes[1:], tubes[:-1], strict=True))
    return [*pairs, (tubes[-1], tubes[0])] if len(tubes) > 2 else pairs


def _joined(tubes: Sequence[CohortTube]) -> list[bool]:
    return [not differs(one, other) for one, other in zip(tubes[1:], tubes[:-1], strict=True)]


def _named(tube: CohortTube) -> str:
    return f"{when(tube)} ({tube.name})" if when(tube) else tube.name


def _why_not(one: CohortTube, other: CohortTube) -> str:
    why = differs(one, other)
    return f"{_named(one)} cannot be compared with {_named(other)}: {'; '.join(why)}" if why else ""


def _change(cohort: Cohort, one: CohortTube, other: CohortTube, denominator: str) -> dict[str, Any]:
    """Return the differences of a tube from an earlier one; none where something forbids them."""
    named = {"later": _named(one), "earlier": _named(other)}
    if differs(one, other):
        return {**named, "cells": [], "why": "; ".join(differs(one, other))}
    cells = [
        {"text": NONE, "interval": "", "word": "MSC not detected"}
        if key == SHARE and any(_without_msc(tube, denominator) for tube in (one, other))
        else _difference(one.number(key, denominator), other.number(key, denominator))
        for key in cohort.quantities
    ]
    return {**named, "cells": cells, "why": ""}


def _without_msc(tube: CohortTube, denominator: str) -> bool:
    """Whether a tube shows no MSC: a share of what was not detected is a share of nothing."""
    msc = tube.number("MSC", denominator)
    return msc is not None and msc.state == "not detected"


def _difference(one: CohortNumber | None, other: CohortNumber | None) -> dict[str, str]:
    """Return a difference with its interval (MOVER), and whether the two are told apart."""
    if one is None or other is None or one.value is None or other.value is None:
        return {"text": NONE, "interval": "", "word": ""}
    limits: list[Limits] = [
        (number.value or 0.0 if number.ci_low is None else number.ci_low, number.ci_high) for number in (one, other)
    ]
    low, high = difference(one.value, limits[0], other.value, limits[1])
    factor, unit = (100.0, " points") if one.quantity == SHARE else (1.0, "")
    if high is None or low == float("-inf"):
        return {"text": _signed(factor * (one.value - other.value)) + unit, "interval": "open", "word": ""}
    word = "higher" if low > 0 else "lower" if high < 0 else "not told apart"
    return {
        "text": _signed(factor * (one.value - other.value)) + unit,
        "interval": f"{_signed(factor * low)} to {_signed(factor * high)}",
        "word": word,
    }


def _signed(value: float) -> str:
    return f"+{number_text(value)}" if value > 0 else number_text(value)
