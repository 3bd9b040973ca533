"""The same edit on another tube: where it was drawn, or as far from that tube's own boundary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stromagate.errors import SpecificationError, UsageError
from stromagate.model.gates import Ellipse, Geometry, Interval, Polygon, QuadrantPart, Rectangle
from stromagate.pipeline.review.same_edit import same_edit

PLACE = st.floats(-0.4, 1.0)
POINT = st.tuples(PLACE, PLACE)
AXES = ("CD271", "CD146")


def _polygon(at: tuple[float, float]) -> Polygon:
    return Polygon(AXES, ((at[0], at[1]), (at[0] + 0.2, at[1]), (at[0], at[1] + 0.3)))


def _ellipse(at: tuple[float, float]) -> Ellipse:
    return Ellipse(AXES, at, ((0.01, 0.0), (0.0, 0.02)), 4.0)


def _made(at: tuple[float, float]) -> list[Geometry]:
    return [
        Interval("CD271", at[0], None),
        Rectangle(AXES, (at[0], None), (None, at[1] + 2)),
        QuadrantPart(AXES, at, ("above", "below")),
        _polygon(at),
        _ellipse(at),
    ]


@given(fitted=POINT, edited=POINT, target=POINT, kind=st.integers(0, 4))
def test_the_shift_is_that_of_the_drawn_one(fitted, edited, target, kind) -> None:
    old, new, other = (_made(at)[kind] for at in (fitted, edited, target))
    moved = same_edit(new, old, other, "same_shift")
    expected = tuple(t + n - o for t, n, o in zip(target, edited, fitted, strict=True))
    assert _near(moved, _made(expected)[kind])
    assert same_edit(new, old, other, "same_place") == new
    assert _near(same_edit(old, old, other, "same_shift"), other)


def _near(one: Geometry, other: Geometry) -> bool:
    def numbers(value: object) -> list[float]:
        if isinstance(value, float):
            return [value]
        return [n for each in value for n in numbers(each)] if isinstance(value, tuple) else []

    pairs = [(getattr(one, name), getattr(other, name)) for name in type(one).__dataclass_fields__]
    return all(numbers(a) == pytest.approx(numbers(b), abs=1e-9) for a, b in pairs)


def test_a_side_that_was_closed_by_hand_is_closed_where_it_was_drawn() -> None:
    drawn, fitted = Interval("CD271", 0.5, 0.9), Interval("CD271", 0.5, None)
    assert same_edit(drawn, fitted, Interval("CD271", 0.6, None), "same_shift") == Interval("CD271", 0.6, 0.9)


@pytest.mark.parametrize(
    "target",
    [None, Interval("CD146", 0.5, None), _polygon((0.1, 0.1))],
    ids=["none", "another axis", "another kind"],
)
def test_what_cannot_be_shifted_is_refused_with_the_way_out(target: Geometry | None) -> None:
    with pytest.raises(SpecificationError) as refused:
        same_edit(Interval("CD271", 0.6, None), Interval("CD271", 0.5, None), target, "same_shift")
    assert refused.value.hint == "same_place"


def test_there_are_two_modes() -> None:
    with pytest.raises(UsageError, match="there is no mode"):
        same_edit(Interval("CD271", 0.6, None), None, None, "somehow")
