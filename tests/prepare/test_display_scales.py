"""Scales taken from range and data: readable on every tube, the template's word where it gives one."""

from __future__ import annotations

import numpy as np
import pytest

from stromagate.errors import SpecificationError
from stromagate.model.scales import Scale
from stromagate.model.template import ScaleSpec
from stromagate.prepare.display_scales import NARROWEST_DECADES, WIDEST_DECADES, choose_scales
from stromagate.prepare.scales import forward
from tests.prepare.tubes import panel, tube


def chosen(
    events: np.ndarray | None = None, specs: dict[str, ScaleSpec] | None = None, **made: float
) -> dict[str, Scale]:
    sample = tube(events, **made)
    used = panel(sample)
    return choose_scales(
        sample, used, specs or {"default": ScaleSpec()}, lambda axis: sample.events[:, used.channel(axis)]
    )


def test_scatter_and_time_are_linear_and_markers_logicle() -> None:
    scales = chosen()
    assert {name for name, scale in scales.items() if scale.kind == "linear"} == {"FSC-A", "Time"}
    assert scales["CD146"].top == 262144.0


def test_negatives_fit_on_the_scale() -> None:
    events = np.random.default_rng(0).normal(0, 800, (50_000, 5))
    scale = chosen(events)["CD146"]
    low = np.quantile(events[events[:, 1] < 0, 1], 0.05)
    assert 0.0 <= forward(scale, [low])[0] < 0.1
    assert forward(scale, [2 * low])[0] < 0.02


@pytest.mark.parametrize(("sd", "width"), [(1e-3, NARROWEST_DECADES), (5e4, WIDEST_DECADES)])
def test_width_stays_readable(sd: float, width: float) -> None:
    assert chosen(np.random.default_rng(0).normal(0, sd, (1000, 5)))["CD146"].width_decades == width


def test_a_tube_without_negatives_and_an_empty_one_get_a_scale() -> None:
    assert chosen(np.full((100, 5), 10.0))["CD146"].width_decades == 0.5
    assert chosen(np.empty((0, 5)))["CD146"] == Scale("logicle", 262144.0, 0.5, 4.5)
    assert chosen(np.full((100, 5), np.nan))["CD146"].top == 262144.0


def test_data_far_over_the_range_raise_the_top() -> None:
    events = np.abs(np.random.default_rng(0).normal(0, 300, (1000, 5)))
    scale = chosen(events, top=1.0)["CD146"]
    assert scale.top == pytest.approx(np.sort(events[:, 1])[-6])
    assert chosen(events[:90], top=1.0)["CD146"].top == pytest.approx(events[:90, 1].max())


@pytest.mark.parametrize("n", [500, 20_000, 100_000])
@pytest.mark.parametrize("far", [3e5, 1e7, 1e30])
def test_a_few_events_far_out_move_no_scale(n: int, far: float) -> None:
    events = np.random.default_rng(0).normal(0, 800, (n, 5))
    events[:5, 1] = 0
    before = {stated: chosen(events, top=stated)["CD146"] for stated in (262144.0, 1.0, 0.0)}
    largest = float(events[:, 1].max())
    events[:5, 1] = far
    for stated, scale in before.items():
        after = chosen(events, top=stated)["CD146"]
        assert scale.top <= after.top <= max(stated, largest + 1)
        assert after.width_decades == pytest.approx(scale.width_decades, abs=0.1)


def test_gain_scales_the_range() -> None:
    assert chosen(np.zeros((10, 5)), gain=2.0)["CD146"].top == 131072.0


def test_the_templates_word_goes_over_the_data() -> None:
    spec = ScaleSpec(top=1000.0, decades=3.0, width=0.7, negative_decades=0.5)
    assert chosen(specs={"CD146": spec})["CD146"] == Scale("logicle", 1000.0, 0.7, 3.0, 0.5)


def test_an_impossible_scale_names_its_axis() -> None:
    with pytest.raises(SpecificationError, match="width is 4") as caught:
        chosen(specs={"CD146": ScaleSpec(width=4.0)})
    assert caught.value.where == "scales.CD146"
