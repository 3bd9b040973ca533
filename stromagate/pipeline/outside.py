"""What a run knows from outside its tubes beside their controls: the boundaries of earlier batches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from stromagate.errors import InputError, SpecificationError
from stromagate.gating.method import Outside
from stromagate.model.blanks import Blanks
from stromagate.model.config import RunConfig
from stromagate.model.locks import Locks
from stromagate.pipeline.bundle import first_fault
from stromagate.templates import LoadedTemplate

_MAX_BYTES = 10_000_000


def read_locks(path: Path) -> Locks:
    """Read locked boundaries.

    Raises
    ------
    InputError
        The document cannot be read.
    SpecificationError
        It is not what it should be.
    """
    try:
        with path.open("rb") as opened:
            return Locks.model_validate_json(opened.read(_MAX_BYTES))
    except OSError as cause:
        raise InputError(
            "locks.unreadable", f"cannot be read: {cause.strerror}", where=str(path), hint="--locks FILE.json"
        ) from cause
    except ValidationError as cause:
        raise SpecificationError(
            "locks.invalid",
            first_fault(cause),
            where=str(path),
            hint="make it with stromagate lock",
        ) from cause


def locks_of(config: RunConfig, loaded: LoadedTemplate) -> Locks | None:
    """Return the locked boundaries of a run; None where it has none.

    Raises
    ------
    InputError
        The document cannot be read.
    SpecificationError
        It is of another template: its boundaries are measured by populations of other gates.
    """
    if config.locks is None:
        return None
    locks = read_locks(Path(config.locks))
    if locks.template != loaded.template.name:
        raise SpecificationError(
            "locks.template",
            f"these boundaries were locked with the template '{locks.template}', not with '{loaded.template.name}'",
            where=config.locks,
            hint="lock the boundaries of runs of this template: stromagate lock",
        )
    return locks


def with_locks(outside: Outside | None, config: RunConfig, loaded: LoadedTemplate) -> Outside:
    """Return what is known from outside a tube, with the run's locked boundaries in it where it has none yet."""
    known = outside or Outside()
    return known if known.locks is not None else replace(known, locks=locks_of(config, loaded))


def blanks_of(config: RunConfig, loaded: LoadedTemplate) -> Blanks | None:
    """Return the laboratory's blanks; None where a run has none.

    Raises
    ------
    InputError
        The document cannot be read.
    SpecificationError
        It is not what it should be, or was counted by another template: by other gates, background is another.
    """
    if config.blanks is None:
        return None
    try:
        with Path(config.blanks).open("rb") as opened:
            blanks = Blanks.model_validate_json(opened.read(_MAX_BYTES))
    except OSError as cause:
        raise InputError(
            "blanks.unreadable", f"cannot be read: {cause.strerror}", where=config.blanks, hint="--blanks FILE.json"
        ) from cause
    except ValidationError as cause:
        hint = "make it with stromagate blanks"
        raise SpecificationError("blanks.invalid", first_fault(cause), where=config.blanks, hint=hint) from cause
    if blanks.template_sha256 != loaded.sha256:
        same = blanks.template == loaded.template.name
        raise SpecificationError(
            "blanks.template",
            f"these blanks were counted with {'another version of' if same else 'the template'} '{blanks.template}'"
            + ("" if same else f", not with '{loaded.template.name}'"),
            where=config.blanks,
            hint="run the blanks with this template, then gather them again: stromagate blanks",
        )
    return blanks
