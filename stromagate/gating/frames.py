"""Events on one to three axes as mixtures see them: a seeded sample, in units of each axis' own width.

A fit is then the same whatever the units of the axes, and what it finds is said in display units again, rounded so that
the last bits of another machine's algebra do not show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from stromagate.gating.method import Fit, PopulationView, not_evaluable
from stromagate.gating.wording import listed
from stromagate.model.gates import Ellipse
from stromagate.model.sample import F64

FAR = 50.0  # robust deviations; single values further out would get a component of their own


@dataclass(frozen=True, slots=True)
class Frame:
    """Middle and robust width of each axis, each of shape (p,), display units."""

    centre: F64
    unit: F64

    def framed(self, sample: F64) -> F64:
        """Return points in widths from the middle, of points in display units, both of shape (n, p)."""
        return np.asarray((sample - self.centre) / self.unit)

    def shown(self, framed: F64) -> tuple[float, ...]:
        """Return one framed point, shape (p,), in display units, rounded."""
        places = zip(self.centre + self.unit * framed, self.unit, strict=True)
        return tuple(rounded(float(place), float(unit)) for place, unit in places)

    def ellipse(self, axes: tuple[str, ...], mean: F64, scatter: F64, radius_squared: float) -> Ellipse:
        """Return an ellipse in display units, of a framed centre, shape (p,), and scatter, shape (p, p)."""
        scales = np.outer(self.unit, self.unit)
        n = range(len(axes))
        covariance = tuple(
            tuple(
                rounded(float(scatter[min(i, j), max(i, j)] * scales[i, j]), float(self.unit[i] * self.unit[j]))
                for j in n
            )
            for i in n
        )
        return Ellipse(axes, self.shown(mean), covariance, radius_squared)


@dataclass(frozen=True, slots=True)
class Seen:
    """Events a mixture is fitted to: in display units and framed, both of shape (n, p)."""

    sample: F64
    points: F64
    frame: Frame

    @property
    def body(self) -> F64:
        """Framed events without those far out, shape (n_body, p)."""
        return np.asarray(self.points[(np.abs(self.points) < FAR).all(axis=1)])


def seen(
    parent: PopulationView, axes: Sequence[str], rng: Generator, *, what: str, min_events: int, most: int
) -> Seen | Fit:
    """Return the events of a population on some axes, or why there is nothing to fit.

    Parameters
    ----------
    parent : PopulationView
        The population.
    axes : sequence of str
        One to three axes.
    rng : Generator
        Source of the sample.
    what : str
        What cannot be done without events, such as ``no mixture fitted``.
    min_events : int
        Fewest events that are finite on every axis.
    most : int
        Most events that are looked at; of more a seeded sample is drawn.
    """
    missing = [axis for axis in axes if axis not in parent.axes]
    if missing:
        return not_evaluable(f"{what}: the tube has no axis {listed(missing, 'and')}")
    points = np.stack([parent.display(axis) for axis in axes], axis=1)
    rows = np.flatnonzero(np.isfinite(points).all(axis=1))
    if rows.size < min_events:
        few = f"{rows.size:,} events are too few (at least {min_events:,})"
        return not_evaluable(f"{what} on {listed(axes, 'and')}: {few}")
    if rows.size > most:
        rows = rows[np.sort(rng.choice(rows.size, most, replace=False))]
    sample = points[rows].astype(np.float64)
    frame = _robust_frame(sample)
    if not (frame.unit > 0).all():
        return not_evaluable(f"{what} on {listed(axes, 'and')}: most values are the same")
    return Seen(sample, frame.framed(sample), frame)


def rounded(value: float, unit: float) -> float:
    """Round to a millionth of the axis' width, so that the last bits of another machine's algebra do not show."""
    step = 10.0 ** (np.floor(np.log10(unit)) - 6)
    return float(np.round(value / step) * step)


def _robust_frame(sample: F64) -> Frame:
    quarter, middle, three_quarters = np.quantile(sample, (0.25, 0.5, 0.75), axis=0)
    return Frame(middle, (three_quarters - quarter) / 1.349)
