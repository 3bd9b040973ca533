"""Mixtures of normal and of Student t distributions, fitted by expectation and maximisation (EM).

Events far from every cluster pull a normal component towards them; a t component gives them the less weight the
further out they lie (Peel and McLachlan 2000, doi:10.1023/A:1008981510081). Nothing here sums by BLAS: the order of its
sums, and so the last bits of a fit, would depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.random import Generator

from stromagate.model.sample import F64

Shape = Literal["normal", "t"]
Criterion = Literal["bic", "icl"]

FREEDOM = 4.0
"""Degrees of freedom of a t component, as in flowClust (Lo, Brinkman and Gottardo 2008, doi:10.1002/cyto.a.20531)."""
FREEST, TIGHTEST = 1.0, 200.0  # where degrees of freedom are estimated; at 200 a t distribution is as good as normal
# Own choices: eight starts of ten steps on 1,000 events find what a long search finds. Half of the starts look for
# centres among all but the furthest hundredth, where small clusters are; half leave out more, where outliers are.
STARTS, FIRST_STEPS, FIRST_EVENTS = 8, 10, 1_000
TRIMS = (0.99, 0.85)
TIED = 1e-9  # difference of mean log-likelihoods
CANDIDATES = 4  # for every next centre, of which the one that leaves least is taken
MAX_STEPS = 200
CHOICE_STEPS = 50  # of each candidate; which of them is best shows long before they stand still
CONVERGED = 1e-5  # gain of the mean log-likelihood per event in one step, below which nothing visible moves any more
SMALLEST_WIDTH = 0.01  # of a component's narrowest direction, in widths of all events: no component sits on one value


@dataclass(frozen=True, slots=True)
class Mixture:
    """Components of a mixture on p axes.

    Attributes
    ----------
    weights : ndarray of float64, shape (k,)
        Share of the events in each component; they sum to 1.
    means : ndarray of float64, shape (k, p)
        Centres, in the units of the points.
    scatters : ndarray of float64, shape (k, p, p)
        Covariance of a normal component; scale matrix of a t component, whose covariance is ``f / (f - 2)`` times that.
    freedom : ndarray of float64, shape (k,)
        Degrees of freedom f; infinite for a normal component.
    """

    weights: F64
    means: F64
    scatters: F64
    freedom: F64

    @property
    def n_components(self) -> int:
        """Number of components k."""
        return len(self.weights)

    @property
    def n_axes(self) -> int:
        """Number of axes p."""
        return int(self.means.shape[1])

    def distances(self, points: F64) -> F64:
        """Return squared Mahalanobis distances to every centre, shape (k, n), of points of shape (n, p)."""
        turns = np.linalg.inv(np.linalg.cholesky(self.scatters))
        away = points.T[:, None, :] - self.means.T[:, :, None]
        found = np.zeros(away.shape[1:])
        for row in range(self.n_axes):
            step = turns[:, row, 0, None] * away[0]
            for i in range(1, row + 1):
                step += turns[:, row, i, None] * away[i]
            found += np.square(step, out=step)
        return found

    def log_parts(self, points: F64) -> F64:
        """Return the log-density of every component times its weight, shape (k, n), of points of shape (n, p)."""
        return self._log_parts(self.distances(points))

    def memberships(self, points: F64) -> F64:
        """Return the probability of every component for every point, shape (k, n), of points of shape (n, p)."""
        return _shared(self.log_parts(points))[0]

    def log_likelihood(self, points: F64) -> float:
        """Return the mean log-likelihood per point, of points of shape (n, p)."""
        return float(_shared(self.log_parts(points))[1].mean())

    def cumulated(self, ordered: F64) -> F64:
        """Return the share of a mixture on one axis (0-1) below each value, both of shape (n,)."""
        from scipy.special import ndtr, stdtr

        shares = np.zeros(ordered.size)
        for weight, mean, scatter, freedom in zip(*self._columns(), strict=True):
            away = (ordered - mean) / np.sqrt(scatter)
            shares += weight * (stdtr(freedom, away) if np.isfinite(freedom) else ndtr(away))
        return shares

    def radius_squared(self, component: int, quantile: float) -> float:
        """Return the squared Mahalanobis distance within which ``quantile`` (0-1) of a component lies."""
        from scipy.special import chdtri, fdtri

        freedom, p = float(self.freedom[component]), self.n_axes
        if np.isfinite(freedom):
            return float(p * fdtri(p, freedom, quantile))
        # With two axes the quantile of chi-squared is a logarithm, exact to the last digit.
        return -2.0 * float(np.log1p(-quantile)) if p == 2 else float(chdtri(p, 1.0 - quantile))

    def _columns(self) -> tuple[F64, F64, F64, F64]:
        return self.weights, self.means[:, 0], self.scatters[:, 0, 0], self.freedom

    def _log_parts(self, squared: F64) -> F64:
        from scipy.special import gammaln

        p, freedom = self.n_axes, self.freedom
        is_t = np.isfinite(freedom)
        f = np.where(is_t, freedom, 1.0)
        half_logs = np.log(np.diagonal(np.linalg.cholesky(self.scatters), axis1=1, axis2=2)).sum(axis=1)
        heights = np.where(
            is_t,
            gammaln((f + p) / 2) - gammaln(f / 2) - p / 2 * np.log(f * np.pi),
            -p / 2 * np.log(2 * np.pi),
        )
        heights += np.log(self.weights) - half_logs
        if not is_t.any():
            return np.asarray(heights[:, None] - squared / 2)
        # The plain logarithm is several times faster than log1p, and as good: what matters is far from 0.
        tails = np.log(squared / f[:, None] + 1.0)
        tails *= (f[:, None] + p) / 2
        if not is_t.all():
            tails[~is_t] = squared[~is_t] / 2
        return np.asarray(heights[:, None] - tails)


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


def climbed(points: F64, start: Mixture, *, estimated: bool = False, max_steps: int = MAX_STEPS) -> Mixture:
    """Return the mixture that EM reaches from a start: where it no longer gains, or after so many steps."""
    model, before = start, -np.inf
    for step, (reached_model, reached) in enumerate(climb(points, start, estimated=estimated)):
        model = reached_model
        if step == max_steps or reached - before < CONVERGED:
            break
        before = reached
    return model


def climb(points: F64, start: Mixture, *, estimated: bool = False) -> Iterator[tuple[Mixture, float]]:
    """Yield every mixture on the way up from a start, with its mean log-likelihood per point, without end.

    The scale of a t component is divided by the sum of its weighted memberships, which climbs faster than dividing by
    that of its memberships and never down either (Liu, Rubin and Wu 1998, doi:10.1093/biomet/85.4.755).
    """
    columns = np.ascontiguousarray(points.T)
    model = start
    while True:
        squared = model.distances(points)
        members, densities = _shared(model._log_parts(squared))
        yield model, float(densities.mean())
        model = _maximised(columns, model, members, squared, estimated=estimated)


def criterion(model: Mixture, points: F64, kind: Criterion, *, estimated: bool = False) -> float:
    """Return what a mixture costs, the lower the better, given points of shape (n, p).

    ``bic`` weighs fit against the number of parameters; ``icl`` (Biernacki, Celeux and Govaert 2000,
    doi:10.1109/34.865189) also counts against it that events lie between components.
    """
    k, p, n = model.n_components, model.n_axes, points.shape[0]
    free = k - 1 + k * p + k * p * (p + 1) // 2 + (k if estimated else 0)
    members, densities = _shared(model.log_parts(points))
    cost = free * np.log(n) - 2 * float(densities.sum())
    if kind == "icl":
        cost -= 2 * float((members * np.log(np.maximum(members, 1e-300))).sum())
    return float(cost)


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


def _maximised(columns: F64, model: Mixture, members: F64, squared: F64, *, estimated: bool) -> Mixture:
    """Return the mixture that is likeliest given the memberships, shape (k, n); columns of shape (p, n)."""
    p, n = columns.shape
    totals = members.sum(axis=1)
    is_t = np.isfinite(model.freedom)[:, None]
    freedom = np.where(is_t, model.freedom[:, None], 1.0)
    pull = np.where(is_t, (freedom + p) / (freedom + squared), 1.0)
    weighted = members * pull
    mass = weighted.sum(axis=1)
    means, scatters, freedoms = model.means.copy(), model.scatters.copy(), model.freedom.copy()
    alive = totals >= p + 1  # one with fewer events has no shape: it keeps the one it has, and its weight fades
    away = np.empty((p, *members.shape))
    for a in range(p):
        means[:, a] = np.where(alive, (weighted * columns[a]).sum(axis=1) / mass, means[:, a])
        away[a] = columns[a] - means[:, a, None]
    for a in range(p):
        along = weighted * away[a]
        for b in range(a + 1):
            crossed = np.where(alive, (along * away[b]).sum(axis=1) / mass, scatters[:, a, b])
            scatters[:, a, b] = scatters[:, b, a] = crossed
    if estimated:
        for i in np.flatnonzero(alive & is_t[:, 0]):
            freedoms[i] = _freedom(float(model.freedom[i]), p, members[i], pull[i])
    weights = np.maximum(totals / n, 1e-12)
    return Mixture(weights / weights.sum(), means, _not_flat(scatters), freedoms)


def _freedom(old: float, p: int, member: F64, pull: F64) -> float:
    """Return the likeliest degrees of freedom of a component, given the pull of its events."""
    from scipy.optimize import brentq
    from scipy.special import psi

    total = float(member.sum())
    spread = float((member * np.log(pull)).sum()) / total - np.log(float((member * pull).sum()) / total)
    spread += float(psi((old + p) / 2)) - np.log((old + p) / 2)

    def slope(freedom: float) -> float:
        return float(np.log(freedom / 2) - psi(freedom / 2) + spread)

    if slope(FREEST) <= 0:
        return FREEST
    return TIGHTEST if slope(TIGHTEST) >= 0 else float(brentq(slope, FREEST, TIGHTEST, xtol=1e-6))


def _not_flat(scatters: F64) -> F64:
    """Return scale matrices no narrower than allowed in any direction, the likeliest of those."""
    least = SMALLEST_WIDTH**2
    values, directions = np.linalg.eigh(scatters)
    flat = values[:, 0] < least
    if not flat.any():
        return scatters
    raised = (directions[:, :, None, :] * directions[:, None, :, :] * np.maximum(values, least)[:, None, None, :]).sum(
        axis=-1
    )
    return np.where(flat[:, None, None], raised, scatters)


def _shared(parts: F64) -> tuple[F64, F64]:
    """Return memberships, shape (k, n), and log-densities, shape (n,), from weighted log-densities."""
    highest = parts.max(axis=0)
    members = np.exp(parts - highest)
    total = members.sum(axis=0)
    members /= total
    return members, np.log(total) + highest


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


def one_component(points: F64, freedom: float) -> Mixture:
    """Return all points, shape (n, p), as one component of so many degrees of freedom."""
    whole = replace(_as_one(points), freedom=np.array([freedom]))
    return climbed(points, whole, max_steps=50)
