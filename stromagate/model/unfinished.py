"""What a run has done so far, for as long as it is not finished (``stromagate.unfinished/1``)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from stromagate.model.result import RESEARCH_USE
from stromagate.model.sample import Verdict
from stromagate.model.template import Document

UNFINISHED_FORMAT: Literal["stromagate.unfinished/1"] = "stromagate.unfinished/1"


class UnfinishedTube(Document):
    """What became of one tube so far."""

    sample_id: str
    file: str
    status: Verdict | Literal["failed", "waiting"] = "waiting"
    error: dict[str, str | None] | None = Field(None, description="code, message, where and hint of a failure.")


class UnfinishedRun(Document):
    """Every tube of a run that is under way, or was ended before it was finished (``unfinished.json``)."""

    format: Literal["stromagate.unfinished/1"] = UNFINISHED_FORMAT
    research_use: str = RESEARCH_USE
    stromagate: str
    started: str = Field(description="UTC.")
    command: str = ""
    samples: tuple[UnfinishedTube, ...]
