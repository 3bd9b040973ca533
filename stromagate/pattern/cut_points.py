"""Where a calibration parts low from high, and how far its own size leaves that open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stromagate.model.calibration import (
    MIN_RANGE_90,
    MIN_RANGE_95,
    CohortCalibration,
    ControlCalibration,
    OutcomeCalibration,
)
from stromagate.model.pattern import Index
from stromagate.model.sample import F64

AnyCalibration = ControlCalibration | CohortCalibration | OutcomeCalibration


N_RESAMPLES = 2000
"""Resamples of a calibration's tubes, of which each draw takes one."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """One index under one denominator: below ``low`` it is low, from ``high`` on high; per million.

    ``low_draws`` and ``high_draws`` have shape (n,) and belong together. The two are one but where there is a range.
    """

    low: float
    high: float
    low_draws: F64
    high_draws: F64


def levels(calibration: AnyCalibration) -> tuple[float, float] | None:
    """Return the quantiles that the cut-points of a calibration made of tubes are; None where these are too few."""
    if isinstance(calibration, CohortCalibration):
        return (0.5, 0.5) if calibration.cut == "median" else (1 / 3, 2 / 3)
    assert isinstance(calibration, ControlCalibration)
    if calibration.n >= MIN_RANGE_95:
        return 0.025, 0.975
    return (0.05, 0.95) if calibration.n >= MIN_RANGE_90 else None


def cut_points(
    calibration: AnyCalibration, denominator: str, n: int, rng: np.random.Generator
) -> dict[Index, Cuts] | None:
    """Return the cut-points of P and Q under a denominator.

    Those of tubes are quantiles on log10(ppm + c) (rank p (n + 1), CLSI EP28), redrawn by resampling the tubes; those
    that were fitted on outcomes bring their own draws.

    Parameters
    ----------
    calibration : ControlCalibration, CohortCalibration or OutcomeCalibration
        Any level from L1 on.
    denominator : str
        One that the calibration knows.
    n : int
        Number of draws.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    dict of str to Cuts, or None
        None where the calibration does not know the denominator, or has too few tubes for a range.
    """
    if isinstance(calibration, OutcomeCalibration):
        return _fitted(calibration, denominator, n, rng)
    quantiles = levels(calibration)
    reference = calibration.rates.get(denominator)
    if quantiles is None or reference is None:
        return None
    resampled = rng.integers(0, calibration.n, (N_RESAMPLES, calibration.n))
    place = rng.integers(0, N_RESAMPLES, n)
    found: dict[Index, Cuts] = {}
    for index, rates in (("P", reference.P), ("Q", reference.Q)):
        logs = np.log10(np.array(rates) + calibration.offset_ppm)
        here = np.quantile(logs, quantiles, method="weibull")
        draws = np.quantile(logs[resampled], quantiles, axis=1, method="weibull")
        low, high = 10.0**here - calibration.offset_ppm
        low_draws, high_draws = (10.0**draws - calibration.offset_ppm)[:, place]
        found["P" if index == "P" else "Q"] = Cuts(float(low), float(high), low_draws, high_draws)
    return found


def _fitted(
    calibration: OutcomeCalibration, denominator: str, n: int, rng: np.random.Generator
) -> dict[Index, Cuts] | None:
    if denominator not in calibration.cuts:
        return None
    cuts = calibration.cuts[denominator]
    least = min(len(cuts.P.draws), len(cuts.Q.draws))
    place = rng.integers(0, least, n)  # the same bootstrap sample for both
    found: dict[Index, Cuts] = {}
    for cut, index in ((cuts.P, "P"), (cuts.Q, "Q")):
        draws = np.array(cut.draws)[place]
        found["P" if index == "P" else "Q"] = Cuts(cut.value, cut.value, draws, draws)
    return found
