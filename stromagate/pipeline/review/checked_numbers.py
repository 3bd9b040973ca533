"""Every number of a run counted from its files once more, on the boundaries of its results: nothing is fitted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from stromagate import __version__
from stromagate.errors import StromagateError
from stromagate.gating import replay
from stromagate.gating.draws import boundary_draws
from stromagate.gating.engine import Gated
from stromagate.model.config import RunConfig
from stromagate.model.gates import ROOT
from stromagate.model.result import RunFinding, RunIndex, SampleResult, Statistic
from stromagate.model.specimen import specimen
from stromagate.pipeline import bundle
from stromagate.pipeline.background import Told, with_background
from stromagate.pipeline.count import count_populations
from stromagate.pipeline.review.companions import Places
from stromagate.pipeline.review.differences import Difference, Kind, Verified
from stromagate.pipeline.review.rerun import Files, tubes_of
from stromagate.pipeline.run_evidence import look_at_run
from stromagate.pipeline.settings import LENT, read_tube, with_markers
from stromagate.pipeline.threads import one_blas_thread
from stromagate.prepare import prepare
from stromagate.qc.whole_run import check_run
from stromagate.quantify import SHARE_INTERVALS, statistics
from stromagate.quantify.beside import with_specimen
from stromagate.quantify.pooling import pool
from stromagate.templates import LoadedTemplate

_REL = 1e-9
"""Of one version, numbers come out the same to the last digit on one machine; on another the last few may differ."""

_NUMBERS = ("value", "ci_low", "ci_high", "counting_low", "counting_high", "boundary_low", "boundary_high", "n")
_NAMED_AT_MOST = 3


@dataclass(frozen=True, slots=True)
class _Known:
    """What a run was told, as far as it is at hand."""

    loaded: LoadedTemplate
    config: RunConfig


def check_numbers(folder: Path, run: RunIndex, results: Sequence[SampleResult], files: Files, found: Verified) -> None:
    """Count every tube again and say which numbers differ.

    Where template and settings are at hand, and the version is that of the run, this is every number with its
    interval; else it is the number of events of every population.

    Parameters
    ----------
    folder : path
        The run.
    run : RunIndex
        Its index.
    results : sequence of SampleResult
        Those that could be read.
    files : FileFinder
        Finds the FCS files by their content.
    found : Verified
        Takes what was found.
    """
    known = _known(folder, run, files, found)
    places = {result.sample_id: files.find(result.source.sha256 or "", result.source.path) for result in results}
    for result in results:
        path = places[result.sample_id]
        if path is None:
            sentence = f"no file has the content that this result was made from ({result.source.path})"
            found.add("files", [_of(result, "file", sentence)])
            continue
        found.add("files", [])
        controls = {use.sample_id: at for use in result.controls if (at := places.get(use.sample_id)) is not None}
        try:
            with one_blas_thread():
                differs = _counted(result, path) if known is None else _reckoned(result, path, known, controls)
        except StromagateError as error:
            differs = [f"the file cannot be counted: {error.message}"]
        found.add("tubes counted again", [_of(result, "number", sentence) for sentence in differs])
    if known is not None and len(results) == len(places) and None not in places.values():
        _check_findings(folder, run, results, files, known, found)


def _known(folder: Path, run: RunIndex, files: Files, found: Verified) -> _Known | None:
    if run.stromagate != __version__:
        found.not_checked.append(f"intervals: made by stromagate {run.stromagate}, and this is {__version__}")
        return None
    try:
        assert run.template is not None
        places = Places(folder, files.folders)
        return _Known(places.template(run.template), places.config(run))
    except StromagateError as error:
        found.not_checked.append(f"intervals: {error.message}")
        return None


def _counted(result: SampleResult, path: Path) -> list[str]:
    """Count the populations of a tube on the boundaries of its result, which needs no template."""
    config = result.record.config
    counts = count_populations(path, result.tree, policy=config.policy, dataset=config.dataset)
    names = (ROOT, *(node.name for node in result.tree.nodes))
    told = {name: result.n_events if name == ROOT else result.count(name) for name in names}
    wrong = [
        f"{name}: {_n(told[name])} in the result, {_n(counts.get(name))} counted"
        for name in names
        if told[name] != counts.get(name)
    ]
    return _some(wrong, "counts")


def _reckoned(result: SampleResult, path: Path, known: _Known, controls: Mapping[str, Path]) -> list[str]:
    """Make all numbers of a tube again on the boundaries of its result."""
    loaded, config = known.loaded, known.config
    sample = read_tube(path, loaded, config)
    prepared = prepare(sample, loaded.template, with_markers(config, _lent(result)))
    members = replay.members(prepared, result.tree)
    names = (ROOT, *(node.name for node in result.tree.nodes))
    counts = {name: len(members[name]) if name in members else None for name in names}
    gated = Gated(result.tree, MappingProxyType(members), MappingProxyType(counts), result.left_out)
    numbers = statistics(
        gated.members,
        gated.tree,
        loaded.template,
        linear=prepared.linear,
        confidence=config.confidence,
        interval=SHARE_INTERVALS[config.interval],
        draws=boundary_draws(prepared, gated, config.boundary_draws, seed=config.seed),
    )
    numbers = with_specimen(
        numbers,
        gated.tree,
        loaded.template,
        specimen(result.labels),
        confidence=config.confidence,
        hemodilution=config.hemodilution,
    )
    bare = tuple(use.model_copy(update={"counts": {}}) for use in result.controls)
    told = with_background(prepared, gated, loaded, config, Told(bare, (), numbers), controls, result.labels)
    wrong = list(_rows(result.statistics, told.statistics))
    if sample.n_events != result.n_events:
        wrong.insert(0, f"{result.n_events:,} events in the result, {sample.n_events:,} in the file")
    if told.controls != result.controls:
        wrong.append("events of the controls on the tube's boundaries")
    if (told.background, told.detection) != (result.background, result.detection):
        wrong.append("background and limits of detection")
    return _some(wrong, "numbers")


def _lent(result: SampleResult) -> dict[str, str]:
    """Return the markers that were lent to a tube: those of its panel that the result's conventions name."""
    words = result.record.conventions.get(LENT, "").partition(": as in")[0].split(", ")
    return {item.axis: item.pnn for item in result.panel.bindings if f"{item.axis} on {item.pnn}" in words}


def _rows(told: Sequence[Statistic], made: Sequence[Statistic]) -> Iterator[str]:
    """Yield in words which numbers of a result are not those that were made now."""
    keyed = {_key(row): row for row in made}
    for row in told:
        other = keyed.pop(_key(row), None)
        name = f"{row.population}, {row.statistic}" + (f" of {row.marker}" if row.marker else "")
        if other is None:
            yield f"{name}: there is no such number"
            continue
        for field in _NUMBERS:
            a, b = getattr(row, field), getattr(other, field)
            if not _same(a, b):
                yield f"{name}: {field} is {_n(a)} in the result, {_n(b)} from the file"
                break
        else:
            if row.state != other.state:
                yield f"{name}: '{row.state}' in the result, '{other.state}' from the file"
    for row in keyed.values():
        yield f"{row.population}, {row.statistic}: missing in the result"


def _key(row: Statistic) -> tuple[str, ...]:
    return (row.population, row.statistic, row.denominator, row.marker, row.unit)


def _same(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return math.isclose(a, b, rel_tol=_REL, abs_tol=1e-12)


def _n(value: float | None) -> str:
    return "none" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.12g}"


def _some(wrong: Sequence[str], what: str) -> list[str]:
    """Return the first few of many faults, and how many there are."""
    if len(wrong) <= _NAMED_AT_MOST:
        return list(wrong)
    return [*wrong[:_NAMED_AT_MOST], f"and {len(wrong) - _NAMED_AT_MOST} further {what}"]


def _check_findings(
    folder: Path, run: RunIndex, results: Sequence[SampleResult], files: Files, known: _Known, found: Verified
) -> None:
    """Look at all tubes together once more."""
    tubes = tubes_of(folder, run, files)
    charts = bundle.read_charts(folder)
    pooled = pool(results, failed=[entry for entry in run.samples if entry.status == "failed"])
    evidence = replace(look_at_run(tubes, results, known.loaded, run.config), pooled=pooled)
    if charts is not None:
        evidence = replace(evidence, charts=charts.charts)
    made: tuple[RunFinding, ...] = check_run(evidence)
    differs = [] if made == run.findings else [Difference("run", bundle.RUN_FILE, _other_findings(run.findings, made))]
    found.add("findings of all tubes together", differs, len(run.findings))


def _other_findings(told: Sequence[RunFinding], made: Sequence[RunFinding]) -> str:
    codes = sorted({each.code for each in (*told, *made) if each not in told or each not in made})
    return f"its findings on all tubes together are not what the tubes give: {', '.join(codes) or 'their order'}"


def _of(result: SampleResult, kind: Kind, sentence: str) -> Difference:
    where = f"{bundle.SAMPLES}/{result.sample_id}/{bundle.RESULT_FILE}"
    return Difference(kind, where, sentence, result.sample_id)
