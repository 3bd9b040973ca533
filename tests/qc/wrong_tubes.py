"""Simulated tubes with one thing wrong each, and what the checks are given of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from stromagate.model.config import RunConfig
from stromagate.pipeline import analyze, load_template, tube
from stromagate.qc import Evidence
from stromagate.simulate import Tube, TubeOrder, scenario, simulate_tube, write_tube
from stromagate.simulate.faults import LabFaults, RunFaults
from stromagate.simulate.mixes import HEALTHY_MARROW
from stromagate.simulate.panel import CEILING, SCATTER
from stromagate.simulate.phenotype import Signal
from stromagate.simulate.populations import MSC
from stromagate.simulate.scenario import Scenario
from stromagate.templates import LoadedTemplate

SEED = 11
TEMPLATE = "bm_stroma_core"
RICH = replace(scenario("clean"), name="rich", msc_ppm=30_000.0, endothelium_ppm=10_000.0)
"""Marrow of so much stroma that a small tube holds enough to judge by."""


@dataclass(frozen=True)
class Wrong:
    """A tube with something wrong: in its marrow, its run, its events or its file, or in how it is analysed."""

    made: Scenario = RICH
    n_events: int = 10_000
    events: Callable[[Tube], Tube] | None = None
    file: Callable[[Path], None] | None = None
    gates: tuple[str, str] | None = None
    """Words of the shipped template, and what stands in their place."""
    config: Mapping[str, Any] = field(default_factory=dict)


class _Seen(Exception):  # noqa: N818  (no error: nothing that comes after is wanted)
    pass


def evidence_of(wrong: Wrong, folder: Path) -> Evidence:
    """Return what the checks are given of a tube."""
    order = TubeOrder(wrong.made, "tube", "donor", n_events=wrong.n_events, seed=SEED)
    made = simulate_tube(order)
    path = folder / "tube.fcs"
    write_tube(wrong.events(made) if wrong.events else made, path)
    if wrong.file:
        wrong.file(path)
    got: list[Evidence] = []

    def keep(evidence: Evidence) -> NoReturn:
        got.append(evidence)
        raise _Seen

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tube, "check_tube", keep)
        config = RunConfig(boundary_draws=0, grid=32, **wrong.config)
        with pytest.raises(_Seen):
            analyze(path, template_of(wrong.gates, folder), config)
    return got[0]


def template_of(gates: tuple[str, str] | None, folder: Path) -> LoadedTemplate:
    """Return the shipped template, or one with other words in it."""
    if gates is None:
        return _shipped()
    text = (Path(__file__).parents[2] / "gating_templates" / f"{TEMPLATE}.yaml").read_text(encoding="utf-8")
    old, new = gates
    assert old in text
    path = folder / "template.yaml"
    path.write_text(text.replace(old, new, 1).replace("status: reconstruction", "status: local"), encoding="utf-8")
    return load_template(path)


@cache
def _shipped() -> LoadedTemplate:
    return load_template(TEMPLATE)


def with_signals(population: str | tuple[str, ...], **signals: Signal) -> Scenario:
    """Return the rich marrow with other signals of some markers on some cells."""
    cells = (population,) if isinstance(population, str) else population
    return replace(RICH, signals={cell: dict(signals) for cell in cells})


def column(made: Tube, marker: str) -> int:
    """Return the column of a marker, or of a scatter or time channel."""
    names = made.panel.channel_names()
    return names.index(marker) if marker in names else len(SCATTER) + made.panel.markers.index(marker)


def of_msc(made: Tube) -> np.ndarray:
    """Return the rows of living single stroma."""
    return np.flatnonzero(made.truth.viable_singlet & made.truth.is_one_of(*MSC))


def set_column(marker: str, change: Callable[[np.ndarray], np.ndarray], *, msc: bool = False) -> Callable[[Tube], Tube]:
    """Return a change of one channel, on all events or on stroma alone."""

    def changed(made: Tube) -> Tube:
        events, place = made.events.copy(), column(made, marker)
        rows = of_msc(made) if msc else np.arange(len(events))
        events[rows, place] = np.minimum(change(events[rows, place]), CEILING)
        return replace(made, events=events)

    return changed


def odd_stroma(made: Tube) -> Tube:
    """Stroma as bright in CD105's detector as in CD271's, as smooth as blasts, and a third of it at the start."""
    events, rows = made.events.copy(), of_msc(made)
    events[rows, column(made, "CD105")] = events[rows, column(made, "CD271")]
    events[rows, column(made, "SSC-A")] *= 0.2
    return msc_first(replace(made, events=events))


def msc_first(made: Tube) -> Tube:
    """A third of the stroma in the first twentieth of the run; the clock runs on as before."""
    events, n = made.events.copy(), len(made.events)
    late = of_msc(made)[::3]
    places = np.linspace(0, n // 20 - 1, late.size).astype(np.intp)
    early = np.setdiff1d(places, of_msc(made))[: late.size]
    late = late[: early.size]
    colours = slice(0, events.shape[1] - 1)
    events[early, colours], events[late, colours] = made.events[late, colours], made.events[early, colours]
    return replace(made, events=events)


def dim_stretch(made: Tube) -> Tube:
    """Half of the light is gone in a seventh of the run, as behind a clog."""
    events, n = made.events.copy(), len(made.events)
    events[n // 2 : n // 2 + n // 7, : events.shape[1] - 1] *= 0.5
    return replace(made, events=events)


def clock_backwards(made: Tube) -> Tube:
    events = made.events.copy()
    events[:, -1] = events[::-1, -1]
    return replace(made, events=events)


def no_number(made: Tube) -> Tube:
    events = made.events.copy()
    events[7, column(made, "CD271")] = np.nan
    return replace(made, events=events)


def some_at_the_top(made: Tube) -> Tube:
    """One stroma cell in twelve at the top of CD271's detector."""
    events = made.events.copy()
    events[of_msc(made)[::12], column(made, "CD271")] = CEILING
    return replace(made, events=events)


def long_for_their_area(made: Tube) -> Tube:
    """Two stroma cells in five as long as two cells behind each other."""
    events, rows = made.events.copy(), of_msc(made)
    events[rows[np.arange(rows.size) % 5 < 2], column(made, "FSC-H")] *= 0.5
    return replace(made, events=events)


def cut_short(path: Path) -> None:
    """Leave the last tenth of the file away."""
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 9 // 10])


def drifting(decades: float) -> Scenario:
    """Return the rich marrow in a run in which all detectors lose or gain light."""
    return replace(RICH, run=RunFaults(drift_decades=decades, drift_channels=8))


def in_lab(**faults: Any) -> Scenario:
    """Return the rich marrow with something done wrong in the lab."""
    return replace(RICH, lab=LabFaults(**faults))


def marrow(**changes: Any) -> Scenario:
    """Return the rich marrow with another make-up."""
    return replace(RICH, **{"marrow": HEALTHY_MARROW, **changes})
