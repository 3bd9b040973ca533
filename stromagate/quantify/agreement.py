"""How well two readers agree: on numbers by the intraclass correlation and by limits, on words by Cohen's kappa.

Frequencies of rare cells spread over decades, and a reader is wrong by a factor rather than by a number: both measures
of numbers are taken of logarithms unless told otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stromagate.errors import UsageError
from stromagate.model.sample import F64
from stromagate.quantify.intervals import Bounds, normal_quantile

MIN_PAIRS = 3
"""Fewer pairs say nothing of the spread of their differences; an own choice."""


@dataclass(frozen=True, slots=True)
class Intraclass:
    """ICC(2,1): absolute agreement of single readings, readers taken as drawn from many. ``n`` tubes, ``k`` readers."""

    value: float
    low: float
    high: float
    n: int
    k: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Bias and limits of agreement of second over first: ratios where ``log``, else differences.

    ``bias_ci`` and the intervals of both limits are Student's. ``n_left_out`` pairs had a reading of zero or none, of
    which there is no logarithm.
    """

    log: bool
    n: int
    n_left_out: int
    bias: float
    bias_ci: Bounds
    lower: float
    lower_ci: Bounds
    upper: float
    upper_ci: Bounds


@dataclass(frozen=True, slots=True)
class Kappa:
    """Cohen's kappa, unweighted. ``value`` and interval are None where both readers used one and the same word only."""

    value: float | None
    low: float | None
    high: float | None
    observed: float
    expected: float
    n: int
    words: tuple[str, ...]
    table: tuple[tuple[int, ...], ...]


def intraclass(readings: Sequence[Sequence[float]], *, confidence: float = 0.95) -> Intraclass:
    """Return ICC(2,1) with its interval (Shrout and Fleiss, doi:10.1037/0033-2909.86.2.420).

    Parameters
    ----------
    readings : sequence of sequences of float, shape (n_tubes, n_readers)
        Every reader's reading of every tube; for frequencies, their logarithms.
    confidence : float
        Level of the interval, between 0 and 1.

    Returns
    -------
    Intraclass
        1 where all readings agree. The interval is by F, with the degrees of freedom of Satterthwaite, as there.

    Raises
    ------
    UsageError
        Fewer than three tubes or two readers, a reading missing or not finite, or all tubes alike.
    """
    table = _table(readings)
    n, k = table.shape
    if not np.ptp(table, axis=0).any():
        raise UsageError(
            "agreement.alike",
            "every reader gave all tubes the same number: nothing parts them",
            hint="give tubes that differ",
        )
    if not np.ptp(table, axis=1).any():
        return Intraclass(1.0, 1.0, 1.0, n, k)
    between, readers, error = _mean_squares(table)
    value = (between - error) / (between + (k - 1) * error + k * (readers - error) / n)
    low, high = _icc_interval(value, (between, readers, error), n, k, confidence)
    return Intraclass(value, low, high, n, k)


def bland_altman(
    first: Sequence[float | None], second: Sequence[float | None], *, log: bool = True, confidence: float = 0.95
) -> Limits:
    """Return bias and 95 % limits of agreement (Bland and Altman, doi:10.1016/S0140-6736(86)90837-8).

    Parameters
    ----------
    first, second : sequence of float or None, length n_tubes
        The two readers' readings of the same tubes, in the same order.
    log : bool
        Take logarithms, so that bias and limits are ratios, second over first; pairs with a zero are left out and
        counted. Else they are differences, second minus first.
    confidence : float
        Level of the intervals, between 0 and 1. The limits themselves hold 95 % of differences.

    Raises
    ------
    UsageError
        Different lengths, negative readings on the log scale, or fewer than three pairs.
    """
    from scipy.special import stdtrit

    pairs = _pairs(first, second, log=log)
    differences = np.array([math.log(b / a) if log else b - a for a, b in pairs])
    n = len(differences)
    mean, sd = float(differences.mean()), float(differences.std(ddof=1))
    t = float(stdtrit(n - 1, (1 + confidence) / 2))
    reach = normal_quantile(0.95) * sd
    of_mean, of_limit = t * sd / math.sqrt(n), t * sd * math.sqrt(3 / n)

    def back(value: float) -> float:
        return math.exp(value) if log else value

    def around(value: float, half: float) -> Bounds:
        return back(value - half), back(value + half)

    return Limits(
        log=log,
        n=n,
        n_left_out=len(first) - n,
        bias=back(mean),
        bias_ci=around(mean, of_mean),
        lower=back(mean - reach),
        lower_ci=around(mean - reach, of_limit),
        upper=back(mean + reach),
        upper_ci=around(mean + reach, of_limit),
    )


def kappa(first: Sequence[str], second: Sequence[str], *, confidence: float = 0.95) -> Kappa:
    """Return Cohen's kappa with its large-sample interval (doi:10.1177/001316446002000104; doi:10.1037/h0028106).

    Parameters
    ----------
    first, second : sequence of str, length n_tubes
        The word that each of two readers gave each tube.
    confidence : float
        Level of the interval, between 0 and 1.

    Raises
    ------
    UsageError
        Different lengths, or no tube.
    """
    if len(first) != len(second) or not first:
        raise UsageError(
            "agreement.pairs",
            f"{len(first)} and {len(second)} words make no pairs",
            hint="give a word of each reader for each tube",
        )
    words = tuple(sorted({*first, *second}))
    place = {word: index for index, word in enumerate(words)}
    table = np.zeros((len(words), len(words)), dtype=np.int64)
    for a, b in zip(first, second, strict=True):
        table[place[a], place[b]] += 1
    shares = table / len(first)
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed, expected = float(np.trace(shares)), float(rows @ columns)
    listed = tuple(tuple(int(cell) for cell in row) for row in table)
    if len(words) == 1:
        return Kappa(None, None, None, observed, expected, len(first), words, listed)
    value = (observed - expected) / (1 - expected)
    half = normal_quantile(confidence) * _kappa_sd(shares, value, expected) / math.sqrt(len(first))
    return Kappa(value, max(-1.0, value - half), min(1.0, value + half), observed, expected, len(first), words, listed)


def _table(readings: Sequence[Sequence[float]]) -> F64:
    lengths = {len(row) for row in readings}
    if len(readings) < MIN_PAIRS or len(lengths) != 1 or min(lengths) < 2:
        raise UsageError(
            "agreement.readings",
            f"{len(readings)} tubes with {sorted(lengths)} readings cannot be compared",
            hint=f"give at least {MIN_PAIRS} tubes, each read by the same two readers or more",
        )
    table = np.array(readings, dtype=np.float64)
    if not np.isfinite(table).all():
        raise UsageError(
            "agreement.finite", "a reading is missing or not finite", hint="leave the tube out for all readers"
        )
    return table


def _mean_squares(table: F64) -> tuple[float, float, float]:
    """Return the mean squares between tubes, between readers, and of what is left."""
    n, k = table.shape
    grand = table.mean()
    of_tubes = k * float(((table.mean(axis=1) - grand) ** 2).sum())
    of_readers = n * float(((table.mean(axis=0) - grand) ** 2).sum())
    left = max(0.0, float(((table - grand) ** 2).sum()) - of_tubes - of_readers)
    return of_tubes / (n - 1), of_readers / (k - 1), left / ((n - 1) * (k - 1))


def _icc_interval(value: float, squares: tuple[float, float, float], n: int, k: int, confidence: float) -> Bounds:
    from scipy.special import fdtri

    between, readers, error = squares
    tail = (1 + confidence) / 2
    # Degrees of freedom of what stands under the line: of the spread of readers and of errors together. An estimate
    # below nothing stands for none there (own choice): the formula has no meaning for it.
    share = max(value, 0.0)
    a, b = k * share / n, 1 - share + k * share * (n - 1) / n
    v = (a * readers + b * error) ** 2 / ((a * readers) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1)))
    upper_f, lower_f = float(fdtri(n - 1, v, tail)), float(fdtri(v, n - 1, tail))
    noise = k * readers + (k * n - k - n) * error
    low = n * (between - upper_f * error) / (upper_f * noise + n * between)
    high = n * (lower_f * between - error) / (noise + n * lower_f * between)
    return min(low, value), min(max(high, value), 1.0)


def _pairs(first: Sequence[float | None], second: Sequence[float | None], *, log: bool) -> list[tuple[float, float]]:
    if len(first) != len(second):
        raise UsageError(
            "agreement.pairs",
            f"{len(first)} and {len(second)} readings make no pairs",
            hint="give both readers' readings of the same tubes",
        )
    there = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    if log and any(min(pair) < 0 for pair in there):
        raise UsageError("agreement.negative", "a reading is negative", hint="there is no logarithm of it: log=False")
    kept = [pair for pair in there if not log or min(pair) > 0]
    if len(kept) < MIN_PAIRS:
        raise UsageError(
            "agreement.few",
            f"{len(kept)} pairs of readings can be compared",
            hint=f"at least {MIN_PAIRS} are needed" + ("; zeros have no logarithm" if log else ""),
        )
    return kept


def _kappa_sd(shares: F64, value: float, expected: float) -> float:
    """Return the standard deviation of kappa times the root of n (Fleiss, Cohen and Everitt)."""
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    both = rows[None, :] + columns[:, None]  # of cell (i, j): column share of i and row share of j
    agreed = np.diag(shares)
    on = float((agreed * (1 - (rows + columns) * (1 - value)) ** 2).sum())
    off_table = shares * both**2
    off = (1 - value) ** 2 * float(off_table.sum() - np.trace(off_table))
    spare = (value - expected * (1 - value)) ** 2
    return math.sqrt(max(0.0, on + off - spare)) / (1 - expected)
