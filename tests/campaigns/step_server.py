"""A process that calls the command line in forks of itself and hurts each at one step of its work with the disk.

A step is a file opened to be written, flushed, renamed or removed, or a folder made or removed, below the folder that
is watched. Steps are counted, so that every one of them can be met, which no clock can promise. Python is started and
its libraries loaded once for all forks.

One JSON object a line on stdin: ``words`` (of the command line), ``watched`` (a folder), ``deed`` (``none``, ``kill``:
the process ends at step ``at``; ``full``: from that step on nothing can be written; ``limit``: no file can grow past
``at`` bytes). One a line on stdout: ``code`` (as
``Popen.returncode``), ``steps`` (how many there were) and ``said`` (stderr).
"""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

_PLACES = {"os.rename": (0, 2), "os.remove": (0, 1), "os.mkdir": (0, 2), "os.rmdir": (0, 1), "os.truncate": (0, -1)}
_TAKES_AWAY = {"os.remove", "os.rmdir"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Steps:
    """Counts the steps of this process and does what is to be done at one of them."""

    def __init__(self, watched: str, deed: str, at: int) -> None:
        self.watched, self.deed, self.at, self.n = watched, deed, at, 0

    def hook(self, event: str, told: tuple[Any, ...]) -> None:
        """Look at what Python is about to do."""
        if event == "open":
            path, _, flags = told
            if isinstance(path, str | bytes) and flags & _WRITES:
                self.meet(event, os.fsdecode(path))
        elif event in _PLACES:
            path, folder = _PLACES[event]
            self.meet(event, _whole(told[path], told[folder] if folder > 0 else -1))

    def meet(self, event: str, path: str) -> None:
        """Count a step in the watched folder; end there, or fail as a full disk fails."""
        if not path.startswith(self.watched):
            return
        self.n += 1
        if self.deed == "kill" and self.n == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.deed == "full" and self.n >= self.at and event not in _TAKES_AWAY:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


def _whole(path: Any, folder: int) -> str:
    """Return a path that is named from within an open folder."""
    name = os.fsdecode(path)
    return f"{Path(f'/proc/self/fd/{folder}').readlink()}/{name}" if folder >= 0 else name


def _call(words: list[str], steps: Steps) -> int:
    """Run the command line in this process and return its exit code."""
    from stromagate.cli.app import app
    from stromagate.pipeline import unfinished

    unfinished._EVERY_S = 0.0  # else the number of steps would depend on the clock
    flush = os.fsync

    def watched_flush(descriptor: int) -> None:
        steps.meet("fsync", str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        flush(descriptor)

    os.fsync = watched_flush
    if steps.deed == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (steps.at, steps.at))
    sys.addaudithook(steps.hook)
    sys.argv = ["stromagate", *words]
    try:
        app()
    except SystemExit as done:
        return int(done.code or 0)
    return 0


def _forked(order: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile("w+") as talk, tempfile.TemporaryFile("w+") as count:
        child = os.fork()
        if not child:
            code = 1
            try:
                os.dup2(talk.fileno(), 2)
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                steps = Steps(order["watched"], order["deed"], order["at"])
                code = _call(order["words"], steps)
                sys.stderr.flush()
                os.write(count.fileno(), str(steps.n).encode())
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        talk.seek(0)
        count.seek(0)
        return {"code": os.waitstatus_to_exitcode(status), "steps": int(count.read() or 0), "said": talk.read()}


def main() -> None:
    """Answer one order after the other."""
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(variable, "1")  # a process with threads does not fork well
    import stromagate.pipeline.batch  # what a fork does not load again

    assert stromagate.pipeline.batch
    for line in sys.stdin:
        print(json.dumps(_forked(json.loads(line))), flush=True)  # noqa: T201  (the answer to the parent process)


if __name__ == "__main__":
    main()
