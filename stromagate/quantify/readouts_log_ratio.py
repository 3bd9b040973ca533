"""The logarithm of one count over another out of the same gate, such as LSC-like cells over HSC of CD34+ CD38- cells.

The natural logarithm; of counting its interval is that of ``sqrt(1/a + 1/b)``, and redrawn boundaries are folded in as
for any ratio (``quantify.combine``). There is none under 20 events of what is divided by: they are not told from none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from stromagate.model.gates import GateTree
from stromagate.model.readouts import LOG_RATIO, MIN_DENOMINATOR_EVENTS, TOO_FEW_BELOW
from stromagate.model.result import Statistic
from stromagate.model.template import GatingTemplate
from stromagate.quantify.combine import Draws, Limits, uncertainty, with_fixed
from stromagate.quantify.intervals import normal_quantile, settled
from stromagate.quantify.states import count_state

INTERVAL = "normal, of logarithms"


def log_ratio_rows(
    tree: GateTree,
    counts: Mapping[str, int | None],
    template: GatingTemplate,
    *,
    draws: Mapping[str, Draws],
    confidence: float,
) -> Iterator[Statistic]:
    """Yield the declared log ratios whose populations the tube has, in their order.

    Parameters
    ----------
    tree, counts, draws, confidence
        As for ``quantify.ratios.ratio_rows``.
    template : GatingTemplate
        Declares the read-outs.

    Yields
    ------
    Statistic
        ``population`` over ``denominator``, with the state of the rarer of the two. The value is None where either
        could not be evaluated, where the first has no events, or the second fewer than 20; the state says which.
    """
    there = {node.name: node for node in tree.nodes}
    declared = [row for readout in template.readouts for row in readout.rows if row.kind == LOG_RATIO]
    for name, other in dict.fromkeys((row.population, row.denominator or "") for row in declared):
        if name not in there or other not in there:
            continue
        count, total = counts[name], counts[other]
        plain = Statistic(
            population=name,
            parent=there[name].parent,
            statistic=LOG_RATIO,
            value=None,
            unit="natural logarithm",
            denominator=other,
            state=_state(count, total),
            n=count,
        )
        yield _with_value(plain, count, total, draws, confidence) if _has_one(count, total) else plain


def log_ratio(count: int, total: int, confidence: float) -> tuple[float, float, float]:
    """Return ``ln(count / total)`` and its limits of counting, ``sqrt(1/count + 1/total)`` times the normal quantile.

    Parameters
    ----------
    count, total : int
        Events, each at least 1.
    confidence : float
        Level, between 0 and 1.
    """
    value = math.log(count / total)
    reach = normal_quantile(confidence) * math.sqrt(1 / count + 1 / total)
    return value, value - reach, value + reach


def _has_one(count: int | None, total: int | None) -> bool:
    return bool(count) and total is not None and total >= MIN_DENOMINATOR_EVENTS


def _state(count: int | None, total: int | None) -> str:
    if count is None or total is None:
        return "not evaluable"
    return TOO_FEW_BELOW if total < MIN_DENOMINATOR_EVENTS else count_state(min(count, total))


def _with_value(
    plain: Statistic, count: int | None, total: int | None, draws: Mapping[str, Draws], confidence: float
) -> Statistic:
    assert count is not None
    assert total is not None
    value, low, high = log_ratio(count, total, confidence)
    pair = with_fixed(draws.get(plain.population), count, draws.get(plain.denominator), total)
    found = uncertainty("ratio", count, total, (math.exp(low), math.exp(high)), pair, confidence)
    limits: dict[str, float | None] = {}
    for name, ends in {"ci": found.both, "counting": found.counting, "boundary": found.boundary}.items():
        limits[f"{name}_low"], limits[f"{name}_high"] = _logs(ends)
    return plain.model_copy(update={"value": settled(value), **limits, "interval": INTERVAL})


def _logs(ends: Limits | None) -> tuple[float | None, float | None]:
    """Return the logarithms of two limits; None where nothing bounds the ratio on that side."""
    low, high = ends if ends is not None else (None, None)
    return (settled(math.log(low)) if low else None), (settled(math.log(high)) if high else None)
