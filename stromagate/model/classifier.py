"""A trained gate as a document (``stromagate.classifier/1``): its boundary, where it was learned, how well it held.

Numbers only, and no program in any form: a document from elsewhere can be wrong, and cannot do anything.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import astuple
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from stromagate.model.sample import GainConvention
from stromagate.model.scales import Scale
from stromagate.model.template import AxisName, Document, Name

CLASSIFIER_FORMAT: Literal["stromagate.classifier/1"] = "stromagate.classifier/1"
FEWEST_DONORS = 3
"""With fewer, nothing tells how donors differ once one of them is kept aside to be scored."""

_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Text = Annotated[str, StringConstraints(max_length=200)]
_Count = Annotated[int, Field(ge=0, le=10**12)]
_Share = Annotated[float, Field(ge=0, le=1)]
# Display units of any scale lie far within; a linear axis reaches the largest values of the format's integers.
_Place = Annotated[float, Field(ge=-1e12, le=1e12)]
_Square = Annotated[float, Field(ge=-1e24, le=1e24)]


def two_digits(share: float) -> str:
    """Return a share with two digits, rounded down: a score is never said to be better than it is."""
    return f"{int(share * 100 + 1e-9) / 100:.2f}"


class TrainedAxis(Document):
    """One axis of a trained gate, and where the parent's events lay on it in the donors it was learned from.

    ``parent_median`` and ``parent_sd`` are the mean and the standard deviation, over donors, of the parent's median,
    in display units of ``scale``.
    """

    axis: AxisName
    scale: Scale
    compensated: bool
    parent_median: _Place
    parent_sd: Annotated[float, Field(ge=0, le=1e12)]


class TrainingTube(Document):
    """One tube that was learned from.

    ``by_hand``: somebody drew a boundary that decides about the population, or listed its events.
    """

    sha256: _Sha256 = Field(description="Content of the file.")
    donor: _Text
    n_parent: _Count
    n_members: _Count
    by_hand: bool


class DonorScore(Document):
    """What the gate found in a donor it was not learned from.

    ``false_events`` are events within the boundary that are no members; where a tube's other events were too many to be
    looked at one by one, each stands for several. The shares are None where there is nothing to take them of.
    ``own_f1`` is that of the template's own gate on the same members, where a hand or a list had the last word.
    """

    donor: _Text
    n_members: _Count
    found: _Count
    false_events: Annotated[float, Field(ge=0, le=1e12)]
    precision: _Share | None
    recall: _Share | None
    f1: _Share | None
    own_f1: _Share | None = None


class TrainedOn(Document):
    """The template whose results were learned from."""

    name: Name
    version: _Text
    sha256: _Sha256


class Classifier(Document):
    """A trained gate: the ellipse, in display units of the scales it brings along.

    ``goal`` says what its size was chosen for: the largest F1 on donors left out, or a share of the members found
    (``recall``). ``spread`` is the standard deviation of the boundary on the first axis (display units), from leaving
    out one donor after the other.
    """

    format: Literal["stromagate.classifier/1"] = CLASSIFIER_FORMAT
    stromagate: _Text = Field(description="Version of the program that made it.")
    template: TrainedOn
    population: Name
    parent: Name
    gain: GainConvention
    axes: tuple[TrainedAxis, ...] = Field(min_length=2, max_length=8)
    mean: tuple[_Place, ...]
    covariance: tuple[tuple[_Square, ...], ...]
    distance_squared: Annotated[float, Field(gt=0, le=1e6)]
    spread: Annotated[float, Field(ge=0, le=1e12)]
    goal: Literal["f1", "recall"]
    recall: _Share | None = None
    tubes: tuple[TrainingTube, ...] = Field(min_length=FEWEST_DONORS, max_length=10_000)
    held_out: tuple[DonorScore, ...] = Field(min_length=FEWEST_DONORS, max_length=10_000)
    f1_median: _Share
    f1_worst: _Share
    sha256: str = Field("", description="SHA-256 of this document with this field empty; the date is not part of it.")
    made_on: _Text = Field("", exclude=True, description="Day it was made; in no hash.")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        n = len(self.axes)
        if len({axis.axis for axis in self.axes}) < n:
            raise ValueError("an axis is named twice")
        if not all(math.isfinite(value) for axis in self.axes for value in astuple(axis.scale)[1:]):
            raise ValueError("a scale has a number that is not finite")
        if len(self.mean) != n or [len(row) for row in self.covariance] != [n] * n:
            raise ValueError(f"`mean` and `covariance` need one value and one row per axis ({n})")
        if (self.goal == "recall") != (self.recall is not None):
            raise ValueError("`recall` is given exactly where it is the goal")
        if {tube.donor for tube in self.tubes} != {score.donor for score in self.held_out}:
            raise ValueError("the donors that were learned from are not those that were scored")
        if self.sha256 and self.sha256 != self.digest():
            raise ValueError("its content is not as it was written: `sha256` does not fit it")
        return self

    def digest(self) -> str:
        """Return the SHA-256 of the canonical JSON of everything but the date and this digest itself."""
        plain = self.model_dump(mode="json") | {"sha256": ""}
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def sealed(self) -> Classifier:
        """Return the same document with its digest in it."""
        return self.model_copy(update={"sha256": self.digest()})

    @property
    def names(self) -> tuple[str, ...]:
        """Its axes, in order."""
        return tuple(axis.axis for axis in self.axes)

    @property
    def donors(self) -> tuple[str, ...]:
        """The donors it was learned from."""
        return tuple(score.donor for score in self.held_out)
