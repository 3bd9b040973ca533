"""Runs as processes of their own, and ways to end them that no program can meet."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

LIMIT_S = 600


def started(*words: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """Start the command line in a process group of its own."""
    line = [sys.executable, "-m", "stromagate", *map(str, words)]
    pipe = subprocess.PIPE
    return subprocess.Popen(line, stdout=pipe, stderr=pipe, text=True, start_new_session=True, cwd=cwd, env=env)


def ended(*words: object, code: int = 0, env: dict[str, str] | None = None) -> str:
    """Call the command line, hold it to an exit code, and return what it said."""
    process = started(*words, env=env)
    _, said = process.communicate(timeout=LIMIT_S)
    assert process.returncode == code, said
    return said


def workers(process: subprocess.Popen[str]) -> list[int]:
    """Return the worker processes of a run."""
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    except OSError:  # it is over
        return []
    return [int(child) for child in children if "popen_loky" in _command_of(int(child))]


def _command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
    except OSError:
        return ""


def kill(process: subprocess.Popen[str], moment_s: float) -> bool:
    """Kill a run so long after its start, not its workers; say whether it was still there."""
    _wait(process, moment_s)
    alive = process.poll() is None
    if alive:
        process.kill()
    process.communicate()
    return alive


def kill_a_worker(process: subprocess.Popen[str], moment_s: float, number: int) -> bool:
    """Kill one worker of a run that is so old, or as soon as there is one; say whether there was any."""
    _wait(process, moment_s)
    while process.poll() is None:
        found = workers(process)
        if found:
            try:
                os.kill(found[number % len(found)], signal.SIGKILL)
            except ProcessLookupError:
                continue
            return True
        time.sleep(0.005)
    return False


def _wait(process: subprocess.Popen[str], moment_s: float) -> None:
    end = time.monotonic() + moment_s
    while process.poll() is None and time.monotonic() < end:
        time.sleep(min(0.01, max(0.0, end - time.monotonic())))
