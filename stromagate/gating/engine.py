"""From a prepared tube and a template to boundaries and members: population by population, parents first."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from stromagate.errors import SpecificationError
from stromagate.gating.columns import finite_on
from stromagate.gating.geometry import Mask, check, combine
from stromagate.gating.method import Fit, Outside, methods, not_evaluable
from stromagate.gating.population import AbsentAxisError, AbsentPopulationError, Population
from stromagate.gating.sieve import make_sieve
from stromagate.gating.tree import deciding_axes
from stromagate.gating.wording import called, looked_up_in_vain, parent_empty, parent_not_there
from stromagate.model.gates import ROOT, Boolean, Doubt, GateNode, GateTree, Geometry, combined
from stromagate.model.sample import Rows

if TYPE_CHECKING:
    from stromagate.model.template import GateStep, GatingTemplate, PopulationSpec
    from stromagate.prepare.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Gated:
    """Boundaries of a tube and who is within them.

    Attributes
    ----------
    tree : GateTree
        One node for every population that was tried; ``not_evaluable`` ones have no geometry.
    members : mapping of str to ndarray of intp
        Sorted rows of the sample's events, ``all`` first; a population that was not evaluable has no entry.
    counts : mapping of str to int or None
        Number of events, ``all`` first; None where not evaluable.
    left_out : mapping of str to str
        Populations that need an optional marker this tube does not carry, each with the reason in one sentence.
    """

    tree: GateTree
    members: Mapping[str, Rows]
    counts: Mapping[str, int | None]
    left_out: Mapping[str, str] = field(default_factory=dict)


def gate(
    prepared: Prepared,
    template: GatingTemplate,
    *,
    gates: Mapping[str, Sequence[GateStep]],
    seed: int = 0,
    outside: Outside | None = None,
) -> Gated:
    """Fit every gate of a template on a tube and find the members.

    Parameters
    ----------
    prepared : Prepared
        The tube: axes bound, compensated, scaled.
    template : GatingTemplate
        Populations in order, parents first.
    gates : mapping of str to sequence of GateStep
        Each population's gate and after it what it falls back on, with parameters checked by the methods' own models.
    seed : int
        Seed of everything random. Each gate draws from a generator of its own, made of seed and population, so that a
        gate added elsewhere changes no other fit.
    outside : Outside, optional
        What is known from outside the tube: its controls, earlier batches.

    Returns
    -------
    Gated

    Raises
    ------
    SpecificationError
        A method that does not exist, or one that proposed impossible geometry.
    """
    labels = {spec.name: spec.label for spec in template.populations if spec.label}
    walk = _Walk(prepared, gates, seed, labels, outside or Outside())
    last_child = {spec.parent: spec.name for spec in template.populations}
    for spec in template.populations:
        walk.step(spec)
        if last_child[spec.parent] == spec.name:
            walk.forget(spec.parent)
    return walk.outcome()


class _Walk:
    """The state of one walk through a template."""

    def __init__(
        self,
        prepared: Prepared,
        gates: Mapping[str, Sequence[GateStep]],
        seed: int,
        labels: Mapping[str, str],
        outside: Outside,
    ) -> None:
        self.prepared, self.gates, self.seed, self.labels, self.outside = prepared, gates, seed, labels, outside
        self.populations = {ROOT: Population(prepared, ROOT, None, self._look_up, outside)}
        self.nodes: list[GateNode] = []
        self.left_out: dict[str, str] = {}

    def step(self, spec: PopulationSpec) -> None:
        """Fit one population's gate, or say why not."""
        absent = [marker for marker in spec.requires if marker not in self.prepared.axes]
        if absent:
            lacking = f"needs {' and '.join(absent)}, which this tube does not carry"
            self.left_out[spec.name] = f"{self._called(spec.name)} {lacking}"
        elif spec.parent in self.left_out:
            lacking = f"stands below {self._called(spec.parent)}, which is left out"
            self.left_out[spec.name] = f"{self._called(spec.name)} {lacking}"
        else:
            method, fit = self._fit(spec)
            self.nodes.append(_node(spec, method, fit))
            if fit.geometry is not None:
                self.populations[spec.name] = self._population(spec, fit.geometry)

    def forget(self, name: str) -> None:
        """Let go of the values of a population that no gate stands below any more."""
        if name in self.populations:
            self.populations[name].forget()

    def outcome(self) -> Gated:
        """Return what was found."""
        members = {name: population.rows for name, population in self.populations.items()}
        counts: dict[str, int | None] = {ROOT: self.prepared.n}
        counts |= {node.name: len(members[node.name]) if node.name in members else None for node in self.nodes}
        tree = GateTree(
            tuple(self.nodes), dict(self.prepared.axes), self.prepared.compensation, self.prepared.sample.gain
        )
        return Gated(tree, MappingProxyType(members), MappingProxyType(counts), MappingProxyType(self.left_out))

    def _fit(self, spec: PopulationSpec) -> tuple[str, Fit]:
        """Return the method that placed the boundary, the first of its chain that could, and its fit."""
        steps = self.gates[spec.name]
        if spec.parent not in self.populations:
            return steps[0].method, not_evaluable(parent_not_there(self._called(spec.parent)))
        if self.populations[spec.parent].n == 0:
            return steps[0].method, not_evaluable(parent_empty(self._called(spec.parent)))
        reasons: list[str] = []
        doubts: list[Doubt] = []
        for step in steps:
            fit = self._try(spec, step)
            if fit.geometry is not None:
                return step.method, _fallen_back(fit, step.method, reasons) if reasons else fit
            reasons.append(fit.sentence)
            doubts += fit.doubts
        return steps[0].method, not_evaluable("; and ".join(dict.fromkeys(reasons)), *dict.fromkeys(doubts))

    def _try(self, spec: PopulationSpec, step: GateStep) -> Fit:
        parent = self.populations[spec.parent]
        try:
            fit = methods.get(step.method).fit(parent, step.params, _generator(self.seed, spec.name))
            self._check(spec, step.method, fit)
        except (AbsentAxisError, AbsentPopulationError) as absent:
            return not_evaluable(absent.message)
        except Exception as bug:
            bug.add_note(f"while fitting population '{spec.name}' by method '{step.method}'")
            raise
        return fit

    def _called(self, name: str) -> str:
        """Return what sentences call a population: its label, as the report does."""
        return called(name, self.labels)

    def _look_up(self, name: str) -> Population:
        if name not in self.populations:
            known = name in self.left_out or any(node.name == name for node in self.nodes)
            why = "was not evaluated on this tube" if known else "does not stand above"
            raise AbsentPopulationError("population.absent", looked_up_in_vain(self._called(name), why))
        return self.populations[name]

    def _check(self, spec: PopulationSpec, method: str, fit: Fit) -> None:
        """Hold a method to its contract before anything is counted by it."""
        if (fit.geometry is None) != (fit.state == "not_evaluable"):
            raise SpecificationError(
                "method.contract",
                f"the method '{method}' says '{fit.state}' and gives "
                f"{'no boundary' if fit.geometry is None else 'a boundary'}",
                where=spec.name,
                hint="a gate has a boundary exactly where it is evaluable; tell the method's author",
            )
        if fit.geometry is None:
            return
        check(fit.geometry, where=spec.name)
        for name in combined(fit.geometry):
            self._look_up(name)
        for axis in fit.geometry.axes:
            self.populations[ROOT].scale(axis)

    def _population(self, spec: PopulationSpec, geometry: Geometry) -> Population:
        parent = self.populations[spec.parent]
        if isinstance(geometry, Boolean):
            mask = self._combined(parent, geometry)
        else:
            mask = make_sieve(geometry, parent.scales).inside(parent)
        return Population(self.prepared, spec.name, parent.rows[mask], self._look_up, self.outside)

    def _combined(self, parent: Population, geometry: Boolean) -> Mask:
        masks = [_among(parent.rows, self.populations[name].rows) for name in geometry.of]
        return combine(geometry.operation, masks, np.ones(parent.n, dtype=np.bool_), self._decided(parent, geometry))

    def _decided(self, parent: Population, geometry: Boolean) -> Mask | None:
        """Return which events have a finite value wherever it decides about the populations they are to be out of."""
        if geometry.operation != "none":
            return None
        axes = deciding_axes(GateTree(tuple(self.nodes), self.prepared.axes))
        return finite_on(parent, sorted(frozenset[str]().union(*(axes[name] for name in geometry.of))))


def _node(spec: PopulationSpec, method: str, fit: Fit) -> GateNode:
    said = (fit.state, fit.sentence, fit.spread, fit.source)
    node = GateNode(spec.name, spec.parent, method, fit.geometry, *said, doubts=fit.doubts)
    return replace(node, spread_second=fit.spread_second)


def _fallen_back(fit: Fit, method: str, reasons: Sequence[str]) -> Fit:
    """Return the fit of a fallback with the reasons why it was needed before its own sentence."""
    sentence = f"{'; and '.join(dict.fromkeys(reasons))}; instead {fit.sentence}"
    return replace(fit, state="fallback", sentence=sentence, source=fit.source or method)


def _among(rows: Rows, others: Rows) -> Mask:
    """Return which of the sorted rows are among other sorted rows."""
    if len(others) == 0:
        return np.zeros(len(rows), dtype=np.bool_)
    at = np.minimum(np.searchsorted(others, rows), len(others) - 1)
    return np.asarray(others[at] == rows)


def _generator(seed: int, population: str) -> np.random.Generator:
    name = int.from_bytes(hashlib.sha256(population.encode()).digest()[:16], "big")
    return np.random.Generator(np.random.PCG64([seed, name]))
