"""The only hand-off below gating: everything about one tube but its events (``stromagate.result/1``)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from stromagate.model.config import RunConfig
from stromagate.model.detection import BackgroundCount, DetectionLimits
from stromagate.model.edits import GateEdit
from stromagate.model.gates import GateNode, GateTree, Geometry
from stromagate.model.panel import Panel
from stromagate.model.pattern import CalibrationRef, MovedGate, PatternCall
from stromagate.model.sample import Repair, SourceRef, Verdict
from stromagate.model.scales import Scale
from stromagate.model.template import Document, Readout, SourceNote

RESULT_FORMAT: Literal["stromagate.result/1"] = "stromagate.result/1"
RUN_FORMAT: Literal["stromagate.run/1"] = "stromagate.run/1"
RESEARCH_USE = "For Research Use Only. Not for use in diagnostic procedures."

ABOUT_NUMBERS = frozenset({"Q07", "Q23", "Q28", "Q35", "Q36", "Q38", "Q45"})
"""Checks of how many cells there are: a tube with too few of them still shows where its boundaries lie."""

FindingStatus = Literal["pass", "warn", "fail", "not_applicable"]
FindingStage = Literal["file", "compensation", "acquisition", "gating", "result", "run"]


class Statistic(Document):
    """One number with its denominator, its interval and its state.

    ``denominator`` names the population the number is divided by, or whose median it is; ``n`` is the number of events
    of the population (of a median: those with a finite value; of a background: those of the controls). ``marker`` names
    the marker of a median, the marker left out of the gates (``without_marker``), or the role of the controls that a
    background, a net number or a limit is from. ``ci_low`` to ``ci_high`` is counting and boundary together; the
    ``counting_`` and ``boundary_`` limits are each of them alone, None where there is nothing of the kind. ``interval``
    says how the limits of counting were made; empty where there are none, and in results that are older than it.
    """

    population: str
    parent: str
    statistic: str
    value: float | None
    unit: str
    marker: str = ""
    denominator: str = ""
    ci_low: float | None = None
    ci_high: float | None = None
    state: str = ""
    n: int | None = None
    counting_low: float | None = None
    counting_high: float | None = None
    boundary_low: float | None = None
    boundary_high: float | None = None
    interval: str = ""


class Sensitivity(Document):
    """How much a population's count changes when one edge of one gate that decides about it moves by 0.1 decade.

    Changes are natural logarithms of count over count (``d log ppm``), None where the moved gate leaves no event;
    ``lower`` is the edge moved towards smaller values.
    """

    population: str
    gate: str
    axis: str
    lower: float | None
    higher: float | None


class ControlUse(Document):
    """A control that was paired with the tube, and what it served for."""

    sample_id: str
    role: str
    sha256: str
    n_events: int
    gates: tuple[str, ...] = Field((), description="Populations whose boundary was set on it.")
    n_anchor: dict[str, float] = Field(default_factory=dict, description="Events it holds of each anchor population.")
    matched: tuple[str, ...] = Field((), description="Keys on which it was paired with the tube.")
    mismatched: tuple[str, ...] = Field((), description="What differs between the two and should not, in words.")
    markers: dict[str, str] = Field(
        default_factory=dict, description="Markers that its own file does not name, and their $PnN, as lent to it."
    )
    counts: dict[str, int] = Field(
        default_factory=dict,
        description="Events on the tube's own boundaries, of the populations whose background it shows and of those "
        "it is scaled by; empty where it shows none.",
    )
    unused: Literal["", "apart", "detectors", "duplicate", "failed", "isotype"] = Field(
        "",
        description="Why it was kept from the gates; empty where it was not. `apart` is the nearest one of a role of "
        "which none belongs to the tube.",
    )
    reason: str = Field("", description="The same in words.")


class Finding(Document):
    """What a check saw. A check that could not be made is ``not_applicable``, never ``pass``.

    ``stage`` is where on the way from file to number the fault lies; empty in results that are older than it.
    """

    code: str
    check: str
    status: FindingStatus
    sentence: str
    measured: float | None = None
    limit: float | None = None
    unit: str = ""
    population: str = ""
    remedy: str = ""
    stage: FindingStage | Literal[""] = ""

    @property
    def spoils(self) -> bool:
        """Whether it forbids to build on the tube; that a tube holds few cells does not, it is what is counted."""
        return self.status == "fail" and self.code not in ABOUT_NUMBERS


class RunFinding(Finding):
    """What a check of all tubes together saw; ``samples`` are the tubes it is about, where it is about some of them."""

    samples: tuple[str, ...] = ()


class AxisView(Document):
    """One side of a density plot: what it shows, from where to where, and its ticks (all in display units)."""

    axis: str
    title: str
    low: float
    high: float
    scale: Scale
    ticks: tuple[tuple[float, str], ...] = ()


class ControlProfile(Document):
    """The controls that a gate was set on, pooled and counted in bins along one axis of its plot.

    ``profile`` is base64 of uint8, as a plot's ``grid`` is coded, over the plot's limits of that axis. ``population``
    is where the controls were read.
    """

    role: str
    axis: str
    population: str
    n_tubes: int
    n_events: int
    profile: str
    peak: int


class DensityView(Document):
    """What a plot of one gate needs: the parent's events binned, and outlines.

    ``grid`` is base64 of uint8, row-major, shape (ny, nx), row 0 at the bottom; for a plot of one axis ny is 1.
    Values are log-scaled counts: ``count = (1 + peak) ** (grid / 255) - 1``, empty bins 0.
    """

    population: str
    parent: str
    x: AxisView
    y: AxisView | None
    nx: int
    ny: int
    grid: str
    peak: int
    n_parent: int
    n_shown: int
    outline: Geometry | None
    controls: tuple[ControlProfile, ...] = Field((), description="The controls that the gate was set on.")


class TemplateRef(Document):
    """Which template made the result."""

    name: str
    version: str
    status: str
    title: str
    sha256: str
    sources: tuple[SourceNote, ...] = ()
    warnings: tuple[str, ...] = ()
    sentences: tuple[str, ...] = Field((), description="The gates in plain words, in order.")
    readouts: tuple[Readout, ...] = Field((), description="Read-outs of the niche with their warnings.")


class RunRecord(Document):
    """What is needed to make the same numbers again. No times and no machine paths: those live in ``run.json``."""

    stromagate: str
    python: str
    libraries: dict[str, str]
    config: RunConfig
    conventions: dict[str, str] = Field(default_factory=dict)


class SampleResult(Document):
    """Everything about one tube but its events."""

    format: Literal["stromagate.result/1"] = RESULT_FORMAT
    research_use: str = RESEARCH_USE
    sample_id: str
    labels: dict[str, str] = Field(default_factory=dict, description="Columns of the sample sheet.")
    source: SourceRef
    verdict: Verdict
    repairs: tuple[Repair, ...] = ()
    n_events: int
    instrument: dict[str, str] = Field(default_factory=dict, description="Allow-listed keywords only.")
    template: TemplateRef
    panel: Panel
    tree: GateTree
    statistics: tuple[Statistic, ...]
    findings: tuple[Finding, ...] = ()
    views: tuple[DensityView, ...] = ()
    pattern: PatternCall = PatternCall()
    denominators: tuple[str, ...] = ()
    indices: dict[str, str] = Field(default_factory=dict)
    labels_of_populations: dict[str, str] = Field(default_factory=dict)
    left_out: dict[str, str] = Field(default_factory=dict, description="Populations whose markers are absent, and why.")
    sensitivities: tuple[Sensitivity, ...] = ()
    redrawn: dict[str, tuple[int, ...]] = Field(
        default_factory=dict,
        description="Events of the pattern's populations and of the denominators on redrawn boundaries, replay by "
        "replay; a population that no boundary decides about is not there.",
    )
    moved_gates: tuple[MovedGate, ...] = Field((), description="Counts with the last gates of the pattern moved.")
    controls: tuple[ControlUse, ...] = ()
    background: tuple[BackgroundCount, ...] = Field((), description="What controls and blanks hold of the indices.")
    detection: tuple[DetectionLimits, ...] = Field((), description="Limits of the index populations in this tube.")
    control_roles: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Roles of controls that each gate asks for, whether there are any or not."
    )
    edits: tuple[GateEdit, ...] = Field((), description="Boundaries that a person moved.")
    replaced: tuple[GateNode, ...] = Field((), description="The edited gates as they were before, in their order.")
    fitted_counts: dict[str, int | None] = Field(
        default_factory=dict, description="Events of each population before the edits; empty where there are none."
    )
    fitted_tree_sha256: str = Field("", description="Digest of the tree before any edit: what edits are bound to.")
    record: RunRecord
    seal: str = Field("", description="SHA-256 of this document as it was written, with an empty seal.")

    @property
    def role(self) -> str:
        """What the tube is for, as the sheet has it; a tube of which nothing is said is a stained one."""
        return self.labels.get("role", "").strip() or "stained"

    def count(self, population: str) -> int | None:
        """Return the number of events of a population; None where it could not be evaluated."""
        for statistic in self.statistics:
            if statistic.population == population and statistic.statistic == "count":
                return None if statistic.value is None else int(statistic.value)
        return None

    def to_json(self) -> dict[str, Any]:
        """Return the plain object that is written to ``result.json``."""
        return self.model_dump(mode="json")


class SampleEntry(Document):
    """One line of a run: what became of one input."""

    sample_id: str
    file: str
    status: Verdict | Literal["failed"]
    n_events: int | None = None
    error: dict[str, str | None] | None = Field(None, description="code, message, where and hint of a failure.")
    labels: dict[str, str] = Field(default_factory=dict)
    worst_finding: FindingStatus | None = Field(None, description="Gravest status among the findings of the tube.")
    sha256: str | None = Field(None, description="Content of the file.")


class RunIndex(Document):
    """The whole run at a glance (``run.json``); the only place where times stand."""

    format: Literal["stromagate.run/1"] = RUN_FORMAT
    research_use: str = RESEARCH_USE
    stromagate: str
    template: TemplateRef | None = None
    config: RunConfig
    samples: tuple[SampleEntry, ...]
    findings: tuple[RunFinding, ...] = Field((), description="What was seen of all tubes together.")
    calibration: CalibrationRef | None = Field(None, description="What patterns were called by.")
    exit_code: int = 0
    times: dict[str, str] = Field(default_factory=dict, description="Start, end and command; never hashed.")
    exports: tuple[str, ...] = Field((), description="Formats that were asked for beside those of every run.")
    not_exported: dict[str, dict[str, str | None]] = Field(
        default_factory=dict,
        description="Files that could not be written though results are complete, by path: code, message, where, hint.",
    )
    not_printed: dict[str, str] = Field(
        default_factory=dict, description="Pages of which no PDF could be made, though one was asked for, and why."
    )

    def to_json(self) -> dict[str, Any]:
        """Return the plain object that is written to ``run.json``."""
        return self.model_dump(mode="json")
