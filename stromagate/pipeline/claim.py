"""One run at a time in a folder: two would leave results of one under the tables of the other.

The folder is held by a lock on its marker, which the system lets go of when the process ends, however it ends. Who
holds it stands beside the marker meanwhile (``MARKER.by``), for the one who is refused and for the run's own workers:
those of a killed run may live a little longer than it, or, on another machine, much longer.
"""

from __future__ import annotations

import os
import platform
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from stromagate.errors import OutputError, UsageError
from stromagate.pipeline.whole_files import cannot_write

WAIT_S = 60.0
"""How long a run waits for workers of a killed one to finish the file that they are writing. Own choice."""
_LOOK_EVERY_S = 0.05
_TRIES = 20
"""Some shares number their files anew each time they are asked; there a lock is taken as it is."""


@contextmanager
def claimed(marker: Path) -> Iterator[str]:
    """Hold the folder that ``marker`` lies in; the system lets go of it even when the process is killed.

    Parameters
    ----------
    marker : path
        Is made where it is not there, and never replaced: two that begin at once must lock one and the same file.
        Where the file system or the platform knows no locks, nothing is held.

    Yields
    ------
    str
        Who holds it: process, machine, time (UTC) and a word that no other claim has.

    Raises
    ------
    UsageError
        Another process holds it, and which.
    OutputError
        The folder cannot be written.
    """
    by = _by(marker)
    try:
        stream = marker.open("ab+")  # to be written: some shares lock no file that is only read
    except OSError as cause:
        raise cannot_write(marker, cause) from cause
    with stream:
        _lock(stream.fileno(), marker)
        claim = f"{os.getpid()} {platform.node() or '?'} {_now()} {secrets.token_hex(8)}"
        try:
            by.unlink(missing_ok=True)
            by.write_text(claim, encoding="utf-8", errors="replace")
        except OSError as cause:
            with suppress(OSError):
                by.unlink()
            raise cannot_write(by, cause) from cause
        try:
            yield claim
        finally:
            with suppress(OSError):
                by.unlink()


@contextmanager
def at_work(marker: Path, claim: str) -> Iterator[None]:
    """Write into a held folder as a worker of the run that holds it.

    Parameters
    ----------
    marker : path
        Of the folder.
    claim : str
        What ``claimed`` gave the run.

    Raises
    ------
    OutputError
        Another run has taken the folder over: the one that this worker belongs to was ended.
    """
    with _workers_locked(marker, exclusive=False):
        now = holder(marker)
        if now and now != claim:
            raise OutputError(
                "out.taken_over",
                f"another run has taken this folder over: {_said(now)}",
                where=str(marker.parent),
                hint="the run that this process worked for was ended; nothing was written",
            )
        yield


def holder(marker: Path) -> str:
    """Return the claim by which a folder is held, as seen from here; nothing where it is not."""
    return _read(_by(marker))


def wait_for_workers(marker: Path) -> None:
    """Wait until no worker of a run that was killed writes into a folder which is held now.

    Raises
    ------
    UsageError
        One of them does not come to an end.
    OutputError
        The folder cannot be written.
    """
    if not _of_workers(marker).exists():
        return
    end = time.monotonic() + WAIT_S
    while True:
        try:
            with _workers_locked(marker, exclusive=True):
                break
        except BlockingIOError as cause:
            if time.monotonic() > end:
                raise UsageError(
                    "out.busy",
                    "workers of a run that was ended are still writing into this folder",
                    where=str(marker.parent),
                    hint="end them, or name another folder",
                ) from cause
            time.sleep(_LOOK_EVERY_S)


def no_workers_left(marker: Path) -> None:
    """Take away what workers held, at the end of a run; not where one of a cluster, given up as lost, still writes."""
    if _of_workers(marker).exists():
        with suppress(OSError, OutputError), _workers_locked(marker, exclusive=True):
            _of_workers(marker).unlink(missing_ok=True)


def _lock(descriptor: int, marker: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as cause:
        other = holder(marker)
        if not other:  # it has begun just now
            time.sleep(_LOOK_EVERY_S)
            other = holder(marker)
        raise UsageError(
            "out.busy",
            f"another run is writing into this folder{f': {_said(other)}' if other else ''}",
            where=str(marker.parent),
            hint="wait until it has ended, end it, or name another folder",
        ) from cause
    except OSError:  # a share without locks
        pass


@contextmanager
def _workers_locked(marker: Path, *, exclusive: bool) -> Iterator[None]:
    """Lock what the workers lock: not the marker, which the run holds, nor the folder, which a script may hold."""
    place = _of_workers(marker)
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    how = fcntl.LOCK_EX | fcntl.LOCK_NB if exclusive else fcntl.LOCK_SH
    for trial in range(_TRIES):
        try:
            stream = place.open("ab+")
        except OSError as cause:
            raise cannot_write(place, cause) from cause
        with stream:
            try:
                fcntl.flock(stream.fileno(), how)
            except BlockingIOError:
                raise
            except OSError:  # a share without locks
                pass
            else:
                if trial + 1 < _TRIES and not _is_still(place, stream.fileno()):
                    continue
            yield
            return


def _is_still(place: Path, descriptor: int) -> bool:
    """Say whether an open file is the one that lies there: what was taken away meanwhile keeps nobody out."""
    with suppress(OSError):
        return os.path.samestat(place.stat(), os.fstat(descriptor))
    return False


def _of_workers(marker: Path) -> Path:
    return marker.with_name(f"{marker.name}.workers")


def _by(marker: Path) -> Path:
    return marker.with_name(f"{marker.name}.by")


def _read(by: Path) -> str:
    try:
        return by.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _said(claim: str) -> str:
    """Return who holds a folder, in words."""
    words = claim.split()
    return f"process {words[0]} on {words[1]}, since {words[2]}" if len(words) == 4 else "it does not say who it is"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
