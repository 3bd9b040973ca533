"""Ratios of two populations of one tube, such as endothelial cells to MSC: free of what swells a denominator.

Both are counted by the exact interval of Poisson; the two intervals make that of the ratio (MOVER-R,
``quantify.combine.ratio``), and redrawn boundaries are folded in as for any rate, both populations from the same
redraw. The interval takes the two counts as independent: populations that share events have a truer, narrower one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stromagate.model.gates import GateTree
from stromagate.model.result import Statistic
from stromagate.quantify.combine import Draws, limits_by_field, ratio, uncertainty, with_fixed
from stromagate.quantify.intervals import poisson
from stromagate.quantify.states import count_state

STATISTIC = "ratio"
INTERVAL = "MOVER-R of exact Poisson"


def ratio_rows(
    tree: GateTree,
    counts: Mapping[str, int | None],
    pairs: Sequence[tuple[str, ...]],
    *,
    draws: Mapping[str, Draws],
    confidence: float,
) -> Iterator[Statistic]:
    """Yield the declared ratios whose populations the tube has, in their order.

    Parameters
    ----------
    tree : GateTree
        How the populations hang together; a pair with one that is left out of it has no row.
    counts : mapping of str to int or None
        Events by population; None where it could not be evaluated.
    pairs : sequence of pairs of str
        What is divided, and by what.
    draws : mapping of str to ndarray of int64, shape (n_draws,)
        Events on redrawn boundaries, of the populations that estimated boundaries decide about.
    confidence : float
        Level of the intervals, between 0 and 1.

    Yields
    ------
    Statistic
        ``population`` over ``denominator``, with the state of the rarer of the two. The value is None, with the state
        ``not evaluable``, where either could not be evaluated or the second has no events.
    """
    there = {node.name: node for node in tree.nodes}
    for name, other in pairs:
        if name not in there or other not in there:
            continue
        count, total = counts[name], counts[other]
        plain = Statistic(
            population=name,
            parent=there[name].parent,
            statistic=STATISTIC,
            value=None,
            unit="ratio",
            denominator=other,
            state="not evaluable",
            n=count,
        )
        yield plain if count is None or not total else _with_value(plain, count, total, draws, confidence)


def _with_value(plain: Statistic, count: int, total: int, draws: Mapping[str, Draws], confidence: float) -> Statistic:
    counting = ratio(count, poisson(count, confidence), total, poisson(total, confidence))
    pair = with_fixed(draws.get(plain.population), count, draws.get(plain.denominator), total)
    found = uncertainty("ratio", count, total, counting, pair, confidence)
    known = {"value": count / total, "state": count_state(min(count, total)), "interval": INTERVAL}
    return plain.model_copy(update={**known, **limits_by_field(found, 1)})
