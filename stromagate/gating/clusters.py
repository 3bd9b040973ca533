"""From the components of a mixture to clusters that a person would outline, and an ellipse around each.

A mixture needs several components for one skewed cloud, such as granulocytes on side scatter. Components between which
the density has no valley are therefore one cluster (as in Hennig 2010, doi:10.1007/s11634-010-0058-3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stromagate.gating.mixture_fit import one_component
from stromagate.gating.mixtures import Mixture
from stromagate.model.sample import F64

_WAY = np.linspace(0.0, 1.0, 33)  # places on the way from one centre to another
_FEWEST = 20  # events of a merged cluster from which it can have a shape of its own


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster: the components it is made of, and its own shape.

    Attributes
    ----------
    components : tuple of int
        Positions in the mixture.
    weight : float
        Share of the events (0-1).
    shape : Mixture
        The cluster as one component.
    """

    components: tuple[int, ...]
    weight: float
    shape: Mixture

    @property
    def centre(self) -> F64:
        """Its centre, shape (p,)."""
        return np.asarray(self.shape.means[0])


@dataclass(frozen=True, slots=True)
class Outlined:
    """How far the ellipse of a cluster reaches, and what lies inside.

    ``inside`` is the share of all events; ``kept`` the share of the cluster's own events; ``purity`` the share of the
    events inside that are the cluster's own (0-1).
    """

    radius_squared: float
    inside: float
    kept: float
    purity: float


def joined(model: Mixture, max_depth: float, most: int) -> list[tuple[int, ...]]:
    """Return the components of every cluster.

    Parameters
    ----------
    model : Mixture
        A fitted mixture.
    max_depth : float
        Clusters lie apart where the density between them falls below this share of the lower peak (0-1).
    most : int
        Most clusters: the shallowest valleys are filled until no more are left.

    Returns
    -------
    list of tuple of int
        In the order of their first components.
    """
    k = model.n_components
    depths = sorted((-_depth(model, i, j), i, j) for i in range(k) for j in range(i + 1, k))
    label = list(range(k))
    for depth, i, j in depths:
        if -depth <= max_depth and len(set(label)) <= most:
            break
        label = [label[i] if each == label[j] else each for each in label]
    return [tuple(i for i in range(k) if label[i] == name) for name in dict.fromkeys(label)]


def cluster_of(model: Mixture, group: tuple[int, ...], mine: F64) -> Cluster:
    """Return one cluster with its shape: its component's own, or one component fitted to the events of several.

    Parameters
    ----------
    model : Mixture
        A fitted mixture.
    group : tuple of int
        Components of the cluster.
    mine : ndarray of float64, shape (n_mine, p)
        Events that most likely belong to it.
    """
    index: Any = list(group)
    weight = float(model.weights[index].sum())
    if len(group) > 1 and mine.shape[0] >= _FEWEST:
        return Cluster(group, weight, one_component(mine, float(model.freedom[index].min())))
    heaviest: NDArray[np.intp] = np.array([group[int(np.argmax(model.weights[index]))]])
    alone = Mixture(np.ones(1), model.means[heaviest], model.scatters[heaviest], model.freedom[heaviest])
    return Cluster(group, weight, alone)


def belonging(model: Mixture, groups: Sequence[tuple[int, ...]], points: F64) -> F64:
    """Return the probability of every cluster for every point, shape (n_clusters, n), of points of shape (n, p)."""
    members = model.memberships(points)
    return np.stack([members[list(group)].sum(axis=0) for group in groups])


def outlined(cluster: Cluster, members: F64, points: F64, quantile: float, probability: float) -> Outlined:
    """Return the ellipse that holds a share of a cluster, or a smaller one where others begin.

    Parameters
    ----------
    cluster : Cluster
        The cluster.
    members : ndarray of float64, shape (n,)
        Probability of every point to belong to it.
    points : ndarray of float64, shape (n, p)
        Events.
    quantile : float
        Share of the cluster inside at most (0-1).
    probability : float
        Where events on the border belong to the cluster with less than this probability, the ellipse is smaller (0-1).

    Returns
    -------
    Outlined
    """
    limit = cluster.shape.radius_squared(0, quantile)
    squared = cluster.shape.distances(points)[0]
    order = np.argsort(squared, kind="stable")
    ordered = squared[order]
    reach = int(np.searchsorted(ordered, limit, side="right"))
    # What is won by growing: own events, less what others cost. The sum is highest where the next shell no longer pays.
    won = np.cumsum(members[order[:reach]] - probability)
    if reach == 0 or won.max() <= 0:
        return Outlined(limit, 0.0, 0.0, 0.0)
    last = int(np.argmax(won))
    if last + 1 < reach:
        limit, reach = float(ordered[last] + ordered[last + 1]) / 2, last + 1
    own = float(members[order[:reach]].sum())
    return Outlined(limit, reach / squared.size, own / float(members.sum()), own / reach)


def _depth(model: Mixture, i: int, j: int) -> float:
    """Return the lowest density on the way between two centres, as a share of the lower peak beside it.

    All peaks and valleys of two components lie on one line between their centres (Ray and Lindsay 2005,
    doi:10.1214/009053605000000417), and it is that way that is walked, through the density of all components.
    """
    first, second = np.linalg.inv(model.scatters[i]), np.linalg.inv(model.scatters[j])
    towards = np.einsum("ab,b->a", first, model.means[i]), np.einsum("ab,b->a", second, model.means[j])
    way = np.stack([np.linalg.solve((1 - t) * first + t * second, (1 - t) * towards[0] + t * towards[1]) for t in _WAY])
    density = np.exp(np.logaddexp.reduce(model.log_parts(way), axis=0))
    before, after = np.maximum.accumulate(density), np.maximum.accumulate(density[::-1])[::-1]
    return float((density / np.minimum(before, after)).min())
