"""One run at a time in a folder: two would leave results of one under the tables of the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stromagate.errors import UsageError


@contextmanager
def claimed(marker: Path) -> Iterator[None]:
    """Hold the folder that ``marker`` lies in; the system lets go of it even when the process is killed.

    Parameters
    ----------
    marker : path
        A file that is there. Where the file system or the platform knows no locks, nothing is held.

    Raises
    ------
    UsageError
        Another process holds it.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with marker.open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            raise UsageError(
                "out.busy",
                "another run is writing into this folder",
                where=str(marker.parent),
                hint="wait until it has ended, or name another folder",
            ) from cause
        except OSError:  # a share without locks
            pass
        yield
