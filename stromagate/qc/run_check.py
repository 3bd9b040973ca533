"""The contract of a check of a whole run: what it is given, and what it declares.

Adding one is adding ``qc/run_checks/NAME.py`` with a function and ``RUN_CHECK = RunCheck(...)``. It answers with at
least one finding, as a check of one tube does (see ``qc.check``); what it cannot judge is ``not_applicable``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from stromagate.model.gates import ROOT
from stromagate.model.history import ControlChart
from stromagate.model.pooled import PooledRun
from stromagate.model.result import FindingStatus, RunFinding, SampleResult
from stromagate.model.template import GatingTemplate
from stromagate.qc import verdict
from stromagate.registry import Registry

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class TubeSeen:
    """One analysed tube: its result, and what its file says beside it.

    Attributes
    ----------
    result : SampleResult
        Everything about the tube but its events.
    stained : bool
        Whether it is a stained tube, and no control.
    volts : mapping of str to float
        Detector voltage by ``$PnN``.
    cytometer, serial : str
        Of the file, in small letters; empty where it does not say them.
    day : str
        Of the acquisition: compared, and never printed or stored, because a date may point to a person.
    begun_s : float or None
        When acquisition began, in seconds of the day.
    data_sha256 : str
        Digest of the events as they are stored; empty where no other tube of the run could hold the same.
    """

    result: SampleResult
    stained: bool = True
    volts: Mapping[str, float] = field(default_factory=dict)
    cytometer: str = ""
    serial: str = ""
    day: str = field(default="", repr=False)
    begun_s: float | None = None
    data_sha256: str = ""

    @property
    def name(self) -> str:
        """Name of the tube in the run."""
        return self.result.sample_id

    def said(self, column: str) -> str:
        """Return what the sample sheet says in a column; empty where it says nothing."""
        return self.result.labels.get(column, "").strip()


@dataclass(frozen=True, slots=True)
class Batch:
    """Tubes that are to be alike: those of one batch and panel of the sheet, else of one day and cytometer."""

    called: str
    tubes: tuple[TubeSeen, ...]
    by_sheet: bool


@dataclass(frozen=True, slots=True)
class RunEvidence:
    """Everything a check of a run may look at: the analysed tubes in their order, and the charts over earlier runs.

    ``charts`` has one chart for every instrument and panel of the run; None where the run keeps no history. ``pooled``
    are its replicates; None where they were not looked for.
    """

    tubes: tuple[TubeSeen, ...]
    template: GatingTemplate
    charts: tuple[ControlChart, ...] | None = None
    pooled: PooledRun | None = None

    def batches(self) -> list[Batch]:
        """Return the tubes in groups that should be alike, in the order of the run."""
        groups: dict[tuple[str, ...], list[TubeSeen]] = {}
        for tube in self.tubes:
            batch, panel = tube.said("batch"), tube.said("panel").casefold()
            place = ("sheet", batch.casefold()) if batch else ("files", tube.day, tube.cytometer, tube.serial)
            groups.setdefault((*place, panel), []).append(tube)
        found = []
        for key, tubes in groups.items():
            by_sheet = key[0] == "sheet"
            called = f"batch {tubes[0].said('batch')}" if by_sheet else _by_files(tubes, len(groups))
            several_panels = by_sheet and sum(other[:-1] == key[:-1] for other in groups) > 1
            if several_panels:
                called += f", panel {tubes[0].said('panel') or 'not named'}"
            found.append(Batch(called, tuple(tubes), by_sheet))
        return found

    def called(self, population: str) -> str:
        """Return what sentences call a population: the template's label, in quotes where it has several words."""
        if population == ROOT:
            return "the whole tube"
        labels = {spec.name: spec.label for spec in self.template.populations}
        label = labels.get(population) or population
        return f"“{label}”" if " " in label else label


def _by_files(tubes: list[TubeSeen], n_groups: int) -> str:
    return "this run" if n_groups == 1 else f"the tubes of one day and cytometer ({tubes[0].name} and others)"


@dataclass(frozen=True, slots=True)
class RunCheck:
    """Declaration of a check of a run: its code, what it looks for, its default limits and their unit.

    A limit is crossed by what lies beyond it, never by the limit itself.
    """

    code: str
    title: str
    run: Callable[[RunEvidence], list[RunFinding]]
    warn: float | None = None
    fail: float | None = None
    unit: str = ""


run_checks: Registry[RunCheck] = Registry(
    kind="check of a run",
    package="stromagate.qc.run_checks",
    attribute="RUN_CHECK",
    group="stromagate.run_checks.v1",
    declares=RunCheck,
)


def said(
    check: RunCheck,
    status: FindingStatus,
    sentence: str,
    *,
    samples: Iterable[str] = (),
    remedy: str = "",
    population: str = "",
    measured: float | None = None,
) -> RunFinding:
    """Return a finding of a run.

    Parameters
    ----------
    check : RunCheck
        Gives code, unit, and the limit that stands beside a measured value.
    status : {"pass", "warn", "fail", "not_applicable"}
        What follows from what was seen.
    sentence : str
        What was seen; tubes by their names.
    samples : iterable of str
        The tubes it is about.
    remedy : str
        What to do; needed with ``warn`` and ``fail``.
    population : str
        What it is about, where it is about one population.
    measured : float, optional
        In the check's unit; twelve digits are kept, beyond which sums may differ between machines.
    """
    plain = verdict.said(check, status, sentence, remedy=remedy, population=population, measured=measured)
    limit = check.fail if status == "fail" and check.fail is not None else check.warn
    beside = {"samples": tuple(samples), "limit": None if measured is None else limit}
    return RunFinding.model_validate({**dict(plain), **beside})


def not_applicable(check: RunCheck, reason: str) -> RunFinding:
    """Return the finding of a check that could not be made, with the reason as a sentence."""
    return said(check, "not_applicable", reason)


def usual(values: Mapping[str, K]) -> tuple[K, list[str]]:
    """Return the value that most tubes have, the first one's where two are as common, and the tubes that differ."""
    (most, _), *_ = Counter(values.values()).most_common(1)
    return most, [name for name, value in values.items() if value != most]
