"""Intervals of counts, shares and ratios: exact by default, Wilson on request, never Wald.

Exact means that the interval holds the true value with *at least* the stated confidence, whatever that value is
(Clopper and Pearson, doi:10.1093/biomet/26.4.404; Garwood for counts, doi:10.1093/biomet/28.3-4.437).
"""

from __future__ import annotations

import math

from stromagate.errors import UsageError

Bounds = tuple[float, float]


def clopper_pearson(count: int, total: int, confidence: float = 0.95) -> Bounds:
    """Return the exact interval of a share.

    Parameters
    ----------
    count : int
        Events that have the property, 0 to ``total``.
    total : int
        Events looked at, at least 1.
    confidence : float
        Least coverage, between 0 and 1 (two-sided).

    Returns
    -------
    tuple of float
        Lower and upper bound of the share, 0 to 1.

    Raises
    ------
    UsageError
        Impossible counts or confidence.
    """
    from scipy.special import betainccinv, betaincinv

    tail = _tail(count, total, confidence)
    low = 0.0 if count == 0 else float(betaincinv(count, total - count + 1, tail))
    # The complement keeps the digits of a rare population's upper bound.
    high = 1.0 if count == total else float(betainccinv(count + 1, total - count, tail))
    return low, high


def wilson(count: int, total: int, confidence: float = 0.95) -> Bounds:
    """Return Wilson's score interval of a share (doi:10.1080/01621459.1927.10502953): coverage near the confidence.

    Parameters
    ----------
    count : int
        Events that have the property, 0 to ``total``.
    total : int
        Events looked at, at least 1.
    confidence : float
        Nominal coverage, between 0 and 1 (two-sided).

    Returns
    -------
    tuple of float
        Lower and upper bound of the share, 0 to 1.

    Raises
    ------
    UsageError
        Impossible counts or confidence.
    """
    from scipy.special import ndtri

    z = -float(ndtri(_tail(count, total, confidence)))
    share, weight = count / total, z * z / total
    centre = (share + weight / 2) / (1 + weight)
    half = z * math.sqrt(share * (1 - share) / total + weight / (4 * total)) / (1 + weight)
    return (0.0 if count == 0 else max(0.0, centre - half)), (1.0 if count == total else min(1.0, centre + half))


def poisson(count: int, confidence: float = 0.95) -> Bounds:
    """Return the exact interval of the mean behind a count.

    Parameters
    ----------
    count : int
        Events seen, at least 0.
    confidence : float
        Least coverage, between 0 and 1 (two-sided).

    Returns
    -------
    tuple of float
        Lower and upper bound in events.

    Raises
    ------
    UsageError
        A negative count, or an impossible confidence.
    """
    from scipy.special import gammainccinv, gammaincinv

    tail = _tail(count, max(count, 1), confidence)
    return (0.0 if count == 0 else float(gammaincinv(count, tail))), float(gammainccinv(count + 1, tail))


def poisson_ratio(count: int, other: int, confidence: float = 0.95) -> tuple[float, float | None]:
    """Return the exact interval of the ratio of two rates counted in the same tube on events that exclude each other.

    Given their sum, the first count is binomial with share ``r / (1 + r)``; that share has Clopper-Pearson bounds.

    Parameters
    ----------
    count, other : int
        Events of either kind, not both zero.
    confidence : float
        Least coverage, between 0 and 1 (two-sided).

    Returns
    -------
    tuple of float
        Lower and upper bound of ``count / other``; the upper is None where nothing bounds it (``other`` is zero).

    Raises
    ------
    UsageError
        Impossible counts or confidence.
    """
    low, high = clopper_pearson(count, count + other, confidence)
    # One minus either bound is the other event's bound, which keeps the digits where the ratio is large.
    other_low, other_high = clopper_pearson(other, count + other, confidence)
    return low / other_high, high / other_low if other_low > 0 else None


def normal_quantile(confidence: float) -> float:
    """Return how many standard deviations lie on either side of the middle at a level of confidence, such as 1.96.

    Raises
    ------
    UsageError
        A confidence that is not between 0 and 1.
    """
    from scipy.special import ndtri

    check_confidence(confidence)
    return -float(ndtri((1 - confidence) / 2))


def check_confidence(confidence: float) -> None:
    """Refuse a level that is none, 95 for 0.95 among them.

    Raises
    ------
    UsageError
        A confidence that is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise UsageError(
            "quantify.confidence",
            f"the confidence of an interval is {confidence:g}",
            hint="give a number between 0 and 1, such as 0.95",
        )


def settled(bound: float | None) -> float | None:
    """Return a bound to twelve digits: beyond those the inverse functions may differ between machines."""
    return None if bound is None else float(f"{bound:.12g}")


def _tail(count: int, total: int, confidence: float) -> float:
    """Check the arguments and return the probability left out on either side."""
    check_confidence(confidence)
    if total < 1 or not 0 <= count <= total:
        raise UsageError(
            "quantify.counts",
            f"no interval can be made from {count} of {total} events",
            hint="the total must be at least 1, and the count between 0 and the total",
        )
    return (1 - confidence) / 2
