"""Here, or in worker processes on this machine.

A worker that dies costs its own unit only, workers die with the process that started them, and an interrupt from the
keyboard is that process's to handle.
"""

from __future__ import annotations

import importlib
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

Unit = TypeVar("Unit")
Outcome = TypeVar("Outcome")

_WATCH = "stromagate-parent-watch"
_WATCH_EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class Here:
    """Workers of this machine: ``jobs`` processes at most; with one, units stay in this process."""

    jobs: int = 1
    elsewhere: bool = False

    def each(
        self, function: Callable[[Unit], Outcome], units: Iterable[Unit], *, lost: Callable[[Unit], Outcome]
    ) -> Iterator[Outcome]:
        """Yield the outcome of every unit as it is finished, in any order; as ``Workers`` says."""
        waiting = list(units)
        return each(function, waiting, min(self.jobs, max(1, len(waiting))), lost=lost)


def each(
    function: Callable[[Unit], Outcome], units: Iterable[Unit], jobs: int, *, lost: Callable[[Unit], Outcome]
) -> Iterator[Outcome]:
    """Yield the outcome of every unit as it is finished, in any order.

    Parameters
    ----------
    function : callable
        Pure in its unit; must be importable by a worker.
    units : iterable
        What to work on; paths and documents, never arrays.
    jobs : int
        Number of processes; 1 stays in this one.
    lost : callable
        What to say of a unit whose worker died twice: with others beside it, and on its own.
    """
    if jobs == 1:
        yield from map(function, units)
        return
    waiting = dict(enumerate(units))
    try:
        for number, outcome in _in_workers(function, list(waiting.items()), jobs):
            del waiting[number]
            yield outcome
    except BrokenProcessPool:
        # Which unit killed its worker is not known, and memory may be why: the rest runs one at a time.
        for number, unit in list(waiting.items()):
            yield _alone(function, number, unit, lost)


@contextmanager
def begun(jobs: int, module: str) -> Iterator[None]:
    """Let the workers of this machine load a module while this process does so itself.

    It takes a second, and one after the other two. What goes wrong with it is told where the workers are needed.

    Parameters
    ----------
    jobs : int
        As of ``each``; of 1 there are none.
    module : str
        What their units are functions of.
    """
    if jobs == 1:
        yield
        return
    n = min(jobs, os.cpu_count() or 1)
    start = threading.Thread(target=_load_in_workers, args=(module, n))
    start.start()
    try:
        yield
    finally:
        start.join()


def _load_in_workers(module: str, n: int) -> None:
    with suppress(Exception):
        list(each(_load, [module] * n, max(2, n), lost=_not_loaded))  # of one job joblib would make none


def _load(module: str) -> None:
    importlib.import_module(module)


def _not_loaded(_module: str) -> None:
    pass


def _alone(function: Callable[[Unit], Outcome], number: int, unit: Unit, lost: Callable[[Unit], Outcome]) -> Outcome:
    try:
        ((_, outcome),) = _in_workers(function, [(number, unit)], jobs=2)  # joblib would run one job in this process
    except BrokenProcessPool:
        return lost(unit)
    return outcome


def _in_workers(
    function: Callable[[Unit], Outcome], numbered: Sequence[tuple[int, Unit]], jobs: int
) -> Iterator[tuple[int, Outcome]]:
    from joblib import Parallel, delayed, parallel_config

    with parallel_config(backend="loky", inner_max_num_threads=1):
        parallel = Parallel(n_jobs=jobs, return_as="generator_unordered")
        parent, folder = os.getpid(), str(Path.cwd())
        tasks = (delayed(_work)(parent, folder, number, function, unit) for number, unit in numbered)
        with _interrupts_held_back():
            outcomes = cast("Generator[tuple[int, Outcome]]", parallel(tasks))  # starts the workers
        try:
            for outcome in outcomes:  # noqa: UP028  (`yield from` would close it before the warning below is met)
                yield outcome
        finally:
            with warnings.catch_warnings():  # that work is given up at an interrupt is meant
                warnings.filterwarnings("ignore", message=".*tasks which were still being processed")
                outcomes.close()


def _work(
    parent: int, folder: str, number: int, function: Callable[[Unit], Outcome], unit: Unit
) -> tuple[int, Outcome]:
    """Work on a unit in a worker that will not outlive the process which started it.

    Workers are kept from one batch to the next, and relative paths mean what they mean where the batch was started.
    """
    os.chdir(folder)
    if all(thread.name != _WATCH for thread in threading.enumerate()):
        threading.Thread(target=_die_with, args=(parent,), name=_WATCH, daemon=True).start()
    return number, function(unit)


def _die_with(parent: int) -> None:
    """End this worker when its parent has ended: a killed run must not go on writing into its folder."""
    while os.getppid() == parent:
        time.sleep(_WATCH_EVERY_S)
    os._exit(1)


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Let processes started inside inherit a mask: Ctrl-C reaches the whole group, and only the parent may speak."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # up to Python 3.13 its start would take the mask away
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
