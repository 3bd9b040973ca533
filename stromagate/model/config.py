"""Every knob of a run in one frozen value."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from stromagate.model.sample import GainConvention, Policy
from stromagate.model.template import Document


class RunConfig(Document):
    """What a run may be told beyond its inputs and its template. All but ``keywords`` can move a number."""

    policy: Policy = Field("repair", description="How odd files are treated.")
    dataset: int | None = Field(None, ge=0, description="Which data set of a file that holds several.")
    gain: GainConvention | None = Field(None, description="$PnG convention; None: the template's.")
    compensation: str = Field("file", description="`file`, `none`, or the path of a matrix CSV.")
    markers: dict[str, str] = Field(default_factory=dict, description="Marker to $PnN, over all other binding.")
    panel_file: str | None = Field(None, description="CSV of channel and marker, over the file's own names.")
    confidence: float = Field(0.95, gt=0, lt=1, description="Level of the intervals.")
    interval: Literal["clopper-pearson", "wilson"] = Field("clopper-pearson", description="Interval of shares.")
    seed: int = Field(0, ge=0, description="Seed of everything random.")
    locks: str | None = Field(None, description="Path of the boundaries of earlier batches, for locked gates.")
    blanks: str | None = Field(None, description="Path of the laboratory's blanks, for limits of detection.")
    edits: str | None = Field(None, description="Path of the boundaries that a person moved.")
    boundary_draws: int = Field(
        128, ge=0, le=1024, description="Redraws of all boundaries for the intervals; 0: counting alone."
    )
    hemodilution: bool = Field(
        False, description="Rates of cells that blood does not have also as they were without the blood in the marrow."
    )
    grid: int = Field(128, ge=32, le=512, description="Bins per side of a density plot.")
    keywords: Literal["instrument", "none"] = Field(
        "instrument", description="Which keywords results keep: the few that tell of the instrument, or none."
    )
    file_sha256: dict[str, str] = Field(default_factory=dict, description="Content of the files named above.")

    def without_edits(self) -> RunConfig:
        """Return what all tubes share: an edit is of one tube, stands whole in its result, and touches no other."""
        files = {option: sha256 for option, sha256 in self.file_sha256.items() if option != "edits"}
        return self.model_copy(update={"edits": None, "file_sha256": files})
