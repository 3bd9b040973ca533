"""What a gated control tells the tubes it belongs to: values at a few populations, thinned where they are many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from stromagate.gating.density import finite
from stromagate.model.controls import Distribution
from stromagate.model.sample import F32, F64

if TYPE_CHECKING:
    from stromagate.gating.engine import Gated
    from stromagate.model.template import ControlNeed
    from stromagate.prepare.prepared import Prepared

TAIL_EVENTS = 4000
"""Events of either tail that are kept one by one: a cut that lets one in a hundred thousand through needs them."""

BODY_VALUES = 4000
"""Values that stand for all events between the tails; a quantile is then known to a five-thousandth of its width."""


def describe(prepared: Prepared, gated: Gated, needs: Iterable[ControlNeed]) -> Mapping[tuple[str, str], Distribution]:
    """Return what gates of other tubes want to know of a control.

    Parameters
    ----------
    prepared : Prepared
        The control.
    gated : Gated
        Its populations.
    needs : iterable of ControlNeed
        What is wanted; the role is the caller's affair.

    Returns
    -------
    mapping of (str, str) to Distribution
        By population and axis. What the control does not show is absent: a population that was not evaluable, an axis
        it does not carry. A population without events is there, with no values.
    """
    wanted = dict.fromkeys((need.population, need.axis) for need in needs)
    return {
        (population, axis): distribution(prepared.linear(axis, gated.members[population]))
        for population, axis in wanted
        if population in gated.members and axis in prepared.axes
    }


def distribution(values: F32) -> Distribution:
    """Return events as a distribution, thinned between the tails.

    Parameters
    ----------
    values : ndarray of float32, shape (n,), linear units
        In any order; what is not finite is left out.
    """
    ascending = np.sort(finite(values))
    return thinned(Distribution(ascending, np.ones(ascending.size)))


def thinned(whole: Distribution) -> Distribution:
    """Return a distribution of at most ``2 * TAIL_EVENTS + BODY_VALUES`` values, whole in both tails."""
    if whole.values.size <= 2 * TAIL_EVENTS + BODY_VALUES:
        return whole
    # Heavy values cannot lie in a tail that has been thinned before; they would make it longer, never shorter.
    low, high = TAIL_EVENTS, whole.values.size - TAIL_EVENTS
    cumulated = np.cumsum(whole.weights[low:high])
    edges = np.searchsorted(cumulated, np.linspace(0, cumulated[-1], BODY_VALUES + 1)[1:-1], side="left") + 1
    starts = np.unique(np.concatenate([[0], edges]))
    starts = starts[starts < cumulated.size]
    weights = np.add.reduceat(whole.weights[low:high], starts)
    middles = (starts + np.concatenate([starts[1:], [cumulated.size]])) // 2
    return Distribution(
        np.concatenate([whole.values[:low], whole.values[low:high][middles], whole.values[high:]]),
        np.concatenate([whole.weights[:low], weights, whole.weights[high:]]),
    )


def pooled(distributions: Sequence[Distribution]) -> Distribution:
    """Return all events of several distributions as one."""
    if not distributions:
        return Distribution(np.empty(0, dtype=np.float32), np.empty(0))
    values = np.concatenate([each.values for each in distributions])
    weights = np.concatenate([each.weights for each in distributions])
    order = np.argsort(values, kind="stable")
    return Distribution(values[order], weights[order])


def quantiles(of: Distribution, fractions: Sequence[float]) -> F64:
    """Return the values below which these shares of the events lie, shape (len(fractions),), linear units.

    Every value stands in the middle of its weight, with straight lines between; NaN where there are no events.
    """
    if not of.weights.sum() > 0:
        return np.full(len(fractions), np.nan)
    upper = np.cumsum(of.weights)
    at = np.asarray(fractions) * upper[-1]
    return np.asarray(np.interp(at, upper - of.weights / 2, of.values.astype(np.float64)))


def below(of: Distribution, value: float) -> Distribution:
    """Return the events below a value."""
    end = int(np.searchsorted(of.values, np.float32(value)))
    return Distribution(of.values[:end], of.weights[:end])


def redrawn(of: Distribution, rng: Generator) -> Distribution:
    """Return a bootstrap draw: every event comes a Poisson number of times."""
    return Distribution(of.values, rng.poisson(of.weights).astype(np.float64))


@dataclass(frozen=True, slots=True)
class Pool:
    """Several tubes' events as one distribution that still knows whose each value is.

    Attributes
    ----------
    whole : Distribution
        All of them.
    whose : ndarray of intp, shape (k,)
        The tube of each value.
    tubes : int
        How many there are, those without events included.
    """

    whole: Distribution
    whose: NDArray[np.intp]
    tubes: int

    def redrawn(self, times: NDArray[np.int64], rng: Generator) -> Distribution:
        """Return a bootstrap draw in which tube i comes ``times[i]`` times: donors differ by more than counting."""
        weights = rng.poisson(self.whole.weights * times[self.whose])
        return Distribution(self.whole.values, weights.astype(np.float64))


def pool(distributions: Sequence[Distribution]) -> Pool:
    """Return all events of several tubes as one distribution that knows the tubes."""
    whose = np.repeat(np.arange(len(distributions)), [each.values.size for each in distributions])
    order = np.argsort(np.concatenate([np.empty(0), *(each.values for each in distributions)]), kind="stable")
    return Pool(pooled(distributions), whose[order], len(distributions))
