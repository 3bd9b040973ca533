"""Made scores, so that a measure can be held against arithmetic."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.accuracy.scores import TOOL, Score

PERFECT = Score(
    purpose="grid",
    scenario="clean",
    clean=True,
    prepared="cd45_depleted",
    seed=1,
    shift_decades=0.0,
    family="a",
    method=TOOL,
    true_msc=200,
    called_msc=200,
    right_msc=200,
    true_progenitors=60,
    called_progenitors=60,
    true_ppm=1000.0,
    expected_ppm=1000.0,
    ppm=1000.0,
    ci_low=870.0,
    ci_high=1140.0,
    true_nucleated_ppm=800.0,
    counting_low=880.0,
    counting_high=1130.0,
)


def score(**changes: object) -> Score:
    """Return the score of a tube gated without fault, but for the changes."""
    return replace(PERFECT, **changes)  # type: ignore[arg-type]  # any field


def blank(called: int, **changes: object) -> Score:
    """Return the score of a whole tube of a million cells without MSC of which ``called`` are called."""
    empty = {"true_msc": 0, "right_msc": 0, "true_progenitors": 0, "true_ppm": 0.0, "expected_ppm": 0.0}
    return score(called_msc=called, ppm=float(called), ci_low=0.0, **{"prepared": "whole"} | empty | changes)
