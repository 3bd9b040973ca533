"""From finished runs to cohorts: which tubes are compared, and what forbids comparing them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stromagate.errors import SpecificationError, UsageError
from stromagate.model.calibration import STRATA, OutcomeCalibration
from stromagate.model.cohort import Cohort, LeftOut
from stromagate.model.result import SampleEntry, SampleResult
from stromagate.model.specimen import is_blood, is_stained
from stromagate.pattern.cut_points import AnyCalibration
from stromagate.pattern.strata import NOT_SAID, stratum
from stromagate.pipeline.bundle import read_results
from stromagate.pipeline.calibrate import with_pattern
from stromagate.pipeline.cohort_tubes import Around, Taken, assemble
from stromagate.pipeline.controls.first_stage import Stage, silent
from stromagate.pipeline.finished_runs import FinishedRun, finished_runs
from stromagate.pipeline.tubes import slug

_MAX_NAMED = 5


@dataclass(frozen=True, slots=True)
class CohortRequest:
    """What a cohort is to be made of: finished runs, and how its tubes are called, grouped and parted."""

    folders: tuple[Path, ...]
    calibration: AnyCalibration | None = None
    group_by: str = ""
    by_stratum: bool = False


@dataclass(frozen=True, slots=True)
class Gathered:
    """Cohorts by the name of their folder (empty for the only one), and where the report of each tube lies.

    ``across`` are all tubes of each template together, whatever their stratum: patients are followed in it.
    """

    cohorts: dict[str, Cohort]
    across: tuple[Cohort, ...]
    reports: dict[str, Path]


def gather(request: CohortRequest, stage: Stage | None = None) -> Gathered:
    """Put the stained tubes of finished runs side by side.

    Controls are counted and left out. Of tubes with the same bytes the first is taken. With a calibration every tube is
    called again by it; without, it keeps the call that it was given in its run.

    Parameters
    ----------
    request : CohortRequest
        Runs in the order in which their tubes are to appear.
    stage : callable, optional
        Progress: told a title and the number of tubes, gives what is told the name of each.

    Raises
    ------
    UsageError
        No folder is named, one is named twice, or no tube has the column to group by.
    InputError
        A folder holds no finished run, or a result is damaged.
    SpecificationError
        No stained tube, or tubes of several templates, kinds of specimen or calibrations.
    """
    reader = _Reader(request)
    runs = _named(finished_runs(request.folders, "cohort"))
    with (stage or silent)("Reading tubes", sum(len(_stained(run)) for run, _ in runs)) as step:
        for run, name in runs:
            reader.read(run, name, step)
    taken = reader.marrow()
    if not taken:
        hint = "name runs of stained tubes; FMO tubes and blanks are no patients' tubes"
        if reader.left_out:
            hint = "; ".join(f"{one.sample_id}: {one.reason}" for one in reader.left_out[:3])
        where = ", ".join(map(str, request.folders))
        raise SpecificationError("cohort.none", "the runs hold no stained tube to compare", where=where, hint=hint)
    _check_group(taken, request.group_by)
    groups = _parted(taken) if request.by_stratum else {"": taken}
    if not request.by_stratum:
        _refuse_mix(taken)
    for some in groups.values():
        _refuse_calls(some)
    around = Around(
        runs=tuple(reader.runs),
        left_out=tuple(reader.left_out),
        n_controls=reader.n_controls,
        group_by=request.group_by,
        offset_ppm=None if request.calibration is None else request.calibration.offset_ppm,
        performance=_performance(request.calibration),
    )
    across = tuple(assemble(some, around) for some in _by_template(taken).values())
    cohorts = {key: assemble(some, around) for key, some in groups.items()} if request.by_stratum else {"": across[0]}
    return Gathered(cohorts, across, reader.reports)


def _performance(calibration: AnyCalibration | None) -> str:
    """Say how well cut-points that were fitted on outcomes do: never the apparent figure alone."""
    if not isinstance(calibration, OutcomeCalibration):
        return ""
    found = calibration.fit.performance
    ends = (found.nested_low, found.nested_high)
    limits = "" if None in ends else f" ({ends[0]:.2f} to {ends[1]:.2f})"
    return f"{found.measure} {found.nested:.2f}{limits} by nested cross-validation, {found.apparent:.2f} apparent"


def _named(runs: Sequence[FinishedRun]) -> list[tuple[FinishedRun, str]]:
    """Return runs with the names of their folders, the second of one name numbered."""
    found, used = [], Counter[str]()
    for each in runs:
        name = each.folder.resolve().name
        used[name] += 1
        found.append((each, name if used[name] == 1 else f"{name} ({used[name]})"))
    return found


def _stained(finished: FinishedRun) -> tuple[SampleEntry, ...]:
    return tuple(entry for entry in finished.run.samples if is_stained(entry.labels))


class _Reader:
    """Reads runs one by one and keeps what a cohort needs of them: neither densities nor replays."""

    def __init__(self, request: CohortRequest) -> None:
        self.request = request
        self.taken: list[Taken] = []
        self.left_out: list[LeftOut] = []
        self.reports: dict[str, Path] = {}
        self.runs: list[str] = []
        self.n_controls = 0
        self._names: set[str] = set()
        self._contents: dict[tuple[str, int], str] = {}

    def read(self, finished: FinishedRun, run_name: str, step: Callable[[str], None]) -> None:
        """Take the stained tubes of a run."""
        run, folder = finished.run, finished.folder
        self.runs.append(run_name)
        stained = _stained(finished)
        self.n_controls += len(run.samples) - len(stained)
        for entry in stained:
            if entry.status == "failed":
                self._leave(run_name, entry.sample_id, "it could not be analysed")
                step(entry.sample_id)
        for result in read_results(folder, run.model_copy(update={"samples": stained})):
            self._take(result, folder, run_name)
            step(result.sample_id)

    def _take(self, result: SampleResult, folder: Path, run_name: str) -> None:
        own = result.sample_id
        content = (result.source.sha256 or f"{run_name}/{own}", result.source.dataset)
        if content in self._contents:
            self._leave(run_name, own, f"it holds the same bytes as {self._contents[content]}")
            return
        name = own if own not in self._names else f"{own} ({run_name})"
        self._names.add(name)
        self._contents[content] = name
        self.reports[name] = folder / "samples" / own / "report.html"
        calibration = self.request.calibration
        # Results that are older than pattern calls get their indices here.
        called = result if calibration is None and result.pattern.indices else with_pattern(result, calibration)
        kept = called.model_copy(update={"sample_id": name, "views": (), "redrawn": {}, "moved_gates": ()})
        self.taken.append(Taken(kept, run_name, own))

    def marrow(self) -> list[Taken]:
        """Return the tubes without those of blood, which stand beside a marrow; all of them where all are of blood."""
        blood = [one for one in self.taken if is_blood(one.result.labels)]
        if len(blood) == len(self.taken):
            return self.taken
        for one in blood:
            self._leave(one.run, one.sample_id, "it is blood, and the others are not")
        return [one for one in self.taken if not is_blood(one.result.labels)]

    def _leave(self, run_name: str, sample_id: str, reason: str) -> None:
        self.left_out.append(LeftOut(run=run_name, sample_id=sample_id, reason=reason))


def _check_group(taken: Sequence[Taken], column: str) -> None:
    if column and not any(one.result.labels.get(column, "").strip() for one in taken):
        there = sorted({name for one in taken for name, value in one.result.labels.items() if value.strip()})
        raise UsageError(
            "cohort.group",
            f"no tube has anything in the column `{column}`",
            where="--group",
            hint=f"columns there are: {', '.join(there)}" if there else "the sample sheets have no further columns",
        )


def _template_key(one: Taken) -> str:
    return one.result.template.sha256


def _by_template(taken: Sequence[Taken]) -> dict[str, list[Taken]]:
    found: dict[str, list[Taken]] = {}
    for one in taken:
        found.setdefault(_template_key(one), []).append(one)
    return found


def _refuse_mix(taken: Sequence[Taken]) -> None:
    """Refuse tubes that cannot be compared; one error that names all that differs.

    Raises
    ------
    SpecificationError
        Several templates, or several kinds of specimen.
    """
    told = []
    templates = {_template_key(one): _template_of(one) for one in taken}
    if len(templates) > 1:
        counted = Counter(_template_key(one) for one in taken)
        told.append(f"templates: {_listed({templates[key]: n for key, n in counted.items()})}")
    for column in STRATA:
        kinds = Counter(stratum(one.result.labels, one.result.instrument)[column] for one in taken)
        if len(kinds) > 1:
            told.append(f"{column}: {_listed(kinds)}")
    if told:
        raise SpecificationError(
            "cohort.mixed",
            f"these tubes cannot be compared with each other: {'; '.join(told)}",
            where=", ".join(dict.fromkeys(one.run for one in taken)),
            hint="--by-stratum makes a cohort of each kind; or name runs of one kind, or state it in the sample sheet",
        )


def _template_of(one: Taken) -> str:
    template = one.result.template
    return f"{template.name} {template.version} ({template.sha256[:8]})"


def _listed(counted: Mapping[str, int]) -> str:
    shown = [f"{name} in {n} tube{'s' if n > 1 else ''}" for name, n in list(counted.items())[:_MAX_NAMED]]
    return ", ".join(shown) + (" ..." if len(counted) > _MAX_NAMED else "")


def _refuse_calls(taken: Sequence[Taken]) -> None:
    """Refuse patterns that were called by several calibrations, or of some tubes only."""
    by = Counter(
        "no calibration" if ref is None else f"{ref.level} “{ref.name}” ({ref.sha256[:8]})"
        for ref in (one.result.pattern.calibration for one in taken)
    )
    if len(by) > 1:
        raise SpecificationError(
            "cohort.calibrations",
            f"the patterns of these tubes were called by different calibrations: {_listed(by)}",
            where=", ".join(dict.fromkeys(one.run for one in taken)),
            hint="name one for all of them: --calibration FILE",
        )


def _parted(taken: Sequence[Taken]) -> dict[str, list[Taken]]:
    """Return the tubes by template and kind of specimen, under names that can be folders."""
    found: dict[tuple[str, ...], list[Taken]] = {}
    for one in taken:
        kind = stratum(one.result.labels, one.result.instrument)
        found.setdefault((_template_key(one), *kind.values()), []).append(one)
    several = len({key[0] for key in found}) > 1
    named: dict[str, list[Taken]] = {}
    for key, some in found.items():
        parts = [value for value in key[1:] if value != NOT_SAID] or ["not_said"]
        name = slug("_".join([some[0].result.template.name, *parts] if several else parts))
        while name in named:
            name = f"{name}_{key[0][:8]}" if key[0][:8] not in name else f"{name}_2"
        named[name] = some
    return named
