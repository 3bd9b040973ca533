"""What a change of the detectors does to the MSC count: all gains up alike, or that of one detector."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.accuracy.figures import Found, Measure, Scores, median, percent
from benchmarks.accuracy.plan import SHIFT_DECADES, SHIFTED_ALONE
from benchmarks.accuracy.scores import LOCKED, Score

_WRONG_PCT = 50.0


def changes_pct(scores: Scores, *markers: str) -> list[float]:
    """Return by how much the rate of each shifted tube differs from that of the same tube before, without its sign.

    Parameters
    ----------
    scores : sequence of Score
        Of one method.
    markers : str
        The one detector that was turned up; ``""`` for all of them alike.

    Returns
    -------
    list of float
        Per cent; a tube without a number before or after is left out.
    """
    return [
        100 * abs(after.ppm / before.ppm - 1)
        for before, after in _pairs(scores, *markers)
        if before.ppm and after.ppm is not None
    ]


def _pairs(scores: Scores, *markers: str) -> Iterator[tuple[Score, Score]]:
    """Yield tubes before and after; of locked gates only those whose cut earlier batches really set."""
    tubes = [score for score in scores if score.purpose == "shift" and score.by_locks is not False]
    before = {score.seed: score for score in tubes if not score.shift_decades}
    for score in tubes:
        if score.shift_decades and score.shifted in markers and score.seed in before:
            yield before[score.seed], score


def _share_change(scores: Scores) -> Found:
    """Return by how many points the CD146+ share changes where CD146's detector is turned up."""
    told = [
        (before.called_progenitors / before.called_msc, after.called_progenitors / after.called_msc)
        for before, after in _pairs(scores, "CD146")
        if before.called_msc and after.called_msc
        if before.called_progenitors is not None and after.called_progenitors is not None
    ]
    return median([100 * abs(now - then) for then, now in told])


def _change(*markers: str) -> Callable[[Scores], Found]:
    return lambda scores: median(changes_pct(scores, *markers))


def _lost_or_wrong(scores: Scores) -> Found:
    """Return the share of tubes that a shift of one detector robs of their number, or changes by half."""
    pairs = list(_pairs(scores, *SHIFTED_ALONE))
    told = [(before.ppm, after.ppm) for before, after in pairs if before.ppm]
    return percent([now is None or 100 * abs(now / then - 1) > _WRONG_PCT for then, now in told if then])


_UP = f"up {SHIFT_DECADES:g} decade"
SHIFT_MEASURES = (
    Measure("shift", f"change by gains {_UP}, median", "%", _change(""), "at most", 10),
    Measure("shift_locked", "  locked gates", "%", _change(""), "at most", 10, LOCKED),
    Measure("one_up", f"one detector {_UP}, median", "%", _change(*SHIFTED_ALONE)),
    Measure("one_up_locked", "  locked gates", "%", _change(*SHIFTED_ALONE), ours=LOCKED),
    *(
        measure
        for marker in SHIFTED_ALONE
        for measure in (
            Measure(f"up_{marker}", f"  {marker}'s", "%", _change(marker)),
            Measure(f"up_{marker}_locked", f"  {marker}'s, locked gates", "%", _change(marker), ours=LOCKED),
        )
    ),
    Measure("share_up", "  CD146's, on the CD146+ share", "points", _share_change),
    Measure("one_up_lost", "  no number, or off by half", "%", _lost_or_wrong),
    Measure("one_up_lost_locked", "  the same, locked gates", "%", _lost_or_wrong, ours=LOCKED),
)
