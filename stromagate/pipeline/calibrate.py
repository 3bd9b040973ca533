"""From finished runs to a calibration, from a file to a calibration, and from either to the pattern of a result."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from stromagate.errors import InputError, SpecificationError, UsageError
from stromagate.model.calibration import CALIBRATION, MAX_NAME
from stromagate.model.pattern import CalibrationRef
from stromagate.model.result import SampleResult
from stromagate.pattern.call import call_pattern, reference_of
from stromagate.pattern.cut_points import AnyCalibration
from stromagate.pattern.reference import CutRule, LeftOut, Made, make_calibration
from stromagate.pipeline.bundle import first_fault
from stromagate.pipeline.finished_runs import finished_runs, one_template

_MAX_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a calibration is to be: its name, its rule, which tubes, and by which denominators it decides."""

    name: str
    cut: CutRule = "range"
    where: tuple[tuple[str, str], ...] = ()
    denominators: tuple[str, ...] = ()
    made_on: str = ""
    note: str = ""


def calibrate(folders: Sequence[Path], wanted: Wanted) -> Made:
    """Make a calibration of the stained tubes of finished runs.

    Parameters
    ----------
    folders : sequence of path
        Finished runs of one template.
    wanted : Wanted
        ``where`` are columns of the sample sheet and what must stand in them.

    Raises
    ------
    UsageError
        A folder is named twice, or none is named, no tube has what ``where`` asks for, or the name cannot be one.
    InputError
        A folder holds no finished run.
    SpecificationError
        Runs of several templates; too few tubes, or of several kinds.
    """
    _check_name(wanted.name)
    runs = finished_runs(folders, "calibrate")
    one_template(runs, "calibrate")
    every = [result for run in runs for result in run.results()]
    asked = [result for result in every if _has(result, wanted.where)]
    if wanted.where and not asked:
        said = " and ".join(f"{column}={value}" for column, value in wanted.where)
        columns = sorted({column for result in every for column in result.labels})
        raise UsageError("calibrate.where", f"no tube has {said}", hint=f"columns of the sheet: {', '.join(columns)}")
    made = make_calibration(
        asked,
        name=wanted.name,
        cut=wanted.cut,
        denominators=wanted.denominators,
        made_on=wanted.made_on,
        note=wanted.note,
    )
    failed = (entry for run in runs for entry in run.run.samples if entry.status == "failed")
    lost = tuple(LeftOut(entry.sample_id, "the tube failed") for entry in failed)
    return replace(made, left_out=(*lost, *made.left_out))


def read_calibration(path: Path) -> AnyCalibration:
    """Read a calibration of any level, and refuse one that is not as it was made.

    Raises
    ------
    InputError
        The file cannot be read.
    SpecificationError
        It is no calibration, or was changed after it was locked.
    """
    try:
        with path.open("rb") as opened:
            data = opened.read(_MAX_BYTES + 1)
    except OSError as cause:
        raise InputError(
            "calibration.unreadable", f"cannot be read: {cause.strerror}", where=str(path), hint=_HINT
        ) from cause
    try:
        found = CALIBRATION.validate_json(data)
    except ValidationError as cause:
        raise SpecificationError("calibration.invalid", first_fault(cause), where=str(path), hint=_HINT) from cause
    if found.seal != found.digest:
        raise SpecificationError(
            "calibration.seal",
            "this calibration is not as it was made: its seal does not fit its content",
            where=str(path),
            hint="take the file as it was made, or make it again: stromagate calibrate",
        )
    return found


_HINT = "name a file that stromagate calibrate made"


def calibration_bytes(calibration: AnyCalibration) -> bytes:
    """Return a calibration as it is written."""
    plain = calibration.model_dump(mode="json")
    return (json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def reference(calibration: AnyCalibration | None) -> CalibrationRef | None:
    """Return how results and runs name a calibration."""
    return None if calibration is None else reference_of(calibration)


def with_pattern(result: SampleResult, calibration: AnyCalibration | None) -> SampleResult:
    """Return a result with its pattern by a calibration; the very same where it has that already."""
    if result.pattern.sentence and result.pattern.calibration == reference(calibration):
        return result
    return result.model_copy(update={"pattern": call_pattern(result, calibration)})


def _check_name(name: str) -> None:
    if not name.strip() or not name.isprintable() or len(name) > MAX_NAME:
        raise UsageError(
            "calibrate.name",
            "the name of a calibration is what reports call it by",
            hint=f"--name with 1 to {MAX_NAME} characters on one line, all of which show",
        )


def _has(result: SampleResult, where: Sequence[tuple[str, str]]) -> bool:
    return all(result.labels.get(column, "").strip().casefold() == value.casefold() for column, value in where)
