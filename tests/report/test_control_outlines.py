"""Controls over a plot: as high as it on the same ground, on the side along which the gate cuts, and said in words."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.model.gates import Interval
from stromagate.model.result import ControlProfile, DensityView
from stromagate.report.control_outlines import control_lines, control_words
from stromagate.report.figures import density_figure
from stromagate.report.outlines import outline
from tests.report.pages import side, view
from tests.report.test_figures import accepted
from tests.results import control_profile, make_result

GATE = Interval("CD271", 0.6, None)


def plot(*, flat: bool, **changes: Any) -> DensityView:
    drawn = view("msc", GATE, x=side("CD271"), y=None if flat else side("CD146"))
    return drawn.model_copy(update=changes)


def profile(counts: list[int], **changes: Any) -> ControlProfile:
    peak = max(counts)
    levels = np.rint(np.log1p(counts) / np.log1p(peak) * 255).astype(np.uint8)
    coded = base64.b64encode(levels.tobytes()).decode()
    return control_profile().model_copy(update={"profile": coded, "peak": peak, **changes})


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("axis", ["CD271", "CD146"])
def test_plotly_accepts_the_outline(flat: bool, axis: str) -> None:
    drawn = plot(flat=flat, controls=(control_profile(axis),))
    spec = density_figure(drawn, "f", gate=outline(drawn), share="1.0 %", alt="").spec
    accepted(spec)
    # One density or histogram, and a halo and a line where the plot has the axis.
    assert len(spec["data"]) == (1 if flat and axis == "CD146" else 3)


def test_over_a_histogram_the_same_events_have_the_same_outline() -> None:
    drawn = plot(flat=True)
    same = control_profile().model_copy(update={"profile": drawn.grid, "peak": drawn.peak})
    _, line = control_lines(drawn, same)
    (bars,) = density_figure(drawn, "f", gate=outline(drawn), share="", alt="").spec["data"]
    seen = {round(x, 9): y for x, y in zip(line["x"], line["y"], strict=True)}
    for at, height in zip(bars["x"], bars["y"], strict=True):
        assert height == 0 or seen[round(at, 9)] >= 0
    assert max(line["y"]) == pytest.approx(max(bars["y"]))
    assert sorted({round(y, 6) for y in line["y"]} - {0.0}) == pytest.approx(
        sorted({round(y, 6) for y in bars["y"]} - {0.0})
    )


@settings(max_examples=80, deadline=None, derandomize=True)
@given(counts=st.lists(st.integers(0, 10_000), min_size=2, max_size=128).filter(any), flat=st.booleans())
def test_an_outline_stays_on_its_side_of_the_plot(counts: list[int], flat: bool) -> None:
    drawn = plot(flat=flat)
    _, line = control_lines(drawn, profile(counts))
    x, y = np.array(line["x"]), np.array(line["y"])
    assert x.min() >= drawn.x.low - 1e-9
    assert x.max() <= drawn.x.high + 1e-9
    ground, top = (0.0, 1.0) if drawn.y is None else (drawn.y.low, drawn.y.low + 0.3 * (drawn.y.high - drawn.y.low))
    assert y[0] == y[-1] == ground
    assert y.min() >= ground
    assert y.max() <= top + 1e-9
    filled = [i for i, count in enumerate(counts) if count]
    width = (drawn.x.high - drawn.x.low) / len(counts)
    assert (x[0], x[-1]) == pytest.approx((drawn.x.low + filled[0] * width, drawn.x.low + (filled[-1] + 1) * width))
    assert all(math.isfinite(value) for value in y)


def test_along_the_second_axis_it_stands_on_the_left() -> None:
    drawn = plot(flat=False)
    _, line = control_lines(drawn, control_profile("CD146"))
    assert min(line["x"]) == drawn.x.low
    assert max(line["x"]) == pytest.approx(drawn.x.low + 0.26 * (drawn.x.high - drawn.x.low))
    assert max(line["y"]) <= 1.0


def test_an_empty_plot_and_an_axis_that_is_not_shown_draw_nothing_wrong() -> None:
    empty = plot(flat=True, peak=0, grid=base64.b64encode(bytes(128)).decode())
    assert max(control_lines(empty, control_profile())[1]["y"]) == pytest.approx(1.0)
    assert control_lines(plot(flat=True), control_profile("CD34")) == []


@pytest.mark.parametrize(
    ("flat", "changes", "words"),
    [
        (True, {}, "FMO CD271, 2 tubes, 2,991 events of stroma, scaled to the same height"),
        (
            False,
            {"role": "unstained", "n_tubes": 1, "population": "msc"},
            "unstained, 1 tube, 2,991 events of MSC (CD271+), along CD271, on a log scale of their own",
        ),
    ],
)
def test_it_is_said_in_words(flat: bool, changes: dict[str, Any], words: str) -> None:
    control = control_profile().model_copy(update=changes)
    assert control_words(make_result(), plot(flat=flat), control) == words
