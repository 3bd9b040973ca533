"""The contract of a gating method: parameters, one plain function, one declaration.

A method proposes geometry and says how sure it is of it; it never decides which events are in. Adding a method is
adding ``gating/methods/NAME.py`` with a ``Params`` model, a ``fit`` function and ``METHOD = GatingMethod(...)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from numpy.random import Generator

from stromagate.model.controls import ControlTube
from stromagate.model.gates import Doubt, Geometry
from stromagate.model.locks import Locks
from stromagate.model.sample import F32
from stromagate.model.scales import Scale
from stromagate.model.template import GateParams
from stromagate.registry import Registry


@dataclass(frozen=True, slots=True)
class Outside:
    """What is known from outside the tube.

    Attributes
    ----------
    controls : tuple of ControlTube
        Controls paired with this tube, of any role, best match first.
    locks : Locks or None
        Boundaries of earlier batches.
    """

    controls: tuple[ControlTube, ...] = ()
    locks: Locks | None = None


class PopulationView(Protocol):
    """What a method may look at: the events of one population, axis by axis.

    Values are made on request, for this population's events alone.
    """

    @property
    def name(self) -> str:
        """Name of the population (``all`` for the root)."""
        ...

    @property
    def n(self) -> int:
        """Number of its events."""
        ...

    @property
    def axes(self) -> tuple[str, ...]:
        """Every axis this tube carries."""
        ...

    @property
    def outside(self) -> Outside:
        """What is known from outside the tube."""
        ...

    def display(self, axis: str) -> F32:
        """Values in display units, shape (n,)."""
        ...

    def linear(self, axis: str) -> F32:
        """Compensated values before the display scale, shape (n,)."""
        ...

    def scale(self, axis: str) -> Scale:
        """Display scale of an axis."""
        ...

    def to_display(self, axis: str, linear: float) -> float:
        """One linear value in display units."""
        ...

    def to_linear(self, axis: str, display: float) -> float:
        """One display value in linear units."""
        ...

    def population(self, name: str) -> PopulationView:
        """Return a population that stands above the one being fitted: this one, or another."""
        ...


@dataclass(frozen=True, slots=True)
class Fit:
    """What a method proposes.

    ``spread`` is the standard deviation of the boundary in display units of the first axis, None where it was not
    estimated (a fixed gate); ``spread_second`` that of the edge on the second axis, where it was estimated on its own.
    ``source`` names what the boundary was taken from. ``not_evaluable`` has no geometry.
    ``doubts`` repeat in fixed words what the sentence doubts, for whoever does not read sentences (``qc``).
    """

    geometry: Geometry | None
    sentence: str
    state: Literal["fitted", "fixed", "fallback", "not_evaluable"] = "fitted"
    spread: float | None = None
    source: str = ""
    doubts: tuple[Doubt, ...] = ()
    spread_second: float | None = None


def not_evaluable(sentence: str, *doubts: Doubt) -> Fit:
    """Return the fit of a gate that cannot be placed, with the reason in one sentence."""
    return Fit(None, sentence, "not_evaluable", doubts=doubts)


@dataclass(frozen=True, slots=True)
class GatingMethod:
    """Declaration of a method.

    ``fit(parent, params, rng)`` is pure and seeded: the same parent, parameters and generator give the same fit.
    ``explain(params)`` says in one clause what the gate keeps, such as ``"CD45 below the valley"``. ``written``: the
    template itself holds the boundary; ``fit`` looks at no event and at no other population.
    """

    params: type[GateParams]
    fit: Callable[[PopulationView, Any, Generator], Fit]
    explain: Callable[[Any], str]
    summary: str
    written: bool = False


methods: Registry[GatingMethod] = Registry(
    kind="gating method",
    package="stromagate.gating.methods",
    attribute="METHOD",
    group="stromagate.gating_methods.v1",
    declares=GatingMethod,
)
