"""What a plot keeps of the controls its gate was set on: these and no others, every event in its bin."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.gating.control_views import with_controls
from stromagate.gating.method import Outside, methods
from stromagate.model.controls import ControlTube, Distribution
from stromagate.model.gates import GateNode, GateTree, Geometry, Interval, QuadrantPart
from stromagate.model.result import AxisView, ControlProfile, DensityView
from stromagate.model.template import GateStep
from stromagate.prepare.scales import forward
from tests.gating.tubes import LOGICLE

CD271 = AxisView(axis="CD271", title="CD271", low=-0.1, high=1.0, scale=LOGICLE)
CD146 = CD271.model_copy(update={"axis": "CD146", "title": "CD146"})
VIEW = DensityView(
    population="msc",
    parent="all",
    x=CD271,
    y=CD146,
    nx=128,
    ny=128,
    grid="",
    peak=0,
    n_parent=0,
    n_shown=0,
    outline=None,
)


def step(role: str = "FMO", axis: str = "CD271") -> GateStep:
    given = {"axis": axis, "keep": "above", "anchor": "cells", "target": "msc_like", "control": role}
    return GateStep("control", methods.get("control").params.model_validate({**given, "autofluorescence_ratio": 1.0}))


def tube(name: str, values: list[float], role: str = "fmo:CD271", axis: str = "CD271") -> ControlTube:
    shown = Distribution(np.sort(np.array(values, dtype=np.float32)), np.ones(len(values)))
    glow = Distribution(np.array([1e5], dtype=np.float32), np.ones(1))
    return ControlTube(name, role, "", len(values), {("cells", axis): shown, ("msc_like", axis): glow})


def profiles(*tubes: ControlTube, steps: tuple[GateStep, ...] = (), grid: int = 128, **changes: Any) -> Any:
    fields: dict[str, Any] = {
        "name": "msc",
        "parent": "all",
        "method": "control",
        "geometry": Interval("CD271", 0.5, None),
        "state": "fitted",
        "sentence": "",
        "source": "fmo:CD271 x2, 5 cells events",
    }
    tree = GateTree((GateNode(**{**fields, **changes}),))
    plot = VIEW.model_copy(update={"nx": grid, "ny": grid})
    (found,) = with_controls([plot], tree, {"msc": steps or (step(),)}, Outside(controls=tubes))
    return found.controls


def counts(of: ControlProfile) -> np.ndarray:
    levels = np.frombuffer(base64.b64decode(of.profile), dtype=np.uint8)
    return np.expm1(levels / 255 * np.log1p(of.peak))


def test_the_controls_of_the_gate_are_pooled_where_it_read_them() -> None:
    (found,) = profiles(tube("a", [0.0] * 4 + [900.0]), tube("b", [0.0] * 3), tube("c", [5.0], role="fmo:CD146"))
    assert (found.role, found.axis, found.population) == ("fmo:CD271", "CD271", "cells")
    assert (found.n_tubes, found.n_events, found.peak) == (2, 8, 7)
    filled = {int(i): round(float(counts(found)[i])) for i in np.flatnonzero(counts(found))}
    bins = [int((float(forward(LOGICLE, value)[0]) + 0.1) / 1.1 * 128) for value in (0.0, 900.0)]
    assert filled == {bins[0]: 7, bins[1]: 1}


def test_the_control_that_was_fallen_back_on_is_the_one_that_is_shown() -> None:
    steps = (step(), step("unstained"))
    tubes = (tube("a", [1.0]), tube("u", [2.0, 3.0], role="unstained"))
    (found,) = profiles(*tubes, steps=steps, source="unstained x1, 2 cells events")
    assert (found.role, found.n_events) == ("unstained", 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "tail", "source": "main peak"},
        {"state": "edited", "source": "drawn by hand"},
        {"geometry": None, "state": "not_evaluable", "source": ""},
        {"geometry": Interval("CD146", 0.5, None)},
        # The name of one marker may begin as another's does.
        {"source": "fmo:CD2711 x2"},
    ],
)
def test_a_gate_that_was_not_set_on_controls_shows_none(changes: dict[str, Any]) -> None:
    assert profiles(tube("a", [1.0]), **changes) == ()


def test_no_control_no_event_and_no_axis_show_nothing() -> None:
    assert profiles() == ()
    assert profiles(tube("a", [])) == ()
    assert profiles(tube("a", [1.0], axis="CD34"), steps=(step(axis="CD34"),)) == ()


def test_a_cross_shows_both_axes() -> None:
    cut = {"rule": "control", "anchor": "cells", "min_events": 50}
    given = {"axes": ["CD271", "CD146"], "keep": ["above", "above"], "first_cut": cut, "second_cut": cut}
    steps = (GateStep("quadrant", methods.get("quadrant").params.model_validate(given)),)
    geometry: Geometry = QuadrantPart(("CD271", "CD146"), (0.5, 0.5), ("above", "above"))
    found = profiles(
        tube("a", [1.0]),
        tube("b", [1.0, 2.0], role="fmo:CD146", axis="CD146"),
        steps=steps,
        method="quadrant",
        geometry=geometry,
        source="fmo:CD271 x1, 1 cells events; fmo:CD146 x1, 2 cells events",
    )
    assert [(each.axis, each.n_events) for each in found] == [("CD271", 1), ("CD146", 2)]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    values=st.lists(st.floats(-100, 2e5, width=32), min_size=1, max_size=60),
    weight=st.floats(1, 300),
    grid=st.integers(32, 512),
)
def test_every_event_on_the_plot_is_in_its_bin(values: list[float], weight: float, grid: int) -> None:
    heavy = Distribution(np.sort(np.array(values, dtype=np.float32)), np.full(len(values), weight))
    (found,) = profiles(ControlTube("a", "fmo:CD271", "", 1, {("cells", "CD271"): heavy}), grid=grid)
    kept = counts(found)
    assert kept.size == min(grid, 128)
    assert len(found.profile) <= 172
    # One byte on a log scale: within half a level of the count, and no bin higher than the peak.
    step_width = np.log1p(found.peak) / 255
    assert kept.max() <= found.peak * (1 + 1e-9)
    shown = forward(LOGICLE, np.array(values, dtype=np.float32))
    inside = weight * np.count_nonzero((shown >= -0.1) & (shown < 1.0 - 1e-6))
    assert kept.sum() == pytest.approx(inside, rel=np.expm1(step_width) + 1e-6, abs=60)
