"""What is known of control tubes when another tube is gated: values at a few populations, never the events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from stromagate.model.sample import F32, F64


@dataclass(frozen=True, slots=True)
class Distribution:
    """Compensated values of one axis in one population, thinned in the body and whole in both tails.

    Attributes
    ----------
    values : ndarray of float32, shape (k,), linear units
        Ascending.
    weights : ndarray of float64, shape (k,)
        How many events each value stands for; 1 in the tails.
    """

    values: F32
    weights: F64

    @property
    def n(self) -> float:
        """Number of events with a finite value."""
        return float(self.weights.sum())

    def at_least(self, value: float) -> float:
        """Return how many events lie at a value or above."""
        return float(self.weights[np.searchsorted(self.values, np.float32(value)) :].sum())


@dataclass(frozen=True, slots=True)
class ControlTube:
    """One control as the tubes it belongs to see it.

    ``matched`` are the keys on which it was paired with the tube (``batch``, ``patient_id``, ...), ``mismatched`` says
    in words what differs between the two that should not (a detector's voltage, the date, the panel).
    """

    sample_id: str
    role: str
    sha256: str
    n_events: int
    distributions: Mapping[tuple[str, str], Distribution] = field(default_factory=dict)
    matched: tuple[str, ...] = ()
    mismatched: tuple[str, ...] = ()

    def distribution(self, population: str, axis: str) -> Distribution | None:
        """Return the values of an axis in a population; None where the control does not show them."""
        return self.distributions.get((population, axis))
