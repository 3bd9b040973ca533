"""All tubes of a plan, in one process or several, in the same order and with the same scores either way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NoReturn

from benchmarks.accuracy.plan import SPIKED, TubePlan
from benchmarks.accuracy.rivals import Cuts
from benchmarks.accuracy.seeds import TUNING_SEEDS
from benchmarks.accuracy.tube import METHODS, Score, place_fixed, score_tube
from stromagate.pipeline.executor import each
from stromagate.simulate import scenario

PLACEMENT_SEED = TUNING_SEEDS[0]
Job = tuple[int, TubePlan, Cuts]


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
        By method, in the order of ``plans``.
    """
    fixed = dict(each(_place, _placements(plans), jobs, lost=_lost))
    units = [(place, plan, fixed[plan.prepared]) for place, plan in enumerate(plans)]
    units.sort(key=lambda unit: -unit[1].n_events)  # the long ones first, so that no worker ends alone
    found: dict[int, list[Score]] = {}
    for place, scores in each(_score, units, jobs, lost=_lost):
        found[place] = scores
        if progress is not None:
            progress(len(found), len(units))
    return {method: [found[place][m] for place in range(len(plans))] for m, method in enumerate(METHODS)}


def _placements(plans: Sequence[TubePlan]) -> list[TubePlan]:
    """Return one clean tube of a tuning seed for each preparation, twice as large as the tubes it is for."""
    clean = replace(plans[0], purpose="grid", scenario=scenario(SPIKED), seed=PLACEMENT_SEED, shift_decades=0.0)
    sizes: dict[str, int] = {}
    for item in plans:
        sizes[item.prepared] = max(2 * item.n_events, sizes.get(item.prepared, 0))
    return [replace(clean, prepared=prepared, n_events=n) for prepared, n in sorted(sizes.items())]


def _place(plan: TubePlan) -> tuple[str, Cuts]:
    return plan.prepared, place_fixed(plan)


def _score(unit: Job) -> tuple[int, list[Score]]:
    place, plan, fixed = unit
    return place, score_tube(plan, fixed)


def _lost(unit: object) -> NoReturn:
    message = f"the worker of a tube died twice ({unit}); fewer --events or --jobs need less memory"
    raise RuntimeError(message)
