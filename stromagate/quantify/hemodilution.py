"""Rates as they were in the marrow before blood was drawn in with it: an own column, off by default.

``f_PB`` is the share of the tube's nucleated cells that came from blood, by the erythrocyte method (Holdrinet and
others, Acta Haematol 1985;74:70; ``model.specimen.blood_shares``). Cells that blood does not have were
``observed / (1 - f_PB)``. Above a half nothing is corrected. No such method is validated for stroma, and blasts in the
blood make ``f_PB`` large: the number as counted stays the result.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from stromagate.errors import UsageError
from stromagate.model.gates import GateTree
from stromagate.model.holding import holders
from stromagate.model.result import Statistic
from stromagate.model.specimen import MAX_BLOOD_SHARE, Specimen, blood_shares
from stromagate.model.template import GatingTemplate
from stromagate.quantify.intervals import normal_quantile, settled

STATISTIC = "per_million_without_blood"
BLOOD_COUNT_CV = 0.03
"""CV of each of the four counts of a haematology analyser. Own choice, that of pipetting."""
MARROW_ONLY = ("msc", "progenitors")
"""Indices whose populations blood does not have. Endothelial cells and blasts it has, which takes a tube of blood."""


def blood_share(rbc_bm: float, rbc_pb: float, wbc_pb: float, tnc_bm: float) -> float:
    """Return f_PB by the erythrocyte method (0-1; above 1 where the counts contradict each other).

    Parameters
    ----------
    rbc_bm, rbc_pb : float
        Red cells of marrow and blood, in one unit; above 0.
    wbc_pb, tnc_bm : float
        White cells of blood and nucleated cells of marrow, in one unit; the latter above 0.

    Raises
    ------
    UsageError
        A count that cannot be.
    """
    counts = {"rbc_bm": rbc_bm, "rbc_pb": rbc_pb, "wbc_pb": wbc_pb, "tnc_bm": tnc_bm}
    if not (min(rbc_bm, rbc_pb, tnc_bm) > 0 and wbc_pb >= 0):
        shown = ", ".join(f"{name} {value:g}" for name, value in counts.items())
        raise UsageError(
            "quantify.blood_share",
            f"no share of blood follows from {shown}",
            hint="red cells and the nucleated cells of marrow are numbers above 0, white cells of blood from 0 on",
        )
    return blood_shares(Specimen(counts))[0].share


def without_blood(observed: float, share: float, in_blood: float = 0.0) -> float | None:
    """Return a rate as it was in pure marrow: ``(observed - share * in_blood) / (1 - share)``.

    Parameters
    ----------
    observed : float
        Rate of the population in the aspirate, of nucleated cells.
    share : float
        f_PB, at least 0.
    in_blood : float
        Rate of the population in the patient's blood, in the same unit; 0 for cells that blood does not have.

    Returns
    -------
    float or None
        Never below 0. None where more than half of the cells are blood's: not assessable.

    Raises
    ------
    UsageError
        A negative rate or share.
    """
    if not (share >= 0 and observed >= 0 and in_blood >= 0):
        raise UsageError(
            "quantify.blood_share",
            f"a rate of {observed:g} with {share:g} of blood in which it is {in_blood:g} cannot be corrected",
            hint="rates and the share of blood are numbers from 0 on",
        )
    return None if share > MAX_BLOOD_SHARE else max(0.0, (observed - share * in_blood) / (1 - share))


def without_blood_rows(
    numbers: Iterable[Statistic], tree: GateTree, template: GatingTemplate, known: Specimen, confidence: float
) -> list[Statistic]:
    """Return the corrected rates of MSC, progenitors and all that they hold, per million of the first denominator.

    Only a rate per nucleated cell is diluted as ``f_PB`` says, which is why there is one denominator.

    Parameters
    ----------
    numbers : iterable of Statistic
        The tube's own, rates among them.
    tree : GateTree
        How the populations hang together.
    template : GatingTemplate
        Names indices and denominators.
    known : Specimen
        What the sample sheet says.
    confidence : float
        Level of the intervals, between 0 and 1.

    Returns
    -------
    list of Statistic
        In the tree's order; the value is None, with the state ``not assessable``, where the sheet lacks a count or more
        than half of the cells are blood's.
    """
    there = {node.name for node in tree.nodes}
    tops = {template.indices[key] for key in MARROW_ONLY if template.indices.get(key) in there}
    main = next((name for name in template.denominators if name in there), None)
    held = holders(tree)
    inside = {name for name in there if name in tops or held[name] & tops}
    by_red = next((found.share for found in blood_shares(known) if found.method == "erythrocytes"), None)
    return [
        _row(row, by_red, confidence)
        for row in numbers
        if row.statistic == "per_million" and row.denominator == main and row.population in inside
    ]


def _row(rate: Statistic, share: float | None, confidence: float) -> Statistic:
    empty = dict.fromkeys(("ci_low", "ci_high", "counting_low", "counting_high", "boundary_low", "boundary_high"))
    plain = rate.model_copy(
        update={"statistic": STATISTIC, "value": None, "state": "not assessable", **empty, "interval": ""}
    )
    if rate.value is None:
        return plain.model_copy(update={"state": rate.state})
    value = None if share is None else without_blood(rate.value, share)
    if value is None or share is None:
        return plain
    factor = 1 / (1 - share)
    spread = share * factor * math.sqrt(4) * BLOOD_COUNT_CV * normal_quantile(confidence)
    limits = {name: None if (end := getattr(rate, name)) is None else settled(factor * end) for name in empty}
    ends = {
        name: _further(value, limits[name], spread, -1 if name == "ci_low" else 1) for name in ("ci_low", "ci_high")
    }
    return rate.model_copy(update={"statistic": STATISTIC, "value": settled(value), **limits, **ends})


def _further(value: float, limit: float | None, spread: float, side: int) -> float | None:
    """Move a limit out by what the blood counts leave open, on the log scale; zero has none and moves by it all."""
    if limit is None or limit <= 0:
        return limit
    if value <= 0:
        return settled(limit * math.exp(side * spread))
    return settled(value * math.exp(side * math.hypot(math.log(limit / value), spread)))
