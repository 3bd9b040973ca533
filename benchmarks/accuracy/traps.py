"""What leads gates astray, one figure a trap: what it costs each method on the tubes that hold it.

That the traps are in the tubes is tested on tuning seeds (``tests/simulate/test_traps.py``); here they are measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from benchmarks.accuracy import measures
from benchmarks.accuracy.figures import Found, Scores, Unit, median, percent
from benchmarks.accuracy.plan import DONOR_DAY
from benchmarks.accuracy.scores import Score


@dataclass(frozen=True, slots=True)
class Trap:
    """What is measured, on which tubes and how, and what it would be if nothing went astray."""

    key: str
    title: str
    unit: Unit
    find: Callable[[Scores], Found]
    right: Callable[[Scores], float]


def _of(scenario: str, scores: Scores) -> list[Score]:
    """Return the tubes of a scenario, or of a series of them, that hold MSC and have a number."""
    kept = [score for score in scores if score.purpose == "grid" and score.scenario.startswith(scenario)]
    return [score for score in measures.answered(kept) if score.true_msc]


def _leak(scores: Scores) -> Found:
    return median([score.leak for score in _of("sticky_blasts", scores) if score.leak is not None])


def _false_ppm(scores: Scores) -> Found:
    tubes = [score for score in _of("cd71_low_erythroblasts", scores) if score.called_msc is not None]
    false = [1 - measures.precision(score) if score.called_msc else 0.0 for score in tubes]
    return median([(score.ppm or 0.0) * share for score, share in zip(tubes, false, strict=True)])


def _share(scores: Scores) -> Found:
    tubes = [score for score in _of("anchor_glows_less", scores) if score.called_progenitors is not None]
    return median([100 * (score.called_progenitors or 0) / score.called_msc for score in tubes if score.called_msc])


def _share_by_anchor(scores: Scores) -> Found:
    tubes = _of("anchor_glows_less", scores)
    told = [(score.progenitors_by_anchor, score.called_msc) for score in tubes]
    return median([100 * high / called for high, called in told if called and high is not None])


def _true_share(scores: Scores) -> float:
    tubes = _of("anchor_glows_less", scores)
    return float(np.median([100 * score.true_progenitors / score.true_msc for score in tubes])) if tubes else np.nan


def _day_error(scores: Scores) -> Found:
    errors = [measures.relative_error(score) for score in _of(DONOR_DAY, scores)]
    return median([100 * abs(error) for error in errors if error is not None])


def _day_missed(covered: Callable[[Score], bool]) -> Callable[[Scores], Found]:
    return lambda scores: percent([not covered(score) for score in _of(DONOR_DAY, scores)])


def _factor(rate: Literal["true_ppm", "true_nucleated_ppm"]) -> Callable[[Scores], Found]:
    def find(scores: Scores) -> Found:
        return median([(score.ppm or 0.0) / getattr(score, rate) for score in _of("erythroid_marrow", scores)])

    return find


def _is(value: float) -> Callable[[Scores], float]:
    return lambda _: value


TRAPS = (
    Trap("leak", "false CD271+ per promised, sticky cells", "ratio", _leak, _is(1)),
    Trap("cd71_low", "false MSC per million, CD71-low cells", "ppm", _false_ppm, _is(0)),
    Trap("glow", "MSC called CD146+, glow unlike anchor's", "%", _share, _true_share),
    Trap("glow_anchor", "  by the anchor's FMO percentile alone", "%", _share_by_anchor, _true_share),
    Trap("day_error", "gates of another day, error, median", "%", _day_error, _is(0)),
    Trap("day_missed", "  interval misses the truth", "%", _day_missed(measures.covered), _is(5)),
    Trap("day_counting", "    interval of counts alone", "%", _day_missed(measures.covered_by_counting), _is(5)),
    Trap("nucleated", "erythroid, rate over that of nucleated", "ratio", _factor("true_nucleated_ppm"), _is(1)),
    Trap("named", "  over that of the cells it names", "ratio", _factor("true_ppm"), _is(1)),
)
