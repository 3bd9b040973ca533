"""Gates the template states: edges, polygons, ellipses, combinations; and what the template may not state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stromagate.gating.method import Fit, methods
from stromagate.model.gates import Boolean, Ellipse, Interval, Polygon, Rectangle
from tests.gating.methods.populations import ASINH, FakePopulation

TUBE = FakePopulation(
    {axis: np.zeros(10, dtype=np.float32) for axis in ("A", "B", "C")}, scales={"A": ASINH, "B": ASINH}
)


def run(method: str, **given: Any) -> Fit:
    declared = methods.get(method)
    return declared.fit(TUBE, declared.params.model_validate(given), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("given", "geometry"),
    [
        ({"axes": ["A"], "high": [0.55]}, Interval("A", None, 0.55)),
        ({"axis": "A", "low": 0.2, "high": 0.5, "closed": True}, Interval("A", 0.2, 0.5, closed=True)),
        ({"axis": "A", "low": 0.2, "inside": False}, Interval("A", None, 0.2)),
        ({"axis": "A", "high": 0.2, "inside": False}, Interval("A", 0.2, None)),
        (
            {"axes": ["A", "B"], "low": [0.1, None], "high": [0.5, 0.6]},
            Rectangle(("A", "B"), (0.1, None), (0.5, 0.6)),
        ),
        (
            {"axes": ["A", "B"], "low": [0.1, 0.2], "high": [0.5, 0.6], "inside": False},
            Rectangle(("A", "B"), (0.1, 0.2), (0.5, 0.6), inside=False),
        ),
    ],
)
def test_edges(given: dict[str, Any], geometry: Interval | Rectangle) -> None:
    fitted = run("fixed", **given)
    assert fitted.geometry == geometry
    assert (fitted.state, fitted.spread, fitted.source) == ("fixed", None, "template")


def test_linear_units_are_shown_on_the_scale() -> None:
    edge = run("fixed", axis="A", low=1000, units="linear").geometry
    assert isinstance(edge, Interval)
    assert edge.low == pytest.approx(np.arcsinh(10) / 10)
    drawn = run("polygon", axes=["A", "C"], vertices=[[0, 0], [1000, 0], [1000, 7]], units="linear").geometry
    assert isinstance(drawn, Polygon)
    assert drawn.vertices[2] == pytest.approx((np.arcsinh(10) / 10, 7))


def test_polygon_ellipse_and_combination() -> None:
    corners = ((0.1, 0.1), (0.9, 0.1), (0.5, 0.9))
    assert run("polygon", axes=["A", "B"], vertices=corners).geometry == Polygon(("A", "B"), corners)
    ellipse = run("ellipse", axes=["A", "B"], mean=[0, 1], covariance=[[2, 0.5], [0.5, 1]], distance=3).geometry
    assert ellipse == Ellipse(("A", "B"), (0, 1), ((2, 0.5), (0.5, 1)), 9)
    combined = methods.get("boolean").params.model_validate({"operation": "none", "of": ["x", "y"]})
    assert combined.populations_used() == ("x", "y")
    assert combined.axes_used() == ()
    assert run("boolean", operation="any", of=["x", "y"]).geometry == Boolean("any", ("x", "y"))


@pytest.mark.parametrize(
    ("method", "given", "message"),
    [
        ("fixed", {"low": 1}, "name one axis"),
        ("fixed", {"axis": "A", "axes": ["B"], "low": 1}, "name one axis"),
        ("fixed", {"axis": "A"}, "all sides are open"),
        ("fixed", {"axis": "A", "low": 2, "high": 1}, "not below the upper edge"),
        ("fixed", {"axis": "A", "low": 1, "high": 1}, "not below the upper edge"),
        ("fixed", {"axes": ["A", "B"], "low": 1}, "one value per axis"),
        ("fixed", {"axes": ["A", "A"], "low": [1, 1]}, "named twice"),
        ("fixed", {"axis": "A", "low": 1, "high": 2, "inside": False}, "one open side"),
        ("fixed", {"axis": "A", "low": float("nan")}, "finite number"),
        ("polygon", {"axes": ["A", "B"], "vertices": [[0, 0], [1, 1]]}, "at least 3"),
        ("polygon", {"axes": ["A", "B"], "vertices": [[0, 0], [1, 1], [2, 2]]}, "on one line"),
        ("polygon", {"axes": ["A", "B"], "vertices": [[1, 1], [1, 1], [1, 1]]}, "on one line"),
        ("polygon", {"axes": ["A", "A"], "vertices": [[0, 0], [1, 1], [0, 1]]}, "named twice"),
        ("ellipse", {"axes": ["A", "B"], "mean": [0, 0], "covariance": [[1, 2], [2, 1]]}, "not positive definite"),
        ("ellipse", {"axes": ["A", "B"], "mean": [0, 0], "covariance": [[1, 1], [1, 1]]}, "not positive definite"),
        ("ellipse", {"axes": ["A", "B"], "mean": [0, 0], "covariance": [[1, 0.5], [0.4, 1]]}, "not symmetric"),
        ("ellipse", {"axes": ["A", "B"], "mean": [0], "covariance": [[1, 0], [0, 1]]}, "one value and one row"),
        ("boolean", {"operation": "all", "of": []}, "at least 1"),
        ("boolean", {"operation": "all", "of": ["x", "x"]}, "named twice"),
        ("boolean", {"operation": "xor", "of": ["x"]}, "'all', 'any' or 'none'"),
    ],
)
def test_impossible_gates_are_refused(method: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        methods.get(method).params.model_validate(given)
