"""A Dask scheduler with its workers on this machine, as somebody would start them, and work for them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.reference_data import ROOT

_QUIET = ("--no-dashboard",)
_START_S = 60  # a guard against hangs, no measure of speed


def shout_or_die(word: str) -> str:
    if word == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return word.upper()


def wait_for(place: str) -> str:
    """Say that work has begun, and end when told to."""
    Path(place + ".begun").touch()
    for _ in range(600):
        if Path(place + ".end").exists():
            break
        time.sleep(0.1)
    return place


@contextmanager
def cluster(folder: Path, n_workers: int = 2) -> Iterator[str]:
    """Give the address of a scheduler with workers of one thread each, in a folder that is not the run's."""
    written = folder / "scheduler.json"
    scheduler = _start(
        "scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", written, *_QUIET, folder=folder
    )
    workers = None
    try:
        address = _address(written, scheduler)
        options = ("--nworkers", n_workers, "--nthreads", 1, "--memory-limit", 0, "--local-directory", folder)
        workers = _start("worker", address, *options, *_QUIET, folder=folder)
        yield address.replace("tcp://", "dask://")
    finally:
        for process in filter(None, (workers, scheduler)):
            _end(process)


def _start(*arguments: object, folder: Path) -> subprocess.Popen[bytes]:
    # One failure is enough to blame a task: otherwise a unit that kills its worker must do so eight times.
    settings = {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
                "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}  # fmt: skip
    with (folder / f"{arguments[0]}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *map(str, arguments)],
            cwd=folder,
            env={**os.environ, **settings},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _address(written: Path, scheduler: subprocess.Popen[bytes]) -> str:
    end = time.monotonic() + _START_S
    while time.monotonic() < end and scheduler.poll() is None:
        try:
            return str(json.loads(written.read_text())["address"])
        except (OSError, ValueError):  # not there, or half written
            time.sleep(0.05)
    raise AssertionError((written.parent / "scheduler.log").read_text())


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
