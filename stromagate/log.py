"""What the rooms tell a log: one logger a room, and a file of JSON lines where one is asked for.

A log is sent to places that results never go to. So its lines are made of this program's own words, codes and numbers,
and of the names of tubes, populations and checks: nothing is taken from a file, a sheet or the text of an error, any of
which may name a person. The code leads to the sentence, which stands in the results and in the verb's answer.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = "stromagate"
_LOCK_TRIES, _LOCK_EVERY_S = 400, 0.005
_BEGIN = b'{"time": "'
_TUBE: ContextVar[str] = ContextVar("tube", default="")

# Without it the standard library would print warnings on stderr where nobody asked for a log.
logging.getLogger(ROOT).addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class LogFile:
    """Where lines go, and what they are called by: ``path`` is absolute, ``run_id`` is of one call of the program."""

    path: str
    run_id: str


def log_file(path: str | os.PathLike[str]) -> LogFile:
    """Return a log at that path, for one call of the program."""
    return LogFile(str(Path(path).absolute()), uuid.uuid4().hex[:12])


def tell(
    room: str, stage: str, code: str, message: str, *, level: int = logging.INFO, sample_id: str | None = None
) -> None:
    """Tell the log of one thing that happened.

    Parameters
    ----------
    room : str
        Whose logger speaks, such as ``"gating"``.
    stage : str
        What was being done.
    code : str
        Stable name of what happened: an error's, a repair's, a check's, or one of the log's own.
    message : str
        The same in words of this program; nothing that a file or a sheet holds, and no path.
    level : int
        As in ``logging``.
    sample_id : str, optional
        The tube; by default the one that ``about`` names.
    """
    tube = _TUBE.get() if sample_id is None else sample_id
    extra = {"stage": stage, "code": code, "sample_id": tube}
    logging.getLogger(f"{ROOT}.{room}").log(level, message, extra=extra)


@contextmanager
def about(sample_id: str) -> Iterator[None]:
    """Let what is told inside be of one tube."""
    before = _TUBE.set(sample_id)
    try:
        yield
    finally:
        _TUBE.reset(before)


@contextmanager
def written(to: LogFile | None) -> Iterator[Lines | None]:
    """Write what is told inside to a file; a process that writes there already goes on as it is.

    Every process opens the file for itself, so that a worker's last words are there even when it is killed.
    """
    logger = logging.getLogger(ROOT)
    if to is None or to == current():
        yield None
        return
    handler, level = Lines(to), logger.level
    logger.addHandler(handler)
    logger.setLevel(min(level or logging.INFO, logging.INFO))
    try:
        yield handler
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def fault_place(error: BaseException) -> str:
    """Return the kind of an error and the line it comes from: all of it that no file can have put there."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None:
        return type(error).__name__
    return f"{type(error).__name__} in {Path(last.tb_frame.f_code.co_filename).name}, line {last.tb_lineno}"


def current() -> LogFile | None:
    """Return the log that is being written by this process."""
    return next((each.to for each in logging.getLogger(ROOT).handlers if isinstance(each, Lines)), None)


class Lines(logging.Handler):
    """Appends one JSON object a line; ``fault`` is why the log is not whole, None while it is."""

    def __init__(self, to: LogFile) -> None:
        super().__init__(logging.INFO)
        self.to = to
        self.fault: OSError | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Append a line; a log that cannot be written costs nobody a result."""
        if not hasattr(record, "code"):  # another program's, of whose words nothing is known
            return
        try:
            append(self.to.path, self.line(record))
        except OSError as cause:
            self.fault = cause

    def line(self, record: logging.LogRecord) -> bytes:
        """Return a record as one line."""
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "room": record.name.removeprefix(f"{ROOT}."),
            "run_id": self.to.run_id,
            "sample_id": getattr(record, "sample_id", ""),
            "stage": getattr(record, "stage", ""),
            "code": getattr(record, "code", ""),
            "message": record.getMessage(),
        }
        return json.dumps(told).encode() + b"\n"


def is_one(path: str) -> bool:
    """Say whether a log may be written there: a file that begins as one, an empty or a new one, or no regular file.

    Raises
    ------
    OSError
        It cannot be looked at.
    """
    place = Path(path)
    if not place.is_file():
        return True
    with place.open("rb") as stream:
        return stream.read(len(_BEGIN)) in {b"", _BEGIN}


def append(path: str, line: bytes) -> None:
    """Append a whole line or none of it, whoever else appends to the file.

    Raises
    ------
    OSError
        It cannot be written.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        with _alone(descriptor):
            before = os.fstat(descriptor)
            if os.write(descriptor, line) < len(line):  # the disk is full
                if stat.S_ISREG(before.st_mode):
                    os.ftruncate(descriptor, before.st_size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)


@contextmanager
def _alone(descriptor: int) -> Iterator[None]:
    """Hold the file while a line is written: over a network an append alone is not whole."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # somebody who never lets go must not hold up a run
            time.sleep(_LOCK_EVERY_S)
        except OSError:  # a share or a pipe without locks
            break
        else:
            break
    yield  # closing lets go of it
