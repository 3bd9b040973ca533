"""Absolute counts: cells per microlitre of marrow, or per milligram of a core, by counting beads in the same tube.

``cells per µL = (cells / beads counted) * (beads added / marrow stained) * dilution``; of a core or another tissue the
amount is that of the piece whose cells were stained, and the number is per milligram. The interval of counting is
taken on the log scale. Its variance is the sum of ``1 / cells``, ``1 / beads`` and the squared CVs of the number of
beads and of pipetting (3 % each by default, our own choice). What the boundaries of cells and beads leave open is added
to it as to any other count.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from stromagate.errors import UsageError
from stromagate.gating.tree import evaluable
from stromagate.model.gates import GateTree
from stromagate.model.holding import holders
from stromagate.model.result import Statistic
from stromagate.model.specimen import Specimen, beads_refused
from stromagate.model.template import GatingTemplate
from stromagate.quantify.intervals import normal_quantile, poisson, settled

PER_UL, PER_MG = "cells_per_ul", "cells_per_mg"
_AMOUNTS = {"stained_ul": (PER_UL, "cells per µL"), "stained_mg": (PER_MG, "cells per mg")}
INTERVAL = "log scale"
BEAD_CV_PCT = 3.0
"""CV of the number of beads in the vial or in what was added, %, where the sheet does not say it. Own choice."""
PIPETTING_CV_PCT = 3.0
"""CV of the pipetted marrow volume, %, where the sheet does not say it. Own choice."""


def cells_per_amount(cells: int, beads: int, beads_added: float, stained: float, dilution: float = 1.0) -> float:
    """Return cells per microlitre of undiluted marrow, or per milligram of a core.

    Parameters
    ----------
    cells, beads : int
        Events counted of either; beads at least 1.
    beads_added : float
        Beads put into the tube.
    stained : float
        What was stained: µL, or mg.
    dilution : float
        How many times the marrow was diluted before that volume was taken, 1 for not at all.

    Raises
    ------
    UsageError
        No beads, no volume, or a number below zero.
    """
    _check(cells, beads)
    if not (beads_added > 0 and stained > 0 and dilution > 0):
        raise UsageError(
            "quantify.beads",
            f"{beads_added:g} beads in an amount of {stained:g}, diluted {dilution:g} times, give no absolute count",
            hint="beads, amount and dilution are numbers above 0",
        )
    return cells / beads * beads_added / stained * dilution


def relative_limits(
    cells: int, beads: int, *, bead_cv: float = 0.03, pipetting_cv: float = 0.03, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the limits of an absolute count by counting, beads and volumes, as multiples of ``max(cells, 1)``'s value.

    Without a cell the lower limit is zero and the upper the exact one of a count of zero, widened by beads and volumes.

    Parameters
    ----------
    cells, beads : int
        Events counted of either; beads at least 1.
    bead_cv, pipetting_cv : float
        Coefficients of variation (0-1).
    confidence : float
        Level, between 0 and 1.

    Raises
    ------
    UsageError
        No beads, a number below zero, or an impossible confidence.
    """
    _check(cells, beads)
    around = 1 / beads + bead_cv**2 + pipetting_cv**2
    z = normal_quantile(confidence)
    if cells == 0:
        return 0.0, poisson(0, confidence)[1] * math.exp(z * math.sqrt(around))
    reach = z * math.sqrt(1 / cells + around)
    return math.exp(-reach), math.exp(reach)


def absolute_rows(
    numbers: Iterable[Statistic], tree: GateTree, template: GatingTemplate, known: Specimen, confidence: float
) -> list[Statistic]:
    """Return the absolute counts of the index populations and the denominators; none where the template has no beads.

    They are per µL, or per mg where the sheet gives the weight of what was stained. Populations that hold the beads or
    are held by them have no such number.

    Parameters
    ----------
    numbers : iterable of Statistic
        The tube's own, counts among them.
    tree : GateTree
        How the populations hang together.
    template : GatingTemplate
        Names the beads, the indices and the denominators.
    known : Specimen
        What the sample sheet says.
    confidence : float
        Level of the intervals, between 0 and 1.

    Returns
    -------
    list of Statistic
        In the tree's order, ``denominator`` the beads. The value is None, with the state ``not evaluable``, where the
        beads give no absolute count (see ``model.specimen.beads_refused``).
    """
    if template.beads is None or template.beads not in {node.name for node in tree.nodes}:
        return []
    counts = {row.population: row for row in numbers if row.statistic == "count"}
    held, wanted = holders(tree), {*template.indices.values(), *template.denominators}
    beads = counts[template.beads]
    refused = beads_refused(known, beads.n) is not None
    there = evaluable(tree)
    rows = []
    for node in tree.nodes:
        apart = template.beads not in held[node.name] and node.name not in held[template.beads]
        if node.name in wanted and node.name != template.beads and apart:
            given = not refused and node.name in there
            rows.append(_row(counts[node.name], beads, known, known if given else None, confidence))
    return rows


def _row(count: Statistic, beads: Statistic, said: Specimen, known: Specimen | None, confidence: float) -> Statistic:
    """Return the absolute count of one population; without a value where ``known`` is None."""
    amount = "stained_mg" if said.get("stained_mg") is not None else "stained_ul"
    statistic, unit = _AMOUNTS[amount]
    plain = Statistic(
        population=count.population,
        parent=count.parent,
        statistic=statistic,
        value=None,
        unit=unit,
        denominator=beads.population,
        state="not evaluable",
        n=count.n,
    )
    if known is None or count.n is None or not beads.n:
        return plain
    per_event = cells_per_amount(
        1, beads.n, _need(known, "beads_added"), _need(known, amount), known.get("dilution") or 1
    )
    low, high = relative_limits(
        count.n,
        beads.n,
        bead_cv=_percent(known, "bead_cv_pct", BEAD_CV_PCT),
        pipetting_cv=_percent(known, "pipetting_cv_pct", PIPETTING_CV_PCT),
        confidence=confidence,
    )
    scale = per_event * max(count.n, 1)
    boundary = _boundary(count, beads)
    both = (low, high)
    if boundary is not None:  # about zero there is no log scale: the upper limits are added up
        both = _both(both, boundary) if count.n else (0.0, high + boundary[1])
    limits = {"ci": both, "counting": (low, high), "boundary": boundary or (None, None)}
    fields = {
        f"{name}_{side}": None if limit is None else settled(scale * limit)
        for name, pair in limits.items()
        for side, limit in zip(("low", "high"), pair, strict=True)
    }
    return plain.model_copy(
        update={"value": settled(per_event * count.n), "state": count.state, "interval": INTERVAL, **fields}
    )


def _boundary(count: Statistic, beads: Statistic) -> tuple[float, float] | None:
    """Return what the boundaries of cells and beads leave open, as multiples of ``max(cells, 1)``; None where nothing.

    Few beads are many cells: the beads' limits count the other way round.
    """
    if count.boundary_low is None and beads.boundary_low is None:
        return None
    cells = max(count.n or 0, 1)
    own = (_or(count.boundary_low, count.n) / cells, _or(count.boundary_high, count.n) / cells)
    others = (
        (beads.n or 1) / _or(beads.boundary_high, beads.n),
        (beads.n or 1) / max(_or(beads.boundary_low, beads.n), 1.0),
    )
    if not count.n:
        return own[0] * others[0], own[1] * others[1]
    return _both(own, others)


def _check(cells: int, beads: int) -> None:
    if cells < 0 or beads < 1:
        raise UsageError(
            "quantify.beads",
            f"{cells} cells beside {beads} beads give no absolute count",
            hint="at least 1 bead must be counted, and no fewer than 0 cells",
        )


def _both(first: tuple[float, float], second: tuple[float, float]) -> tuple[float, float]:
    """Put the log distances of two pairs of limits about 1 together, as the root of their summed squares."""
    low, high = (
        math.hypot(*(abs(math.log(pair[side])) if pair[side] > 0 else math.inf for pair in (first, second)))
        for side in (0, 1)
    )
    return math.exp(-low), math.exp(high)


def _or(limit: float | None, count: int | None) -> float:
    return float(count or 0) if limit is None else limit


def _need(known: Specimen, column: str) -> float:
    value = known.get(column)
    assert value is not None, "the refusal comes first"
    return value


def _percent(known: Specimen, column: str, default_pct: float) -> float:
    value = known.get(column)
    return (default_pct if value is None else value) / 100
