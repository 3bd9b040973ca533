"""What a run leaves in a history: of each stained tube where its boundaries lay and how bright its references were."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from stromagate import __version__
from stromagate.gating.methods.locked import Params
from stromagate.model.history import KeptBoundary, KeptMedian, KeptRun, KeptTube
from stromagate.model.result import SampleResult
from stromagate.pipeline.history import sealed
from stromagate.qc.places import Edge, fitted_edges
from stromagate.qc.run_check import RunEvidence, TubeSeen
from stromagate.templates import LoadedTemplate

MIN_EVENTS = 50
"""Events below which a median says little of a reference: the default of the method `locked`."""

_VIABILITY = "Viability"
_BY_REFERENCE = ("locked", "reference")


def keep(evidence: RunEvidence, loaded: LoadedTemplate, recorded: str) -> KeptRun:
    """Return what is kept of a run.

    Parameters
    ----------
    evidence : RunEvidence
        Its analysed tubes; controls are left out.
    loaded : LoadedTemplate
        Names the references.
    recorded : str
        The time (UTC), which is no part of the run's name.
    """
    ways = _ways(loaded)
    tubes = tuple(_tube(tube, loaded, ways) for tube in evidence.tubes if tube.stained)
    return sealed(
        KeptRun(
            run="",
            recorded=recorded,
            stromagate=__version__,
            template=loaded.template.name,
            template_version=loaded.template.version,
            template_sha256=loaded.sha256,
            tubes=tubes,
        )
    )


def _tube(tube: TubeSeen, loaded: LoadedTemplate, ways: Mapping[str, tuple[str, str]]) -> KeptTube:
    result = tube.result
    below = next(iter(loaded.template.denominators), "")
    return KeptTube(
        sample_id=result.sample_id,
        sha256=result.source.sha256 or "",
        batch=tube.said("batch"),
        instrument=_instrument(tube),
        panel=_panel(result),
        boundaries=tuple(_boundary(result, edge, ways) for edge in fitted_edges(result)),
        medians=_medians(result, references(loaded)),
        viability_pct=_viability_pct(result),
        n_events=result.n_events,
        rates={
            row.population: _settled(row.value)
            for row in result.statistics
            if row.statistic == "per_million"
            and row.denominator == below
            and row.value is not None
            and row.population in loaded.template.indices.values()
        },
        denominator=below,
    )


def references(loaded: LoadedTemplate) -> tuple[str, ...]:
    """Return the populations whose medians are kept: those numbers are measured by, and those asked for.

    They are the populations that gates are measured by, the denominators, and the index populations.
    """
    steps = [step for chain in loaded.gates.values() for step in chain if step.method in _BY_REFERENCE]
    measured_by = [name for step in steps for name in step.params.populations_used()]
    return tuple(dict.fromkeys((*measured_by, *loaded.template.denominators, *loaded.template.indices.values())))


def _ways(loaded: LoadedTemplate) -> dict[str, tuple[str, str]]:
    """Return the two references of each population whose boundary the template measures by references."""
    steps = [step.params for chain in loaded.gates.values() for step in chain]
    return {each.boundary: (each.negative, each.positive) for each in steps if isinstance(each, Params)}


def _boundary(result: SampleResult, edge: Edge, ways: Mapping[str, tuple[str, str]]) -> KeptBoundary:
    way = None
    if edge.population in ways:
        negative, positive = (_median(result, name, edge.axis) for name in ways[edge.population])
        if negative is not None and positive is not None and negative < positive:
            way = (edge.raw - negative) / (positive - negative)
    return KeptBoundary(
        population=edge.population,
        axis=edge.axis,
        side=edge.side,
        display=_settled(edge.display),
        raw=_settled(edge.raw),
        linear=edge.linear,
        way=None if way is None else _settled(way),
    )


def _settled(value: float) -> float:
    """Return nine digits: the last of sixteen differ between processors, and would make another run of the same."""
    return float(f"{value:.9g}")


def _medians(result: SampleResult, populations: tuple[str, ...]) -> tuple[KeptMedian, ...]:
    return tuple(
        KeptMedian(population=row.population, axis=row.marker, value=_settled(row.value), n=row.n or 0)
        for row in result.statistics
        if row.statistic == "median"
        and row.population in populations
        and row.value is not None
        and (row.n or 0) >= MIN_EVENTS
    )


def _median(result: SampleResult, population: str, axis: str) -> float | None:
    rows = (
        row for row in result.statistics if (row.population, row.statistic, row.marker) == (population, "median", axis)
    )
    row = next(rows, None)
    return None if row is None or (row.n or 0) < MIN_EVENTS else row.value


def _viability_pct(result: SampleResult) -> float | None:
    """Return the share that the first gate on the viability dye kept."""
    for node in result.tree.nodes:
        if node.geometry is not None and _VIABILITY in node.geometry.axes:
            kept, before = result.count(node.name), result.count(node.parent)
            return _settled(100 * kept / before) if kept is not None and before else None
    return None


def _instrument(tube: TubeSeen) -> str:
    """Return the cytometer's kind, and a digest of its serial number: the number may point to a place."""
    kind = tube.result.instrument.get("$CYT", "").strip() or "cytometer not named"
    return f"{kind} {_digest(chr(0).join((tube.cytometer, tube.serial)))[:8]}" if tube.serial else kind


def _panel(result: SampleResult) -> str:
    return _digest("\n".join(sorted(f"{item.axis}\t{item.pnn}" for item in result.panel.bindings)))[:16]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
