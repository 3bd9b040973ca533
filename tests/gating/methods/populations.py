"""A population made of plain arrays, for fitting without a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from stromagate.gating.method import Outside
from stromagate.model.sample import F32
from stromagate.model.scales import Scale

LINEAR = Scale()
ASINH = Scale("asinh", top=262144.0, decades=4.5)


@dataclass(frozen=True)
class FakePopulation:
    """Display values by axis; an asinh axis shows ``asinh(x / 100) / 10`` of its linear values."""

    values: Mapping[str, F32]
    name: str = "parent"
    scales: Mapping[str, Scale] = field(default_factory=dict)
    others: Mapping[str, FakePopulation] = field(default_factory=dict)
    outside: Outside = field(default_factory=Outside)

    @property
    def n(self) -> int:
        return len(next(iter(self.values.values())))

    @property
    def axes(self) -> tuple[str, ...]:
        return tuple(self.values)

    def display(self, axis: str) -> F32:
        return self.values[axis]

    def linear(self, axis: str) -> F32:
        values = self.values[axis]
        if self.scale(axis).kind != "asinh":
            return values
        with np.errstate(over="ignore"):
            return (np.sinh(values * 10) * 100).astype(np.float32)

    def scale(self, axis: str) -> Scale:
        return self.scales.get(axis, LINEAR)

    def to_display(self, axis: str, linear: float) -> float:
        return float(np.arcsinh(linear / 100) / 10) if self.scale(axis).kind == "asinh" else linear

    def to_linear(self, axis: str, display: float) -> float:
        return float(np.sinh(display * 10) * 100) if self.scale(axis).kind == "asinh" else display

    def population(self, name: str) -> FakePopulation:
        return self if name == self.name else self.others[name]


def one_axis(values: object, axis: str = "CD45") -> FakePopulation:
    return FakePopulation({axis: np.asarray(values, dtype=np.float32)})
