"""From the scores of many tubes to the figures that count, each with its bar and whether it is met."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from benchmarks.accuracy import warnings
from benchmarks.accuracy.figures import Found, Measure, Scores, median, percent, percentile_95
from benchmarks.accuracy.plan import WHOLE
from benchmarks.accuracy.scores import Score
from benchmarks.accuracy.shifts import SHIFT_MEASURES

FEW, ENOUGH = 50, 100
"""True MSC from which precision and recall, and from which bias, are asked for."""
WRONG = 0.5
"""Relative error from which a number is wrong."""
RIGHT = 0.2
"""Relative error up to which a warning was not needed."""
LOD_EVENTS = 20


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


def covered_by_counting(score: Score) -> bool:
    """Whether the interval of counting alone, without that of the boundaries, holds it."""
    return score.counting_low is not None and score.counting_low <= score.expected_ppm <= (score.counting_high or 0.0)


def covers_drawn(score: Score) -> bool:
    """Whether the printed interval holds the rate that was drawn: what is really in the tube."""
    return score.ci_low is not None and score.ci_low <= score.true_ppm <= (score.ci_high or 0.0)


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
        return median([100 * error for error in errors if error is not None])

    return find


def _share_of_true(of: Callable[[Score], float], clean: bool) -> Callable[[Scores], Found]:
    def find(scores: Scores) -> Found:
        values: list[float] = [of(score) for score in answered(tubes_of(scores, clean=clean, at_least=FEW))]
        found = median(values)
        return Found(found.value, found.n, min(values, default=float("nan")))

    return find


def _below_bar_in_silence(scores: Scores) -> Found:
    kept = answered(tubes_of(scores, clean=False, at_least=FEW))
    return percent([(recall(score) < 0.85 or precision(score) < 0.90) and not excuses(score) for score in kept])


def _blanks(scores: Scores) -> list[Score]:
    return [score for score in answered(scores) if score.true_msc == 0 and score.prepared == WHOLE]


def _false_ppm(scores: Scores) -> Found:
    return median([score.ppm or 0.0 for score in _blanks(scores)])


def _false_ppm_95(scores: Scores) -> Found:
    return percentile_95([score.ppm or 0.0 for score in _blanks(scores)])


def _false_events_95(scores: Scores) -> Found:
    return percentile_95([float(score.called_msc or 0) for score in _blanks(scores)])


def _coverage(holds: Callable[[Score], bool], *, clean: bool) -> Callable[[Scores], Found]:
    return lambda scores: percent([holds(score) for score in answered(tubes_of(scores, clean=clean))])


def _or_warned(holds: Callable[[Score], bool]) -> Callable[[Score], bool]:
    return lambda score: holds(score) or bool(excuses(score))


def _silent_failures(scores: Scores) -> Found:
    return percent([silent(score) for score in scores if score.purpose == "grid"])


def _wrong_at_all(scores: Scores) -> Found:
    return percent([wrong(score) for score in scores if score.purpose == "grid"])


def _false_alarms(scores: Scores) -> Found:
    # That a tube is small is no alarm here: the bench makes small tubes on purpose.
    kept = tubes_of(scores, clean=True)
    return percent([bool(set(score.failures) - warnings.SIZE_ONLY) for score in kept])


def _needless(scores: Scores) -> Found:
    kept = [score for score in scores if score.purpose == "grid" and score.true_msc >= FEW]
    good = [score for score in kept if abs(relative_error(score) or (0 if score.ppm else 1)) <= RIGHT]
    return percent([bool(excuses(score)) for score in good])


def _refused(scores: Scores) -> Found:
    return percent([score.ppm is None for score in scores if score.purpose == "grid"])


def _cd146(scores: Scores) -> Found:
    kept = [score for score in scores if score.purpose == "grid" and score.true_msc >= ENOUGH]
    errors = [error for error in map(share_error_points, kept) if error is not None]
    return median(list(map(abs, errors)))


def _spearman(scores: Scores) -> Found:
    from scipy.stats import spearmanr

    series = [score for score in answered(scores) if score.purpose == "spike" and score.true_msc]
    if len({score.true_ppm for score in series}) < 3:
        return Found(float("nan"), 0)
    true, printed = [score.true_ppm for score in series], [score.ppm or 0.0 for score in series]
    return Found(float(spearmanr(true, printed).statistic), len(series))


_clean, _hard = partial(_coverage, clean=True), partial(_coverage, clean=False)
_COVERAGES = (
    Measure("coverage_clean", "95 % interval holds the truth, clean", "%", _clean(covered), "at least", 93),
    Measure("counting_clean", "    counting alone", "%", _clean(covered_by_counting)),
    Measure("drawn_clean", "    holds what was drawn", "%", _clean(covers_drawn)),
    Measure("coverage_hard", "  hard, or warned of", "%", _hard(_or_warned(covered)), "at least", 90),
    Measure("counting_hard", "    counting alone", "%", _hard(_or_warned(covered_by_counting))),
    Measure("drawn_hard", "    holds what was drawn", "%", _hard(_or_warned(covers_drawn))),
    Measure("coverage_hard_all", "  hard, warned of or not", "%", _hard(covered)),
    Measure("counting_hard_all", "    counting alone", "%", _hard(covered_by_counting)),
)
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
    *_COVERAGES,
    Measure("silent", "wrong by half in silence", "%", _silent_failures, "at most", 1),
    Measure("wrong", "  wrong by half, warned of or not", "%", _wrong_at_all),
    Measure("false_alarms", "clean tubes failed", "%", _false_alarms, "at most", 2),
    Measure("needless", "right tubes warned of", "%", _needless),
    Measure("refused", "tubes without a number", "%", _refused),
    Measure("cd146", "CD146+ share of MSC, median error", "points", _cd146, "at most", 5),
    Measure("spearman", "spike series, rank correlation", "rho", _spearman, "at least", 0.98),
    *SHIFT_MEASURES,
)
