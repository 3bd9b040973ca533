"""The stromal pattern: what is called and why, how probable each pattern is, and whether it holds by other ways."""

from __future__ import annotations

from typing import Any

from stromagate.model.pattern import BETWEEN, PATTERNS, IndexValue, PatternCall, RobustnessCell
from stromagate.model.result import SampleResult
from stromagate.pattern.probabilities import ASSIGNED_FROM
from stromagate.pattern.statement import probability_text
from stromagate.report.lookup import STATE_OK, label, role, state
from stromagate.report.section import Section
from stromagate.report.wording import NONE, count_text, number_text, percent_text

PATTERN_WORDS: dict[str, str] = {
    **{str(name): str(name) for name in PATTERNS},
    BETWEEN: "within the calibration’s range",
}
_MEANT = {
    "mesenchymal-low": "P and Q both below their lower cut-points",
    "progenitor-high": "P above its upper cut-point, Q not",
    "MSC-high": "Q above its upper cut-point, P not",
    "both-high": "P and Q both above",
    BETWEEN: "anything else",
}


def _build(result: SampleResult) -> dict[str, Any] | None:
    """Leave the section out of control tubes, and where nothing was reckoned."""
    call = result.pattern
    if role(result.labels).is_control or not (call.indices or call.probabilities):
        return None
    return {
        "call": call,
        "reasons": [f"{text[0].upper()}{text[1:]}." for text in call.reasons or (call.reason,)],
        "chances": _chances(call),
        "asked": f"{ASSIGNED_FROM:.2f}",
        "indices": _indices(result, call),
        "has_cuts": any(value.cut_high is not None for value in call.indices),
        "has_percentiles": any(value.percentile is not None for value in call.indices),
        "share": next((_estimate(value) for value in call.indices if value.index == "P/MSC"), NONE),
        "cells": [_cell(cell, call) for cell in call.robustness],
        "agreement": _agreement(call),
        "background": _background(result),
        "reckoned": _reckoned(result),
        "confidence": f"{100 * result.record.config.confidence:g} %",
        "draws": count_text(call.draws),
    }


def _chances(call: PatternCall) -> list[dict[str, Any]]:
    """Return each pattern with its probability, as number and as length of a bar."""
    return [
        {
            "name": PATTERN_WORDS[name],
            "meant": _MEANT[name],
            "text": probability_text(probability),
            "width": f"{100 * probability:.1f}",
            "called": name == call.pattern,
        }
        for name, probability in ((name, call.probabilities[name]) for name in _MEANT if name in call.probabilities)
    ]


def _indices(result: SampleResult, call: PatternCall) -> list[dict[str, Any]]:
    """Return P and Q by denominator, the one that is called by first."""
    names = list(dict.fromkeys(value.denominator for value in call.indices if value.denominator))
    first = [name for name in names if name == call.denominator]
    rows = []
    for name in (*first, *(name for name in names if name != call.denominator)):
        found = {value.index: value for value in call.indices if value.denominator == name}
        rows.append(
            {
                "name": label(result, name),
                "main": call.calibration is not None and name == call.denominator,
                "cells": [_index(found[index], result) for index in ("P", "Q") if index in found],
            }
        )
    return rows


def _index(value: IndexValue, result: SampleResult) -> dict[str, Any]:
    """Return an index beside its cut-points, in grey where its cells are no quantity; those of Q are MSC."""
    call, key = result.pattern, "progenitors" if value.index == "P" else "msc"
    percentile = ""
    if value.percentile is not None and call.calibration is not None:
        percentile = f"above {round(value.percentile * call.calibration.n)} of {call.calibration.n} tubes"
    cuts = ""
    if value.cut_low is not None and value.cut_high is not None:
        one = number_text(value.cut_high)
        cuts = one if value.cut_low == value.cut_high else f"{number_text(value.cut_low)} to {one}"
    faint = state(result, result.indices.get(key, "")) != STATE_OK
    places = {"cuts": cuts, "position": value.position, "percentile": percentile}
    return {"text": _estimate(value), "faint": faint, **places}


def _estimate(value: IndexValue) -> str:
    """Return an index with its interval, a share in percent."""
    if value.value is None:
        return NONE
    write = percent_text if value.unit == "fraction" else number_text
    head = write(value.value)
    if value.ci_low is None or value.ci_high is None:
        return head
    factor = 100 if value.unit == "fraction" else 1
    return f"{head} ({number_text(factor * value.ci_low)}–{number_text(factor * value.ci_high)})"


def _cell(cell: RobustnessCell, call: PatternCall) -> dict[str, Any]:
    told = PATTERN_WORDS.get(cell.pattern, cell.pattern) or NONE
    if not cell.pattern:
        verdict = cell.reason
    elif _is_call(cell, call):
        verdict = "the call itself"
    elif not cell.decides:
        verdict = f"does not count: {cell.reason}"
    else:
        verdict = "differs" if cell.differs else "the same"
    return {
        "name": cell.name,
        "pattern": told,
        "probability": "" if cell.probability is None else probability_text(cell.probability),
        "verdict": verdict,
        "faint": not cell.decides,
        "differs": cell.decides and cell.differs,
    }


def _agreement(call: PatternCall) -> str:
    deciding = [cell for cell in call.robustness if cell.decides and cell.pattern and not _is_call(cell, call)]
    if not deciding:
        return ""
    same = sum(not cell.differs for cell in deciding)
    return f"{same} of {len(deciding)} other ways that count come to the same."


def _is_call(cell: RobustnessCell, call: PatternCall) -> bool:
    return (cell.kind, cell.denominator) == ("denominator", call.denominator)


def _reckoned(result: SampleResult) -> str:
    """Say what an interval of the pattern holds that those under Numbers do not."""
    what = "counts, background and boundaries" if result.pattern.background else "counts and boundaries"
    taken = "net of background" if result.pattern.background else "as counted"
    return f"{taken}; the intervals are of draws of {what}, those under Numbers exact ones of what was counted"


def _background(result: SampleResult) -> str:
    call = result.pattern
    if not call.background:
        own = set(result.indices.values())
        if any(each.too_small for each in result.background if each.population in own):
            return "The controls of this tube are too small to tell its background: rates are as counted."
        return "No control shows the background of this tube: rates are as counted."
    names = [role({"role": name}).text for name in call.background.split(", ")]
    return f"Background is taken off, as shown by: {'; '.join(names)}."


SECTION = Section(
    title="Pattern",
    order=66,
    fragment="pattern.html.j2",
    build=_build,
    summary="P: CD146+ progenitors. Q: MSC that are no progenitors. Progenitors are a part of MSC, so that P beside "
    "all MSC would count the same cells twice.",
    wide=True,
)
