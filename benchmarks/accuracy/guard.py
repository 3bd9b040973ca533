"""What the short bench of every test run is held to: ``python -m benchmarks.accuracy.guard`` measures it anew.

The guard (``tests/benchmarks/test_guard.py``) looks at four tubes. Here the same figures are found on twelve times as
many tubes of other tuning seeds. A limit lies four standard errors of the mean of four tubes from what is found here
(own choice). Run it after a change that was meant.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import mean, stdev
from typing import NoReturn

from benchmarks.accuracy import measures
from benchmarks.accuracy.plan import ENRICHED, TubePlan
from benchmarks.accuracy.scores import Score
from benchmarks.accuracy.seeds import TUNING_FAMILY, TUNING_SEEDS
from benchmarks.accuracy.tube import score_tube
from stromagate.pipeline.executor import each
from stromagate.simulate import scenario

SCENARIOS = ("clean", "aml_msc_high", "age_70", "everyday")
GUARD_SEEDS = (401,)
EVENTS = 120_000
_MEASURED_SEEDS = TUNING_SEEDS[420:432]
_ERRORS = 4.0
_FIGURES: tuple[tuple[str, Callable[[Score], float | None]], ...] = (
    ("recall", measures.recall),
    ("precision", measures.precision),
    ("error of the rate", measures.relative_error),
    ("error of the CD146+ share, points", measures.share_error_points),
    ("interval holds the truth", measures.covered),
)


def plans(seeds: Sequence[int]) -> list[TubePlan]:
    """Return the tubes of the guard for some seeds."""
    return [
        TubePlan("grid", scenario(name), ENRICHED, EVENTS, seed, family=TUNING_FAMILY)
        for name in SCENARIOS
        for seed in seeds
    ]


def main(jobs: int = 2) -> None:
    """Print mean and standard deviation between tubes of every figure, and where limits of four tubes lie."""
    with tempfile.TemporaryDirectory() as kept:
        score = partial(_by_tool, Path(kept))
        found = list(each(score, plans(_MEASURED_SEEDS), jobs, lost=_lost))
    print(f"{len(found)} tubes of tuning seeds {_MEASURED_SEEDS[0]} to {_MEASURED_SEEDS[-1]}")
    n = len(SCENARIOS) * len(GUARD_SEEDS)
    for title, of in _FIGURES:
        values = [float(value) for value in map(of, found) if value is not None]
        reach = _ERRORS * stdev(values) / math.sqrt(n)
        limits = f"{mean(values) - reach:.3f} to {mean(values) + reach:.3f}"
        print(f"{title:<36}{mean(values):8.3f}, sd {stdev(values):.3f}, mean of {n}: {limits}")


def _by_tool(kept: Path, plan: TubePlan) -> Score:
    return score_tube(plan, kept=kept)[0]


def _lost(unit: object) -> NoReturn:
    message = f"the worker of a tube died twice ({unit})"
    raise RuntimeError(message)


if __name__ == "__main__":
    main()
