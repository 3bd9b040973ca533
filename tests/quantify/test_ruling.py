"""One ruling on a count: state, reason and number never contradict each other or the limits at full precision."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stromagate.model.detection import DetectionLimits, ruled


@given(st.integers(0, 400), st.integers(0, 200), st.floats(0, 400))
@example(57, 9, 57.4)
@example(58, 9, 57.4)
@example(50, 0, 50.0)
def test_the_number_in_words_parts_counts_as_the_limit_at_full_precision_does(
    count: int, lob: int, lloq: float
) -> None:
    limits = DetectionLimits(population="msc", lob_events=lob, lod_events=20, lloq_events=lloq)
    ruling = ruled(count, limits)
    expected = "quantifiable" if count >= lloq and count >= 50 else "detected, not quantifiable"
    if count < 20 or count <= lob:
        expected = "not detected"
    assert ruling.state == expected
    assert (count < ruling.limit) == (expected != "quantifiable")
    if expected != "quantifiable":
        assert f"under the {ruling.limit:,} that" in ruling.reason


@pytest.mark.parametrize(
    ("count", "lob", "lloq", "reason"),
    [
        (7, 9, 57.4, "under the 20 that are told from none"),
        (7, 24, 80.0, "under the 25 that stand out from background (limit of blank 24)"),
        (31, 9, 57.4, "under the 58 that make a quantity beside its background"),
        (31, 4, 48.0, "under the 50 that make a quantity"),
        (1_100, 1_200, 1_500.0, "under the 1,201 that stand out from background (limit of blank 1,200)"),
        (58, 9, 57.4, "enough for a quantity"),
    ],
)
def test_the_reason_is_the_limit_that_decides(count: int, lob: int, lloq: float, reason: str) -> None:
    limits = DetectionLimits(population="msc", lob_events=lob, lod_events=20, lloq_events=lloq)
    assert ruled(count, limits).reason == reason


def test_without_limits_the_floors_decide() -> None:
    assert [ruled(n).limit for n in (0, 19, 20, 49, 50)] == [20, 20, 50, 50, 50]
    assert not any(ruled(n).by_background for n in (0, 30, 60))
