"""``unfinished.json``: which tubes of a run are done, there from its begin until ``run.json`` is."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from stromagate import __version__
from stromagate.model.result import SampleEntry
from stromagate.model.unfinished import UnfinishedRun, UnfinishedTube
from stromagate.pipeline.seal import plain_bytes
from stromagate.pipeline.whole_files import write_file

UNFINISHED_FILE = "unfinished.json"
_EVERY_S = 1.0
"""At most so often it is written: thousands of tubes would otherwise be listed thousands of times. Own choice."""
_NAMED_AT_MOST = 5


class Unfinished:
    """Keeps the list of what is done and what is waiting.

    Parameters
    ----------
    out : path
        Folder of results, which the run holds.
    tubes : iterable of (str, str)
        Name and shown file of each tube.
    started, command : str
        As ``run.json`` will have them.

    Raises
    ------
    OutputError
        It cannot be written.
    """

    def __init__(self, out: Path, tubes: Iterable[tuple[str, str]], *, started: str, command: str) -> None:
        self._path = out / UNFINISHED_FILE
        self._started, self._command = started, command
        self._tubes = {name: UnfinishedTube(sample_id=name, file=file) for name, file in tubes}
        self._write()

    def note(self, entry: SampleEntry) -> None:
        """Say what became of a tube; it may stand in the file up to a second later."""
        self._tubes[entry.sample_id] = UnfinishedTube(
            sample_id=entry.sample_id, file=entry.file, status=entry.status, error=entry.error
        )
        if time.monotonic() >= self._written + _EVERY_S:
            self._write()

    def _write(self) -> None:
        run = UnfinishedRun(
            stromagate=__version__,
            started=self._started,
            command=self._command,
            samples=tuple(self._tubes.values()),
        )
        write_file(self._path, plain_bytes(run))
        self._written = time.monotonic()


def still_to_do(out: Path) -> str:
    """Return in words how far a run came that was not finished; nothing where it does not say."""
    try:
        run = UnfinishedRun.model_validate_json((out / UNFINISHED_FILE).read_bytes())
    except (OSError, ValidationError):
        return ""
    waiting = [tube.sample_id for tube in run.samples if tube.status == "waiting"]
    if not waiting:
        return f": all {len(run.samples)} tubes were done, its tables and pages were not"
    named = ", ".join(waiting[:_NAMED_AT_MOST]) + (" ..." if len(waiting) > _NAMED_AT_MOST else "")
    return f": {len(waiting)} of {len(run.samples)} tubes were still to do ({named})"
