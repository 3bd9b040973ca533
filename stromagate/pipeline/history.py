"""The history of a lab's runs on disk: one line a run, added once and never changed.

::

    DIR/history.jsonl   one finished run a line
    DIR/baseline.txt    batches that the limits are made of, one a line, written by the lab; without it the first twenty
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pydantic import ValidationError

from stromagate.errors import InputError, UsageError
from stromagate.model.history import KeptRun
from stromagate.pipeline.bundle import cannot_write, first_fault
from stromagate.pipeline.claim import claimed

HISTORY_FILE = "history.jsonl"
BASELINE_FILE = "baseline.txt"
_LOCK = ".lock"
_TRIES, _PAUSE_S = 300, 0.1


def check_history(folder: Path, out: Path) -> None:
    """Refuse a history that could not be added to, before any tube is analysed.

    Raises
    ------
    UsageError
        The folder is a file, or the folder of results.
    InputError
        It cannot be read or written, or a line of it is damaged.
    """
    if folder.resolve() == out.resolve():
        raise UsageError(
            "history.out",
            "the history and the results are one folder",
            where=str(folder),
            hint="name another --history",
        )
    if folder.exists() and not folder.is_dir():
        raise UsageError("history.file", "the history is a file", where=str(folder), hint="name a folder")
    with _held(folder):
        _read(folder)
    read_baseline(folder)


def add_run(folder: Path, run: KeptRun) -> list[KeptRun]:
    """Add a run to a history, unless it is there already, and return all runs in their order.

    The line is written in one piece and flushed to disk. Where an earlier write was cut off by a crash, its unfinished
    line is taken away: the run it was of adds itself again when it is run again.

    Raises
    ------
    InputError
        The folder cannot be read or written, or a line is damaged.
    UsageError
        Another run held it for too long.
    """
    path = folder / HISTORY_FILE
    with _held(folder):
        runs, whole = _read(folder)
        if any(known.run == run.run for known in runs):
            return runs
        try:
            with path.open("r+b" if path.exists() else "xb") as stream:
                stream.truncate(whole)
                stream.seek(whole)
                stream.write(_line(run))
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as cause:
            raise cannot_write(path, cause) from cause
    return [*runs, run]


def sealed(run: KeptRun) -> KeptRun:
    """Return the run with its name: a digest of everything in it but the time it was recorded."""
    content = run.model_dump(mode="json", exclude={"run", "recorded"})
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return run.model_copy(update={"run": hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()})


def read_baseline(folder: Path) -> tuple[str, ...]:
    """Return the batches that the lab declared as the baseline; empty where it declared none.

    Blank lines and lines that begin with ``#`` are left out.

    Raises
    ------
    InputError
        The file cannot be read as text.
    """
    path = folder / BASELINE_FILE
    if not path.is_file():
        return ()
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as cause:
        raise InputError(
            "history.baseline", f"cannot be read: {cause}", where=str(path), hint="one name of a batch a line, in UTF-8"
        ) from cause
    return tuple(dict.fromkeys(line for line in lines if line and not line.startswith("#")))


def _line(run: KeptRun) -> bytes:
    text = json.dumps(run.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace") + b"\n"


def _read(folder: Path) -> tuple[list[KeptRun], int]:
    """Return the runs of a history, and how many bytes of the file are whole lines."""
    path = folder / HISTORY_FILE
    try:
        content = path.read_bytes() if path.exists() else b""
    except OSError as cause:
        raise InputError(
            "history.unreadable", f"cannot be read: {cause.strerror}", where=str(path), hint="--history DIR"
        ) from cause
    whole = content.rfind(b"\n") + 1
    return [_run(path, number, line) for number, line in enumerate(content[:whole].splitlines(), 1)], whole


def _run(path: Path, number: int, line: bytes) -> KeptRun:
    hint = "put back a copy of the file, or take this line away and run its tubes again"
    try:
        run = KeptRun.model_validate_json(line)
    except ValidationError as cause:
        raise InputError(
            "history.damaged", f"line {number} is damaged: {first_fault(cause)}", where=str(path), hint=hint
        ) from cause
    if sealed(run).run != run.run:
        raise InputError("history.changed", f"line {number} was changed by hand", where=str(path), hint=hint)
    return run


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold a history, and wait a while where another run is adding to it."""
    marker = folder / _LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        marker.touch()
    except OSError as cause:
        raise cannot_write(folder, cause) from cause
    with ExitStack() as stack:
        for left in reversed(range(_TRIES)):
            try:
                stack.enter_context(claimed(marker))
                break
            except UsageError:
                if not left:
                    raise
                time.sleep(_PAUSE_S)
        yield
