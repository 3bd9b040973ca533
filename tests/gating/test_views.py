"""Density plots: every event in its bin, boundaries in sight, axes that read well."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from stromagate.gating.axis_views import axis_view
from stromagate.gating.engine import Gated, gate
from stromagate.gating.method import methods
from stromagate.gating.views import density_views
from stromagate.model.gates import Axis, Ellipse, Interval, Polygon, Spans
from stromagate.model.panel import Binding, Panel
from stromagate.model.result import AxisView, DensityView
from stromagate.model.template import GateStep, GatingTemplate
from stromagate.prepare.prepared import Prepared
from stromagate.prepare.scales import forward
from tests.gating.tubes import ASINH, LINEAR, LOGICLE, ready

NAMES = ("FSC-A", "SSC-A", "PE-A", "APC-A", "Time")
AXES = {
    "FSC-A": Axis("FSC-A", LINEAR, False),
    "SSC-A": Axis("SSC-A", LINEAR, False),
    "CD146": Axis("PE-A", LOGICLE, False),
    "CD271": Axis("APC-A", ASINH, False),
    "Time": Axis("Time", LINEAR, False),
}
FIXED = {"method": "fixed"}


def tube(n: int = 5_000, **changed: np.ndarray) -> Prepared:
    rng = np.random.default_rng(4)
    columns = {
        "FSC-A": rng.normal(90e3, 2e4, n),
        "SSC-A": rng.lognormal(10.5, 0.4, n),
        "CD146": rng.normal(100, 400, n),
        "CD271": rng.lognormal(7, 1.5, n),
        "Time": np.sort(rng.uniform(0, 120, n)),
    } | changed
    return ready(np.column_stack([columns[name] for name in AXES]).astype(np.float32), NAMES, AXES)


def template(*populations: dict[str, Any]) -> GatingTemplate:
    return GatingTemplate.model_validate(
        {
            "format": "stromagate.template/1",
            "name": "views",
            "version": "1.0.0",
            "status": "local",
            "title": "Views",
            "panel": {"required": []},
            "populations": populations,
        }
    )


def seen(prepared: Prepared, *populations: dict[str, Any], grid: int = 64) -> tuple[Gated, dict[str, DensityView]]:
    written = template(*populations)
    specs = {spec.name: spec for spec in written.populations}
    gates = {
        name: [GateStep(spec.gate.method, methods.get(spec.gate.method).params.model_validate(spec.gate.params))]
        for name, spec in specs.items()
    }
    found = gate(prepared, written, gates=gates)
    return found, {view.population: view for view in density_views(prepared, found, written, grid=grid)}


def population(name: str, parent: str, **more: Any) -> dict[str, Any]:
    keys = {"plot", "requires"}
    return {
        "name": name,
        "parent": parent,
        "gate": {key: value for key, value in {**FIXED, **more}.items() if key not in keys},
        **{key: value for key, value in more.items() if key in keys},
    }


def counts(view: DensityView) -> np.ndarray:
    level = np.frombuffer(base64.b64decode(view.grid), dtype=np.uint8).reshape(view.ny, view.nx)
    return np.rint((1 + view.peak) ** (level / 255) - 1)


def test_a_plot_holds_the_parents_events_where_they_are() -> None:
    prepared = tube(**{"FSC-A": np.full(5_000, 100e3), "SSC-A": np.r_[np.full(40, 200e3), np.full(4_960, 50e3)]})
    _, views = seen(prepared, population("cells", "all", axes=["FSC-A", "SSC-A"], low=[1e4, 1e3], high=[None, None]))
    view = views["cells"]
    assert (view.parent, view.x.axis, view.y and view.y.axis) == ("all", "FSC-A", "SSC-A")
    assert (view.n_parent, view.n_shown, view.peak) == (5_000, 5_000, 4_960)
    found = counts(view)
    assert np.count_nonzero(found) == 2
    assert view.y is not None
    column = int((100e3 - view.x.low) / (view.x.high - view.x.low) * view.nx)
    rows = [int((at - view.y.low) / (view.y.high - view.y.low) * view.ny) for at in (50e3, 200e3)]
    assert found[rows[0], column] == 4_960
    assert found[rows[1], column] == pytest.approx(40, abs=2)


def test_counts_are_those_of_a_histogram_and_a_lonely_event_is_seen() -> None:
    prepared = tube(30_000)
    _, views = seen(prepared, population("cells", "all", axes=["FSC-A", "CD146"], low=[5e4, None], high=[None, 0.9]))
    view = views["cells"]
    assert view.y is not None
    x, y = prepared.display("FSC-A"), prepared.display("CD146")
    edges = [np.linspace(side.low, side.high, view.nx + 1) for side in (view.y, view.x)]
    wanted, *_ = np.histogram2d(y, x, bins=edges)
    level = np.frombuffer(base64.b64decode(view.grid), dtype=np.uint8).reshape(view.ny, view.nx)
    assert np.array_equal(level > 0, wanted > 0) or np.count_nonzero((level > 0) != (wanted > 0)) <= 3
    assert view.peak == pytest.approx(wanted.max(), abs=1)
    assert np.abs(counts(view) - wanted).max() <= 0.02 * view.peak + 1
    assert 29_900 <= view.n_shown <= 30_000 == view.n_parent


def test_a_gate_on_one_axis_stands_against_side_scatter_or_what_the_template_names() -> None:
    _, views = seen(
        tube(),
        population("a", "all", axis="CD146", low=0.1),
        population("b", "all", axis="CD146", low=0.1, plot=["CD271"]),
        population("c", "all", axis="CD146", low=0.1, plot=["CD271", "CD146"]),
        population("d", "all", axis="CD146", low=0.1, plot=["FSC-A", "SSC-A"]),
        population("e", "all", axes=["CD271", "CD146"], low=[0.1, 0.1], high=[None, None], plot=["CD146", "CD271"]),
    )
    shown = {name: (view.x.axis, view.y and view.y.axis) for name, view in views.items()}
    assert shown["a"] == ("CD146", "SSC-A")
    assert shown["b"] == ("CD146", "CD271")
    assert shown["c"] == ("CD271", "CD146")
    assert shown["d"] == ("CD146", "FSC-A")
    assert shown["e"] == ("CD146", "CD271")


def test_without_scatter_a_gate_on_one_axis_is_a_histogram() -> None:
    axes = {"CD146": Axis("PE-A", LOGICLE, False)}
    prepared = ready(np.linspace(-500, 1e4, 1_000, dtype=np.float32)[:, None], ("PE-A",), axes)
    _, views = seen(prepared, population("a", "all", axis="CD146", low=0.5))
    assert views["a"].y is None
    assert views["a"].ny == 1
    assert counts(views["a"]).shape == (1, 64)
    assert views["a"].n_shown >= 998
    assert views["a"].outline == Interval("CD146", 0.5, None)


def test_combinations_are_plotted_where_the_template_says_how() -> None:
    both = {"method": "boolean", "operation": "any", "of": ["a"]}
    _, views = seen(
        tube(),
        population("a", "all", axis="CD146", low=0.1),
        {"name": "b", "parent": "all", "gate": both},
        {"name": "c", "parent": "all", "gate": both, "plot": ["CD146", "CD271"]},
    )
    assert set(views) == {"a", "c"}
    assert views["c"].outline is not None


def test_an_empty_parent_has_no_plot_of_a_gate_that_was_never_placed_and_no_error() -> None:
    found, views = seen(
        tube(50),
        population("none", "all", axis="CD146", low=1.2),
        population("child", "none", axis="CD271", low=0.5),
        population("grandchild", "child", axis="CD271", low=0.5),
    )
    assert found.counts["none"] == 0
    assert found.counts["child"] is None
    assert set(views) == {"none"}
    assert views["none"].x.high > 1.2


def test_a_tube_without_events_has_empty_plots() -> None:
    _, views = seen(tube(0), population("a", "all", axis="CD146", low=0.5))
    assert views == {} or (views["a"].peak, views["a"].n_shown) == (0, 0)


def test_values_that_are_not_finite_are_not_shown_and_break_nothing() -> None:
    odd = np.r_[np.full(100, np.nan), np.full(50, np.inf), np.full(50, -np.inf), np.full(800, 500.0)]
    _, views = seen(tube(1_000, CD146=odd), population("a", "all", axis="CD146", low=0.1))
    assert views["a"].n_parent == 1_000
    assert 790 <= views["a"].n_shown <= 800


def test_the_same_tube_gives_the_same_plots() -> None:
    gates = population("a", "all", axis="CD146", low=0.1), population("b", "a", axis="CD271", low=0.5)
    first, again = ([view.model_dump_json() for view in seen(tube(), *gates)[1].values()] for _ in range(2))
    assert first == again


def _view(scale: Any, values: Any, *marks: float, name: str = "CD146", pnn: str = "PE-A") -> AxisView:
    panel = Panel((Binding(name, 0, pnn, "", "$PnN"),))
    return axis_view(name, Axis(pnn, scale, False), np.array(values, dtype=np.float32), panel, marks)


def test_titles_name_marker_and_channel_once() -> None:
    assert _view(LOGICLE, [0.5]).title == "CD146 (PE-A)"
    assert _view(LINEAR, [5.0], name="FSC-A", pnn="FSC-A").title == "FSC-A"


def test_ticks_are_decades_where_the_scale_is_not_linear() -> None:
    view = _view(LOGICLE, forward(LOGICLE, [-3_000, -1_000, 0, 100, 1e5]))
    ticks = {text: at for at, text in view.ticks}
    assert {"0", "10³", "10⁴", "10⁵", "−10³"} <= set(ticks)
    assert ticks["10⁴"] == pytest.approx(float(forward(LOGICLE, 1e4)[0]), abs=1e-6)
    assert [at for at, _ in view.ticks] == sorted(ticks.values())
    assert all(view.low <= at <= view.high for at in ticks.values())
    assert min(np.diff(sorted(ticks.values()))) > 0.05


def test_ticks_of_a_linear_axis_are_round_thousands() -> None:
    view = _view(LINEAR, np.linspace(0, 250e3, 100))
    assert [text for _, text in view.ticks] == ["0", "50K", "100K", "150K", "200K", "250K"]
    assert [text for _, text in _view(LINEAR, np.linspace(0, 9, 100)).ticks][:3] == ["0", "2", "4"]
    assert _view(LINEAR, np.linspace(0, 4e7, 100)).ticks[1][1].endswith("M")


@pytest.mark.parametrize("scale", [LOGICLE, ASINH, LINEAR])
@pytest.mark.parametrize("values", [[], [np.nan], [0.0], [5.0] * 9, [-1e9, 1e9], [1e-30], [-5.0, -4.0]])
def test_limits_are_always_a_stretch_with_ticks_in_it(scale: Any, values: list[float]) -> None:
    view = _view(scale, values)
    assert np.isfinite([view.low, view.high]).all()
    assert view.low < view.high
    assert len(view.ticks) >= 1
    assert all(view.low <= at <= view.high for at, _ in view.ticks)


def test_one_far_event_does_not_squeeze_the_others() -> None:
    view = _view(LINEAR, np.r_[np.linspace(0, 200e3, 10_000), 1e9])
    assert view.high < 300e3


def test_a_boundary_beyond_the_events_is_in_sight_unless_it_is_far_away() -> None:
    plain = _view(LOGICLE, [0.2, 0.8])
    assert _view(LOGICLE, [0.2, 0.8], 1.2).high > 1.2
    assert _view(LOGICLE, [0.2, 0.8], -0.2).low < -0.2
    assert _view(LOGICLE, [0.2, 0.8], 50.0) == plain


@pytest.mark.parametrize(
    ("shape", "low", "high"),
    [
        (Polygon(("CD146", "CD271"), ((0.2, 0.2), (1.2, 0.2), (0.2, 1.1))), 0.2, 1.2),
        (Ellipse(("CD146", "CD271"), (0.9, 0.5), ((0.04, 0.0), (0.0, 0.01)), 4.0), 0.5, 1.3),
        (Spans("CD146", ((0.1, 0.2), (0.4, 1.25))), 0.1, 1.25),
    ],
)
def test_every_kind_of_boundary_is_in_sight(shape: Any, low: float, high: float) -> None:
    from stromagate.gating.views import marks_of

    assert marks_of(shape, "CD146") == pytest.approx((low, high))
    assert marks_of(shape, "SSC-A") == ()
