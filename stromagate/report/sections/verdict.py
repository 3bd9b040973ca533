"""The three answers a reader looks for first: did quality hold, can it be counted, is a pattern assigned."""

from __future__ import annotations

from typing import Any

from stromagate.model.pattern import PATTERNS
from stromagate.model.result import SampleResult
from stromagate.pattern.statement import probability_text
from stromagate.report.lookup import STATE_OK, STATUS_WORDS, asked, find, label, role, state, tally, worst
from stromagate.report.section import Section
from stromagate.report.wording import count_text

_ANSWERS = {
    "fail": "At least one check failed: read the findings before any number.",
    "warn": "Usable with the reservations listed under Findings.",
    "pass": "Every check that could be made passed.",
    "not_applicable": "No check could be made on this tube.",
}


def _build(result: SampleResult) -> dict[str, Any]:
    gravest = worst(result.findings)
    status = gravest.status if gravest else "not_applicable"
    symbol, word = STATUS_WORDS[status]
    named = asked(result)
    return {
        "symbol": symbol,
        "status": status,
        "word": word if gravest else "not checked",
        "answer": _ANSWERS[status],
        "tally": [(STATUS_WORDS[key], n) for key, n in tally(result.findings).items() if n],
        "quantifiable": _quantifiable([state(result, name) for name in named]),
        "populations": [(label(result, name), _events(result, name), state(result, name)) for name in named],
        "pattern": result.pattern,
        "reason": _reason(result),
        "calibrated": _calibrated(result),
    }


def _reason(result: SampleResult) -> str:
    """Return what stands under the pattern: by what and how probable it is, or why there is none."""
    call = result.pattern
    if call.pattern in PATTERNS and call.probability is not None:
        return f"Probability {probability_text(call.probability)}"
    why = "a control tube has none" if role(result.labels).is_control else call.reason
    return f"{call.pattern[0].upper()}{call.pattern[1:]} because: {why}"


def _calibrated(result: SampleResult) -> str:
    made_by = result.pattern.calibration
    if made_by is None:
        return f"Calibration level {result.pattern.level}"
    of = "tubes" if made_by.level in {"L1", "L2"} else "patients"
    return f"Calibration level {made_by.level}: {made_by.name}, {count_text(made_by.n)} {of}"


def _quantifiable(states: list[str]) -> str:
    if not states:
        return "not asked"
    known = [text == STATE_OK for text in states]
    return "yes" if all(known) else "in part" if any(known) else "no"


def _events(result: SampleResult, population: str) -> str:
    row = find(result, population, "count")
    return "no count" if row is None or row.value is None else f"{count_text(row.value)} events"


SECTION = Section(title="Verdict", order=20, fragment="verdict.html.j2", build=_build, wide=True)
