"""Piles of equal values at the ends of a range, told from ordinary tails, steps and peaks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from stromagate.gating.piles import find_pile
from stromagate.model.sample import F32


def noise(n: int = 20_000, seed: int = 0) -> F32:
    return default_rng(seed).normal(500, 200, n).astype(np.float32)


@pytest.mark.parametrize("clip", [-111.0, 0.0, 100.0])
def test_values_cut_off_at_the_bottom_are_a_pile(clip: float) -> None:
    values = np.maximum(noise(), np.float32(clip))
    pile = find_pile(values, "lower")
    assert pile is not None
    assert pile.at == clip
    assert pile.n == np.count_nonzero(values == np.float32(clip))
    assert pile.n == np.count_nonzero(values < np.float64(pile.border))
    assert find_pile(values, "upper") is None


@pytest.mark.parametrize("top", [262_143.0, 65_535.0, 890.5])
def test_saturation_is_found_wherever_it_lies(top: float) -> None:
    """No range is asked: many converters saturate far below the one that the file states."""
    values = np.minimum(noise() * np.float32(top / 800), np.float32(top))
    pile = find_pile(values, "upper")
    assert pile is not None
    assert pile.n == np.count_nonzero(values == np.float32(top)) == np.count_nonzero(values >= np.float64(pile.border))
    assert find_pile(values, "lower") is None


def test_a_converter_may_saturate_on_two_numbers() -> None:
    steps = np.floor(np.clip(noise(60_000), 1, 1100))
    values = np.where(steps > 1022, default_rng(1).integers(1022, 1024, steps.size), steps).astype(np.float32)
    pile = find_pile(values, "upper")
    assert pile is not None
    assert (pile.at, pile.n) == (1022, np.count_nonzero(values >= 1022))


def test_a_few_stray_values_beyond_do_not_hide_a_pile() -> None:
    values = np.minimum(noise(), np.float32(900))
    values[:2] = [901, 950]
    pile = find_pile(values, "upper")
    assert pile is not None
    assert pile.n == np.count_nonzero(values >= 900)


@pytest.mark.parametrize("edge", ["lower", "upper"])
@pytest.mark.parametrize("step", [0.0, 1.0, 20.0, 100.0])
def test_what_thins_out_is_no_pile(edge: str, step: float) -> None:
    for seed in range(5):
        values = noise(50_000, seed)
        values = np.floor(values / step) * np.float32(step) if step else values
        assert find_pile(values, edge) is None


@pytest.mark.parametrize("mean", [2.0, 20.0, 500.0])
def test_what_is_highest_at_zero_and_falls_is_no_pile(mean: float) -> None:
    values = np.floor(default_rng(3).exponential(mean, 50_000)).astype(np.float32)
    assert find_pile(values, "lower") is None


def test_a_handful_of_equal_values_is_chance() -> None:
    values = noise(5_000)
    values[:9] = values.min() - 1
    assert find_pile(values, "lower") is None
    values[9] = values[0]
    assert find_pile(values, "lower") is not None


@pytest.mark.parametrize("values", [[], [1.0], [1.0] * 5000, [1.0, 2.0]])
def test_no_spread_of_values_no_pile(values: list[float]) -> None:
    assert find_pile(np.array(values, dtype=np.float32), "lower") is None
    assert find_pile(np.array(values, dtype=np.float32), "upper") is None


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1000),
    share=st.floats(0.01, 0.6),
    edge=st.sampled_from(["lower", "upper"]),
    scale=st.sampled_from([1e-3, 1.0, 1e6]),
)
def test_the_border_parts_exactly_the_pile(seed: int, share: float, edge: str, scale: float) -> None:
    values = noise(4_000, seed) * np.float32(scale)
    at = np.quantile(values, share if edge == "lower" else 1 - share).astype(np.float32)
    values = np.maximum(values, at) if edge == "lower" else np.minimum(values, at)
    pile = find_pile(values, edge)
    assert pile is not None
    beyond = values < np.float64(pile.border) if edge == "lower" else values >= np.float64(pile.border)
    assert np.array_equal(beyond, values == at)
    mirrored = find_pile(-values, "upper" if edge == "lower" else "lower")
    assert mirrored is not None
    assert (mirrored.at, mirrored.n) == (-pile.at, pile.n)


def test_the_border_does_not_hang_on_what_lies_beside_the_pile() -> None:
    """It is written down as a boundary: half the way to the next event it would be another one in every tube."""
    low, high = np.float32(0), np.float32(900)
    values = np.clip(noise(), low, high)
    bottom, top = find_pile(values, "lower"), find_pile(values, "upper")
    assert bottom is not None
    assert top is not None
    assert bottom.border == pytest.approx(1e-9 * 900, rel=0.1)
    assert top.border == pytest.approx(900, abs=1e-6)


def test_neighbouring_floats_are_parted() -> None:
    low = np.float32(1000)
    values = np.concatenate([np.full(500, low), np.full(3, np.nextafter(low, np.float32(2000))), noise(500) + 2000])
    pile = find_pile(values.astype(np.float32), "lower")
    assert pile is not None
    assert np.count_nonzero(values.astype(np.float32) < np.float64(pile.border)) == 500
