"""What replicates of one specimen say together (``stromagate.pooled/1``): by counts, never by means of percentages."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from stromagate.model.result import RESEARCH_USE
from stromagate.model.template import Document

POOLED_FORMAT: Literal["stromagate.pooled/1"] = "stromagate.pooled/1"

RateKind = Literal["per_million", "fraction", "ratio"]
PoolMethod = Literal["pooled", "over-dispersed", "not pooled"]

DIFFER = "replicates differ"
"""State of a rate whose replicates differ by more than counting: it has an interval and is no quantity."""


class PooledRate(Document):
    """One rate of all replicates together.

    ``counts`` and ``totals`` are events of the population and of what it is divided by, one a tube in the group's
    order. ``p`` is how often counting alone makes tubes differ as much; ``dispersion`` is the variance between them
    over that of counting. A rate that was not pooled has no value, and ``reason`` says why.
    """

    population: str
    statistic: RateKind
    denominator: str
    unit: str
    counts: tuple[int | None, ...]
    totals: tuple[int | None, ...]
    method: PoolMethod
    n: int | None = None
    total: int | None = None
    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    counting_low: float | None = None
    counting_high: float | None = None
    state: str = ""
    p: float | None = None
    dispersion: float | None = None
    cv_pct: float | None = Field(None, description="CV of the rates of the tubes.")
    poisson_cv_pct: float | None = Field(None, description="CV that counting alone leads to expect.")
    reason: str = ""


class PooledGroup(Document):
    """The replicates of one specimen: what they share in the sheet, which tubes they are, and their rates."""

    labels: dict[str, str] = Field(description="Columns of the sample sheet in which all its tubes agree.")
    samples: tuple[str, ...]
    left_out: dict[str, str] = Field(default_factory=dict, description="Tubes that were not taken, and why.")
    rates: tuple[PooledRate, ...] = ()

    def rate(self, population: str) -> PooledRate | None:
        """Return the rate of a population per million of its first denominator; None where there is none."""
        return next((one for one in self.rates if (one.population, one.statistic) == (population, "per_million")), None)

    @property
    def title(self) -> str:
        """The values of its columns, the patient first."""
        first = [self.labels["patient_id"]] if "patient_id" in self.labels else []
        return ", ".join([*first, *(value for name, value in self.labels.items() if name != "patient_id")])


class PooledRun(Document):
    """All groups of replicates of a run (``pooled.json``)."""

    format: Literal["stromagate.pooled/1"] = POOLED_FORMAT
    research_use: str = RESEARCH_USE
    groups: tuple[PooledGroup, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the plain object that is written to ``pooled.json``."""
        return self.model_dump(mode="json")


class BloodCorrected(Document):
    """A rate of cells that blood has as well, without the blood in the marrow; all rates per million.

    ``share`` is f_PB (0-1). The value is None where there is no tube of the patient's blood, or too much blood.
    """

    sample_id: str
    blood_id: str
    population: str
    denominator: str
    share: float
    observed: float | None
    in_blood: float | None
    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    state: str = ""
