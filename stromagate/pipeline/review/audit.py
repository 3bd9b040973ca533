"""The audit log: one line an act, each with the SHA-256 of the line before, added to and never changed.

The chain shows a line that was changed, taken out, put in or moved. Lines cut off its end are missed by the place that
every signature names, and by ``revision.json``. Who can write all files of a review can write all of them anew: that is
for the rights on the folder, and copies elsewhere, to prevent.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from stromagate.errors import InputError
from stromagate.model.audit import NOTHING, AuditEntry
from stromagate.pipeline.bundle import cannot_write, first_fault


@dataclass(frozen=True, slots=True)
class Fault:
    """The first line of a log that does not fit (from 1), and why."""

    line: int
    sentence: str


def read(path: Path) -> list[AuditEntry]:
    """Return all whole lines of a log; none where there is no log.

    An unfinished last line, left by a crash in the middle of writing it, is no line.

    Raises
    ------
    InputError
        It cannot be read, or a line does not fit: which one, and why.
    """
    entries, fault = _walk(content(path))
    if fault is not None:
        raise InputError(
            "review.audit",
            f"line {fault.line} of the audit log {fault.sentence}",
            where=str(path),
            hint="put back a copy of the folder `review`; stromagate verify DIR says all that differs",
        )
    return entries


def check(path: Path) -> Fault | None:
    """Return the first line that does not fit; None where the chain is whole.

    Raises
    ------
    InputError
        The log cannot be read.
    """
    return _walk(content(path))[1]


def append(path: Path, entry: AuditEntry) -> bytes:
    """Add a line in one piece, flushed to the disk, and return it.

    Raises
    ------
    InputError
        It cannot be written.
    """
    line = line_of(entry)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            before = os.fstat(descriptor).st_size
            try:
                _write_all(descriptor, line)
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, before)  # a full disk: what was not said whole was not said
                raise
        finally:
            os.close(descriptor)
    except OSError as cause:
        raise cannot_write(path, cause) from cause
    return line


def line_of(entry: AuditEntry) -> bytes:
    """Return an entry as its line: one JSON object, keys sorted, with its line feed."""
    text = json.dumps(entry.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace") + b"\n"


def entry_of(line: bytes) -> AuditEntry:
    """Return the entry of a line; ValidationError where it is none."""
    return AuditEntry.model_validate_json(line)


def link(line: bytes) -> str:
    """Return what the next line says of this one."""
    return hashlib.sha256(line).hexdigest()


def content(path: Path) -> bytes:
    """Return the bytes of a log; none where there is no log.

    Raises
    ------
    InputError
        It cannot be read.
    """
    try:
        return path.read_bytes() if path.exists() else b""
    except OSError as cause:
        raise InputError(
            "review.unreadable", f"cannot be read: {cause.strerror}", where=str(path), hint="look at its rights"
        ) from cause


def whole_lines(data: bytes) -> Iterator[bytes]:
    """Yield the finished lines of a log, line feeds included."""
    yield from (part + b"\n" for part in data.split(b"\n")[:-1])


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _walk(data: bytes) -> tuple[list[AuditEntry], Fault | None]:
    entries: list[AuditEntry] = []
    before = NOTHING
    revision = 0
    for number, line in enumerate(whole_lines(data), 1):
        try:
            entry = entry_of(line)
        except ValidationError as cause:
            return entries, Fault(number, f"is damaged: {first_fault(cause)}")
        if entry.seq != number:
            return entries, Fault(number, f"carries the number {entry.seq}")
        if entry.prev != before:
            return entries, Fault(number, "does not follow the line before: one of the two was changed, or lines miss")
        if entry.revision - revision not in ({1} if entry.what == "edited" else {0}):
            return entries, Fault(number, f"goes from revision {revision} to {entry.revision}")
        before, revision = link(line), entry.revision
        entries.append(entry)
    return entries, None
