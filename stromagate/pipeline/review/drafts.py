"""Moves that nobody saved yet, one file a reader and tube: what a crash must not take, and what is no edit either."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stromagate.model.edits import Sha256
from stromagate.model.gates import Geometry
from stromagate.pipeline.bundle import cannot_write, write_file

FOLDER = "drafts"


class Draft(BaseModel):
    """Boundaries that were moved and not saved (None: set back), and the fitted tree they were moved on."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    sample_id: str
    reader: str
    tree_sha256: Sha256
    boundaries: dict[str, Annotated[Geometry, Field(discriminator="kind")] | None]


def keep(home: Path, draft: Draft) -> None:
    """Write a draft in place of the one before; one that holds nothing is taken away.

    Parameters
    ----------
    home : path
        Folder of the review (``DIR/review``).
    draft : Draft
        All moves of one reader on one tube.

    Raises
    ------
    InputError
        It cannot be written.
    """
    path = _path(home, draft.sample_id, draft.reader)
    if not draft.boundaries:
        try:
            path.unlink(missing_ok=True)
        except OSError as cause:
            raise cannot_write(path, cause) from cause
        return
    write_file(path, json.dumps(draft.model_dump(mode="json"), sort_keys=True).encode() + b"\n")


def kept(home: Path, sample_id: str, reader: str, tree_sha256: str) -> dict[str, Geometry | None]:
    """Return what a reader moved on a tube and did not save; nothing where its boundaries were fitted anew since."""
    try:
        draft = Draft.model_validate_json(_path(home, sample_id, reader).read_bytes())
    except (OSError, ValidationError):  # a draft is no record: one that cannot be read is as good as none
        return {}
    same: Mapping[str, Geometry | None] = draft.boundaries if draft.tree_sha256 == tree_sha256 else {}
    return dict(same)


def _path(home: Path, sample_id: str, reader: str) -> Path:
    """Return where a draft lies: no name of a person or a tube becomes a path."""
    name = hashlib.sha256(f"{sample_id}\n{reader}".encode()).hexdigest()[:32]
    return home / FOLDER / f"{name}.json"
