"""From a history to control charts: one point a batch, limits from the baseline, and the rules each point breaks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stromagate.model.history import (
    ChartBook,
    ChartPoint,
    ControlChart,
    KeptRun,
    KeptTube,
    Series,
    SeriesKind,
    SeriesUnit,
)
from stromagate.pipeline.history import BASELINE_FILE
from stromagate.qc.places import decades
from stromagate.qc.westgard import broken, limits

BASELINE = 20
"""Batches that limits are made of: twenty is the usual number for control materials. A lab may declare fewer."""

FEWEST_DECLARED = 5
"""Fewest batches a lab may declare as a baseline. Own choice."""

_ENOUGH_FRAC = 0.75  # of the baseline's batches must have a value; own choice


@dataclass(frozen=True, slots=True)
class _Batch:
    called: str
    tubes: tuple[KeptTube, ...]
    now: bool


@dataclass(frozen=True, slots=True)
class _Baseline:
    """The places of its batches, whether the lab named them, and what is missing (empty: nothing)."""

    places: tuple[int, ...]
    declared: bool
    lacks: str


@dataclass(frozen=True, slots=True)
class _Measure:
    """One quantity: how it is called, and how it is read off a tube (None: the tube does not have it)."""

    kind: SeriesKind
    name: str
    axis: str
    unit: SeriesUnit
    read: Callable[[KeptTube], float | None]


def chart_book(
    runs: Sequence[KeptRun], now: KeptRun, labels: Mapping[str, str], declared: Sequence[str] = ()
) -> ChartBook:
    """Return the charts of a run: one for each instrument and panel that it used.

    Parameters
    ----------
    runs : sequence of KeptRun
        The whole history, oldest first, with the run in it.
    now : KeptRun
        The run.
    labels : mapping of str to str
        What people call the template's populations.
    declared : sequence of str
        Batches of the baseline, where the lab named them.

    Returns
    -------
    ChartBook
        Of runs with the very template of this one; a tube that was run several times counts once, as the last run had
        it, in the place of the first.
    """
    alike = [run for run in runs if run.template_sha256 == now.template_sha256]
    keys = dict.fromkeys((tube.instrument, tube.panel) for tube in now.tubes)
    return ChartBook(
        stromagate=now.stromagate,
        template=now.template,
        template_version=now.template_version,
        template_sha256=now.template_sha256,
        charts=tuple(_chart(key, _batches(alike, now, key), labels, declared) for key in keys),
    )


def _batches(runs: Sequence[KeptRun], now: KeptRun, key: tuple[str, str]) -> list[_Batch]:
    """Return the batches of one instrument and panel, in the order in which they came."""
    latest: dict[str, tuple[tuple[str, str], str, KeptTube]] = {}
    for run in runs:
        alone = len(run.tubes) == 1
        for tube in run.tubes:
            if (tube.instrument, tube.panel) == key:
                called = tube.batch or (tube.sample_id if alone else f"run {run.run[:8]}")
                place = ("batch", tube.batch.casefold()) if tube.batch else ("run", run.run)
                latest[tube.sha256 or f"{run.run} {tube.sample_id}"] = (place, called, tube)
    mine = {tube.sha256 for tube in now.tubes}
    groups: dict[tuple[str, str], list[tuple[str, KeptTube]]] = {}
    for place, called, tube in latest.values():
        groups.setdefault(place, []).append((called, tube))
    return [
        _Batch(found[0][0], tuple(tube for _, tube in found), any(tube.sha256 in mine for _, tube in found))
        for found in groups.values()
    ]


def _chart(
    key: tuple[str, str], batches: Sequence[_Batch], labels: Mapping[str, str], declared: Sequence[str]
) -> ControlChart:
    names = [batch.called for batch in batches]
    now = tuple(place for place, batch in enumerate(batches) if batch.now)
    baseline = _baseline(names, declared)
    every = [_series(measure, batches, baseline) for measure in _measures(batches, baseline, labels)]
    why = baseline.lacks or ("" if max(now) > baseline.places[-1] else "the run is part of the baseline itself")
    return ControlChart(
        instrument=key[0],
        panel=key[1],
        batches=tuple(names),
        now=now,
        n_baseline=len(baseline.places),
        judged_from=baseline.places[-1] + 1,
        declared=baseline.declared,
        ready=not why,
        why=why,
        series=tuple(series for series in every if any(point.value is not None for point in series.points)),
    )


def _baseline(names: Sequence[str], declared: Sequence[str]) -> _Baseline:
    """Return the batches that the lab named, as far as they are of this instrument and panel, else the first ones."""
    wanted = {name.casefold() for name in declared}
    chosen = tuple(place for place, name in enumerate(names) if name.casefold() in wanted)
    if chosen:
        few = len(chosen) < FEWEST_DECLARED
        lacks = f"{BASELINE_FILE} names {len(chosen)} of its batches, and {FEWEST_DECLARED} are needed" if few else ""
        return _Baseline(chosen, declared=True, lacks=lacks)
    first = tuple(range(min(BASELINE, len(names))))
    there = "is there" if len(first) == 1 else "are there"
    lacks = f"{len(first)} of the {BASELINE} batches that limits are made of {there}" if len(first) < BASELINE else ""
    return _Baseline(first, declared=False, lacks=lacks)


def _series(measure: _Measure, batches: Sequence[_Batch], baseline: _Baseline) -> Series:
    """Return one series, with limits and rules where the baseline is whole and has the value often enough."""
    values = [_middle(measure, batch) for batch in batches]
    known = [value for place in baseline.places if (value := values[place]) is not None]
    judged = measure.kind != "rate"
    n, after = len(baseline.places), baseline.places[-1] + 1
    few = len(known) < _ENOUGH_FRAC * n
    found = None if few or baseline.lacks else limits(known)
    spoilt = f"{len(known)} of {n} batches of the baseline have it" if few else "it is the same in the whole baseline"
    why = "" if found else baseline.lacks or spoilt
    rules = [*((),) * after, *broken(values[after:], found)] if found and judged else [()] * len(values)
    points = tuple(
        ChartPoint(
            batch=batch.called,
            value=None if value is None else float(f"{value:.9g}"),
            n_tubes=sum(measure.read(tube) is not None for tube in batch.tubes),
            baseline=place in baseline.places,
            rules=rule,
        )
        for place, (batch, value, rule) in enumerate(zip(batches, values, rules, strict=True))
    )
    return Series(
        kind=measure.kind,
        name=measure.name,
        axis=measure.axis,
        unit=measure.unit,
        judged=judged,
        points=points,
        mean=found.mean if found else None,
        sd=found.sd if found else None,
        n_baseline=len(known),
        why=why,
    )


def _middle(measure: _Measure, batch: _Batch) -> float | None:
    values = [value for tube in batch.tubes if (value := measure.read(tube)) is not None]
    return float(np.median(values)) if values else None


def _measures(batches: Sequence[_Batch], baseline: _Baseline, labels: Mapping[str, str]) -> Iterator[_Measure]:
    tubes = [tube for batch in batches for tube in batch.tubes]
    yield from _boundaries(tubes, labels)
    yield from _references(batches, baseline, labels)
    yield _Measure("viability", "Viability", "Viability", "%", lambda tube: tube.viability_pct)
    yield _Measure(
        "events", "Events of a tube", "events", "log10 events", lambda tube: math.log10(max(tube.n_events, 1))
    )
    for name in dict.fromkeys(name for tube in tubes for name in tube.rates):
        yield _Measure("rate", f"{labels.get(name) or name} per million", name, "log10 per million", _rate_of(name))


def _rate_of(name: str) -> Callable[[KeptTube], float | None]:
    return lambda tube: math.log10(tube.rates[name]) if tube.rates.get(name, 0.0) > 0 else None


def _boundaries(tubes: Sequence[KeptTube], labels: Mapping[str, str]) -> Iterator[_Measure]:
    """Yield each gate's edges, and those measured by references a second time in units of these."""
    kinds = {(item.population, item.axis, item.side): item for tube in tubes for item in tube.boundaries}
    for (population, axis, side), kind in kinds.items():
        both = (population, axis, "below" if side == "from" else "from") in kinds
        name = f"{labels.get(population) or population}, {axis}"
        name += f", {'lower' if side == 'from' else 'upper'} edge" if both else ""

        def read(tube: KeptTube, wanted: tuple[str, str, str] = (population, axis, side)) -> float | None:
            edges = [item for item in tube.boundaries if (item.population, item.axis, item.side) == wanted]
            if len(edges) != 1:  # stretches of a gate are no boundary that could be followed
                return None
            return edges[0].raw if edges[0].linear else decades(edges[0].raw)

        def way(tube: KeptTube, wanted: tuple[str, str, str] = (population, axis, side)) -> float | None:
            edges = [item for item in tube.boundaries if (item.population, item.axis, item.side) == wanted]
            return edges[0].way if len(edges) == 1 else None

        yield _Measure("boundary", name, axis, "scale value" if kind.linear else "decades", read)
        if any(way(tube) is not None for tube in tubes):
            yield _Measure("boundary", f"{name}, between its references", axis, "part of the way", way)


def _references(batches: Sequence[_Batch], baseline: _Baseline, labels: Mapping[str, str]) -> Iterator[_Measure]:
    """Yield, for each marker, the brightest and the dimmest of its references that the baseline has throughout."""
    known = [batches[place] for place in baseline.places]
    pairs = dict.fromkeys(
        (item.axis, item.population) for batch in batches for tube in batch.tubes for item in tube.medians
    )
    for axis in dict.fromkeys(axis for axis, _ in pairs):
        found = []
        for population in (name for where, name in pairs if where == axis):
            measure = _Measure(
                "reference",
                f"{axis} of {labels.get(population) or population}",
                axis,
                "decades",
                _median_of(axis, population),
            )
            values = [value for batch in known if (value := _middle(measure, batch)) is not None]
            if known and len(values) >= _ENOUGH_FRAC * len(known):
                found.append((float(np.median(values)), measure))
        if found:
            ends = (max(found, key=lambda item: item[0])[1], min(found, key=lambda item: item[0])[1])
            yield from {measure.name: measure for measure in ends}.values()


def _median_of(axis: str, population: str) -> Callable[[KeptTube], float | None]:
    def read(tube: KeptTube) -> float | None:
        items = (item.value for item in tube.medians if (item.axis, item.population) == (axis, population))
        value = next(items, None)
        return None if value is None else decades(value)

    return read
