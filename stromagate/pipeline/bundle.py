"""What a run leaves on disk: the layout, written so that a partial file never has a final name, and read again.

::

    OUT/run.json  index.html  populations.csv  thresholds.csv  qc.csv  assets/plotly.min.js
    OUT/samples/<sample_id>/result.json  report.html  populations.csv
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from stromagate.errors import InputError, StromagateError, UsageError
from stromagate.model.result import RunIndex, SampleResult

T = TypeVar("T", bound=BaseModel)

RUN_FILE = "run.json"
RESULT_FILE = "result.json"
SAMPLES = "samples"
_PARTIAL = ".partial"
_MARKER = ".stromagate"


def open_folder(out: Path, sample_ids: Iterable[str], *, force: bool) -> None:
    """Make ``out`` ready for a run of these tubes, or say why it is not.

    Raises
    ------
    UsageError
        ``out`` is a file, holds something that is not a run, or holds results of tubes that are not in this run
        (unless ``force``, which removes those).
    """
    if out.exists() and not out.is_dir():
        raise UsageError("out.file", "the output is a file", where=str(out), hint="name a folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        entries = {entry.name for entry in out.iterdir()}
    except OSError as cause:
        raise cannot_write(out, cause) from cause
    if entries and not entries & {RUN_FILE, _MARKER}:
        raise UsageError(
            "out.foreign",
            "the folder holds files that are not results of a run",
            where=str(out),
            hint="name a new or an empty folder; nothing in it was touched",
        )
    stale = _stale(out, set(sample_ids))
    if stale and not force:
        listed = ", ".join(stale[:5]) + (" ..." if len(stale) > 5 else "")
        raise UsageError(
            "out.other_tubes",
            f"the folder holds results of {len(stale)} tube{'s' if len(stale) > 1 else ''} not in this run: {listed}",
            where=str(out),
            hint="name another folder, or add --force to remove them",
        )
    for name in stale:
        shutil.rmtree(out / SAMPLES / name)
    shutil.rmtree(out / _PARTIAL, ignore_errors=True)
    write_file(out / _MARKER, b"stromagate run\n")


def _stale(out: Path, sample_ids: set[str]) -> list[str]:
    folder = out / SAMPLES
    return sorted(entry.name for entry in folder.iterdir() if entry.name not in sample_ids) if folder.is_dir() else []


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: temporary name, flushed to disk, renamed.

    Raises
    ------
    StromagateError
        The disk is full or the place cannot be written; what stood there is untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as cause:
        temporary.unlink(missing_ok=True)
        raise cannot_write(path, cause) from cause


def write_sample(out: Path, sample_id: str, files: Mapping[str, bytes]) -> None:
    """Put a tube's folder in place in one step, over an older one."""
    final, fresh = out / SAMPLES / sample_id, out / _PARTIAL / sample_id
    shutil.rmtree(fresh, ignore_errors=True)
    for name, content in files.items():
        write_file(fresh / name, content)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        if final.exists():
            old = out / _PARTIAL / f"{sample_id}.old"
            shutil.rmtree(old, ignore_errors=True)
            final.rename(old)
            fresh.rename(final)
            shutil.rmtree(old)
        else:
            fresh.rename(final)
    except OSError as cause:
        raise cannot_write(final, cause) from cause


def remove_sample(out: Path, sample_id: str) -> None:
    """Take away an older result of a tube that failed this time: it must not pass for this run's."""
    shutil.rmtree(out / SAMPLES / sample_id, ignore_errors=True)


def close_folder(out: Path, files: Mapping[str, bytes]) -> None:
    """Write the run's own files, ``run.json`` last: it is the mark of a finished run."""
    shutil.rmtree(out / _PARTIAL, ignore_errors=True)
    for name in sorted(files, key=lambda name: name == RUN_FILE):
        write_file(out / name, files[name])


def read_run(out: Path) -> RunIndex:
    """Read the index of a finished run.

    Raises
    ------
    InputError
        No run there, an unfinished one, or a damaged index.
    """
    path = out / RUN_FILE
    if not path.is_file():
        unfinished = (out / _MARKER).is_file()
        raise InputError(
            "run.unfinished" if unfinished else "run.none",
            "the run in this folder was not finished" if unfinished else "there is no run in this folder",
            where=str(out),
            hint="run the same command again: finished tubes are kept" if unfinished else f"no {RUN_FILE} was found",
        )
    return _read(path, RunIndex)


def read_result(out: Path, sample_id: str) -> SampleResult:
    """Read one tube's result.

    Raises
    ------
    InputError
        It is missing, damaged, or of another format.
    """
    return _read(out / SAMPLES / sample_id / RESULT_FILE, SampleResult)


def read_results(out: Path, run: RunIndex) -> list[SampleResult]:
    """Read the results of all tubes of a run that have one, in the run's order."""
    return [read_result(out, entry.sample_id) for entry in run.samples if entry.status != "failed"]


def to_json_bytes(document: BaseModel) -> bytes:
    """Return the canonical bytes of a document: sorted keys, no NaN, one trailing newline."""
    plain = document.model_dump(mode="json")
    return (json.dumps(plain, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _read(path: Path, kind: type[T]) -> T:
    try:
        return kind.model_validate_json(path.read_bytes())
    except OSError as cause:
        raise InputError("result.unreadable", f"cannot be read: {cause.strerror}", where=str(path)) from cause
    except ValidationError as cause:
        first = cause.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise InputError(
            "result.damaged",
            f"{place}: {first['msg']} ({cause.error_count()} in all)",
            where=str(path),
            hint="the file was changed or written by another version; run the tube again",
        ) from cause


def cannot_write(path: Path, cause: OSError) -> StromagateError:
    """Return the error for a place that cannot be written."""
    return InputError(
        "out.write",
        f"cannot be written: {cause.strerror or cause}",
        where=str(path),
        hint="free space or choose another folder; files already written are whole",
    )
