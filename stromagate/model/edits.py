"""Boundaries that a person moved: who, when and why, bound to the tree they were seen on (``stromagate.edits/1``)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from stromagate.model.config import RunConfig
from stromagate.model.gates import Geometry
from stromagate.model.template import Document, Name

EDITS_FORMAT: Literal["stromagate.edits/1"] = "stromagate.edits/1"

Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Moment = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class GateEdit(Document):
    """One boundary put elsewhere by a person."""

    population: Name = Field(description="Population whose gate was moved.")
    geometry: Annotated[Geometry, Field(discriminator="kind")] = Field(description="The new boundary, display units.")
    who: Said = Field(description="Who moved it.")
    when: Moment = Field(description="When, with time zone: 2026-03-01T18:00:00Z.")
    why: Said = Field(description="Why, in the person's words.")


class MadeOn(Document):
    """Everything that decides about a fitted tree: kept beside edits, so that what changed since can be named."""

    file_sha256: Sha256
    template_sha256: Sha256
    stromagate: str
    libraries: dict[str, str] = Field(default_factory=dict)
    config: RunConfig
    controls: tuple[str, ...] = Field((), description="SHA-256 of the controls paired with the tube, sorted.")


class SampleEdits(Document):
    """The edits of one tube, and the SHA-256 of the tree (``GateTree.digest``) that they were made on."""

    sample_id: str
    tree_sha256: Sha256 = Field(description="`fitted_tree_sha256` of the result that the person looked at.")
    edits: tuple[GateEdit, ...] = Field(min_length=1)
    made_on: MadeOn | None = Field(None, description="What the tree was fitted from, where it is known.")


class GateEdits(Document):
    """All edits of a run."""

    format: Literal["stromagate.edits/1"] = EDITS_FORMAT
    samples: tuple[SampleEdits, ...]
