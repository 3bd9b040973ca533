"""Mixtures of normal and of Student t distributions: what they say of events.

Events far from every cluster pull a normal component towards them; a t component gives them the less weight the
further out they lie (Peel and McLachlan 2000, doi:10.1023/A:1008981510081). How one is fitted: ``mixture_fit``.
Nothing here, nor in a fit, sums by BLAS: the order of its sums, and so the last bits, would depend on the number of
threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from stromagate.model.sample import F64

Shape = Literal["normal", "t"]

FREEDOM = 4.0
"""Degrees of freedom of a t component, as in flowClust (Lo, Brinkman and Gottardo 2008, doi:10.1002/cyto.a.20531)."""


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
        return self.log_parts_of(self.distances(points))

    def memberships(self, points: F64) -> F64:
        """Return the probability of every component for every point, shape (k, n), of points of shape (n, p)."""
        return shared(self.log_parts(points))[0]

    def log_likelihood(self, points: F64) -> float:
        """Return the mean log-likelihood per point, of points of shape (n, p)."""
        return float(shared(self.log_parts(points))[1].mean())

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

    def log_parts_of(self, squared: F64) -> F64:
        """Return the same as ``log_parts``, of squared distances, shape (k, n), that are known already."""
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


def shared(parts: F64) -> tuple[F64, F64]:
    """Return memberships, shape (k, n), and log-densities, shape (n,), from weighted log-densities."""
    highest = parts.max(axis=0)
    members = np.exp(parts - highest)
    total = members.sum(axis=0)
    members /= total
    return members, np.log(total) + highest
