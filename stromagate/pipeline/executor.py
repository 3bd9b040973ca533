"""Where the units of work run: here, or in worker processes on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Unit = TypeVar("Unit")
Outcome = TypeVar("Outcome")


def each(function: Callable[[Unit], Outcome], units: Iterable[Unit], jobs: int) -> Iterator[Outcome]:
    """Yield the outcome of every unit as it is finished, in any order.

    Parameters
    ----------
    function : callable
        Pure in its unit; must be importable by a worker.
    units : iterable
        What to work on; paths and documents, never arrays.
    jobs : int
        Number of processes; 1 stays in this one.
    """
    if jobs == 1:
        yield from map(function, units)
        return
    from joblib import Parallel, delayed, parallel_config

    with parallel_config(backend="loky", inner_max_num_threads=1):
        parallel = Parallel(n_jobs=jobs, return_as="generator_unordered")
        yield from parallel(delayed(function)(unit) for unit in units)
