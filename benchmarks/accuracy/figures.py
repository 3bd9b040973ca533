"""What a figure is: the measure, its bar, and what was found of it on how many tubes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from benchmarks.accuracy.scores import TOOL, Score
from stromagate.quantify.intervals import clopper_pearson

Unit = Literal["%", "ratio", "ppm", "events", "points", "rho"]
Scores = Sequence[Score]


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
    """What is measured: on which tubes, how, and the bar: ``limit`` itself still meets it. No bar: for information.

    ``ours`` is the method whose scores stand in the column of the tool.
    """

    key: str
    title: str
    unit: Unit
    find: Callable[[Scores], Found]
    side: Literal["at most", "at least", "within", ""] = ""
    limit: float = float("nan")
    ours: str = TOOL

    def met(self, found: Found) -> bool | None:
        """Whether the bar is met; None where there is no bar or nothing to hold against it."""
        if not self.side or not found.n:
            return None
        if self.side == "at least":
            return found.value >= self.limit
        return abs(found.value) <= self.limit


def median(values: Sequence[float]) -> Found:
    """Return the median of one value a tube, with the worst: the one farthest from zero."""
    if not values:
        return Found(float("nan"), 0)
    return Found(float(np.median(values)), len(values), max(values, key=abs))


def percentile_95(values: Sequence[float]) -> Found:
    """Return the 95th percentile of one value a tube, with the largest."""
    return Found(float(np.percentile(values, 95)), len(values), max(values)) if values else Found(float("nan"), 0)


def percent(hits: Sequence[bool]) -> Found:
    """Return the share of tubes, in per cent, with its exact interval."""
    if not hits:
        return Found(float("nan"), 0)
    low, high = clopper_pearson(sum(hits), len(hits), 0.95)
    return Found(100 * float(np.mean(hits)), len(hits), interval=(100 * low, 100 * high))
