"""The control tubes a lab would have stained beside a tube: two FMO of the same marrow, and those of its batch.

One gated control serves many tubes and is kept for the run, in a folder that its workers share.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

from benchmarks.accuracy.plan import TubePlan, tube_order
from stromagate.model.config import RunConfig
from stromagate.model.controls import ControlTube
from stromagate.pipeline import load_template
from stromagate.pipeline.controls import gate_control
from stromagate.simulate import TubeOrder, scenario, simulate_tube, write_tube
from stromagate.templates import LoadedTemplate

LEFT_OUT = ("CD271", "CD146")
"""Antibodies left out of one tube each."""
MATES = ("healthy", "age_70", "aml_msc_high")
"""Other marrows stained on the same day, each with its own FMO tubes."""
LARGEST_FMO = 300_000
"""Events at which a lab stops an FMO tube of a whole marrow."""


def controls_of(plan: TubePlan, template: str, kept: Path | None = None) -> tuple[ControlTube, ...]:
    """Return the controls of a tube, gated as the first stage of a run does: its own, and those of its batch.

    The scenario says whether anybody stained FMO tubes, how large they are beside the tube, and on which day.

    Parameters
    ----------
    plan : TubePlan
        The tube.
    template : str
        Name of the template that gates them.
    kept : path, optional
        Folder of controls that were gated before, shared by all workers of a run.
    """
    own = [fmo_order(plan, marker) for marker in LEFT_OUT]
    mates = [fmo_order(mate, marker) for mate in _mates(plan) for marker in LEFT_OUT]
    return (
        *(_gated(order, template, kept) for order in own if order is not None),
        *(_named_mate(_gated(order, template, kept)) for order in mates if order is not None),
    )


def fmo_order(plan: TubePlan, marker: str) -> TubeOrder | None:
    """Return the order of a tube's own FMO; None in the scenario in which nobody stained one."""
    made = plan.scenario
    n_events = min(round(made.fmo_frac * plan.n_events), LARGEST_FMO)
    if n_events < 1:
        return None
    return tube_order(plan, f"fmo:{marker}", n_events, made.fmo_batch)


def _mates(plan: TubePlan) -> list[TubePlan]:
    """Return the other marrows of the day on which a tube's FMO were stained, with as many events."""
    made = plan.scenario
    of_day = [replace(scenario(name), fmo_batch=made.fmo_batch, fmo_frac=made.fmo_frac) for name in MATES]
    return [TubePlan("grid", item, plan.prepared, plan.n_events, plan.seed, family=plan.family) for item in of_day]


def _named_mate(control: ControlTube) -> ControlTube:
    return replace(control, sample_id=f"mate_{control.sample_id}")


def _gated(order: TubeOrder, template: str, kept: Path | None) -> ControlTube:
    """Simulate a control, gate it and keep what gates want to know of it; or take what was kept."""
    if kept is None:
        return _simulated_and_gated(order, template)
    digest = hashlib.sha256(repr((order, template)).encode()).hexdigest()
    path = kept / f"{digest}.pickle"
    if not path.exists():
        # Another worker may be at the same control: each writes its own file, and either may be the one that stays.
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.write_bytes(pickle.dumps(_simulated_and_gated(order, template)))
        fresh.replace(path)
    found: ControlTube = pickle.loads(path.read_bytes())  # of this very run
    return found


def _simulated_and_gated(order: TubeOrder, template: str) -> ControlTube:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{order.sample_id}.fcs"
        write_tube(simulate_tube(order), path)
        return gate_control(
            path, _loaded(template), RunConfig(), sample_id=order.sample_id, role=order.role, markers={}
        )


@cache
def _loaded(template: str) -> LoadedTemplate:
    return load_template(template)
