"""The one place that opens files for reading: regular files only, each read held against the size found at first."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from stromagate.errors import InputError

_LONGEST_PATH = 400


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What must not change between looking at a file and reading it."""

    size: int
    modified_ns: int
    inode: int


class ByteSource:
    """An open regular file of known size."""

    def __init__(self, stream: io.FileIO, path: Path) -> None:
        self._stream = stream
        self.path = path
        self.fingerprint = _fingerprint(os.fstat(stream.fileno()))
        self.size = self.fingerprint.size

    def at(self, offset: int, n_bytes: int) -> bytes:
        """Return exactly ``n_bytes`` from ``offset``; the caller has checked that they lie inside the file."""
        buffer = bytearray(n_bytes)
        self.into(offset, memoryview(buffer))
        return bytes(buffer)

    def into(self, offset: int, buffer: memoryview) -> None:
        """Fill ``buffer`` from ``offset``; InputError ``file.changed`` where the file has become shorter."""
        try:
            self._stream.seek(offset)
            filled = 0
            while filled < len(buffer):
                n = self._stream.readinto(buffer[filled:])
                if not n:
                    raise _changed(self.path)
                filled += n
        except OSError as cause:
            raise InputError(
                "file.unreadable", f"reading failed: {cause.strerror or cause}", hint="check the disk or the share"
            ) from cause

    def require_unchanged(self, since: Fingerprint) -> None:
        """Raise InputError ``file.changed`` where the file is no longer what it was."""
        if _fingerprint(os.fstat(self._stream.fileno())) != since:
            raise _changed(self.path)


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[ByteSource]:
    """Open a regular file for reading; anything else is an InputError, and no FIFO or device is ever opened.

    InputErrors raised inside get the file's path as their place.
    """
    place = Path(path)
    try:
        with io.FileIO(_descriptor(place), "rb") as stream:
            yield ByteSource(stream, place)
    except InputError as error:
        if error.where is not None:
            raise
        raise InputError(error.code, error.message, where=_shown(place), hint=error.hint) from error.__cause__


def _descriptor(path: Path) -> int:
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        _require_regular(path.stat().st_mode)
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as cause:
        _refuse(cause)
    try:
        _require_regular(os.fstat(descriptor).st_mode)
    except InputError:
        os.close(descriptor)
        raise
    return descriptor


def _require_regular(mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
    kind = next((name for test, name in kinds if test(mode)), "a device")
    raise InputError("file.not_regular", f"this is {kind}, not a file", hint="give an FCS file")


def _refuse(cause: OSError | ValueError) -> NoReturn:
    # A path with a NUL byte is a ValueError: such a file cannot exist.
    if isinstance(cause, FileNotFoundError | NotADirectoryError | ValueError):
        raise InputError("file.missing", "there is no such file", hint="check the path") from cause
    raise InputError(
        "file.unreadable", f"the file cannot be opened: {cause.strerror or cause}", hint="check its permissions"
    ) from cause


def _shown(path: Path) -> str:
    text = str(path)
    return text if len(text) <= _LONGEST_PATH else f"...{text[-_LONGEST_PATH:]}"


def _fingerprint(found: os.stat_result) -> Fingerprint:
    return Fingerprint(found.st_size, found.st_mtime_ns, found.st_ino)


def _changed(path: Path) -> InputError:
    return InputError(
        "file.changed",
        "the file changed while it was read",
        where=_shown(path),
        hint="wait until the acquisition or the copy has finished, then run again",
    )
