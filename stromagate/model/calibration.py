"""What a pattern is called by (``stromagate.calibration/1``): own controls, a cohort, or cut-points fitted on outcomes.

A document is locked: its seal is the digest of its content, and one that was changed is refused. It holds for the very
template and for the kind of specimen it was made of.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter, field_validator, model_validator

from stromagate.model.pattern import Index
from stromagate.model.template import Document, Name

CALIBRATION_FORMAT: Literal["stromagate.calibration/1"] = "stromagate.calibration/1"

STRATA = ("specimen", "preparation", "pull", "storage")
"""Columns of the sample sheet in which tube and calibration must agree: digests, separated, later pulls and thawed
cells hold other shares of stroma (doi:10.3109/14653249.2011.651533)."""

MIN_PERCENTILES, MIN_RANGE_90, MIN_RANGE_95 = 20, 40, 120
"""Tubes from which percentiles are shown, and a range of 90 % and of 95 % is stated (CLSI EP28 asks for 120)."""

MAX_NAME = 80
"""Characters of a calibration's name: it stands in the sentence of every call."""

MOST_PPM = 1e12
"""Largest rate that is read: a million cells to one of the denominator. Own choice; beyond it only slips lie."""

Rates = Annotated[tuple[Annotated[float, Field(ge=0, le=MOST_PPM)], ...], Field(min_length=1)]
Positive = Annotated[float, Field(gt=0, le=MOST_PPM)]


class CalibrationTube(Document):
    """One tube that a calibration was made of."""

    sample_id: str
    sha256: str
    patient_id: str = ""
    age: str = ""


class _Calibration(Document):
    """What all levels share. Rates are per million of a denominator, net of background."""

    format: Literal["stromagate.calibration/1"] = CALIBRATION_FORMAT
    research_use: str = "For Research Use Only. Not for use in diagnostic procedures."
    name: str = Field(min_length=1, max_length=MAX_NAME, description="What reports call it.")
    template: Name
    template_version: str
    template_sha256: str
    stromagate: str = Field(description="Version that made it.")
    made_on: str = Field("", description="Day it was made, as who made it says.")
    strata: dict[str, str] = Field(description="Kind of specimen by column; a tube of another kind gets no call.")
    instrument: str = Field("", description="$CYT of its tubes; empty where files do not say.")
    denominators: tuple[Name, ...] = Field(min_length=1, description="Those that decide; the first is the main one.")
    background: Literal["net", "raw"] = Field("net", description="Whether its rates, and so a tube's, are net of it.")
    offset_ppm: Positive = Field(description="c of log10(ppm + c): half the median limit of detection.")
    note: str = ""
    seal: str = ""

    @field_validator("name")
    @classmethod
    def _on_one_line(cls, name: str) -> str:
        """Refuse what would break the sentence of a call, or turn its direction."""
        if not name.isprintable() or not name.strip():
            raise ValueError("a name is of letters on one line, without signs that do not show")
        return name

    @property
    def digest(self) -> str:
        """SHA-256 of everything in it but its seal."""
        plain = self.model_dump(mode="json", exclude={"seal"})
        return hashlib.sha256(json.dumps(plain, sort_keys=True, allow_nan=False).encode()).hexdigest()

    def sealed(self) -> Self:
        """Return it with the seal of its content."""
        return self.model_copy(update={"seal": self.digest})


class Reference(Document):
    """Rates of P and Q of the tubes under one denominator, in the order of ``tubes``."""

    P: Rates
    Q: Rates


class _OfTubes(_Calibration):
    """A calibration that holds the rates of the tubes it is made of."""

    tubes: tuple[CalibrationTube, ...] = Field(min_length=1)
    rates: dict[Name, Reference] = Field(description="By denominator, all that the tubes have in common.")

    @property
    def n(self) -> int:
        """Number of tubes."""
        return len(self.tubes)

    @model_validator(mode="after")
    def _in_step(self) -> Self:
        if any(name not in self.rates for name in self.denominators):
            raise ValueError("`denominators` names one that `rates` does not hold")
        if any(len(values) != self.n for each in self.rates.values() for values in (each.P, each.Q)):
            raise ValueError("each of `rates` must hold one number a tube")
        return self


class ControlCalibration(_OfTubes):
    """L1: the lab's own controls. Cut-points are the ends of their range: 90 % of 40 tubes, 95 % of 120."""

    level: Literal["L1"] = "L1"


class CohortCalibration(_OfTubes):
    """L2: the place within a cohort. It changes when the cohort changes; its seal is that of the cohort."""

    level: Literal["L2"] = "L2"
    cut: Literal["median", "tertiles"] = "median"


class CutPoint(Document):
    """Above which rate an index is high, with draws of what the fit leaves open (bootstrap)."""

    value: Positive
    draws: tuple[Positive, ...] = Field(min_length=100, description="Bootstrap draws of the cut-point.")


class CutPoints(Document):
    """Of P and of Q, under one denominator."""

    P: CutPoint
    Q: CutPoint

    def of(self, index: Index) -> CutPoint:
        """Return that of an index."""
        return self.P if index == "P" else self.Q


class Performance(Document):
    """How well cut-points do: on the patients they were fitted on, and on those that were left out."""

    measure: str = Field(min_length=1, description="Name of the measure, such as C-index or balanced accuracy.")
    apparent: float
    nested: float = Field(description="By nested cross-validation: the one that may be quoted.")
    nested_low: float | None = None
    nested_high: float | None = None


class OutcomeFit(Document):
    """What cut-points were fitted on."""

    cohort: str = Field(min_length=1, description="Who was in it, from when to when, how treated.")
    n_patients: int = Field(gt=0)
    events: dict[str, int] = Field(min_length=1, description="Patients by class of outcome.")
    performance: Performance

    @model_validator(mode="after")
    def _enough(self) -> Self:
        few = [f"{name} ({n})" for name, n in self.events.items() if n < 10]
        if few:
            raise ValueError(f"fewer than 10 patients in {', '.join(few)}: no cut-point can be fitted on so few")
        return self


class OutcomeCalibration(_Calibration):
    """L3: cut-points fitted on a cohort with outcomes."""

    level: Literal["L3"] = "L3"
    cuts: dict[Name, CutPoints]
    fit: OutcomeFit

    @property
    def n(self) -> int:
        """Number of patients."""
        return self.fit.n_patients

    @model_validator(mode="after")
    def _has_cuts(self) -> Self:
        if any(name not in self.cuts for name in self.denominators):
            raise ValueError("`denominators` names one that `cuts` does not hold")
        return self


class Validation(Document):
    """The result on a second cohort that was never used in fitting."""

    cohort: str = Field(min_length=1)
    n_patients: int = Field(gt=0)
    events: dict[str, int] = Field(min_length=1)
    measure: str = Field(min_length=1)
    value: float
    low: float | None = None
    high: float | None = None


class ValidatedCalibration(OutcomeCalibration):
    """L4: an L3 calibration with a second cohort."""

    level: Literal["L4"] = "L4"  # type: ignore[assignment]
    validation: Validation


Calibration = Annotated[
    ControlCalibration | CohortCalibration | OutcomeCalibration | ValidatedCalibration, Field(discriminator="level")
]

CALIBRATION: TypeAdapter[ControlCalibration | CohortCalibration | OutcomeCalibration | ValidatedCalibration] = (
    TypeAdapter(Calibration)
)
"""Reads any level from plain values."""
