"""From the scores of many tubes to the figures that count, each with its bar and whether it is met."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from benchmarks.accuracy import warnings
from benchmarks.accuracy.plan import WHOLE
from benchmarks.accuracy.tube import Score
from stromagate.quantify.intervals import clopper_pearson

Unit = Literal["%", "ratio", "ppm", "events", "points", "rho"]
Scores = Sequence[Score]

FEW, ENOUGH = 50, 100
"""True MSC from which precision and recall, and from which bias, are asked for."""
WRONG = 0.5
"""Relative error from which a number is wrong."""
RIGHT = 0.2
"""Relative error up to which a warning was not needed."""
LOD_EVENTS = 20


@dataclass(frozen=True, slots=True)
class Found:
    """A figure, on how many tubes it stands, and how far it may be off.

    ``worst`` is the worst tube where the figure is a median, ``interval`` the exact 95 % interval where it is a share
    of tubes. NaN and None where there is none.
    """

    value: float
    n: int
    worst: float = float("nan")
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured: on which tubes, how, and the bar: ``limit`` itself still meets it. No bar: for information."""

    key: str
    title: str
    unit: Unit
    find: Callable[[Scores], Found]
    side: Literal["at most", "at least", "within", ""] = ""
    limit: float = float("nan")

    def met(self, found: Found) -> bool | None:
        """Whether the bar is met; None where there is no bar or nothing to hold against it."""
        if not self.side or not found.n:
            return None
        if self.side == "at least":
            return found.value >= self.limit
        return abs(found.value) <= self.limit


def relative_error(score: Score) -> float | None:
    """Return the error of the printed rate against the truth of the tube; None where there is no number or no MSC."""
    if score.ppm is None or not score.true_ppm:
        return None
    return score.ppm / score.true_ppm - 1


def excuses(score: Score) -> list[str]:
    """Return the codes that tell a reader of this tube that its MSC count may be wrong."""
    return warnings.excusing(score.codes, true_count=score.true_msc, prepared=score.prepared)


def wrong(score: Score) -> bool:
    """Whether the tube printed a number that is off by more than half; of a tube without MSC, 20 events or more."""
    error = relative_error(score)
    if score.true_msc == 0:
        return (score.called_msc or 0) >= LOD_EVENTS
    return error is not None and abs(error) > WRONG


def silent(score: Score) -> bool:
    """Whether a wrong number came without a word that excuses it."""
    return wrong(score) and not excuses(score)


def recall(score: Score) -> float:
    """Return the share of the true MSC that are called."""
    return score.right_msc / score.true_msc


def precision(score: Score) -> float:
    """Return the share of the called MSC that are true; of none called, none."""
    return score.right_msc / score.called_msc if score.called_msc else 0.0


def covered(score: Score) -> bool:
    """Whether the printed interval holds the rate that the tube was drawn from."""
    return score.ci_low is not None and score.ci_low <= score.expected_ppm <= (score.ci_high or 0.0)


def share_error_points(score: Score) -> float | None:
    """Return the error of the CD146+ share of MSC, in percentage points; None where it has no number."""
    if not score.called_msc or score.called_progenitors is None:
        return None
    called = score.called_progenitors / score.called_msc
    return 100 * (called - score.true_progenitors / score.true_msc)


def tubes_of(scores: Iterable[Score], *, clean: bool, at_least: int = 0) -> list[Score]:
    """Return the tubes of the scenario grid of one kind that hold MSC, ``at_least`` so many."""
    kept = (score for score in scores if score.purpose == "grid" and score.clean == clean)
    return [score for score in kept if score.true_msc >= max(at_least, 1)]


def answered(scores: Iterable[Score]) -> list[Score]:
    """Return the tubes that printed a number."""
    return [score for score in scores if score.ppm is not None]


def _bias(clean: bool) -> Callable[[Scores], Found]:
    def find(scores: Scores) -> Found:
        errors = [relative_error(score) for score in answered(tubes_of(scores, clean=clean, at_least=ENOUGH))]
        return _median([100 * error for error in errors if error is not None])

    return find


def _share_of_true(of: Callable[[Score], float], clean: bool) -> Callable[[Scores], Found]:
    def find(scores: Scores) -> Found:
        values: list[float] = [of(score) for score in answered(tubes_of(scores, clean=clean, at_least=FEW))]
        found = _median(values)
        return Found(found.value, found.n, min(values, default=float("nan")))

    return find


def _below_bar_in_silence(scores: Scores) -> Found:
    kept = answered(tubes_of(scores, clean=False, at_least=FEW))
    return _percent([(recall(score) < 0.85 or precision(score) < 0.90) and not excuses(score) for score in kept])


def _blanks(scores: Scores) -> list[Score]:
    return [score for score in answered(scores) if score.true_msc == 0 and score.prepared == WHOLE]


def _false_ppm(scores: Scores) -> Found:
    return _median([score.ppm or 0.0 for score in _blanks(scores)])


def _false_ppm_95(scores: Scores) -> Found:
    return _percentile_95([score.ppm or 0.0 for score in _blanks(scores)])


def _false_events_95(scores: Scores) -> Found:
    return _percentile_95([float(score.called_msc or 0) for score in _blanks(scores)])


def _coverage(clean: bool) -> Callable[[Scores], Found]:
    def find(scores: Scores) -> Found:
        kept = answered(tubes_of(scores, clean=clean))
        return _percent([covered(score) or (not clean and bool(excuses(score))) for score in kept])

    return find


def _silent_failures(scores: Scores) -> Found:
    return _percent([silent(score) for score in scores if score.purpose == "grid"])


def _wrong_at_all(scores: Scores) -> Found:
    return _percent([wrong(score) for score in scores if score.purpose == "grid"])


def _false_alarms(scores: Scores) -> Found:
    # That a tube is small is no alarm here: the bench makes small tubes on purpose.
    kept = tubes_of(scores, clean=True)
    return _percent([bool(set(score.failures) - warnings.SIZE_ONLY) for score in kept])


def _needless(scores: Scores) -> Found:
    kept = [score for score in scores if score.purpose == "grid" and score.true_msc >= FEW]
    good = [score for score in kept if abs(relative_error(score) or (0 if score.ppm else 1)) <= RIGHT]
    return _percent([bool(excuses(score)) for score in good])


def _refused(scores: Scores) -> Found:
    return _percent([score.ppm is None for score in scores if score.purpose == "grid"])


def _cd146(scores: Scores) -> Found:
    kept = [score for score in scores if score.purpose == "grid" and score.true_msc >= ENOUGH]
    errors = [error for error in map(share_error_points, kept) if error is not None]
    return _median(list(map(abs, errors)))


def _spearman(scores: Scores) -> Found:
    from scipy.stats import spearmanr

    series = [score for score in answered(scores) if score.purpose == "spike" and score.true_msc]
    if len({score.true_ppm for score in series}) < 3:
        return Found(float("nan"), 0)
    true, printed = [score.true_ppm for score in series], [score.ppm or 0.0 for score in series]
    return Found(float(spearmanr(true, printed).statistic), len(series))


def _shift(scores: Scores) -> Found:
    tubes = [score for score in scores if score.purpose == "shift"]
    before = {score.seed: score.ppm for score in tubes if not score.shift_decades}
    pairs = [(before.get(score.seed), score.ppm) for score in tubes if score.shift_decades]
    return _median([100 * abs(after / first - 1) for first, after in pairs if first and after is not None])


def _median(values: Sequence[float]) -> Found:
    if not values:
        return Found(float("nan"), 0)
    return Found(float(np.median(values)), len(values), max(values, key=abs))


def _percentile_95(values: Sequence[float]) -> Found:
    return Found(float(np.percentile(values, 95)), len(values), max(values)) if values else Found(float("nan"), 0)


def _percent(hits: Sequence[bool]) -> Found:
    if not hits:
        return Found(float("nan"), 0)
    low, high = clopper_pearson(sum(hits), len(hits), 0.95)
    return Found(100 * float(np.mean(hits)), len(hits), interval=(100 * low, 100 * high))


MEASURES = (
    Measure("bias_clean", "MSC per million, median error, clean", "%", _bias(clean=True), "within", 10),
    Measure("bias_hard", "MSC per million, median error, hard", "%", _bias(clean=False), "within", 20),
    Measure("recall_clean", "recall of MSC, clean", "ratio", _share_of_true(recall, clean=True), "at least", 0.85),
    Measure("recall_hard", "recall of MSC, hard", "ratio", _share_of_true(recall, clean=False), "at least", 0.85),
    Measure("precision_clean", "precision, clean", "ratio", _share_of_true(precision, clean=True), "at least", 0.90),
    Measure("precision_hard", "precision, hard", "ratio", _share_of_true(precision, clean=False), "at least", 0.90),
    Measure("below_in_silence", "hard tubes under these, not warned of", "%", _below_bar_in_silence, "at most", 0),
    Measure("false_ppm", "false MSC per million, no stroma, median", "ppm", _false_ppm, "at most", 3),
    Measure("false_ppm_95", "  95th percentile", "ppm", _false_ppm_95),
    Measure("false_events_95", "  95th percentile, events (printed floor)", "events", _false_events_95, "at most", 19),
    Measure("coverage_clean", "95 % interval holds the truth, clean", "%", _coverage(clean=True), "at least", 93),
    Measure("coverage_hard", "  hard, or warned of", "%", _coverage(clean=False), "at least", 90),
    Measure("silent", "wrong by half in silence", "%", _silent_failures, "at most", 1),
    Measure("wrong", "  wrong by half, warned of or not", "%", _wrong_at_all),
    Measure("false_alarms", "clean tubes failed", "%", _false_alarms, "at most", 2),
    Measure("needless", "right tubes warned of", "%", _needless),
    Measure("refused", "tubes without a number", "%", _refused),
    Measure("cd146", "CD146+ share of MSC, median error", "points", _cd146, "at most", 5),
    Measure("spearman", "spike series, rank correlation", "rho", _spearman, "at least", 0.98),
    Measure("shift", "change by gains up 0.15 decade, median", "%", _shift, "at most", 10),
)
