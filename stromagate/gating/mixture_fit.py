"""Mixtures fitted from several starts, and how many components they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.random import Generator

from stromagate.gating.ascent import MAX_STEPS, SMALLEST_WIDTH, climbed
from stromagate.gating.mixtures import FREEDOM, Mixture, shared
from stromagate.model.sample import F64

Criterion = Literal["bic", "icl"]

# Own choices: eight starts of ten steps on 1,000 events find what a long search finds. Half of the starts look for
# centres among all but the furthest hundredth, where small clusters are; half leave out more, where outliers are.
STARTS, FIRST_STEPS, FIRST_EVENTS = 8, 10, 1_000
TRIMS = (0.99, 0.85)
TIED = 1e-9  # difference of mean log-likelihoods
CANDIDATES = 4  # for every next centre, of which the one that leaves least is taken
CHOICE_STEPS = 50  # of each candidate; which of them is best shows long before they stand still


def fit_mixture(
    points: F64, n_components: int, rng: Generator, *, freedom: float | None = FREEDOM, max_steps: int = MAX_STEPS
) -> Mixture:
    """Fit a mixture from several seeded starts.

    Whatever is done to the axes (other units, turned, sheared), the same is done to the mixture: starts are made where
    the events, seen as one t distribution, are round.

    Parameters
    ----------
    points : ndarray of float64, shape (n, p)
        Finite, and not all on a line.
    n_components : int
        Number of components k.
    rng : Generator
        Source of the starts.
    freedom : float, optional
        Degrees of freedom of all components, infinite for normal ones; None to estimate those of each.
    max_steps : int
        Steps of EM from the best start at most.

    Returns
    -------
    Mixture

    Raises
    ------
    numpy.linalg.LinAlgError
        All points lie on a line, or on a plane of three axes.
    """
    centre, turn, round_points = _rounded_off(points)
    few = round_points
    if points.shape[0] > FIRST_EVENTS:
        few = round_points[np.sort(rng.choice(points.shape[0], FIRST_EVENTS, replace=False))]
    best, highest = None, -np.inf
    for i in range(STARTS if n_components > 1 else 1):
        start = _start(few, n_components, rng, freedom, TRIMS[i % len(TRIMS)])
        begun = climbed(few, start, estimated=freedom is None, max_steps=FIRST_STEPS)
        reached = begun.log_likelihood(few)
        # Two starts that reach the same must not change places by their last bits.
        if best is None or reached > highest + TIED:
            best, highest = begun, reached
    assert best is not None
    model = climbed(round_points, best, estimated=freedom is None, max_steps=max_steps)
    means = np.stack([_times(turn, mean) + centre for mean in model.means])
    scatters = np.stack([_symmetric(turn @ scatter @ turn.T) for scatter in model.scatters])
    return replace(model, means=means, scatters=scatters)


def chosen_mixture(
    points: F64, components: Sequence[int], rng: Generator, *, kind: Criterion = "bic", freedom: float | None = FREEDOM
) -> Mixture:
    """Return the mixture with the lowest criterion among numbers of components.

    Parameters
    ----------
    points : ndarray of float64, shape (n, p)
        As for `fit_mixture`.
    components : sequence of int
        Numbers of components that are allowed.
    rng : Generator
        Source of the starts.
    kind : {"bic", "icl"}
        The criterion.
    freedom : float, optional
        As for `fit_mixture`.

    Returns
    -------
    Mixture
    """
    best, lowest = None, np.inf
    for k in components:
        model = fit_mixture(points, k, rng, freedom=freedom, max_steps=CHOICE_STEPS)
        cost = criterion(model, points, kind, estimated=freedom is None)
        if best is None or cost < lowest:
            best, lowest = model, cost
    assert best is not None
    return best


def criterion(model: Mixture, points: F64, kind: Criterion, *, estimated: bool = False) -> float:
    """Return what a mixture costs, the lower the better, given points of shape (n, p).

    ``bic`` weighs fit against the number of parameters; ``icl`` (Biernacki, Celeux and Govaert 2000,
    doi:10.1109/34.865189) also counts against it that events lie between components.
    """
    k, p, n = model.n_components, model.n_axes, points.shape[0]
    free = k - 1 + k * p + k * p * (p + 1) // 2 + (k if estimated else 0)
    members, densities = shared(model.log_parts(points))
    cost = free * np.log(n) - 2 * float(densities.sum())
    if kind == "icl":
        cost -= 2 * float((members * np.log(np.maximum(members, 1e-300))).sum())
    return float(cost)


def one_component(points: F64, freedom: float) -> Mixture:
    """Return all points, shape (n, p), as one component of so many degrees of freedom."""
    whole = replace(_as_one(points), freedom=np.array([freedom]))
    return climbed(points, whole, max_steps=50)


def _rounded_off(points: F64) -> tuple[F64, F64, F64]:
    """Return centre, turn and points such that ``points = centre + turn @ round``, round as one t distribution."""
    whole = _as_one(points)
    first = np.linalg.cholesky(whole.scatters[0])
    even = np.linalg.solve(first, (points - whole.means[0]).T).T
    seen_as_t = climbed(even, _as_one(even), max_steps=50)
    second = np.linalg.cholesky(seen_as_t.scatters[0])
    round_points = np.linalg.solve(second, (even - seen_as_t.means[0]).T).T
    return whole.means[0] + _times(first, seen_as_t.means[0]), first @ second, round_points


def _as_one(points: F64) -> Mixture:
    """Return all points as one t component with their mean and covariance."""
    mean = points.mean(axis=0)
    away = points - mean
    scatter = np.array([[float((a * b).mean()) for b in away.T] for a in away.T])
    np.linalg.cholesky(scatter)
    return Mixture(np.ones(1), mean[None], scatter[None], np.array([FREEDOM]))


def _start(points: F64, k: int, rng: Generator, freedom: float | None, trim: float) -> Mixture:
    """Return a start: centres by k-means++ (Arthur and Vassilvitskii 2007), each with the spread of its nearest points.

    ``points`` are round. What lies further out than a share ``trim`` of them is no centre to begin with.
    """
    out = np.square(points).sum(axis=1)
    inner = points[out <= np.quantile(out, trim)]
    centres = inner[[rng.integers(inner.shape[0])]]
    nearest = np.square(inner - centres[0]).sum(axis=1)
    while len(centres) < k:
        cumulated = np.cumsum(nearest)
        drawn = np.searchsorted(cumulated, rng.random(CANDIDATES) * cumulated[-1], side="right")
        tried = inner[np.minimum(drawn, inner.shape[0] - 1)]
        left = np.minimum(nearest, np.square(inner - tried[:, None]).sum(axis=2))
        i = int(np.argmin(left.sum(axis=1)))
        centres, nearest = np.vstack([centres, tried[i]]), left[i]
    width = max(float(nearest.mean()) / points.shape[1], SMALLEST_WIDTH**2)
    scatters = np.repeat(np.eye(points.shape[1])[None] * width, k, axis=0)
    return Mixture(np.full(k, 1 / k), centres, scatters, np.full(k, FREEDOM if freedom is None else freedom))


def _times(matrix: F64, vector: F64) -> F64:
    return np.asarray((matrix * vector).sum(axis=1))


def _symmetric(matrix: F64) -> F64:
    return np.asarray((matrix + matrix.T) / 2)
