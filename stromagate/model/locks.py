"""Boundaries of earlier batches in units of reference populations, for gates that are locked (``stromagate.locks/1``).

A boundary is kept as the part of the way from a negative to a positive population of the same tube at which it lay, on
linear values: a change of a detector's gain or offset leaves it as it is.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from stromagate.model.template import AxisName, Document, Name

LOCKS_FORMAT: Literal["stromagate.locks/1"] = "stromagate.locks/1"


class LockedTube(Document):
    """One boundary of one earlier tube: where it lay, and the medians it is measured by (linear units)."""

    batch: str
    sample_id: str
    sha256: str = Field(description="Content of the tube's file.")
    cut: float
    negative: float
    positive: float

    @property
    def way_frac(self) -> float:
        """The part of the way from the negative to the positive median at which the boundary lay."""
        return (self.cut - self.negative) / (self.positive - self.negative)


class LockedBoundary(Document):
    """The history of one gate."""

    population: Name = Field(description="Population whose gate this is.")
    axis: AxisName
    negative: Name = Field(description="Population whose median counts as 0.")
    positive: Name = Field(description="Population whose median counts as 1.")
    tubes: tuple[LockedTube, ...] = Field(min_length=1, description="Oldest batch first.")

    def ways_by_batch(self) -> dict[str, list[float]]:
        """Return the ways of each batch's tubes, oldest batch first; a tube whose references are reversed has none."""
        found: dict[str, list[float]] = {}
        for tube in self.tubes:
            if tube.positive > tube.negative:
                found.setdefault(tube.batch, []).append(tube.way_frac)
        return found


class Locks(Document):
    """All locked boundaries of a template."""

    format: Literal["stromagate.locks/1"] = LOCKS_FORMAT
    template: str = Field(description="Name of the template whose gates these are.")
    template_sha256: str
    boundaries: tuple[LockedBoundary, ...]
