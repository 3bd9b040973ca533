"""What a moved boundary would give, number by number: as the run counts, but by counting alone.

The same rows as ``quantify.counts`` makes of members are made here of counts, so that a drag need not wait for medians
and redrawn boundaries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from stromagate.gating.tree import evaluable
from stromagate.model.gates import ROOT, Boolean, GateNode, GateTree
from stromagate.model.holding import holders
from stromagate.model.result import SampleResult
from stromagate.model.template import Document
from stromagate.quantify.counts import SHARE_INTERVALS
from stromagate.quantify.intervals import Bounds, poisson, poisson_ratio, settled
from stromagate.quantify.states import count_state

_MILLION = 1_000_000
UNKNOWN_SPREAD = (
    "Intervals are of counting alone: how sure a boundary drawn by hand is, is not known, and the other boundaries are "
    "redrawn only when the run is made again."
)

Counts = Mapping[str, int | None]


class Estimate(Document):
    """A number and its interval of counting; None where there is none, ``high`` also where nothing bounds it."""

    value: float | None
    low: float | None = None
    high: float | None = None


class RatePreview(Document):
    """A share (``fraction``) or a rate (``per_million``) of a population, before and after the move."""

    statistic: str
    denominator: str
    before: Estimate
    after: Estimate


class PopulationPreview(Document):
    """One population before and after the move.

    ``of_run`` is its count as the run has it, None where it is not evaluable. ``state`` is that of the count after the
    move, by the limits of detection that the run had.
    """

    population: str
    label: str
    parent: str
    of_run: int | None
    before: Estimate
    after: Estimate
    state: str
    rates: tuple[RatePreview, ...] = ()


class Preview(Document):
    """What one moved boundary gives: its population and all that stand on it. Nothing of it is kept.

    ``counts`` are the events of every population after the move, ``all`` first; None where one is not evaluable.
    """

    sample_id: str
    population: str
    populations: tuple[PopulationPreview, ...]
    counts: dict[str, int | None]
    confidence: float
    interval: str
    note: str = UNKNOWN_SPREAD
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Moment:
    """A tree and the events of its populations, None where one could not be evaluated."""

    tree: GateTree
    counts: Counts


def rows(
    result: SampleResult, populations: Sequence[str], before: Moment, after: Moment
) -> Iterator[PopulationPreview]:
    """Yield populations before and after a move.

    Parameters
    ----------
    result : SampleResult
        Says how intervals are made and what rates are of.
    populations : sequence of str
        Which.
    before, after : Moment
        Counts of all populations.
    """
    old_book, book = (_Book(result, moment) for moment in (before, after))
    of_run = {each.population: each.value for each in result.statistics if each.statistic == "count"}
    limits = {each.population: each for each in result.detection}
    for name in populations:
        old, new, value = old_book.rates(name), book.rates(name), of_run.get(name)
        rates = [
            RatePreview(
                statistic=key[0], denominator=key[1], before=old.get(key, _NOTHING), after=new.get(key, _NOTHING)
            )
            for key in dict.fromkeys((*old, *new))
        ]
        yield PopulationPreview(
            population=name,
            label=result.labels_of_populations.get(name, name),
            parent=book.nodes[name].parent,
            of_run=None if value is None else int(value),
            before=old_book.count(name),
            after=book.count(name),
            state=count_state(after.counts.get(name), limits.get(name)),
            rates=tuple(rates),
        )


_NOTHING = Estimate(value=None)
# While a boundary is dragged, more than half of the numbers are those of the step before.
_KEPT = 16_384


@lru_cache(_KEPT)
def _counted(count: int, confidence: float) -> Estimate:
    return _estimate(count, poisson(count, confidence), 1)


@lru_cache(_KEPT)
def _share(count: int, total: int, per: int, confidence: float, interval: str) -> Estimate:
    return _estimate(count * per / total, SHARE_INTERVALS[interval](count, total, confidence), per)


@lru_cache(_KEPT)
def _ratio(count: int, total: int, confidence: float) -> Estimate:
    return _estimate(count * _MILLION / total, poisson_ratio(count, total, confidence), _MILLION)


@lru_cache(16)
def _held(shape: tuple[GateNode, ...]) -> Mapping[str, frozenset[str]]:
    """Return which populations hold which; a boundary's place says nothing of it, only what it combines."""
    return holders(GateTree(shape))


def warm(result: SampleResult) -> None:
    """Load what intervals are made with, and make those of the run, so that the first drag need not wait."""
    counts = {each.population: each.n for each in result.statistics if each.statistic == "count"}
    moment = Moment(result.tree, counts)
    for _ in rows(result, [node.name for node in result.tree.nodes], moment, moment):
        pass


class _Book:
    """Numbers of one moment."""

    def __init__(self, result: SampleResult, moment: Moment) -> None:
        self.counts, self.nodes = moment.counts, {node.name: node for node in moment.tree.nodes}
        self.held = _held(tuple(map(_bare, moment.tree.nodes)))
        self.able = evaluable(moment.tree)
        self.denominators = tuple(dict.fromkeys(result.denominators))
        self.confidence, self.interval = result.record.config.confidence, result.record.config.interval

    def count(self, name: str) -> Estimate:
        count = self._of(name)
        return _NOTHING if count is None else _counted(count, self.confidence)

    def rates(self, name: str) -> dict[tuple[str, str], Estimate]:
        """Return every rate of a population by its kind and denominator, in the order of ``quantify.counts``."""
        node = self.nodes[name]
        found = {("fraction", node.parent): self._share(name, node.parent, 1)}
        for denominator in self.denominators:
            if denominator == name or denominator not in self.held:
                continue
            if denominator in self.held[name]:
                if denominator != node.parent:
                    found["fraction", denominator] = self._share(name, denominator, 1)
                found["per_million", denominator] = self._share(name, denominator, _MILLION)
            elif denominator != ROOT and self._side_branch(denominator, name):
                found["per_million", denominator] = self._ratio(name, denominator)
        return found

    def _of(self, name: str) -> int | None:
        return self.counts.get(name) if name in self.able else None

    def _side_branch(self, denominator: str, name: str) -> bool:
        return self.nodes[denominator].parent in self.held[name] and name not in self.held[denominator]

    def _share(self, name: str, denominator: str, per: int) -> Estimate:
        count, total = self._of(name), self._of(denominator)
        if count is None or not total:
            return _NOTHING
        return _share(count, total, per, self.confidence, self.interval)

    def _ratio(self, name: str, denominator: str) -> Estimate:
        count, total = self._of(name), self._of(denominator)
        if count is None or not total:
            return _NOTHING
        return _ratio(count, total, self.confidence)


def _estimate(value: float, bounds: Bounds | tuple[float, float | None], per: int) -> Estimate:
    low, high = bounds
    return Estimate(value=value, low=settled(per * low), high=None if high is None else settled(per * high))


def _bare(node: GateNode) -> GateNode:
    """Return a node as far as it says which populations hold which."""
    geometry = node.geometry if isinstance(node.geometry, Boolean) else None
    return GateNode(node.name, node.parent, "", geometry, "fixed", "")
