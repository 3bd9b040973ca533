"""The valley: where it lies, when there is none, and that its spread is the truth."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import gamma, gaussian_kde, norm

from stromagate.gating.methods.valley import Params, fit
from stromagate.model.gates import Interval
from stromagate.model.sample import F64
from tests.gating.methods.populations import ASINH, FakePopulation, one_axis

ABOVE = Params(axis="CD45", keep="above")


def two_normal(n: int, share: float, distance: float, seed: int) -> F64:
    rng, k = np.random.default_rng(seed), int(n * share)
    return np.concatenate([rng.normal(0.2, 0.05, n - k), rng.normal(0.2 + distance, 0.06, k)])


def cut(values: object, params: Params = ABOVE, seed: int = 0) -> tuple[float, float]:
    fitted = fit(one_axis(values), params, np.random.default_rng(seed))
    assert isinstance(fitted.geometry, Interval), fitted.sentence
    assert fitted.spread is not None
    edge = fitted.geometry.low if params.keep == "above" else fitted.geometry.high
    assert edge is not None
    return edge, fitted.spread


@pytest.mark.parametrize("share", [0.5, 0.1, 0.02])
@pytest.mark.parametrize("distance", [0.3, 0.4])
def test_cut_is_the_minimum_of_the_true_density(share: float, distance: float) -> None:
    grid = np.linspace(0.2, 0.2 + distance, 10_001)
    true = grid[np.argmin((1 - share) * norm.pdf(grid, 0.2, 0.05) + share * norm.pdf(grid, 0.2 + distance, 0.06))]
    found, spread = cut(two_normal(100_000, share, distance, seed=1))
    assert found == pytest.approx(true, abs=max(3 * spread, 0.008))


@pytest.mark.parametrize("share", [0.5, 0.1, 0.02])
def test_skewed_peaks(share: float) -> None:
    rng, n = np.random.default_rng(4), 100_000
    k = int(n * share)
    values = np.concatenate([0.1 + rng.gamma(3, 0.03, n - k), 0.8 - rng.gamma(3, 0.04, k)])
    grid = np.linspace(0.2, 0.7, 10_001)
    true = grid[
        np.argmin((1 - share) * gamma.pdf(grid - 0.1, 3, scale=0.03) + share * gamma.pdf(0.8 - grid, 3, scale=0.04))
    ]
    found, spread = cut(values)
    assert found == pytest.approx(true, abs=3 * spread)


def test_spread_is_what_repetition_shows() -> None:
    fits = [cut(two_normal(5_000, 0.2, 0.35, seed), seed=seed) for seed in range(60)]
    seen, told = np.std([found for found, _ in fits], ddof=1), np.mean([spread for _, spread in fits])
    assert 0.6 < told / seen < 1.7


ONE_POPULATION = {
    "normal": lambda rng, n: rng.normal(0.2, 0.05, n),
    "gamma": lambda rng, n: rng.gamma(2, 0.05, n),
    "heavy tails": lambda rng, n: rng.standard_t(3, n) * 0.05,
    "log-normal": lambda rng, n: rng.lognormal(0, 0.5, n),
    "flat": lambda rng, n: rng.uniform(0, 1, n),
    "integers on a log scale": lambda rng, n: np.log10(np.maximum(rng.poisson(rng.gamma(2, 10, n)), 1)) / 4,
}


@pytest.mark.parametrize("n", [500, 5_000, 100_000])
@pytest.mark.parametrize("shape", ONE_POPULATION)
def test_one_population_is_never_cut(shape: str, n: int) -> None:
    for seed in range(8):
        values = ONE_POPULATION[shape](np.random.default_rng(seed), n)
        fitted = fit(one_axis(values), ABOVE, np.random.default_rng(seed))
        assert fitted.state == "not_evaluable", fitted.sentence
        assert "not separable" in fitted.sentence


def test_noise_split_by_the_scale_is_one_population() -> None:
    """Around zero a narrow linear region shows normal noise as two peaks; a valley between them means nothing."""
    rng = np.random.default_rng(2)
    noise = np.arcsinh(rng.normal(0, 400, 50_000) / 100) / 10
    both = np.concatenate([noise, rng.normal(0.6, 0.03, 20_000)])
    split = fit(FakePopulation({"CD45": noise.astype(np.float32)}), ABOVE, rng)
    assert split.state == "fitted", "on a linear axis these are two peaks"
    shown = FakePopulation({"CD45": noise.astype(np.float32)}, scales={"CD45": ASINH})
    assert fit(shown, ABOVE, rng).state == "not_evaluable"
    real = fit(FakePopulation({"CD45": both.astype(np.float32)}, scales={"CD45": ASINH}), ABOVE, rng)
    assert isinstance(real.geometry, Interval)
    assert 0.35 < (real.geometry.low or 0) < 0.55


@given(shift=st.floats(-3, 3), scale=st.floats(0.01, 100), share=st.floats(0.1, 0.9), seed=st.integers(0, 50))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_moves_with_the_data(shift: float, scale: float, share: float, seed: int) -> None:
    values = two_normal(4_000, share, 0.4, seed)
    plain, spread = cut(values)
    moved, moved_spread = cut(shift + scale * values)
    # float32 rounding of the moved values puts single events into neighbouring bins
    assert moved == pytest.approx(shift + scale * plain, abs=0.5 * scale * spread + 1e-3 * scale)
    assert moved_spread == pytest.approx(scale * spread, rel=0.5)


def test_mirror_image_gives_the_mirrored_cut() -> None:
    values = two_normal(20_000, 0.3, 0.4, 3)
    plain, spread = cut(values)
    assert cut(-values)[0] == pytest.approx(-plain, abs=spread)


def test_fewer_than_500_events_are_refused() -> None:
    values = two_normal(499, 0.5, 0.4, 0)
    refused = fit(one_axis(values), ABOVE, np.random.default_rng(0))
    assert refused.state == "not_evaluable"
    assert "499 events are too few" in refused.sentence
    with pytest.raises(ValueError, match="greater than or equal to 500"):
        Params(axis="CD45", keep="above", min_events=100)


def test_search_keeps_to_its_range_and_never_cuts_on_its_border() -> None:
    rng = np.random.default_rng(5)
    values = np.concatenate([rng.normal(centre, 0.04, 5_000) for centre in (0.2, 0.5, 0.8)])
    low, _ = cut(values, Params(axis="CD45", keep="above", search=(0.25, 0.45)))
    high, _ = cut(values, Params(axis="CD45", keep="below", search=(0.55, 0.75)))
    assert low == pytest.approx(0.35, abs=0.03)
    assert high == pytest.approx(0.65, abs=0.03)
    beside = fit(one_axis(values), Params(axis="CD45", keep="above", search=(0.42, 0.58)), rng)
    assert beside.state == "not_evaluable"
    with pytest.raises(ValueError, match="low below high"):
        Params(axis="CD45", keep="above", search=(0.5, 0.2))


def test_sentence_tells_the_numbers() -> None:
    values = two_normal(50_000, 0.3, 0.4, 0).astype(np.float32)
    fitted = fit(FakePopulation({"CD45": values}, scales={"CD45": ASINH}), ABOVE, np.random.default_rng(0))
    assert isinstance(fitted.geometry, Interval)
    linear = np.sinh(10 * (fitted.geometry.low or 0)) * 100
    assert f"CD45 cut at {fitted.geometry.low:.3f} (about {float(f'{linear:.2g}'):,.0f} units)" in fitted.sentence
    assert "valley between peaks at 0.2 and 0.6" in fitted.sentence


def test_peaks_of_scatter_are_told_without_an_exponent() -> None:
    values = (100_000 * two_normal(50_000, 0.3, 0.4, 0)).astype(np.float32)
    fitted = fit(one_axis(values), ABOVE, np.random.default_rng(0))
    assert re.search(r"valley between peaks at [12]\d,\d00 and [56]\d,\d00,", fitted.sentence)
    assert "e+0" not in fitted.sentence


def test_far_outliers_change_nothing() -> None:
    values = two_normal(20_000, 0.3, 0.4, 0)
    plain, spread = cut(values)
    assert cut(np.concatenate([values, [1e30, -1e30, 3e38]]))[0] == pytest.approx(plain, abs=2 * spread)


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_an_independent_density(seed: int) -> None:
    values = two_normal(10_000, 0.3, 0.35, seed)
    grid = np.linspace(0.2, 0.55, 701)
    independent = grid[np.argmin(gaussian_kde(values, "silverman")(grid))]
    assert cut(values)[0] == pytest.approx(independent, abs=0.02)


def test_pile_on_the_end_of_the_range_is_no_population() -> None:
    """A pile is passed over where two populations are there, and is said to be one where it is all there is."""
    rng = np.random.default_rng(6)
    pile, low, high = np.zeros(3_000), rng.normal(0.3, 0.04, 10_000), rng.normal(0.7, 0.05, 10_000)
    found, _ = cut(np.concatenate([pile, low, high]))
    assert found == pytest.approx(cut(np.concatenate([low, high]))[0], abs=0.03)
    alone = fit(one_axis(np.concatenate([pile, high])), ABOVE, rng)
    assert alone.state == "fallback"
    assert "a pile of values on the end of the range" in alone.sentence


def test_two_valleys_as_clear_as_each_other_are_no_quiet_choice() -> None:
    rng = np.random.default_rng(7)
    values = np.concatenate([rng.normal(centre, 0.04, 5_000) for centre in (0.2, 0.5, 0.8)])
    fitted = fit(one_axis(values), ABOVE, rng)
    assert fitted.state == "fallback"
    assert "say with `which` or `search` which is meant" in fitted.sentence
    clear = fit(one_axis(values), Params(axis="CD45", keep="above", search=(0.3, 0.4)), rng)
    assert clear.state == "fitted"
    for which, middle in (("lowest", 0.35), ("highest", 0.65)):
        params = Params.model_validate({"axis": "CD45", "keep": "above", "which": which})
        assert fit(one_axis(values), params, rng).state == "fitted"
        assert cut(values, params)[0] == pytest.approx(middle, abs=0.03)
