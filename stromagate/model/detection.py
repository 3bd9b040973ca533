"""What may be said of a count, and the numbers of events on which it depends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from stromagate.model.template import Document

CountState = Literal["not detected", "detected, not quantifiable", "quantifiable", "not evaluable"]

LOD_FLOOR_EVENTS = 20
"""Fewer events are not told from none. The two MRD assays compared in doi:10.1182/bloodadvances.2016003715 state 2 in
10 million and 6 in 3 million acquired events, which is 18 to 20 events in both."""

LLOQ_FLOOR_EVENTS = 50
"""Fewer events have a counting CV above 100 / sqrt(50) = 14 %; where that becomes too much is this program's choice."""

LimitsMethod = Literal["floors", "Poisson", "negative binomial", "non-parametric"]

TOO_SMALL = "control too small to subtract"
"""State of a net number whose background is less certain than the count it is taken from."""

AT_MOST = "upper bound, not subtracted"
"""State of the background that a tube without antibodies shows: all of its cells pass the gates that exclude others."""

UNSTAINED = "unstained"
"""Role of tubes without antibodies."""

LAB_BLANKS = "blanks"
"""Stands in the place of a control's role where a background is that of the laboratory's blanks (``run --blanks``)."""


class BackgroundCount(Document):
    """What one kind of blanks of a tube holds of one population that it should hold none of.

    ``events`` are those of all these blanks together, and each stands for ``scale`` events of the tube: above 1 the
    blanks are smaller than the tube. ``scaled_by`` is the population whose events both were scaled by.
    """

    population: str
    role: str = Field(description="Role of the controls, or `blanks` for the laboratory's.")
    n_blanks: int
    events: int = Field(ge=0)
    scale: float = Field(gt=0)
    scaled_by: str
    low: float = Field(description="Lower limit of the background to expect in this tube, in its events.")
    high: float = Field(description="Upper limit.")
    spread: float = Field(0.0, ge=0, description="Squared CV by which these blanks differ beyond counting.")
    too_small: bool = Field(False, description="They hold too few events to tell: no limit is set by them.")

    @property
    def expected(self) -> float:
        """Events of background to expect in this tube."""
        return self.events * self.scale

    @property
    def is_bound(self) -> bool:
        """Whether it is no more than an upper bound: it is shown, and neither subtracted nor a limit."""
        return self.role == UNSTAINED


class DetectionLimits(Document):
    """From how many events on a population of this tube is told from its background, and is a quantity.

    ``blank_events`` is what the blanks let expect in this tube, None where there were none; limits are then the floors
    alone. ``lob_events`` is the highest count that background alone leaves at in 95 of 100 tubes; a tube whose true
    mean is ``lod_events``, background included, comes out above it in 95 of 100.
    """

    population: str
    lob_events: int = Field(ge=0)
    lod_events: float = Field(ge=0)
    lloq_events: float = Field(ge=0)
    blank_events: float | None = Field(None, ge=0)
    method: LimitsMethod = "floors"
    source: str = Field("", description="Role of the controls, or `blanks`, that set the limit of blank.")
    n_blanks: int = 0

    @property
    def detected_from(self) -> int:
        """The fewest events that count as detected: above the limit of blank, and never under the floor."""
        return max(LOD_FLOOR_EVENTS, self.lob_events + 1)

    @property
    def quantified_from(self) -> int:
        """The fewest events that are a quantity: the limit of quantification as a number of events."""
        return max(LLOQ_FLOOR_EVENTS, math.ceil(self.lloq_events))


@dataclass(frozen=True, slots=True)
class Ruling:
    """What may be said of a count, and the one limit that decides it.

    ``limit`` is the number of events that the count lacks, or has where it is a quantity. ``by_background`` says that
    blanks put it there and not the floor.
    """

    state: CountState
    limit: int
    by_background: bool

    @property
    def reason(self) -> str:
        """Why the state is what it is, as it follows the number of events in a sentence."""
        if self.state == "not detected":
            told = f"stand out from background (limit of blank {self.limit - 1:,})"
            return f"under the {self.limit:,} that {told if self.by_background else 'are told from none'}"
        if self.state == "quantifiable":
            return "enough for a quantity"
        return f"under the {self.limit:,} that make a quantity{' beside its background' if self.by_background else ''}"


def ruled(count: int, limits: DetectionLimits | None = None) -> Ruling:
    """Rule on a count: the same answer for its state, its finding and the section of the report.

    Parameters
    ----------
    count : int
        Events in the population.
    limits : DetectionLimits, optional
        Of this population in this tube; the floors alone by default. Blanks can only raise them.
    """
    detected, quantified = LOD_FLOOR_EVENTS, LLOQ_FLOOR_EVENTS
    if limits is not None:
        detected, quantified = limits.detected_from, limits.quantified_from
    if count < detected:
        return Ruling("not detected", detected, detected > LOD_FLOOR_EVENTS)
    state: CountState = "detected, not quantifiable" if count < quantified else "quantifiable"
    return Ruling(state, quantified, quantified > LLOQ_FLOOR_EVENTS)
