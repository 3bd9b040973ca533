"""Control limits from a baseline of runs, and the rules by which a run falls outside of them.

The rules are those of Westgard and others, Clin Chem 1981;27:493 (doi 10.1093/clinchem/27.3.493): 1-3s, one value more
than three standard deviations from the mean; 2-2s, two in a row more than two on the same side; 10x, ten in a row on
the same side. The mean and the standard deviation are robust (Huber's proposal 2 as in Analytical Methods Committee,
Analyst 1989;114:1693, doi 10.1039/an9891401693, "algorithm A" of ISO 13528), so that one bad run in the baseline does
not widen the limits for all that follow. The deviation is then widened for what a small baseline leaves open (by
Student's t), so that 1-3s is as rare after twenty batches as it is meant to be: 27 in 10,000.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stromagate.model.history import Rule
from stromagate.model.sample import F64

RULES: tuple[Rule, ...] = ("1-3s", "2-2s", "10x")
_MAD_TO_SD = 1.482602  # of a normal distribution
_REACH = 1.5  # standard deviations beyond which a value counts as if it lay there
_BACK = 1.134  # makes up for what is lost by that in a normal distribution
_STEPS, _SETTLED = 200, 1e-9


@dataclass(frozen=True, slots=True)
class Limits:
    """Mean and standard deviation of a baseline, in the unit of its values."""

    mean: float
    sd: float


def limits(values: Sequence[float]) -> Limits | None:
    """Return the limits that further values are held against: ``robust``, the deviation widened for the sample's size.

    Parameters
    ----------
    values : sequence of float, shape (n,)
        Finite values of the baseline.

    Returns
    -------
    Limits or None
        Three deviations to each side hold 99.73 % of further values, where values are normal; None as for ``robust``.
    """
    found = robust(values)
    if found is None:
        return None
    from scipy.special import ndtr, stdtrit

    n = len(values)
    wider = -float(stdtrit(n - 1, ndtr(-3.0))) * math.sqrt(1 + 1 / n) / 3
    return Limits(found.mean, wider * found.sd)


def robust(values: Sequence[float]) -> Limits | None:
    """Return the robust mean and standard deviation of values.

    Parameters
    ----------
    values : sequence of float, shape (n,)
        Finite values.

    Returns
    -------
    Limits or None
        None with fewer than two values, or where they do not differ: then there is no spread to judge by.
    """
    data: F64 = np.sort(np.asarray(values, dtype=np.float64))
    if data.size < 2 or data[0] == data[-1]:
        return None
    mean = float(np.median(data))
    sd = _MAD_TO_SD * float(np.median(np.abs(data - mean))) or float(np.std(data, ddof=1))
    for _ in range(_STEPS):
        pulled = np.clip(data, mean - _REACH * sd, mean + _REACH * sd)
        before = mean, sd
        mean, sd = float(pulled.mean()), _BACK * float(pulled.std(ddof=1))
        if sd == 0 or max(abs(mean - before[0]), abs(sd - before[1])) <= _SETTLED * before[1]:
            break
    return Limits(mean, sd) if sd > 0 else None


def broken(values: Sequence[float | None], known: Limits) -> list[tuple[Rule, ...]]:
    """Return the rules that each value breaks, with those before it.

    Parameters
    ----------
    values : sequence of float or None
        In their order, beginning after the baseline. A batch without a value (None) neither breaks a row nor counts.
    known : Limits
        Of the baseline.

    Returns
    -------
    list of tuple of str
        As long as ``values``; a rule stands at the last value of the row that breaks it, and at each one after it
        that carries on.
    """
    row: list[float] = []
    found: list[tuple[Rule, ...]] = []
    for value in values:
        if value is None:
            found.append(())
            continue
        row.append((value - known.mean) / known.sd)
        held = {"1-3s": abs(row[-1]) > 3, "2-2s": _same_side(row[-2:], 2, 2.0), "10x": _same_side(row[-10:], 10, 0.0)}
        found.append(tuple(rule for rule in RULES if held[rule]))
    return found


def _same_side(row: Sequence[float], n: int, beyond: float) -> bool:
    return len(row) == n and (all(z > beyond for z in row) or all(z < -beyond for z in row))


def beyond_chance(n_series: int, level: float = 0.01) -> float:
    """Return the deviations that one of several series lies beyond by chance, on either side, so often in all.

    Parameters
    ----------
    n_series : int
        How many are judged.
    level : float
        Share of steady runs in which any of them does (Bonferroni). The default is an own choice.
    """
    from scipy.special import ndtri

    return max(3.0, -float(ndtri(level / (2 * max(n_series, 1)))))
