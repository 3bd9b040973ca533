"""Tubes of many patients beside each other (``stromagate.cohort/1``): numbers, patterns and findings, no gates."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from stromagate.model.pattern import NOT_ASSIGNED, CalibrationRef, Level
from stromagate.model.result import RESEARCH_USE, FindingStatus, TemplateRef
from stromagate.model.template import Document

COHORT_FORMAT: Literal["stromagate.cohort/1"] = "stromagate.cohort/1"

SHARE = "P/MSC"
"""The index without denominator: progenitors among MSC."""


class CohortNumber(Document):
    """One number of one tube: an index (``P``, ``Q``, ``MSC``, ``P/MSC``) or the rate of a population.

    ``n`` are the events that were counted, of replicates those of all together. ``denominator`` is empty for a share.
    ``net`` says that background was taken off.
    """

    quantity: str
    population: str
    denominator: str
    unit: str
    value: float | None
    ci_low: float | None = None
    ci_high: float | None = None
    state: str = ""
    n: int | None = None
    net: bool = False


class CohortFinding(Document):
    """A check of a tube that warned or failed."""

    code: str
    check: str
    status: FindingStatus


class CohortTube(Document):
    """One line of a cohort: a stained tube, or the replicates of one specimen pooled.

    ``name`` is unlike any other's in the cohort: the tube's own, with its run where two runs have one of that name.
    """

    name: str
    run: str
    sample_id: str
    samples: tuple[str, ...] = Field(description="Names of the tubes that it is: one, or the replicates.")
    patient_id: str = ""
    group: str = ""
    labels: dict[str, str] = Field(default_factory=dict, description="Columns of the sample sheet.")
    strata: dict[str, str] = Field(default_factory=dict)
    instrument: str = Field("", description="$CYT, empty where the file does not say.")
    template_sha256: str
    simulated: bool = False
    adjusted: bool = Field(False, description="Whether a boundary was moved by hand.")
    n_events: int
    sha256: tuple[str, ...] = Field((), description="Content of its files.")
    numbers: tuple[CohortNumber, ...] = ()
    background: str = Field("", description="Role of the controls whose background was taken off.")
    level: Level = "L0"
    pattern: str = NOT_ASSIGNED
    reason: str = ""
    probability: float | None = None
    probabilities: dict[str, float] = Field(default_factory=dict)
    worst: FindingStatus | None = Field(None, description="Gravest status of its checks; None where none was made.")
    findings: tuple[CohortFinding, ...] = ()
    note: str = Field("", description="What is to be said of replicates.")
    members: tuple[CohortTube, ...] = Field((), description="The replicates one by one, where the line is of several.")

    def number(self, quantity: str, denominator: str = "") -> CohortNumber | None:
        """Return one of its numbers; a share is found under any denominator. None where it has none."""
        wanted = "" if quantity == SHARE else denominator
        return next((one for one in self.numbers if (one.quantity, one.denominator) == (quantity, wanted)), None)


class CohortCuts(Document):
    """Where a calibration calls P and Q low and high, per million of one denominator."""

    p_low: float
    p_high: float
    q_low: float
    q_high: float


class LeftOut(Document):
    """A stained tube that is not in the cohort, and why."""

    run: str
    sample_id: str
    reason: str


class Cohort(Document):
    """A cohort (``cohort.json``): what its tubes share, and each of them.

    Numbers are net of background where ``net`` is true, else as they were counted. ``offset_ppm`` is c of
    log10(ppm + c) by denominator.
    """

    format: Literal["stromagate.cohort/1"] = COHORT_FORMAT
    research_use: str = RESEARCH_USE
    stromagate: str
    template: TemplateRef
    runs: tuple[str, ...]
    strata: dict[str, str]
    group_by: str = ""
    confidence: float
    indices: dict[str, str] = Field(description="Populations of the template by what they are asked for.")
    quantities: dict[str, str] = Field(description="The quantities of the table in their order, and what each is.")
    denominators: tuple[str, ...] = Field(description="Those that all its rates are there for; the main one first.")
    labels_of_populations: dict[str, str] = Field(default_factory=dict)
    net: bool = False
    offset_ppm: dict[str, float] = Field(default_factory=dict)
    calibration: CalibrationRef | None = None
    performance: str = Field("", description="How well cut-points fitted on outcomes do, in words.")
    cuts: dict[str, CohortCuts] = Field(default_factory=dict)
    tubes: tuple[CohortTube, ...]
    left_out: tuple[LeftOut, ...] = ()
    n_controls: int = 0
    notes: tuple[str, ...] = ()

    def label(self, population: str) -> str:
        """Return what the template calls a population for people."""
        return "all events" if population == "all" else self.labels_of_populations.get(population, population)

    @property
    def patients(self) -> dict[str, list[CohortTube]]:
        """Its tubes by patient, in their order; tubes without a patient are left out."""
        found: dict[str, list[CohortTube]] = {}
        for tube in self.tubes:
            if tube.patient_id:
                found.setdefault(tube.patient_id, []).append(tube)
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the plain object that is written to ``cohort.json``."""
        return self.model_dump(mode="json")
