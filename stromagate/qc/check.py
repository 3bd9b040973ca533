"""The contract of a QC check: what it is given, and what it declares.

Adding a check is adding ``qc/checks/NAME.py`` with a function and ``CHECK = Check(...)``. A check answers with at least
one finding; what it cannot judge is ``not_applicable`` with the reason (see ``qc.verdict``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from stromagate.model.detection import BackgroundCount, DetectionLimits
from stromagate.model.edits import GateEdit
from stromagate.model.gates import ROOT, GateTree
from stromagate.model.locks import Locks
from stromagate.model.panel import Panel
from stromagate.model.result import ControlUse, Finding, FindingStage, Sensitivity, Statistic
from stromagate.model.sample import F32, Sample
from stromagate.model.specimen import enrichment
from stromagate.model.template import ControlNeed, GatingTemplate
from stromagate.registry import Registry


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything a check may look at.

    ``members`` are sorted row indices into the sample's events, by population. ``linear(axis, rows)`` gives the
    compensated scale values of those rows on a bound axis, as the gates saw them. ``edits`` are boundaries that a
    person moved, and ``fitted_counts`` the counts before (empty where there are no edits). ``sensitivities`` say how
    much the index populations change when one edge of one gate moves. ``controls`` are all controls that belong to the
    tube, those kept from the gates among them; ``control_needs`` is what each gate asks of controls, its anchor first.
    ``role`` is the tube's own in the sample sheet, empty where nobody said it.
    ``background`` is what controls and blanks hold of the index populations, ``detection`` the limits that this sets.
    ``labels`` are all columns of the sheet's row, in its own words.
    ``locks`` are the boundaries of earlier batches that the run was given, and ``template_sha256`` is the template's.
    ``statistics`` are all numbers of the tube.
    """

    sample: Sample
    template: GatingTemplate
    panel: Panel
    tree: GateTree
    members: Mapping[str, NDArray[np.intp]]
    counts: Mapping[str, int | None]
    linear: Callable[[str, NDArray[np.intp]], F32]
    edits: tuple[GateEdit, ...] = ()
    fitted_counts: Mapping[str, int | None] = field(default_factory=dict)
    sensitivities: tuple[Sensitivity, ...] = ()
    controls: tuple[ControlUse, ...] = ()
    control_needs: Mapping[str, tuple[ControlNeed, ...]] = field(default_factory=dict)
    role: str = ""
    locks: Locks | None = None
    template_sha256: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    background: tuple[BackgroundCount, ...] = ()
    detection: tuple[DetectionLimits, ...] = ()
    statistics: tuple[Statistic, ...] = ()

    @property
    def is_control(self) -> bool:
        """Whether the sheet calls the tube anything but a stained one."""
        return self.role.strip().casefold() not in {"", "stained"}

    @property
    def enriched(self) -> str:
        """How the tube was enriched, as its file or the sheet says; empty for whole marrow."""
        return enrichment(self.sample.keywords, self.labels)

    def called(self, population: str) -> str:
        """Return what sentences call a population: the template's label, in quotes where it has several words."""
        if population == ROOT:
            return "the whole tube"
        labels = {spec.name: spec.label for spec in self.template.populations}
        label = labels.get(population) or population
        return f"“{label}”" if " " in label else label


@dataclass(frozen=True, slots=True)
class Check:
    """Declaration of a check: its code in reports, what it looks for, its default limits and their unit.

    ``stage`` is where on the way from file to number the fault lies that it looks for, one of `STAGES`. A limit is
    crossed by what lies beyond it, never by the limit itself. With ``fail`` below ``warn``, low is bad.
    ``not_of_controls`` says why a control is not judged (`BACKGROUND`, as a rule); where it is empty, all tubes are.
    """

    code: str
    title: str
    run: Callable[[Evidence], list[Finding]]
    warn: float | None = None
    fail: float | None = None
    unit: str = ""
    stage: FindingStage = "result"
    not_of_controls: str = ""


BACKGROUND = "what it holds of the target is background, and is judged with the stained tube"
"""Why checks of rare cells, and of the boundaries around them, say nothing of a control."""

PAIRED = "it is compared with the stained tubes that it belongs to, and with no other control"
"""Why checks of a tube's controls say nothing of a control."""

NO_READOUTS = "it is no sample, and read-outs are given of samples"
"""Why checks of read-outs say nothing of a control."""

STAGES: tuple[FindingStage, ...] = get_args(FindingStage)
"""On the way from file to number, in this order; ``run`` is what several tubes show together."""

checks: Registry[Check] = Registry(
    kind="QC check",
    package="stromagate.qc.checks",
    attribute="CHECK",
    group="stromagate.qc_checks.v1",
    declares=Check,
    own=lambda check: f"the code {check.code}",
)
