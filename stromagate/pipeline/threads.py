"""One BLAS thread for as long as a tube is worked on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

# Where both say 1, as the command line sees to, linear algebra has had one thread from the start.
_PINS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep linear algebra on the calling thread, and give the former number back at the end.

    Products here are slim: a few weights times many events. Two threads wait for each other at every block, which costs
    many times the work as soon as the machine has something else to do; and sums do not depend on how many there are.
    """
    if all(os.environ.get(name) == "1" for name in _PINS):
        yield
        return
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield
