"""Files that are whole or not there: written under another name, flushed, renamed; and what a kill leaves, swept."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from stromagate.errors import OutputError

# Names of files that are being written: of ``write_file``, of a printed page, and of what is made from events.
_UNDER_WAY = re.compile(r"\..+\.[0-9]+\.(?:tmp|partial)")


def write_file(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file whole or not at all: temporary name, flushed to disk, renamed.

    Parameters
    ----------
    path : path
        Where to; folders on the way are made.
    content : bytes
        All of it.
    private : bool
        Nobody else on the machine can read it, from its first byte on.

    Raises
    ------
    OutputError
        The disk is full or the place cannot be written; what stood there is untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb", opener=_for_nobody_else if private else None) as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as cause:
        with suppress(OSError):
            temporary.unlink()
        raise cannot_write(path, cause) from cause


def _for_nobody_else(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL, 0o600)


def sweep(folders: Iterable[Path]) -> None:
    """Take away what a killed process was writing when it ended; whoever calls this holds the folders.

    Raises
    ------
    OSError
        It cannot be taken away.
    """
    for folder in folders:
        if folder.is_dir():
            for path in folder.iterdir():
                if _UNDER_WAY.fullmatch(path.name):
                    path.unlink(missing_ok=True)


def cannot_write(path: Path, cause: OSError) -> OutputError:
    """Return the error for a place that cannot be written."""
    return OutputError(
        "out.write",
        f"cannot be written: {cause.strerror or cause}",
        where=str(path),
        hint="free space or choose another folder, and give the command again; files already written are whole",
    )
