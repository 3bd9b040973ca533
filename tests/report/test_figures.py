"""Drawings: every gate lies where its geometry says, and plotly itself finds nothing to object to."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import pytest

from stromagate.model.gates import (
    Boolean,
    Ellipse,
    Geometry,
    Interval,
    Polygon,
    QuadrantPart,
    Rectangle,
    Spans,
    straight_edges,
)
from stromagate.report.figures import density_figure, plotly_asset
from stromagate.report.outlines import is_shadow, outline
from stromagate.report.tubes import Mark, tubes_figure
from tests.report.pages import every_outline, side, view

X, Y = side("CD271"), side("CD146")


def shapes_of(gate: Geometry | None, spread: float | None = None, *, flat: bool = True) -> list[dict[str, Any]]:
    return outline(view("p", gate, x=X, y=Y if flat else None), spread).shapes


def points_of(shape: dict[str, Any]) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([-\d.e]+),([-\d.e]+)", shape["path"])]


def accepted(spec: dict[str, Any]) -> None:
    """Let plotly's own schema judge: an unknown property or a wrong value raises."""
    from plotly.graph_objects import Figure

    Figure(spec)


@pytest.mark.parametrize(("gate", "flat"), every_outline())
def test_plotly_accepts_every_drawing(gate: Geometry | None, flat: bool) -> None:
    drawn = view("p", gate, x=X, y=Y if flat else None)
    figure = density_figure(drawn, "f", gate=outline(drawn, 0.01), share="10.0 %", alt="words")
    accepted(figure.spec)
    json.dumps(figure.spec, allow_nan=False)
    assert bool(figure.spec["layout"]["shapes"]) is (gate is not None)


def test_the_grid_goes_to_the_browser_as_it_is() -> None:
    drawn = view("p", None, x=X, y=Y)
    (heat,) = density_figure(drawn, "f", gate=outline(drawn), share="", alt="").spec["data"]
    assert heat["z"] == {"dtype": "u1", "bdata": drawn.grid, "shape": "128, 128"}
    # Bin centres: the first lies half a bin in, and the last bin ends at the axis' end.
    assert heat["x0"] - heat["dx"] / 2 == pytest.approx(X.low)
    assert heat["x0"] + 127.5 * heat["dx"] == pytest.approx(X.high)
    assert heat["colorscale"][0][1] == "rgba(255,255,255,0)"


def test_the_colour_bar_says_events() -> None:
    drawn = view("p", None, x=X, y=Y)
    bar = density_figure(drawn, "f", gate=outline(drawn), share="", alt="").spec["data"][0]["colorbar"]
    for at, text in zip(bar["tickvals"], bar["ticktext"], strict=True):
        assert (1 + drawn.peak) ** (at / 255) - 1 == pytest.approx(int(text.replace(",", "")))


def test_an_empty_parent_is_said() -> None:
    drawn = view("p", None, x=X, y=Y).model_copy(update={"peak": 0, "n_parent": 0, "n_shown": 0, "grid": "AAAA" * 5461})
    spec = density_figure(drawn, "f", gate=outline(drawn), share="", alt="").spec
    assert [note["text"] for note in spec["layout"]["annotations"]] == ["no events to show"]
    accepted(spec)
    flat = view("p", None, x=X, y=None).model_copy(update={"peak": 0, "n_shown": 0, "grid": "AAAA"})
    accepted(density_figure(flat, "f", gate=outline(flat), share="", alt="").spec)


def test_a_cut_is_a_line_across_at_its_place_with_its_band() -> None:
    band, line = shapes_of(Interval("CD271", 0.5, None), 0.01)
    assert (line["type"], line["x0"], line["x1"], line["yref"]) == ("line", 0.5, 0.5, "y domain")
    assert (band["type"], band["x0"], band["x1"]) == ("rect", pytest.approx(0.48), pytest.approx(0.52))
    (up,) = shapes_of(Interval("CD146", None, 0.4))
    assert (up["y0"], up["y1"], up["xref"]) == (0.4, 0.4, "x domain")


def test_the_share_is_written_on_the_kept_side() -> None:
    above = outline(view("p", Interval("CD271", 0.5, None), x=X, y=Y))
    below = outline(view("p", Interval("CD271", None, 0.5), x=X, y=Y))
    assert (above.anchor, above.side) == ((0.5, None), "left")
    assert (below.anchor, below.side) == ((0.5, None), "right")


@pytest.mark.parametrize(
    ("gate", "anchor", "text"),
    [
        (Interval("CD271", 0.5, None), "left", "7.00 %"),
        (Interval("CD271", 0.95, None), "right", "7.00 % →"),
        (Interval("CD271", None, 0.5), "right", "7.00 %"),
        (Interval("CD271", None, 0.02), "left", "← 7.00 %"),
        (Polygon(("CD271", "CD146"), ((0.5, 0.4), (0.99, 0.9), (0.8, 0.3))), "right", "7.00 %"),
    ],
)
def test_the_share_never_stands_outside_the_plot(gate: Geometry, anchor: str, text: str) -> None:
    drawn = view("p", gate, x=X, y=Y)
    spec = density_figure(drawn, "f", gate=outline(drawn), share="7.00 %", alt="").spec
    (note,) = spec["layout"]["annotations"]
    assert (note["xanchor"], note["text"]) == (anchor, text)
    accepted(spec)


def test_an_open_rectangle_leaves_the_plot_on_its_open_sides() -> None:
    (box,) = shapes_of(Rectangle(("CD271", "CD146"), (0.5, None), (None, 0.45)))
    assert (box["x0"], box["y1"]) == (0.5, 0.45)
    assert box["x1"] > X.high
    assert box["y0"] < Y.low


def test_gates_on_swapped_axes_are_turned() -> None:
    corners = ((0.1, 0.7), (0.2, 0.8), (0.3, 0.75))
    (straight,) = shapes_of(Polygon(("CD271", "CD146"), corners))
    (turned,) = shapes_of(Polygon(("CD146", "CD271"), corners))
    assert points_of(straight) == list(corners)
    assert points_of(turned) == [(y, x) for x, y in corners]
    (box,) = shapes_of(Rectangle(("CD146", "CD271"), (0.1, 0.2), (0.3, 0.4)))
    assert (box["x0"], box["x1"], box["y0"], box["y1"]) == (0.2, 0.4, 0.1, 0.3)
    _, across, up = shapes_of(QuadrantPart(("CD146", "CD271"), (0.3, 0.6), ("above", "below")))
    assert (across["x0"], up["y0"]) == (0.6, 0.3)


def test_what_lies_outside_is_dashed() -> None:
    square = ((0.1, 0.1), (0.2, 0.1), (0.2, 0.2))
    assert shapes_of(Polygon(("CD271", "CD146"), square, inside=False))[0]["line"]["dash"] == "dash"
    assert "dash" not in shapes_of(Polygon(("CD271", "CD146"), square))[0]["line"]


def test_an_ellipse_is_drawn_on_its_edge() -> None:
    covariance = ((0.01, 0.004), (0.004, 0.006))
    gate = Ellipse(("CD271", "CD146"), (0.6, 0.5), covariance, 5.99)
    points = np.array(points_of(shapes_of(gate)[0])) - np.array([0.6, 0.5])
    distances = np.einsum("ni,ij,nj->n", points, np.linalg.inv(np.array(covariance)), points)
    np.testing.assert_allclose(distances, 5.99, rtol=1e-4)


def test_the_shadow_of_an_ellipsoid_bounds_its_points_and_is_named() -> None:
    covariance = np.array([[0.01, 0.004, 0.002], [0.004, 0.006, 0.001], [0.002, 0.001, 0.02]])
    gate = Ellipse(("CD271", "CD45", "CD146"), (0.6, 0.5, 0.4), tuple(map(tuple, covariance)), 4.0)
    assert is_shadow(gate)
    outer = np.array(points_of(shapes_of(gate)[0]))
    directions = np.random.default_rng(1).normal(size=(4000, 3))
    directions *= 2.0 / np.linalg.norm(directions, axis=1)[:, None]
    surface = directions @ np.linalg.cholesky(covariance).T + np.array([0.6, 0.5, 0.4])
    assert surface[:, 0].max() <= outer[:, 0].max() + 1e-6
    assert surface[:, 2].max() <= outer[:, 1].max() + 1e-6
    assert outer[:, 0].max() == pytest.approx(0.6 + 2 * math.sqrt(0.01), abs=1e-4)


def test_left_out_stretches_of_time_are_shaded() -> None:
    time = side("Time").model_copy(update={"low": 0.0, "high": 500.0})
    gate = Spans("Time", ((0.0, 120.0), (131.0, 480.0)))
    shapes = outline(view("p", gate, x=time, y=None)).shapes
    shaded = [(shape["x0"], shape["x1"]) for shape in shapes if shape["type"] == "rect"]
    assert shaded == [(120.0, 131.0), (480.0, 500.0)]


@pytest.mark.parametrize(
    "gate",
    [
        None,
        Boolean("none", ("a",)),
        Interval("CD3", 0.1, 0.2),
        Rectangle(("CD3", "CD4"), (0, 0), (1, 1)),
        Polygon(("CD271", "CD4"), ((0, 0), (1, 0), (1, 1))),
    ],
)
def test_a_gate_on_other_axes_draws_nothing_false(gate: Geometry | None) -> None:
    assert shapes_of(gate) == []


def test_every_straight_edge_is_in_the_table_twin() -> None:
    assert list(straight_edges(Interval("CD271", 0.5, None))) == [("CD271", "from", 0.5)]
    assert list(straight_edges(QuadrantPart(("A", "B"), (0.1, 0.2), ("above", "below")))) == [
        ("A", "from", 0.1),
        ("B", "below", 0.2),
    ]
    assert len(list(straight_edges(Spans("Time", ((0, 1), (2, 3)))))) == 4
    assert len(list(straight_edges(Rectangle(("A", "B"), (0, None), (1, 2))))) == 3
    assert list(straight_edges(Polygon(("A", "B"), ((0, 0), (1, 0), (1, 1))))) == []


def test_names_of_channels_are_made_harmless() -> None:
    drawn = view("p", None, x=side("CD271", "<b>&lt;img src=x onerror=alert(1)&gt;</b>"), y=Y)
    title = density_figure(drawn, "f", gate=outline(drawn), share="", alt="").spec["layout"]["xaxis"]["title"]["text"]
    assert "<" not in title
    assert "&lt;" not in title


def test_tubes_are_compared_on_a_log_axis_and_nothing_is_lost_at_zero() -> None:
    marks = [
        Mark("a", "MSC", 40.0, 25.0, 60.0, True),
        Mark("a", "Progenitors", 0.0, 0.0, 3.7, False),
        Mark("b", "MSC", 900.0, 800.0, 1000.0, True),
    ]
    spec = tubes_figure(marks, ["a", "b", "empty"], "f", unit="per million", alt="").spec
    accepted(spec)
    assert spec["layout"]["xaxis"]["type"] == "log"
    assert spec["layout"]["yaxis"]["ticktext"] == ["a", "b", "empty"]
    unsure = [trace for trace in spec["data"] if str(trace["marker"]["symbol"]).endswith("open") and trace["x"]]
    assert [trace["x"] for trace in unsure] == [[3.7]]
    (msc,) = [trace for trace in spec["data"] if trace["x"] == [40.0, 900.0]]
    assert msc["error_x"]["array"] == [20.0, 100.0]
    assert msc["error_x"]["arrayminus"] == [15.0, 100.0]
    accepted(tubes_figure([Mark("a", "MSC", 0.0, 0.0, 0.0, False)], ["a"], "f", unit="", alt="").spec)


def test_plotly_comes_with_its_package_and_fits_into_a_page() -> None:
    content = plotly_asset().decode()
    assert content.startswith("/**\n* plotly.js v")
    assert "</script" not in content.casefold()
