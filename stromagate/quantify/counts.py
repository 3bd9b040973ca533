"""Every population's count and rates, each with its denominator, its interval and its state.

Which rates there are is decided by the tree alone, so that all tubes of one template have the same rows:

- ``count`` of every population, with the exact Poisson interval (the root is what was acquired: no interval);
- ``fraction`` of the parent, and ``fraction`` of and ``per_million`` of every declared denominator that holds the
  population by the way it was gated, with the exact binomial interval;
- ``per_million`` of a declared denominator on a side branch (its parent holds the population, it does not), such as
  CD45- cells per million CD45+. This is a ratio, not a share: it may pass a million, and has no ``fraction``. Its
  interval is that of the ratio of two independent counts: exact where no event is in both, too wide where some are, for
  shared events move both counts the same way. QC warns where much is shared.

Other pairs have no meaning as a rate and get no row. Where redrawn boundaries are given, each of these rows says what
counting and what the boundaries leave open, and its interval is of both together (``quantify.combine``). A rate takes
both of its populations from the same redraw. Intervals of medians are of counting alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from stromagate.gating.tree import evaluable
from stromagate.model.gates import ROOT, Boolean, GateNode, GateTree
from stromagate.model.result import Statistic
from stromagate.model.sample import F32, Rows
from stromagate.model.template import GatingTemplate
from stromagate.quantify.combine import Draws, Kind, Limits, Uncertainty, uncertainty
from stromagate.quantify.intensity import medians
from stromagate.quantify.intervals import Bounds, clopper_pearson, poisson, poisson_ratio, settled, wilson
from stromagate.quantify.states import count_state

ShareInterval = Callable[[int, int, float], Bounds]
SHARE_INTERVALS: dict[str, ShareInterval] = {"clopper-pearson": clopper_pearson, "wilson": wilson}

_MILLION = 1_000_000


def statistics(
    members: Mapping[str, Rows],
    tree: GateTree,
    template: GatingTemplate,
    *,
    linear: Callable[[str, Rows], F32],
    confidence: float = 0.95,
    interval: ShareInterval = clopper_pearson,
    draws: Mapping[str, Draws] | None = None,
) -> tuple[Statistic, ...]:
    """Return all numbers of one tube, population by population in the tree's order.

    Parameters
    ----------
    members : mapping of str to ndarray of intp, shape (n_population,)
        Sorted rows of every population that could be evaluated, the root ``all`` included.
    tree : GateTree
        How the populations hang together.
    template : GatingTemplate
        Declares denominators, and the markers whose medians are wanted.
    linear : callable
        ``linear(axis, rows)``: compensated scale values of those rows, float32, shape (n_rows,).
    confidence : float
        Level of the intervals, between 0 and 1.
    interval : callable
        ``interval(count, total, confidence)`` of a share: `clopper_pearson` or `wilson`.
    draws : mapping of str to ndarray of int64, shape (n_draws,), optional
        Events of the populations that estimated boundaries decide about, on redrawn boundaries
        (``gating.draws.boundary_draws``); the others are the same in every redraw.

    Returns
    -------
    tuple of Statistic
        The value is None, with the state ``not evaluable``, where a population or its denominator could not be
        evaluated or the denominator is empty.
    """
    denominators = tuple(dict.fromkeys(template.denominators))
    book = _Book(members, tree, evaluable(tree), denominators, confidence, interval, draws or {})
    middles = medians(tree, book.rows, template.intensities, linear=linear, confidence=confidence)
    rows = [_count_row(book, ROOT, "")]
    for node in tree.nodes:
        rows.append(_count_row(book, node.name, node.parent))
        rows += _rate_rows(book, node)
        rows += middles[node.name]
    return tuple(rows)


def holders(tree: GateTree) -> dict[str, frozenset[str]]:
    """Return, for every population, those that hold all of its events by the way it was gated.

    Parents do, and so does every population that a boolean "all of" names, or that holds all an "any of" names.
    """
    held: dict[str, frozenset[str]] = {ROOT: frozenset()}
    for node in tree.nodes:
        above = held[node.parent] | {node.parent}
        if isinstance(node.geometry, Boolean) and node.geometry.of:
            named = [held[name] | {name} for name in node.geometry.of]
            if node.geometry.operation == "all":
                above = above.union(*named)
            elif node.geometry.operation == "any":
                above = above | frozenset.intersection(*named)
        held[node.name] = above
    return held


@dataclass(frozen=True, slots=True)
class _Book:
    """What every row is made from."""

    members: Mapping[str, Rows]
    tree: GateTree
    evaluable: frozenset[str]
    denominators: tuple[str, ...]
    confidence: float
    interval: ShareInterval
    draws: Mapping[str, Draws]

    def rows(self, name: str) -> Rows | None:
        """Rows of a population; None where it could not be evaluated."""
        return self.members[name] if name in self.evaluable else None

    def count(self, name: str) -> int | None:
        """Return the number of events of a population; None where it could not be evaluated."""
        rows = self.rows(name)
        return None if rows is None else int(rows.size)


def _count_row(book: _Book, name: str, parent: str) -> Statistic:
    count = book.count(name)
    limits = None
    if count is not None and name != ROOT:
        drawn = book.draws.get(name)
        pair = None if drawn is None else (drawn, np.ones_like(drawn))
        limits = uncertainty("count", count, 1, poisson(count, book.confidence), pair, book.confidence)
    return Statistic(
        population=name,
        parent=parent,
        statistic="count",
        value=count,
        unit="events",
        state=count_state(count),
        n=count,
        **_limits(limits, 1),
    )


def _rate_rows(book: _Book, node: GateNode) -> Iterator[Statistic]:
    held = holders(book.tree)
    yield _share_row(book, node, node.parent, 1)
    for denominator in book.denominators:
        if denominator == node.name or denominator not in held:  # left out: an optional marker is not on this tube
            continue
        if denominator in held[node.name]:
            if denominator != node.parent:
                yield _share_row(book, node, denominator, 1)
            yield _share_row(book, node, denominator, _MILLION)
        elif denominator != ROOT and _is_side_branch(book.tree.node(denominator), node, held):
            yield _ratio_row(book, node, denominator)


def _is_side_branch(denominator: GateNode, node: GateNode, held: Mapping[str, frozenset[str]]) -> bool:
    return denominator.parent in held[node.name] and node.name not in held[denominator.name]


def _share_row(book: _Book, node: GateNode, denominator: str, per: int) -> Statistic:
    count, total = book.count(node.name), book.count(denominator)
    if count is None or not total:
        return _rate(node, denominator, per, None, count, None)
    limits = _of_rate(book, node, denominator, "share", book.interval(count, total, book.confidence))
    return _rate(node, denominator, per, count * per / total, count, limits)


def _ratio_row(book: _Book, node: GateNode, denominator: str) -> Statistic:
    count, total = book.count(node.name), book.count(denominator)
    if count is None or not total:
        return _rate(node, denominator, _MILLION, None, count, None)
    limits = _of_rate(book, node, denominator, "ratio", poisson_ratio(count, total, book.confidence))
    return _rate(node, denominator, _MILLION, count * _MILLION / total, count, limits)


def _of_rate(book: _Book, node: GateNode, denominator: str, kind: Kind, counting: Limits) -> Uncertainty:
    """Return the limits of a rate whose denominator holds events."""
    count, total = book.count(node.name), book.count(denominator)
    assert count is not None
    assert total is not None
    drawn, divided_by = book.draws.get(node.name), book.draws.get(denominator)
    pair = None
    if drawn is not None or divided_by is not None:
        n = len(divided_by if drawn is None else drawn)  # type: ignore[arg-type]  # one of them is there
        counts = np.full(n, count, dtype=np.int64) if drawn is None else drawn
        pair = counts, np.full(n, total, dtype=np.int64) if divided_by is None else divided_by
    return uncertainty(kind, count, total, counting, pair, book.confidence)


def _rate(
    node: GateNode, denominator: str, per: int, value: float | None, n: int | None, limits: Uncertainty | None
) -> Statistic:
    statistic, unit = ("fraction", "fraction") if per == 1 else ("per_million", "per million")
    return Statistic(
        population=node.name,
        parent=node.parent,
        statistic=statistic,
        value=value,
        unit=unit,
        denominator=denominator,
        state="not evaluable" if value is None else count_state(n),
        n=n,
        **_limits(limits, per),
    )


def _limits(found: Uncertainty | None, per: int) -> dict[str, float | None]:
    """Return the six limits of a row by field, None where there is nothing of the kind."""
    pairs = {} if found is None else {"ci": found.both, "counting": found.counting, "boundary": found.boundary}
    limits: dict[str, float | None] = {}
    for name, pair in pairs.items():
        for side, limit in zip(("low", "high"), pair or (None, None), strict=True):
            limits[f"{name}_{side}"] = None if limit is None else settled(per * limit)
    return limits
