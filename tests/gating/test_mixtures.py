"""Mixtures by EM: never downhill, the same in any units, calm beside outliers, and normal where t has no tails."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.mixture import GaussianMixture

from stromagate.gating.ascent import climb, climbed
from stromagate.gating.mixture_fit import chosen_mixture, criterion, fit_mixture, one_component
from stromagate.gating.mixtures import Mixture
from stromagate.model.sample import F64

INFINITE = float("inf")


def clouds(seed: int = 0, n: int = 600, *, axes: int = 2, outliers: float = 0.0) -> tuple[F64, F64]:
    """Return points of two clouds and some far around them, and the centres of the clouds."""
    rng = np.random.default_rng(seed)
    centres = np.zeros((2, axes))
    centres[1, 0], centres[1, 1] = 8.0, 4.0
    points = np.concatenate([rng.normal(centre, 1.0, (n // 2, axes)) for centre in centres])
    far = rng.random(n) < outliers
    points[far] = rng.uniform(-25, 25, (int(far.sum()), axes))
    return points, centres


def some_start(points: F64, k: int, rng: np.random.Generator, freedom: float) -> Mixture:
    p = points.shape[1]
    weights = rng.dirichlet(np.ones(k) * 3)
    return Mixture(weights, points[rng.integers(0, len(points), k)], np.tile(np.eye(p), (k, 1, 1)), np.full(k, freedom))


def off(model: Mixture, centres: F64) -> float:
    """Return how far the worst centre lies from the component nearest to it."""
    return max(float(np.linalg.norm(model.means - centre, axis=1).min()) for centre in centres)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    k=st.integers(1, 4),
    axes=st.integers(2, 3),
    freedom=st.sampled_from([1.0, 4.0, 30.0, INFINITE]),
    estimated=st.booleans(),
)
def test_likelihood_never_falls(seed: int, k: int, axes: int, freedom: float, estimated: bool) -> None:
    rng = np.random.default_rng(seed)
    points, _ = clouds(seed, 200, axes=axes, outliers=0.1)
    way = climb(points, some_start(points, k, rng, freedom), estimated=estimated)
    reached = [value for _, value in islice(way, 25)]
    assert all(after >= before - 1e-9 for before, after in pairwise(reached))


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1_000),
    entries=st.lists(st.integers(-3, 3), min_size=4, max_size=4),
    shift=st.floats(-100, 100),
    freedom=st.sampled_from([4.0, INFINITE]),
)
def test_whatever_is_done_to_the_axes_is_done_to_the_mixture(
    seed: int, entries: list[int], shift: float, freedom: float
) -> None:
    turn = np.array(entries).reshape(2, 2) + 8 * np.eye(2)  # never flat
    points, _ = clouds(seed, 300)
    here = fit_mixture(points, 2, np.random.default_rng(seed), freedom=freedom)
    there = fit_mixture(points @ turn.T + shift, 2, np.random.default_rng(seed), freedom=freedom)
    assert there.weights == pytest.approx(here.weights, abs=1e-5)
    assert there.means == pytest.approx(here.means @ turn.T + shift, abs=1e-3)
    assert there.scatters == pytest.approx(turn @ here.scatters @ turn.T, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_outliers_move_normal_components_and_no_t_components(seed: int) -> None:
    """With a tenth of the events strewn about, normal components leave the clouds; t components stay."""
    points, centres = clouds(seed, 2_000, outliers=0.1)
    t = fit_mixture(points, 2, np.random.default_rng(seed))
    normal = fit_mixture(points, 2, np.random.default_rng(seed), freedom=INFINITE)
    other = GaussianMixture(2, random_state=seed, n_init=3).fit(points)
    assert off(t, centres) < 0.15
    assert t.weights == pytest.approx([0.5, 0.5], abs=0.05)
    assert np.linalg.eigvalsh(t.scatters).max() < 1.6
    assert off(normal, centres) > 1.0
    assert np.linalg.eigvalsh(other.covariances_).max() > 10  # the true ones are 1


def test_freedom_is_estimated_for_each_component() -> None:
    rng = np.random.default_rng(1)
    points = np.concatenate(
        [stats.multivariate_t([0, 0], np.eye(2), 3, seed=2).rvs(6_000), rng.normal(30, 1, (6_000, 2))]
    )
    model = fit_mixture(points, 2, np.random.default_rng(0), freedom=None)
    order = np.argsort(model.means[:, 0])
    assert model.freedom[order[0]] == pytest.approx(3, abs=0.4)
    assert model.freedom[order[1]] > 25


def test_without_tails_it_is_the_normal_mixture() -> None:
    points, _ = clouds(3, 3_000)
    other = GaussianMixture(2, n_init=3, random_state=0, tol=1e-8, reg_covar=0, max_iter=500).fit(points)
    order = np.argsort(other.means_[:, 0])
    for freedom in (INFINITE, 1e7):
        model = fit_mixture(points, 2, np.random.default_rng(0), freedom=freedom)
        model = climbed(points, model, max_steps=20)
        mine = np.argsort(model.means[:, 0])
        assert model.means[mine] == pytest.approx(other.means_[order], abs=2e-3)
        assert model.scatters[mine] == pytest.approx(other.covariances_[order], abs=5e-3)
        assert model.log_likelihood(points) == pytest.approx(other.score(points), abs=1e-5)
        assert criterion(model, points, "bic") == pytest.approx(other.bic(points), rel=1e-5)
        members = other.predict_proba(points)[:, order].T
        assert model.memberships(points)[mine] == pytest.approx(members, abs=1e-2)


def test_densities_are_those_of_the_distributions() -> None:
    scatter = np.array([[2.0, 0.5], [0.5, 1.0]])
    points = np.random.default_rng(0).normal(0, 2, (50, 2))
    model = Mixture(
        np.array([0.3, 0.7]), np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([scatter] * 2), np.array([4, INFINITE])
    )
    t = stats.multivariate_t([0, 1], scatter, 4).logpdf(points) + np.log(0.3)
    normal = stats.multivariate_normal([1, 0], scatter).logpdf(points) + np.log(0.7)
    assert model.log_parts(points) == pytest.approx(np.stack([t, normal]))


def test_cumulated_shares_are_those_of_the_distributions() -> None:
    model = Mixture(
        np.array([0.4, 0.6]), np.array([[0.0], [3.0]]), np.array([[[4.0]], [[1.0]]]), np.array([3.0, INFINITE])
    )
    x = np.linspace(-5, 8, 30)
    assert model.cumulated(x) == pytest.approx(0.4 * stats.t(3, 0, 2).cdf(x) + 0.6 * stats.norm(3, 1).cdf(x))


@settings(max_examples=20, deadline=None)
@given(
    axes=st.sampled_from([2, 3]), quantile=st.floats(0.05, 0.99), freedom=st.sampled_from([2.0, 4.0, 50.0, INFINITE])
)
def test_a_radius_holds_its_share(axes: int, quantile: float, freedom: float) -> None:
    model = Mixture(np.ones(1), np.zeros((1, axes)), np.eye(axes)[None], np.array([freedom]))
    drawn = np.random.default_rng(0).normal(size=(20_000, axes))
    if np.isfinite(freedom):
        drawn /= np.sqrt(np.random.default_rng(1).chisquare(freedom, (20_000, 1)) / freedom)
    inside = (np.square(drawn).sum(axis=1) <= model.radius_squared(0, quantile)).mean()
    assert inside == pytest.approx(quantile, abs=0.015)


def test_same_seed_same_mixture() -> None:
    points, _ = clouds(5, 500, outliers=0.05)
    first, second = (fit_mixture(points, 3, np.random.default_rng(9)) for _ in range(2))
    assert first.means.tobytes() == second.means.tobytes()
    assert first.scatters.tobytes() == second.scatters.tobytes()


@pytest.mark.parametrize("kind", ["bic", "icl"])
def test_number_of_components_is_chosen(kind: str) -> None:
    points, _ = clouds(1, 1_000)
    for freedom in (4.0, INFINITE):
        chosen = chosen_mixture(points, (1, 2, 3), np.random.default_rng(0), kind=kind, freedom=freedom)  # type: ignore[arg-type]
        assert chosen.n_components == 2


def test_overlap_costs_by_icl_only() -> None:
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(0, 1, (500, 2)), rng.normal(0.5, 1, (500, 2))])
    model = fit_mixture(points, 2, rng)
    assert criterion(model, points, "icl") > criterion(model, points, "bic") + 100


def test_one_value_many_times_makes_no_point_of_a_component() -> None:
    points = np.concatenate([np.random.default_rng(0).normal(0, 1, (500, 2)), np.full((200, 2), 4.0)])
    model = fit_mixture(points, 2, np.random.default_rng(0))
    assert np.isfinite(model.log_likelihood(points))
    assert np.linalg.eigvalsh(model.scatters).min() > 1e-6


def test_more_components_than_places_stay_finite() -> None:
    points = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]] * 50)
    model = fit_mixture(points, 6, np.random.default_rng(0))
    assert np.isfinite(model.means).all()
    assert model.weights.sum() == pytest.approx(1)


def test_points_on_a_line_are_refused() -> None:
    x = np.linspace(0, 1, 100)
    for points in (np.stack([x, 2 * x], axis=1), np.full((100, 2), 3.0)):
        with pytest.raises(np.linalg.LinAlgError):
            fit_mixture(points, 2, np.random.default_rng(0))


def test_a_merged_cloud_is_one_component() -> None:
    points, _ = clouds(0, 1_000)
    model = one_component(points, 4.0)
    assert model.n_components == 1
    assert model.means[0] == pytest.approx([4.0, 2.0], abs=0.3)
