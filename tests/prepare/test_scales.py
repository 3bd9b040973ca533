"""Scales: exact against FlowKit and by their definition, monotone, and the fast table within its stated error."""

from __future__ import annotations

import flowkit
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.errors import SpecificationError
from stromagate.model.scales import Scale
from stromagate.prepare import scales

TOPS = (1.0, 1024.0, 12_000.0, 262_144.0, 4_194_304.0)


@st.composite
def any_scale(draw: st.DrawFn) -> Scale:
    kind = draw(st.sampled_from(["logicle", "asinh"]))
    decades = draw(st.floats(2.0, 6.0))
    width = draw(st.floats(0.0, decades / 2)) if kind == "logicle" else 0.5
    most = decades - 2 * width if kind == "logicle" else decades
    return Scale(kind, draw(st.sampled_from(TOPS)), width, decades, draw(st.floats(0.0, max(0.0, min(2.0, most)))))


def spread_values(scale: Scale, n: int = 4000) -> np.ndarray:
    """Return values of both signs over everything a detector can give, around zero and around the top."""
    rng = np.random.default_rng(7)
    wide = rng.choice([-1.0, 1.0], n) * scale.top * 10.0 ** rng.uniform(-8, 1.5, n)
    return np.concatenate([wide, rng.normal(0, scale.top / 500, n), [0.0, scale.top, -scale.top]])


@pytest.mark.parametrize("width", [0.0, 0.25, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("negative", [0.0, 0.5])
@pytest.mark.parametrize("top", TOPS)
def test_logicle_is_flowkits(width: float, negative: float, top: float) -> None:
    scale = Scale("logicle", top, width, 4.5, negative)
    theirs = flowkit.transforms.LogicleTransform(param_t=top, param_w=width, param_m=4.5, param_a=negative)
    values = spread_values(scale)
    assert np.abs(scales.forward(scale, values) - theirs.apply(values)).max() <= 1e-12


@pytest.mark.parametrize("negative", [0.0, 1.0])
@pytest.mark.parametrize("top", TOPS)
def test_asinh_is_flowkits(negative: float, top: float) -> None:
    scale = Scale("asinh", top, decades=4.0, negative_decades=negative)
    theirs = flowkit.transforms.AsinhTransform(param_t=top, param_m=4.0, param_a=negative)
    values = spread_values(scale)
    assert np.abs(scales.forward(scale, values) - theirs.apply(values)).max() <= 1e-12


@given(any_scale())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_there_and_back(scale: Scale) -> None:
    shown = np.linspace(-0.3, 1.2, 301)
    there = scales.inverse(scale, shown)
    finite = np.isfinite(there)
    assert np.abs(scales.forward(scale, there[finite]) - shown[finite]).max() <= 1e-9
    assert scales.forward(scale, [scale.top])[0] == pytest.approx(1.0, abs=1e-12)


@given(any_scale())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_table_keeps_its_stated_error(scale: Scale) -> None:
    values = spread_values(scale).astype(np.float32)
    shown = scales.display(scale, values)
    assert shown.dtype == np.float32
    assert np.abs(shown - scales.forward(scale, values)).max() <= scales.TABLE_ERROR


@given(any_scale(), st.floats(-0.2, 1.1))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_a_raw_cut_decides_as_the_display_does(scale: Scale, cut: float) -> None:
    raw = scales.raw_cut(scale, cut)
    assert scales.forward(scale, [raw])[0] >= cut
    near = raw + np.linspace(-1, 1, 401) * max(abs(raw), scale.top * 1e-4) * 1e-6
    apart = np.abs(near - raw) > max(abs(raw), scale.top * 1e-4) * 1e-11
    assert ((near >= raw) == (scales.forward(scale, near) >= cut))[apart].all()


@pytest.mark.parametrize("kind", ["linear", "logicle", "asinh"])
def test_what_is_not_finite_stays_so(kind: str) -> None:
    scale, odd = Scale(kind), np.array([np.nan, np.inf, -np.inf], dtype=np.float32)
    for shown in (scales.forward(scale, odd), scales.display(scale, odd), scales.inverse(scale, odd)):
        assert np.isnan(shown[0])
        assert shown[1] == np.inf
        assert shown[2] == -np.inf


def test_linear_is_the_identity_and_a_copy() -> None:
    values = np.array([1.0, -2.0], dtype=np.float32)
    shown = scales.display(Scale(), values)
    assert shown.tolist() == [1.0, -2.0]
    assert not np.shares_memory(shown, values)
    assert scales.raw_cut(Scale(), 12.5) == 12.5


@pytest.mark.parametrize(
    ("scale", "said"),
    [
        (Scale("logicle", top=0.0), "top is 0"),
        (Scale("linear", top=float("nan")), "top is nan"),
        (Scale("logicle", width_decades=2.5), "width is 2.5; it must lie between 0 and half of decades"),
        (Scale("logicle", width_decades=-0.1), "width is -0.1"),
        (Scale("logicle", decades=0.0), "decades is 0"),
        (Scale("logicle", negative_decades=4.0), "negative_decades is 4"),
        (Scale("asinh", negative_decades=-1.0), "negative_decades is -1"),
    ],
)
def test_impossible_parameters_are_refused(scale: Scale, said: str) -> None:
    with pytest.raises(SpecificationError, match="scale") as caught:
        scales.check_scale(scale, where="scales.CD45")
    assert said in caught.value.message
    assert caught.value.where == "scales.CD45"
