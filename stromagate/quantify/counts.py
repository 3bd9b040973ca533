"""Every population's count and rates, each with its denominator, its interval and its state.

Which rates there are is decided by the tree alone, so that all tubes of one template have the same rows:

- ``count`` of every population, with the exact Poisson interval (the root is what was acquired: no interval);
- ``fraction`` of the parent, and ``fraction`` of and ``per_million`` of every declared denominator that holds the
  population by the way it was gated, with the exact binomial interval;
- ``per_million`` of a declared denominator on a side branch (its parent holds the population, it does not), such as
  CD45- cells per million CD45+. This is a ratio, not a share: it may pass a million, and has no ``fraction``. Its
  interval is that of the ratio of two independent counts: exact where no event is in both, too wide where some are, for
  shared events move both counts the same way. QC warns where much is shared.

Other pairs have no meaning as a rate and get no row. Ratios that the template declares follow (``quantify.ratios``),
log ratios of its read-outs (``quantify.readouts_log_ratio``), and behind the share of an index in another one, such as
CD146+ cells among MSC, the median of the marker that it was cut by in the whole (``median_of_parent``), which no cut
moves.

Where redrawn boundaries are given, each of these rows says what counting and what the boundaries leave open, and its
interval is of both together (``quantify.combine``). A rate takes both of its populations from the same redraw.
Intervals of medians are of counting alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from stromagate.gating.tree import evaluable
from stromagate.model.gates import ROOT, GateNode, GateTree
from stromagate.model.holding import holders
from stromagate.model.result import Statistic
from stromagate.model.sample import F32, Rows
from stromagate.model.template import GatingTemplate
from stromagate.quantify.combine import Draws, Kind, Limits, Uncertainty, limits_by_field, uncertainty, with_fixed
from stromagate.quantify.intensity import medians, uncut_medians
from stromagate.quantify.intervals import Bounds, clopper_pearson, poisson, poisson_ratio, wilson
from stromagate.quantify.ratios import ratio_rows
from stromagate.quantify.readouts_log_ratio import log_ratio_rows
from stromagate.quantify.states import count_state

ShareInterval = Callable[[int, int, float], Bounds]
SHARE_INTERVALS: dict[str, ShareInterval] = {"clopper-pearson": clopper_pearson, "wilson": wilson}
_NAMES: dict[ShareInterval, str] = {clopper_pearson: "Clopper-Pearson", wilson: "Wilson"}
_OF_COUNTS = "exact Poisson"
_OF_RATIOS = "exact ratio of counts"

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
    book = _Book(members, tree, evaluable(tree), holders(tree), denominators, confidence, interval, draws or {})
    middles = medians(tree, book.rows, template.intensities, linear=linear, confidence=confidence)
    counts = {name: book.count(name) for name in (ROOT, *(node.name for node in tree.nodes))}
    divided = list(ratio_rows(tree, counts, template.ratios, draws=book.draws, confidence=confidence))
    divided += log_ratio_rows(tree, counts, template, draws=book.draws, confidence=confidence)
    rows = [_count_row(book, ROOT, "")]
    for node in tree.nodes:
        rows.append(_count_row(book, node.name, node.parent))
        rows += _rate_rows(book, node)
        rows += [row for row in divided if row.population == node.name]
        rows += uncut_medians(node, tree, template, middles)
        rows += middles[node.name]
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class _Book:
    """What every row is made from."""

    members: Mapping[str, Rows]
    tree: GateTree
    evaluable: frozenset[str]
    held: Mapping[str, frozenset[str]]
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
        interval=_OF_COUNTS if limits else "",
        **limits_by_field(limits, 1),
    )


def _rate_rows(book: _Book, node: GateNode) -> Iterator[Statistic]:
    held = book.held
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
    made = _rate(node, denominator, per, count * per / total, count, limits)
    return made.model_copy(update={"interval": _NAMES.get(book.interval, "")})


def _ratio_row(book: _Book, node: GateNode, denominator: str) -> Statistic:
    count, total = book.count(node.name), book.count(denominator)
    if count is None or not total:
        return _rate(node, denominator, _MILLION, None, count, None)
    limits = _of_rate(book, node, denominator, "ratio", poisson_ratio(count, total, book.confidence))
    made = _rate(node, denominator, _MILLION, count * _MILLION / total, count, limits)
    return made.model_copy(update={"interval": _OF_RATIOS})


def _of_rate(book: _Book, node: GateNode, denominator: str, kind: Kind, counting: Limits) -> Uncertainty:
    """Return the limits of a rate whose denominator holds events."""
    count, total = book.count(node.name), book.count(denominator)
    assert count is not None
    assert total is not None
    pair = with_fixed(book.draws.get(node.name), count, book.draws.get(denominator), total)
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
        **limits_by_field(limits, per),
    )
