"""What a gating method may look at: the events of one population, axis by axis, made when asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from stromagate.errors import SpecificationError
from stromagate.gating.method import Outside
from stromagate.model.sample import F32, F64, Rows
from stromagate.model.scales import Scale
from stromagate.prepare.scales import display, forward, inverse

if TYPE_CHECKING:
    from stromagate.prepare.prepared import Prepared


class AbsentAxisError(SpecificationError):
    """A gate asked for an axis that this tube does not carry."""


class AbsentPopulationError(SpecificationError):
    """A gate asked for a population that does not stand above it, or has no members to look at."""


class Population:
    """The events of one population (``method.PopulationView``), and the columns its children's gates decide on.

    Parameters
    ----------
    prepared : Prepared
        The tube.
    name : str
        Name of the population.
    rows : ndarray of intp, shape (n,), or None
        Its events, sorted; None for all events of the tube.
    look_up : callable
        Returns another population by name.
    outside : Outside, optional
        What is known from outside the tube.
    """

    def __init__(
        self,
        prepared: Prepared,
        name: str,
        rows: Rows | None,
        look_up: Callable[[str], Population],
        outside: Outside | None = None,
    ) -> None:
        self._prepared, self._name, self._rows, self._look_up = prepared, name, rows, look_up
        self._outside = outside or Outside()
        self._linear: dict[str, F32] = {}
        self._display: dict[str, F32] = {}

    @property
    def name(self) -> str:
        """Name of the population."""
        return self._name

    @property
    def n(self) -> int:
        """Number of its events."""
        return self._prepared.n if self._rows is None else len(self._rows)

    @property
    def rows(self) -> Rows:
        """Its events, sorted, shape (n,)."""
        return np.arange(self._prepared.n) if self._rows is None else self._rows

    @property
    def axes(self) -> tuple[str, ...]:
        """Every axis this tube carries."""
        return tuple(self._prepared.axes)

    @property
    def outside(self) -> Outside:
        """What is known from outside the tube."""
        return self._outside

    @property
    def scales(self) -> Mapping[str, Scale]:
        """Display scale by axis."""
        return {name: axis.scale for name, axis in self._prepared.axes.items()}

    def linear(self, axis: str) -> F32:
        """Return compensated values before the display scale, shape (n,), read-only."""
        self._must_have(axis)
        if axis not in self._linear:
            self._linear[axis] = _frozen(np.ascontiguousarray(self._prepared.linear(axis, self._rows)))
        return self._linear[axis]

    def display(self, axis: str) -> F32:
        """Return values in display units, shape (n,), read-only."""
        if axis not in self._display:
            self._display[axis] = _frozen(display(self.scale(axis), self.linear(axis)))
        return self._display[axis]

    def scale(self, axis: str) -> Scale:
        """Return the display scale of an axis."""
        self._must_have(axis)
        return self._prepared.axes[axis].scale

    def to_display(self, axis: str, linear: float) -> float:
        """Return one linear value in display units."""
        return float(forward(self.scale(axis), linear)[0])

    def to_linear(self, axis: str, display: float) -> float:
        """Return one display value in linear units."""
        return float(inverse(self.scale(axis), display)[0])

    def population(self, name: str) -> Population:
        """Return a population that stands above the one being fitted: this one, or another."""
        return self._look_up(name)

    def forget(self) -> None:
        """Let go of all values made so far."""
        self._linear.clear()
        self._display.clear()

    def quick(self, axis: str) -> F32:
        """Return the quick scale values that gates are decided on (``columns.Columns``), shape (n,)."""
        return self.linear(axis)

    def finite(self, axis: str) -> bool:
        """Return whether every quick value is finite."""
        return bool(np.isfinite(self.linear(axis)).all())

    def slack(self, axis: str) -> float:
        """Return how far these may be off, in scale values."""
        return self._prepared.slack(axis)

    def exact(self, axis: str, rows: Rows) -> F64:
        """Return exact scale values, shape (k,), of the events at these positions in this population."""
        return self._prepared.exact(axis, rows if self._rows is None else self._rows[rows])

    def _must_have(self, axis: str) -> None:
        if axis not in self._prepared.axes:
            raise AbsentAxisError(
                "panel.axis",
                f"this tube carries no {axis}",
                where=self._name,
                hint=f"axes of this tube: {', '.join(self._prepared.axes)}",
            )


def no_others(name: str) -> Population:
    """Look nobody up: for a population of which gates ask values alone."""
    message = f"a population of values alone was asked for '{name}'"
    raise TypeError(message)


def _frozen(values: F32) -> F32:
    """Return the same values so that no method can change what the next one sees."""
    view = values.view()
    view.flags.writeable = False
    return view
