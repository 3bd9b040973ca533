"""All tubes of a plan, in one process or several, in the same order and with the same scores either way."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from benchmarks.accuracy import locks
from benchmarks.accuracy.plan import SPIKED, WHOLE, TubePlan
from benchmarks.accuracy.rivals import Cuts
from benchmarks.accuracy.scores import LOCKED, METHODS, Score
from benchmarks.accuracy.seeds import TUNING_SEEDS
from benchmarks.accuracy.tube import TEMPLATE, place_fixed, score_tube
from stromagate.model.locks import Locks
from stromagate.pipeline.executor import each
from stromagate.simulate import scenario

PLACEMENT_SEED = TUNING_SEEDS[0]


@dataclass(frozen=True, slots=True)
class _Unit:
    """One tube to score, its place in the plan, and what was set before: fixed gates, locks, controls on disk."""

    place: int
    plan: TubePlan
    fixed: Cuts
    locks: Locks | None
    kept: Path


def run(
    plans: Sequence[TubePlan], *, jobs: int = 1, progress: Callable[[int, int], None] | None = None
) -> dict[str, list[Score]]:
    """Score all tubes.

    Parameters
    ----------
    plans : sequence of TubePlan
    jobs : int
        Processes; the scores do not depend on it.
    progress : callable, optional
        Told after every tube how many are done, and of how many.

    Returns
    -------
    dict of str to list of Score
        By method, in the order of ``plans``; with locked gates those of the shift alone.
    """
    fixed = dict(each(_place, _placements(plans), jobs, lost=_lost))
    locked = locks.gather(TEMPLATE, plans[0].family, jobs=jobs) if any(map(_is_shift, plans)) else None
    found: dict[int, list[Score]] = {}
    with tempfile.TemporaryDirectory() as kept:
        units = [
            _Unit(place, plan, fixed[plan.prepared], locked if _is_shift(plan) else None, Path(kept))
            for place, plan in enumerate(plans)
        ]
        units.sort(key=lambda unit: -unit.plan.n_events)  # the long ones first, so that no worker ends alone
        for place, scores in each(_score, units, jobs, lost=_lost):
            found[place] = scores
            if progress is not None:
                progress(len(found), len(units))
    ordered = [score for place in range(len(plans)) for score in found[place]]
    return {method: [score for score in ordered if score.method == method] for method in (*METHODS, LOCKED)}


def _is_shift(plan: TubePlan) -> bool:
    return plan.purpose == "shift"


def _placements(plans: Sequence[TubePlan]) -> list[TubePlan]:
    """Return one clean tube of a tuning seed for each preparation, twice as large as the tubes it is for."""
    clean = TubePlan("grid", scenario(SPIKED), WHOLE, 0, PLACEMENT_SEED, family=plans[0].family)
    sizes: dict[str, int] = {}
    for item in plans:
        sizes[item.prepared] = max(2 * item.n_events, sizes.get(item.prepared, 0))
    return [replace(clean, prepared=prepared, n_events=n) for prepared, n in sorted(sizes.items())]


def _place(plan: TubePlan) -> tuple[str, Cuts]:
    return plan.prepared, place_fixed(plan)


def _score(unit: _Unit) -> tuple[int, list[Score]]:
    return unit.place, score_tube(unit.plan, unit.fixed, unit.locks, unit.kept)


def _lost(unit: object) -> NoReturn:
    message = f"the worker of a tube died twice ({unit}); fewer --events or --jobs need less memory"
    raise RuntimeError(message)
