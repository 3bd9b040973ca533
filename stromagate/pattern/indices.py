"""P, Q and P/MSC of a tube: net of background, with intervals, and where they lie beside the calibration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np

from stromagate.model.calibration import MIN_PERCENTILES, CohortCalibration, ControlCalibration
from stromagate.model.pattern import Index, IndexValue
from stromagate.model.sample import F64
from stromagate.pattern.cut_points import AnyCalibration, Cuts
from stromagate.pattern.rates import Rates


def index_values(
    points: Mapping[str, Rates],
    drawn: Mapping[str, Rates],
    confidence: float,
    calibration: AnyCalibration | None = None,
    cuts: Mapping[str, Mapping[Index, Cuts]] | None = None,
) -> tuple[IndexValue, ...]:
    """Return P and Q under every denominator, and P/MSC once.

    Parameters
    ----------
    points : mapping of str to Rates
        As counted.
    drawn : mapping of str to Rates, each of shape (n_draws,)
        What counting, background and boundaries leave open.
    confidence : float
        Level of the intervals: equal tails of the draws.
    calibration, cuts : optional
        What they are laid beside.
    """
    found = [
        value
        for denominator in points
        for value in _under(denominator, points[denominator], drawn[denominator], confidence, calibration, cuts or {})
    ]
    first = next(iter(points))
    return (*found, _share(points[first], drawn[first], confidence))


def _under(
    denominator: str,
    points: Rates,
    drawn: Rates,
    confidence: float,
    calibration: AnyCalibration | None,
    cuts: Mapping[str, Mapping[Index, Cuts]],
) -> Iterator[IndexValue]:
    indices: tuple[Index, ...] = ("P", "Q")
    for index in indices:
        value = float(points.of(index)[0])
        low, high = _limits(drawn.of(index), confidence)
        cut = cuts.get(denominator, {}).get(index)
        yield IndexValue(
            index=index,
            denominator=denominator,
            value=settled(value),
            unit="per million",
            ci_low=min(low, settled(value)),
            ci_high=max(high, settled(value)),
            cut_low=settled(cut.low) if cut else None,
            cut_high=settled(cut.high) if cut else None,
            percentile=_percentile(calibration, denominator, index, value),
            position=_position(value, cut),
        )


def _share(points: Rates, drawn: Rates, confidence: float) -> IndexValue:
    both = float(points.p[0] + points.q[0])
    if both <= 0:
        return IndexValue(index="P/MSC", value=None, unit="fraction")
    value = settled(float(points.p[0]) / both)
    sums = drawn.p + drawn.q
    low, high = _limits(np.divide(drawn.p, sums, out=np.zeros_like(sums), where=sums > 0), confidence)
    return IndexValue(index="P/MSC", value=value, unit="fraction", ci_low=min(low, value), ci_high=max(high, value))


def _limits(draws: F64, confidence: float) -> tuple[float, float]:
    low, high = np.quantile(draws, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return settled(float(low)), settled(float(high))


def settled(value: float) -> float:
    """Return a number to six digits: what random draws leave of it beyond is noise, and may differ between machines."""
    return float(f"{value:.6g}")


def _percentile(calibration: AnyCalibration | None, denominator: str, index: Index, value: float) -> float | None:
    """Return the share of the calibration's tubes below a value, halves of equal ones counted; None under 20 tubes."""
    if not isinstance(calibration, ControlCalibration | CohortCalibration) or calibration.n < MIN_PERCENTILES:
        return None
    reference = calibration.rates.get(denominator)
    if reference is None:
        return None
    rates = np.array(reference.P if index == "P" else reference.Q)
    value = settled(value)  # as those of the calibration are: a tube of its own is equal to itself
    return float((np.count_nonzero(rates < value) + 0.5 * np.count_nonzero(rates == value)) / rates.size)


def _position(value: float, cut: Cuts | None) -> Literal["", "below", "within", "above"]:
    if cut is None:
        return ""
    return "above" if value >= cut.high else "below" if value < cut.low else "within"
