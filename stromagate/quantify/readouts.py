"""Median intensity ratios: the median of a marker on a population over that of the same population in its FMO control.

The control is read on the tube's own boundaries, in the pass that counts its background. Both medians have limits from
order statistics, which assume nothing of the distribution; the logarithms of the two make the interval of the ratio
(MOVER, doi:10.1002/sim.3095, by ``quantify.combine.difference``). It is one of sampling alone: boundaries are taken as
they are. Several controls of one role are pooled event by event.

There is no ratio of fewer than 50 events in either, nor where a median is not above zero: compensated values lie around
zero where there is no stain, and a ratio of such means nothing. The difference of both medians in display units stands
beside it, and needs no sign.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stromagate.model.gates import GateTree
from stromagate.model.readouts import (
    CONTROL_MEDIAN,
    LOG_RATIO,
    MEDIAN_DIFFERENCE,
    MFI_RATIO,
    MIN_MEDIAN_EVENTS,
    NO_CONTROL,
    NOT_APPLICABLE,
    NOT_POSITIVE,
    TOO_FEW,
    Blasts,
    flags,
    lost,
)
from stromagate.model.result import Statistic
from stromagate.model.sample import F32
from stromagate.model.scales import Scale
from stromagate.model.template import GatingTemplate, Readout, ReadoutRow
from stromagate.prepare.scales import forward
from stromagate.quantify.combine import difference
from stromagate.quantify.intensity import INTERVAL as OF_MEDIANS
from stromagate.quantify.intensity import median
from stromagate.quantify.intervals import settled
from stromagate.quantify.states import count_state

INTERVAL = "MOVER of order statistics, logarithms"
DIFFERENCE_INTERVAL = "MOVER of order statistics"
Read = Mapping[tuple[str, str, str], F32]
"""Values by role of the control, population and axis, all controls of the role together."""


def control_role(marker: str) -> str:
    """Return the role of the controls without a marker's antibody."""
    return f"fmo:{marker}"


def control_roles(readouts: Sequence[Readout]) -> tuple[str, ...]:
    """Return the roles of the controls that read-outs compare with."""
    return tuple(dict.fromkeys(control_role(marker) for _, _, marker in _pairs(readouts)))


def wanted_values(tree: GateTree, readouts: Sequence[Readout], role: str) -> dict[str, tuple[str, ...]]:
    """Return the axes to be read on a control of a role, by population of the tree."""
    there, found = {node.name for node in tree.nodes}, dict[str, tuple[str, ...]]()
    for _, name, marker in _pairs(readouts):
        if control_role(marker) == role and name in there and marker in tree.axes:
            found[name] = (marker,)
    return found


def readout_rows(
    tree: GateTree,
    template: GatingTemplate,
    rows: Sequence[Statistic],
    *,
    values: Callable[[str, str], F32 | None],
    read: Read,
    labels: Mapping[str, str],
    confidence: float,
) -> Iterator[Statistic]:
    """Yield the ratios of medians that the template declares and the tube carries, in their order.

    Parameters
    ----------
    tree : GateTree
        Populations, axes and scales of the tube.
    template : GatingTemplate
        Declares the read-outs.
    rows : sequence of Statistic
        The tube's counts, judged by their background.
    values : callable
        ``values(population, axis)``: compensated scale values of the tube, float32, shape (n_population,); None where
        the population could not be evaluated.
    read : mapping of (str, str, str) to ndarray of float32, shape (n_population,)
        The same of its controls by role, population and axis; a role without one is a control that is not there.
    labels : mapping of str to str
        Columns of the sheet: a read-out may bear a flag that they do not lift.
    confidence : float
        Level of the intervals, between 0 and 1.

    Yields
    ------
    Statistic
        ``control_median`` (where the control holds events), ``mfi_ratio`` and ``median_difference`` of each population
        and marker; ``denominator`` is the role of the control, ``n`` the events that the row's own median is of. The
        value is None where there is none, and the state says why; where a flag stands on the read-out, it is the state
        of its numbers.
    """
    counts = {row.population: row for row in rows if row.statistic == "count"}
    nodes = {node.name: node for node in tree.nodes}
    done = set[tuple[str, str]]()
    for readout, name, marker in _pairs(template.readouts):
        if name not in nodes or marker not in tree.axes or (name, marker) in done:
            continue
        done.add((name, marker))
        role = control_role(marker)
        pair = _Pair(
            {"population": name, "parent": nodes[name].parent, "marker": marker, "denominator": role},
            _middle(values(name, marker), confidence),
            _middle(read.get((role, name, marker)), confidence),
            counts[name].state if name in counts else "not evaluable",
            ", ".join(flags(readout, labels)),
        )
        yield from _rows(pair, tree.axes[marker].scale)


def without_lost(
    rows: Sequence[Statistic], template: GatingTemplate, labels: Mapping[str, str]
) -> tuple[Statistic, ...]:
    """Return statistics without the log ratios that a tube's leukaemia makes meaningless."""
    counts = {row.population: row.n for row in rows if row.statistic == "count"}
    gone = {
        (row.population, row.denominator)
        for readout in template.readouts
        for row in readout.rows
        if row.kind == LOG_RATIO and lost(row, labels, blasts_of(row, template, counts))
    }
    nothing = dict.fromkeys(("value", "ci_low", "ci_high", "counting_low", "counting_high"))
    nothing |= dict.fromkeys(("boundary_low", "boundary_high"))
    refused = {**nothing, "state": NOT_APPLICABLE, "interval": ""}
    return tuple(
        row.model_copy(update=refused)
        if row.statistic == LOG_RATIO and (row.population, row.denominator) in gone
        else row
        for row in rows
    )


def blasts_of(row: ReadoutRow, template: GatingTemplate, counts: Mapping[str, int | None]) -> Blasts:
    """Return what a tube shows of the blasts that a row names, among its first denominator."""
    parents = {spec.name: spec.parent for spec in template.populations}
    every = template.denominators[0] if template.denominators else ""
    if row.carriers is None or row.carriers not in parents:
        return Blasts(None, None, None)
    return Blasts(counts.get(row.carriers), counts.get(parents[row.carriers]), counts.get(every))


@dataclass(frozen=True, slots=True)
class _Middle:
    """A median with its limits, None where so few events bound nothing, and the number of finite values."""

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class _Pair:
    """One population and marker in the tube and in its control; None where there are no values.

    ``state`` is the state of the population's count, ``flag`` what stands on its read-out.
    """

    known: Mapping[str, str]
    own: _Middle | None
    control: _Middle | None
    state: str
    flag: str

    def refused(self) -> str:
        """Return why no number is made of the two; empty where one is."""
        if self.own is None or self.state == "not evaluable":
            return "not evaluable"
        if self.own.n < MIN_MEDIAN_EVENTS:
            return TOO_FEW
        if self.state == "not detected":
            return self.state
        if self.control is None:
            return NO_CONTROL
        return TOO_FEW if self.control.n < MIN_MEDIAN_EVENTS else ""


def _pairs(readouts: Sequence[Readout]) -> Iterator[tuple[Readout, str, str]]:
    """Yield every population and marker that is compared with a control, each with its read-out."""
    for readout in readouts:
        for row in readout.rows:
            if row.kind == MFI_RATIO and row.marker is not None:
                for name in (row.population, row.carried_by):
                    if name is not None:
                        yield readout, name, row.marker


def _middle(values: F32 | None, confidence: float) -> _Middle | None:
    if values is None:
        return None
    if not np.isfinite(values).any():
        return _Middle(math.nan, None, None, 0)
    return _Middle(*median(values, confidence))


def _rows(pair: _Pair, scale: Scale) -> Iterator[Statistic]:
    own, control, refused = pair.own, pair.control, pair.refused()
    if control is not None and control.n:
        yield Statistic(
            statistic=CONTROL_MEDIAN,
            value=control.value,
            unit="scale value",
            ci_low=control.low,
            ci_high=control.high,
            state=count_state(control.n),
            n=control.n,
            interval="" if control.low is None else OF_MEDIANS,
            **pair.known,
        )
    n = None if own is None else own.n
    if refused or own is None or control is None:
        for statistic, unit in ((MFI_RATIO, "ratio"), (MEDIAN_DIFFERENCE, "display units")):
            yield Statistic(statistic=statistic, value=None, unit=unit, state=refused, n=n, **pair.known)
        return
    state = (
        pair.flag if pair.flag and pair.state == "quantifiable" else "; ".join(filter(None, (pair.state, pair.flag)))
    )
    positive = min(own.value, control.value) > 0
    if positive:
        found = ratio_limits(_three(own), _three(control))
        yield _number(pair, MFI_RATIO, "ratio", own.value / control.value, found, state, INTERVAL)
    else:
        yield Statistic(statistic=MFI_RATIO, value=None, unit="ratio", state=NOT_POSITIVE, n=n, **pair.known)
    one, other = (_shown(scale, middle) for middle in (own, control))
    limits = _difference(one, other)
    yield _number(pair, MEDIAN_DIFFERENCE, "display units", one[0] - other[0], limits, state, DIFFERENCE_INTERVAL)


Three = tuple[float, float | None, float | None]


def ratio_limits(one: Three, other: Three) -> tuple[float | None, float | None]:
    """Return the limits of a ratio of two medians from each of them with its limits.

    Parameters
    ----------
    one, other : tuple of float
        Median, above zero, with lower and upper limit at one level of confidence; None where nothing bounds it.

    Returns
    -------
    tuple of float or None
        The lower limit is 0 where that of ``one`` is not above zero, and the upper one None where that of ``other`` is
        not; both are None where nothing bounds a median.
    """
    if None in one or None in other:
        return None, None
    low, high = _difference(*(tuple(_log(value) for value in three) for three in (one, other)))  # type: ignore[arg-type]
    return (
        None if low is None else math.exp(low),
        None if high is None or high == math.inf else math.exp(high),
    )


def _difference(one: Three, other: Three) -> tuple[float | None, float | None]:
    if one[1] is None or one[2] is None or other[1] is None or other[2] is None:
        return None, None
    return difference(one[0], (one[1], one[2]), other[0], (other[1], other[2]))


def _log(value: float | None) -> float:
    return math.log(value) if value is not None and value > 0 else -math.inf


def _three(middle: _Middle) -> Three:
    return middle.value, middle.low, middle.high


def _shown(scale: Scale, middle: _Middle) -> Three:
    """Return a median with its limits in display units, which keep their order."""
    value, low, high = (None if each is None else float(forward(scale, each)[0]) for each in _three(middle))
    assert value is not None
    return value, low, high


def _number(
    pair: _Pair,
    statistic: str,
    unit: str,
    value: float,
    limits: tuple[float | None, float | None],
    state: str,
    interval: str,
) -> Statistic:
    low, high = (settled(limit) for limit in limits)
    return Statistic(
        statistic=statistic,
        value=settled(value),
        unit=unit,
        ci_low=low,
        ci_high=high,
        counting_low=low,
        counting_high=high,
        state=state,
        n=None if pair.own is None else pair.own.n,
        interval="" if low is None and high is None else interval,
        **pair.known,
    )
