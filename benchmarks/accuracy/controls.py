"""The control tubes a lab would have stained beside a tube: two FMO of the same marrow, and those of its batch."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

from benchmarks.accuracy.plan import TubePlan, tube_order
from stromagate.model.config import RunConfig
from stromagate.model.controls import ControlTube
from stromagate.pipeline import load_template
from stromagate.pipeline.controls import gate_control
from stromagate.simulate import TubeOrder, scenario, simulate_tube, write_tube

LEFT_OUT = ("CD271", "CD146")
"""Antibodies left out of one tube each."""
MATES = ("healthy", "age_70", "aml_msc_high")
"""Other marrows stained on the same day, each with its own FMO tubes."""
LARGEST_FMO = 300_000
"""Events at which a lab stops an FMO tube of a whole marrow."""


def controls_of(plan: TubePlan, template: str) -> tuple[ControlTube, ...]:
    """Return the controls of a tube, gated as the first stage of a run does: its own, and those of its batch.

    The scenario says whether anybody stained FMO tubes, how large they are beside the tube, and on which day.
    """
    orders = [fmo_order(plan, marker) for marker in LEFT_OUT]
    own = _gated((order for order in orders if order is not None), "", template)
    made = plan.scenario
    day = (plan.seed, plan.prepared, plan.n_events, plan.family, made.fmo_batch, made.fmo_frac)
    return (*own, *_of_the_batch(*day, template))


def fmo_order(plan: TubePlan, marker: str) -> TubeOrder | None:
    """Return the order of a tube's own FMO; None in the scenario in which nobody stained one."""
    made = plan.scenario
    n_events = min(round(made.fmo_frac * plan.n_events), LARGEST_FMO)
    if n_events < 1:
        return None
    return tube_order(plan, f"fmo:{marker}", n_events, made.fmo_batch or "batch")


@cache
def _of_the_batch(
    seed: int, prepared: str, n_events: int, family: str, day: str, fmo_frac: float, template: str
) -> tuple[ControlTube, ...]:
    """Gate the FMO tubes of the other marrows of a day once for all tubes of it."""
    made = [replace(scenario(name), fmo_batch=day, fmo_frac=fmo_frac) for name in MATES]
    mates = [TubePlan("grid", item, prepared, n_events, seed, family=family) for item in made]
    orders = [fmo_order(mate, marker) for mate in mates for marker in LEFT_OUT]
    return _gated((order for order in orders if order is not None), "mate_", template)


def _gated(orders: Iterable[TubeOrder], prefix: str, template: str) -> tuple[ControlTube, ...]:
    loaded, found = load_template(template), []
    with tempfile.TemporaryDirectory() as folder:
        for order in orders:
            path = Path(folder) / f"{order.sample_id}.fcs"
            write_tube(simulate_tube(order), path)
            made = gate_control(
                path, loaded, RunConfig(), sample_id=f"{prefix}{order.sample_id}", role=order.role, markers={}
            )
            found.append(made)
    return tuple(found)
