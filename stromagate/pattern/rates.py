"""Monte Carlo over what a tube leaves open: counts, background and boundaries become draws of its true rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stromagate.model.pattern import Index
from stromagate.model.sample import F64
from stromagate.pattern.evidence import MILLION, Background, Counted, Evidence

_PRIOR = 0.5
"""Jeffreys' prior of a Poisson mean: a count of k leaves a gamma distribution of shape k + 1/2."""


@dataclass(frozen=True, slots=True)
class Rates:
    """P and Q per million of one denominator, net of background, never below zero: draws, or one value each."""

    p: F64
    q: F64

    def of(self, index: Index) -> F64:
        """Return those of an index."""
        return self.p if index == "P" else self.q


def draw_rates(
    evidence: Evidence, counted: Counted, n: int, rng: np.random.Generator, *, net: bool
) -> dict[str, Rates]:
    """Draw the true rates of a tube under every denominator; draws at one place belong together.

    Parameters
    ----------
    evidence : Evidence
        Its background.
    counted : Counted
        Its counts: on redrawn boundaries each draw takes one of them.
    n : int
        Number of draws.
    rng : numpy.random.Generator
        Source of randomness.
    net : bool
        Whether background is taken off.

    Returns
    -------
    dict of str to Rates, each of shape (n,)
        Per million of the denominator.
    """
    replay = rng.integers(0, counted.p.size, n)
    p, q = (rng.gamma(events[replay] + _PRIOR) for events in (counted.p, counted.q))
    both = p + q
    if net:
        p = np.maximum(p - _drawn(evidence.background_p, n, rng), 0.0)
        both = np.maximum(both - _drawn(evidence.background_msc, n, rng), 0.0)
    p = np.minimum(p, both)
    found = {}
    for name, events in counted.totals.items():
        per = MILLION / rng.gamma(events[replay] + _PRIOR)
        found[name] = Rates(p * per, (both - p) * per)
    return found


def point_rates(evidence: Evidence, counted: Counted, *, net: bool) -> dict[str, Rates]:
    """Return the rates as counted, under every denominator."""
    p, both = float(counted.p[0]), float(counted.p[0] + counted.q[0])
    if net:
        p = max(p - _expected(evidence.background_p), 0.0)
        both = max(both - _expected(evidence.background_msc), 0.0)
    p = min(p, both)
    return {
        name: Rates(np.array([p * MILLION / events[0]]), np.array([(both - p) * MILLION / events[0]]))
        for name, events in counted.totals.items()
    }


def without_blood(rates: Mapping[str, Rates], share: float) -> dict[str, Rates]:
    """Return rates as they were before blood was drawn in with the marrow; stroma has no place in blood."""
    return {name: Rates(each.p / (1 - share), each.q / (1 - share)) for name, each in rates.items()}


def _drawn(background: Background | None, n: int, rng: np.random.Generator) -> F64:
    """Draw the background of one tube: what blanks leave open of their mean, and how each tube differs from it."""
    if background is None:
        return np.zeros(n)
    mean = rng.gamma(background.events + _PRIOR, size=n) * background.scale
    beyond = background.spread * (1 + 1 / background.n_blanks)
    return np.asarray(mean * rng.gamma(1 / beyond, beyond, n) if beyond else mean)


def _expected(background: Background | None) -> float:
    return 0.0 if background is None else background.expected
