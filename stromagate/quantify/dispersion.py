"""Whether counts of several tubes differ by more than counting, and the rate of all together in either case.

Tubes agree where a chi-square test of the table (tube by cell of the population or other) does not tell them apart at
5 %. Their counts are then added up. Where they differ, the variance between tubes over that of counting widens the
interval of the common rate (quasi-Poisson, on the log scale, with Student's t for the few tubes there are; McCullagh
and Nelder, doi:10.1201/9780203753736).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from stromagate.errors import UsageError
from stromagate.model.sample import F64
from stromagate.quantify.intervals import check_confidence

LEVEL = 0.05
"""Tubes whose differences counting makes more often than this are pooled. Customary, and an own choice here."""

_ENOUGH = 5.0  # Expected events in every cell of the table from which the chi-square law is taken; customary.
_N_DRAWS = 5_000
_MOST_DRAWN_FROM = 1e9  # numpy draws from no more.
_SEED = 20150


@dataclass(frozen=True, slots=True)
class Dispersion:
    """What a test of several counts found.

    ``factor`` is the variance between tubes over that of counting, ``p`` how often counting alone makes them differ as
    much. ``cv_pct`` is the CV of the rates, ``poisson_cv_pct`` the one that counting leads to expect; both are None
    without a count.
    """

    chi_square: float
    factor: float
    p: float
    cv_pct: float | None
    poisson_cv_pct: float | None

    @property
    def agree(self) -> bool:
        """Whether the tubes may be pooled."""
        return self.p > LEVEL


def dispersion(counts: Sequence[int], totals: Sequence[int]) -> Dispersion:
    """Test whether several tubes have one rate.

    Parameters
    ----------
    counts : sequence of int, length n_tubes
        Events of the population, at least two tubes.
    totals : sequence of int, length n_tubes
        Events of which they are a part, each at least 1. For a ratio to other cells, both together.

    Raises
    ------
    UsageError
        Fewer than two tubes, or impossible counts.
    """
    _check(counts, totals)
    seen, of = np.asarray(counts, dtype=np.float64), np.asarray(totals, dtype=np.float64)
    share = float(seen.sum() / of.sum())
    df = len(counts) - 1
    if share in {0.0, 1.0}:  # none anywhere, or all everywhere: nothing differs
        return Dispersion(0.0, 0.0, 1.0, None if share == 0 else 0.0, None if share == 0 else 0.0)
    chi = float(_chi_square(seen[None, :], of)[0])
    least = float(np.min(of) * min(share, 1 - share))
    by_law = least >= _ENOUGH or of.sum() >= _MOST_DRAWN_FROM
    p = _by_law(chi, df) if by_law else _by_draws(sum(counts), tuple(totals), chi)
    rates = seen / of
    cv = 100 * float(rates.std(ddof=1) / rates.mean())
    expected = 100 * math.sqrt(float(np.mean(share * (1 - share) / of))) / share
    return Dispersion(chi, chi / df, p, cv, expected)


def overdispersed(counts: Sequence[int], totals: Sequence[int], confidence: float) -> tuple[float, float]:
    """Return the limits of the common rate of tubes that differ (share of ``totals``, or ratio to them).

    Parameters
    ----------
    counts, totals : sequence of int, length n_tubes
        Events of the population, not all zero, and what they are divided by.
    confidence : float
        Level, between 0 and 1.

    Raises
    ------
    UsageError
        Fewer than two tubes, impossible counts, no event in any tube, or an impossible confidence.
    """
    from scipy.special import stdtrit

    check_confidence(confidence)
    _check(counts, totals, part=False)
    k = sum(counts)
    if not k:
        raise UsageError(
            "quantify.replicates",
            f"none of {len(counts)} tubes holds an event: they do not differ, and leave no limits of a spread",
            hint="take the exact limits of no event in all tubes together",
        )
    rate = k / sum(totals)
    expected = [rate * total for total in totals]
    factor = sum((count - mean) ** 2 / mean for count, mean in zip(counts, expected, strict=True)) / (len(counts) - 1)
    t = float(stdtrit(len(counts) - 1, (1 + confidence) / 2))
    reach = t * math.sqrt(max(factor, 1.0) / k)
    return rate * math.exp(-reach), rate * math.exp(reach)


def _chi_square(counts: F64, totals: F64) -> F64:
    """Return the statistic of tables of one row a draw, shape (n_draws, n_tubes)."""
    share = counts.sum(axis=1, keepdims=True) / totals.sum()
    expected = totals * share
    return np.asarray(np.sum((counts - expected) ** 2 / (expected * (1 - share)), axis=1), dtype=np.float64)


def _by_law(chi_square: float, df: int) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(df, chi_square))


@lru_cache(maxsize=4096)  # a run asks twice: for its findings and for its tables
def _by_draws(count: int, totals: tuple[int, ...], chi_square: float) -> float:
    """Return p of small counts: tables with the same margins, drawn by chance from a fixed seed."""
    rng = np.random.default_rng(_SEED)
    few = min(count, sum(totals) - count)  # the table is the same seen from either side
    drawn = rng.multivariate_hypergeometric(np.array(totals), few, size=_N_DRAWS, method="marginals")
    chi = _chi_square(drawn.astype(np.float64), np.array(totals, dtype=np.float64))
    return float((1 + np.count_nonzero(chi >= chi_square * (1 - 1e-9))) / (_N_DRAWS + 1))


def _check(counts: Sequence[int], totals: Sequence[int], *, part: bool = True) -> None:
    odd = any(count < 0 or total < 1 or (part and count > total) for count, total in zip(counts, totals, strict=False))
    if len(counts) < 2 or len(counts) != len(totals) or odd:
        raise UsageError(
            "quantify.replicates",
            f"counts {list(counts)} of {list(totals)} cannot be compared",
            hint="give two tubes or more, each with a total of at least 1 and a count from 0 on that is part of it",
        )
