"""What a laboratory's blanks hold of the populations that are counted (``stromagate.blanks/1``).

A blank is stained as the samples are and can hold no stroma, such as peripheral blood: what it counts is background.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from stromagate.model.template import Document, Name

BLANKS_FORMAT: Literal["stromagate.blanks/1"] = "stromagate.blanks/1"


class BlankTube(Document):
    """One blank: events by population, of the index populations and the denominators, and what it stands for."""

    sample_id: str
    sha256: str = Field("", description="Content of the tube's file.")
    day: str = Field(min_length=1, description="Label `day` of the tube, else its batch, else its run.")
    lot: str = Field("", description="Label `lot` of the tube; empty where nobody said it.")
    counts: dict[Name, int] = Field(description="Events by population, `all` among them.")


class Blanks(Document):
    """All blanks that were measured with one template."""

    format: Literal["stromagate.blanks/1"] = BLANKS_FORMAT
    template: str = Field(description="Name of the template that counted them.")
    template_sha256: str
    tubes: tuple[BlankTube, ...] = Field(min_length=1)

    @property
    def days(self) -> tuple[str, ...]:
        """The days, each once, in order."""
        return tuple(dict.fromkeys(tube.day for tube in self.tubes))

    @property
    def lots(self) -> tuple[str, ...]:
        """The lots that are known, each once, in order."""
        return tuple(dict.fromkeys(tube.lot for tube in self.tubes if tube.lot))
