"""The mixture: equal posterior on one axis, the declared component on two, and refusal where components overlap."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import chi2, norm

from stromagate.gating.method import Fit
from stromagate.gating.methods.mixture import Params, fit
from stromagate.model.gates import Ellipse, Interval
from stromagate.model.sample import F64
from tests.gating.methods.populations import FakePopulation, one_axis


def run(population: FakePopulation, seed: int = 0, **given: object) -> Fit:
    return fit(population, Params.model_validate(given), np.random.default_rng(seed))


def two(n: int, share: float, distance: float, seed: int = 0) -> F64:
    rng, k = np.random.default_rng(seed), int(n * share)
    return np.concatenate([rng.normal(0.2, 0.05, n - k), rng.normal(0.2 + distance, 0.06, k)])


@pytest.mark.parametrize("share", [0.5, 0.2, 0.05])
def test_cut_is_where_both_components_are_equally_likely(share: float) -> None:
    true = brentq(lambda x: (1 - share) * norm.pdf(x, 0.2, 0.05) - share * norm.pdf(x, 0.6, 0.06), 0.2, 0.6)
    for keep in ("above", "below"):
        fitted = run(one_axis(two(20_000, share, 0.4)), axis="CD45", keep=keep)
        assert isinstance(fitted.geometry, Interval)
        edge = fitted.geometry.low if keep == "above" else fitted.geometry.high
        assert edge == pytest.approx(true, abs=0.01)
        assert fitted.spread is not None
        assert 0 < fitted.spread < 0.01


def test_overlapping_components_are_not_separable() -> None:
    for seed in range(5):
        for distance in (0.0, 0.05, 0.1):
            fitted = run(one_axis(two(3_000, 0.5, distance, seed)), axis="CD45", keep="above")
            assert fitted.state == "not_evaluable", fitted.sentence
            assert "not separable" in fitted.sentence


def test_number_of_components_is_chosen_within_the_range() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(centre, 0.03, 3_000) for centre in (0.2, 0.5, 0.8)])
    fitted = run(one_axis(values), axis="CD45", keep="above", components=[2, 5])
    assert "3 components" in fitted.sentence
    assert isinstance(fitted.geometry, Interval)
    assert fitted.geometry.low == pytest.approx(0.65, abs=0.02)


def test_a_mixture_that_does_not_describe_the_data_is_refused() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(centre, 0.04, 2_000) for centre in (0.2, 0.5, 0.8)])
    fitted = run(one_axis(values), axis="CD45", keep="above")
    assert fitted.state == "not_evaluable"
    assert "2 components do not describe it" in fitted.sentence
    assert "off by at most" in run(one_axis(two(5_000, 0.3, 0.4)), axis="CD45", keep="above").sentence


def test_spread_is_what_repetition_shows() -> None:
    fits = [run(one_axis(two(3_000, 0.3, 0.3, seed)), seed, axis="CD45", keep="above") for seed in range(12)]
    seen = np.std([fitted.geometry.low for fitted in fits if isinstance(fitted.geometry, Interval)], ddof=1)
    assert 0.5 < np.mean([fitted.spread or 0 for fitted in fits]) / seen < 2.0


def clusters() -> FakePopulation:
    """Large and wide at (0.3, 0.3), small and dense at (0.7, 0.2), smallest at (0.5, 0.8)."""
    rng = np.random.default_rng(3)
    parts = [
        rng.multivariate_normal((0.3, 0.3), [[0.006, 0.002], [0.002, 0.005]], 6_000),
        rng.multivariate_normal((0.7, 0.2), [[0.0003, 0], [0, 0.0004]], 3_000),
        rng.multivariate_normal((0.5, 0.8), [[0.002, 0], [0, 0.002]], 1_000),
    ]
    points = np.concatenate(parts).astype(np.float32)
    return FakePopulation({"CD45": points[:, 0].copy(), "SSC-A": points[:, 1].copy()})


@pytest.mark.parametrize(
    ("rule", "centre"),
    [
        ({"pick": "largest"}, (0.3, 0.3)),
        ({"pick": "densest"}, (0.7, 0.2)),
        ({"pick": "lowest"}, (0.3, 0.3)),
        ({"pick": "highest"}, (0.7, 0.2)),
        ({"nearest": [0.5, 0.7]}, (0.5, 0.8)),
    ],
)
def test_component_is_picked_by_the_declared_rule(rule: dict[str, object], centre: tuple[float, float]) -> None:
    fitted = run(clusters(), axes=["CD45", "SSC-A"], components=3, quantile=0.9, **rule)
    assert isinstance(fitted.geometry, Ellipse), fitted.sentence
    assert fitted.geometry.mean == pytest.approx(centre, abs=0.02)
    assert fitted.geometry.distance_squared == pytest.approx(chi2.ppf(0.9, 2))
    assert fitted.spread is not None


def test_ellipse_holds_the_declared_share() -> None:
    population = clusters()
    fitted = run(population, axes=["CD45", "SSC-A"], components=3, quantile=0.9, pick="largest")
    assert isinstance(fitted.geometry, Ellipse)
    offset = np.stack([population.values["CD45"], population.values["SSC-A"]], axis=1)[:6_000] - fitted.geometry.mean
    squared = np.einsum("ij,jk,ik->i", offset, np.linalg.inv(fitted.geometry.covariance), offset)
    assert np.mean(squared <= fitted.geometry.distance_squared) == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"axis": "A"}, "needs `keep`"),
        ({"axis": "A", "keep": "above", "pick": "largest"}, "needs `keep`"),
        ({"axes": ["A", "B"], "keep": "above"}, "need `pick` or `nearest`"),
        ({"axes": ["A", "B"], "pick": "largest", "nearest": [1, 1]}, "need `pick` or `nearest`"),
        ({"axis": "A", "axes": ["A"], "keep": "above"}, "name one axis"),
        ({"axes": ["A", "A"], "pick": "largest"}, "named twice"),
        ({"axis": "A", "keep": "above", "components": 1}, "from 2 to 12"),
        ({"axis": "A", "keep": "above", "components": [4, 2]}, "from 2 to 12"),
    ],
)
def test_contradictions_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Params.model_validate(given)


def test_t_components_stay_where_normal_ones_follow_outliers() -> None:
    """A twentieth of the events strewn about: the ellipse of the larger cloud keeps its size with t components."""
    rng = np.random.default_rng(0)
    whole = clusters()
    strewn = FakePopulation(
        {
            axis: np.concatenate([column, rng.uniform(-1, 2, whole.n // 20).astype(np.float32)])
            for axis, column in whole.values.items()
        }
    )
    sizes = {}
    for shape in ("normal", "t"):
        for name, population in (("clean", whole), ("strewn", strewn)):
            fitted = run(population, axes=["CD45", "SSC-A"], components=3, pick="largest", shape=shape, min_purity=0.05)
            assert isinstance(fitted.geometry, Ellipse), fitted.sentence
            sizes[shape, name] = fitted.geometry.covariance[0][0]
    assert sizes["t", "strewn"] < 1.4 * sizes["t", "clean"]
    assert sizes["normal", "strewn"] > 2 * sizes["normal", "clean"]


def test_a_cut_of_t_components_lies_between_their_clouds() -> None:
    fitted = run(one_axis(two(4_000, 0.3, 0.4)), axis="CD45", keep="above", shape="t")
    assert isinstance(fitted.geometry, Interval)
    assert fitted.geometry.low == pytest.approx(0.4, abs=0.03)
    assert fitted.spread is not None
    assert 0 < fitted.spread < 0.01
