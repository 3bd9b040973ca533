"""What is inside, on the border and nowhere; and which geometry is refused."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.errors import SpecificationError
from stromagate.gating.geometry import check, combine, contains
from stromagate.model.gates import Boolean, Ellipse, Geometry, Interval, Polygon, QuadrantPart, Rectangle, Spans

XY = ("X", "Y")
SQUARE = ((0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0))
BOW_TIE = ((0.0, 0.0), (4.0, 4.0), (4.0, 0.0), (0.0, 4.0))
# A five-pointed star drawn in one stroke: its middle is crossed twice and lies outside by the crossing rule.
STAR = tuple((math.sin(4 * math.pi * i / 5), math.cos(4 * math.pi * i / 5)) for i in range(5))
ROUND = Ellipse(XY, (1.0, 2.0), ((4.0, 0.0), (0.0, 1.0)), 1.0)

grid = st.integers(-6, 6).map(float)
points = st.lists(st.tuples(grid, grid), min_size=1, max_size=30)


def inside(geometry: Geometry, *at: tuple[float, ...]) -> list[bool]:
    return contains(geometry, np.array(at, dtype=np.float64).reshape(len(at), -1)).tolist()


def test_the_lower_edge_is_in_and_the_upper_is_not_unless_closed() -> None:
    assert inside(Interval("X", 1.0, 2.0), (0.9,), (1.0,), (1.5,), (2.0,)) == [False, True, True, False]
    assert inside(Interval("X", 1.0, 2.0, closed=True), (2.0,), (math.nextafter(2, 3),)) == [True, False]
    assert inside(Interval("X", None, 2.0), (-1e300,), (2.0,)) == [True, False]
    assert inside(Interval("X", 1.0, None), (1e300,), (math.nextafter(1, 0),)) == [True, False]


def test_rectangle_and_its_complement_part_the_plane() -> None:
    box = Rectangle(XY, (0.0, None), (2.0, 3.0))
    rest = Rectangle(XY, (0.0, None), (2.0, 3.0), inside=False)
    at = [(0.0, -9.0), (2.0, 0.0), (1.0, 3.0), (1.0, 2.9), (-0.1, 0.0)]
    assert inside(box, *at) == [True, False, False, True, False]
    assert inside(rest, *at) == [False, True, True, False, True]


def test_four_quadrants_part_the_plane_and_the_divider_counts_as_above() -> None:
    at = [(0.0, 0.0), (-1.0, 0.0), (0.0, -1.0), (-1.0, -1.0)]
    parts = [(x, y) for x in ("above", "below") for y in ("above", "below")]
    found = [inside(QuadrantPart(XY, (0.0, 0.0), sides), *at) for sides in parts]
    assert np.sum(found, axis=0).tolist() == [1, 1, 1, 1]
    assert found[0] == [True, False, False, False]


def test_spans_hold_their_lower_borders_and_touching_spans_have_no_gap() -> None:
    spans = Spans("T", ((0.0, 1.0), (1.0, 2.0), (5.0, 6.0)))
    at = [(-0.1,), (0.0,), (1.0,), (1.9,), (2.0,), (5.0,), (6.0,)]
    assert inside(spans, *at) == [False, True, True, True, False, True, False]


@pytest.mark.parametrize("corners", [SQUARE, SQUARE[::-1], BOW_TIE, ((0.0, 0.0), (4.0, 1.0), (2.0, 5.0))])
def test_corners_and_sides_of_a_polygon_are_in(corners: tuple[tuple[float, float], ...]) -> None:
    middles = [((ax + bx) / 2, (ay + by) / 2) for (ax, ay), (bx, by) in itertools.pairwise(corners)]
    assert all(inside(Polygon(XY, corners), *corners, *middles))
    assert not any(inside(Polygon(XY, corners, inside=False), *corners, *middles))


def test_a_polygon_that_crosses_itself_follows_the_crossing_rule() -> None:
    assert inside(Polygon(XY, BOW_TIE), (0.5, 2.0), (2.0, 0.5), (3.5, 2.0), (2.0, 2.0)) == [True, False, True, True]
    assert inside(Polygon(XY, STAR), (0.0, 0.0), (0.0, 0.9)) == [False, True]


def test_the_border_of_an_ellipse_is_in() -> None:
    assert inside(ROUND, (3.0, 2.0), (1.0, 3.0), (3.0001, 2.0), (1.0, 2.0)) == [True, True, False, True]
    outside = Ellipse(XY, ROUND.mean, ROUND.covariance, 1.0, inside=False)
    assert inside(outside, (3.0, 2.0), (3.0001, 2.0)) == [False, True]


def test_an_ellipsoid_has_as_many_axes_as_it_says() -> None:
    ball = Ellipse(("X", "Y", "Z"), (0.0, 0.0, 0.0), ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 4.0)), 4.0)
    check(ball)
    assert inside(ball, (2.0, 0.0, 0.0), (0.0, 0.0, 4.0), (0.0, 2.0, 0.1)) == [True, True, False]


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "geometry",
    [
        Interval("X", None, 2.0),
        Interval("X", 1.0, None),
        Interval("X", None, None),
        Spans("X", ((0.0, 1.0),)),
        *(Rectangle(XY, (0.0, None), (None, None), inside=flag) for flag in (True, False)),
        *(Polygon(XY, SQUARE, inside=flag) for flag in (True, False)),
        *(Ellipse(XY, (0.0, 0.0), ((1.0, 0.0), (0.0, 1.0)), 1.0, inside=flag) for flag in (True, False)),
        *(QuadrantPart(XY, (0.0, 0.0), (side, "above")) for side in ("above", "below")),
    ],
)
def test_a_value_that_is_not_finite_is_on_neither_side(geometry: Geometry, odd: float) -> None:
    for axis in range(len(geometry.axes)):
        at = [0.5] * len(geometry.axes)
        at[axis] = odd
        assert inside(geometry, tuple(at)) == [False]


def test_boolean_combinations_stay_within_the_parent() -> None:
    parent = np.array([True, True, True, False])
    a, b = np.array([True, True, False, True]), np.array([True, False, False, True])
    assert combine("all", [a, b], parent).tolist() == [True, False, False, False]
    assert combine("any", [a, b], parent).tolist() == [True, True, False, False]
    assert combine("none", [a, b], parent).tolist() == [False, False, True, False]
    assert combine("none", [a, b], parent, np.array([True, True, False, True])).tolist() == [False] * 4


def test_nothing_to_combine_is_the_whole_parent_or_nobody() -> None:
    parent = np.array([True, False])
    assert combine("all", [], parent).tolist() == [True, False]
    assert combine("none", [], parent).tolist() == [True, False]
    assert combine("any", [], parent).tolist() == [False, False]


def test_points_are_asked_of_shapes_only() -> None:
    with pytest.raises(TypeError, match="populations"):
        contains(Boolean("any", ("p",)), np.zeros((1, 0)))


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(st.tuples(grid, grid), min_size=3, max_size=8, unique=True), points, st.booleans(), st.integers(0, 7))
def test_a_polygon_does_not_depend_on_where_or_which_way_it_is_begun(
    corners: list[tuple[float, float]], at: list[tuple[float, float]], backwards: bool, shift: int
) -> None:
    turned = corners[shift % len(corners) :] + corners[: shift % len(corners)]
    turned = turned[::-1] if backwards else turned
    assert inside(Polygon(XY, tuple(corners)), *at) == inside(Polygon(XY, tuple(turned)), *at)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(st.tuples(grid, grid), min_size=3, max_size=8, unique=True), points)
def test_a_polygon_agrees_with_counted_crossings_off_its_border(
    corners: list[tuple[float, float]], at: list[tuple[float, float]]
) -> None:
    """Whole numbers, a ray a little above each point, exact fractions: no side is touched by chance."""
    from fractions import Fraction

    for (px, py), found in zip(at, inside(Polygon(XY, tuple(corners)), *at), strict=True):
        crossings, border = 0, False
        for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
            on_line = (bx - ax) * (py - ay) == (px - ax) * (by - ay)
            border |= on_line and min(ax, bx) <= px <= max(ax, bx) and min(ay, by) <= py <= max(ay, by)
            height = Fraction(py) + Fraction(1, 10**6)
            if (ay < height) != (by < height):
                crossings += Fraction(ax) + (height - Fraction(ay)) * Fraction(bx - ax) / Fraction(by - ay) > px
        # The ray is lifted by a millionth: a point that no side comes near is on the same side of all of them.
        if border or _clear(corners, px, py):
            assert found == (border or crossings % 2 == 1)


def _clear(corners: list[tuple[float, float]], px: float, py: float) -> bool:
    return all(
        (bx - ax) * (py - ay) != (px - ax) * (by - ay)
        for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True)
    )


@pytest.mark.parametrize(
    ("geometry", "code"),
    [
        (Interval("X", 2.0, 1.0), "gate.empty"),
        (Interval("X", 1.0, 1.0), "gate.empty"),
        (Interval("X", math.nan, 1.0), "gate.not_finite"),
        (Interval("X", None, math.inf), "gate.not_finite"),
        (Rectangle(XY, (0.0, 3.0), (1.0, 2.0)), "gate.empty"),
        (Rectangle(("X", "X"), (0.0, 0.0), (1.0, 1.0)), "gate.axes"),
        (QuadrantPart(XY, (0.0, math.nan), ("above", "below")), "gate.not_finite"),
        (QuadrantPart(XY, (0.0, 0.0), ("above", "left")), "gate.sides"),  # type: ignore[arg-type]  # wrong on purpose
        (Polygon(XY, ((0.0, 0.0), (1.0, 1.0))), "gate.polygon"),
        (Polygon(XY, ((0.0, 0.0), (1.0, 1.0), (2.0, 2.0))), "gate.empty"),
        (Polygon(XY, ((1.0, 1.0),) * 4), "gate.empty"),
        (Polygon(XY, ((0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (4.0, 0.0))), "gate.empty"),
        (Polygon(XY, ((0.0, 0.0), (4.0, math.inf), (4.0, 4.0))), "gate.not_finite"),
        (Ellipse(XY, (0.0, 0.0), ((1.0, 1.0), (1.0, 1.0)), 1.0), "gate.covariance"),
        (Ellipse(XY, (0.0, 0.0), ((1.0, 2.0), (2.0, 1.0)), 1.0), "gate.covariance"),
        (Ellipse(XY, (0.0, 0.0), ((1.0, 0.5), (0.1, 1.0)), 1.0), "gate.covariance"),
        (Ellipse(XY, (0.0, 0.0), ((0.0, 0.0), (0.0, 1.0)), 1.0), "gate.covariance"),
        (Ellipse(XY, (0.0, 0.0), ((1.0, 0.0), (0.0, 1.0)), 0.0), "gate.empty"),
        (Ellipse(XY, (0.0,), ((1.0, 0.0), (0.0, 1.0)), 1.0), "gate.shape"),
        (Ellipse(("X",), (0.0,), ((1.0,),), 1.0), "gate.shape"),
        (Spans("T", ()), "gate.empty"),
        (Spans("T", ((1.0, 2.0), (1.5, 3.0))), "gate.spans"),
        (Spans("T", ((2.0, 1.0),)), "gate.spans"),
        (Boolean("xor", ("a",)), "gate.operation"),  # type: ignore[arg-type]  # wrong on purpose
    ],
)
def test_impossible_geometry_is_refused_by_name(geometry: Geometry, code: str) -> None:
    with pytest.raises(SpecificationError) as refused:
        check(geometry, where="msc")
    assert refused.value.code == code
    assert refused.value.where == "msc"
    assert refused.value.hint


@pytest.mark.parametrize(
    "geometry",
    [
        Interval("X", None, None),
        Polygon(XY, BOW_TIE),
        Polygon(XY, STAR),
        Polygon(XY, tuple((x * 1e-6 + 1e3, y * 1e5) for x, y in SQUARE)),
        Ellipse(("X", "V"), (0.0, 1e5), ((1e-8, 1e-2), (1e-2, 1e10)), 1.0),
        Spans("T", ((0.0, 1.0), (1.0, 2.0))),
        Boolean("none", ()),
    ],
)
def test_unusual_but_possible_geometry_is_accepted(geometry: Geometry) -> None:
    check(geometry)
