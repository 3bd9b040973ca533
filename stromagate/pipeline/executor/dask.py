"""The workers of a Dask cluster. They were there before the run, serve others beside it, and stay after it.

Units are handed to the scheduler one by one and not through joblib: its Dask backend (joblib 1.6.0) waits for ever for
a unit whose worker died, and does not say which one it was. Dask itself says both.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from concurrent.futures import Future as PlainFuture
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from stromagate.errors import InputError, StromagateError, UsageError
from stromagate.pipeline.executor.code import code, differences

if TYPE_CHECKING:
    from distributed import Client, Future

Unit = TypeVar("Unit")
Outcome = TypeVar("Outcome")

_ANSWER_S = 5.0
"""A scheduler that runs answers within milliseconds, also over a slow line."""
_FIRST_WORKER_S = 30.0
"""How long to wait for a first worker: a cluster that grows on demand has none at the start."""
_ALL_GONE_S = 60.0
"""How long to wait for workers to come back when all have gone; a nanny restarts one within seconds."""
_LOOK_EVERY_S = 1.0

_START = "dask worker {address} --nworkers N --nthreads 1"


@contextmanager
def cluster(address: str) -> Iterator[Cluster]:
    """Hold a connection to a scheduler.

    Parameters
    ----------
    address : str
        ``tcp://HOST:PORT``.

    Raises
    ------
    UsageError
        Dask is not installed, nothing answers at the address, there is no worker, or one of them would make other
        results or work on several tubes at once in one process.
    """
    try:
        from distributed import Client
    except ImportError as cause:
        raise UsageError(
            "executor.extra", "--executor dask://... needs Dask", hint="pip install 'stromagate[dask]'"
        ) from cause
    with _no_talk():
        try:
            client = _connected(lambda: Client(address, timeout=_ANSWER_S, set_as_default=False, name="stromagate"))
        except (OSError, ValueError) as cause:  # nobody there, not in time, or a name that cannot be resolved
            raise UsageError(
                "executor.unreachable",
                f"no Dask scheduler answers within {_ANSWER_S:g} s",
                where=address,
                hint="start it with `dask scheduler` and give the address that it prints, or leave --executor away",
            ) from cause
        try:
            _must_fit(client, address)
            yield Cluster(client, address)
        finally:
            with suppress(OSError, TimeoutError):
                client.close()


def _connected(connect: Callable[[], Client]) -> Client:
    """Connect, and give up also where a server of another kind takes the call and never answers: Dask waits for ever.

    Raises
    ------
    OSError
        Whatever kept it, a TimeoutError among them.
    """
    made: PlainFuture[Client] = PlainFuture()

    def attempt() -> None:
        try:
            made.set_result(connect())
        except Exception as cause:  # noqa: BLE001  (it is raised where it is waited for)
            made.set_exception(cause)

    threading.Thread(target=attempt, daemon=True).start()
    return made.result(timeout=2 * _ANSWER_S)


@dataclass(frozen=True, slots=True)
class Cluster:
    """The workers of a cluster."""

    client: Client
    address: str
    elsewhere: bool = True

    def each(
        self, function: Callable[[Unit], Outcome], units: Iterable[Unit], *, lost: Callable[[Unit], Outcome]
    ) -> Iterator[Outcome]:
        """Yield the outcome of every unit as it is finished, in any order.

        Parameters
        ----------
        function, units, lost
            As of ``Workers``.

        Raises
        ------
        InputError
            The scheduler has gone, or all workers have.
        UsageError
            A worker that came later would make other results.
        """
        from distributed import KilledWorker

        again: list[Unit] = []
        for unit, future in self._ended(function, list(units)):
            try:
                outcome = self._fetched(future)
            except KilledWorker:
                again.append(unit)
            else:
                yield outcome
        # Which of the units on a worker killed it is not known, and memory may be why: each once more, on its own.
        for unit in again:
            for _, future in self._ended(function, [unit]):
                try:
                    outcome = self._fetched(future)
                except KilledWorker:
                    outcome = lost(unit)
                yield outcome

    def _ended(self, function: Callable[[Unit], Outcome], units: Sequence[Unit]) -> Iterator[tuple[Unit, Future]]:
        """Yield units with their futures as they end; what has not ended is cancelled when nobody wants more."""
        name, here = f"stromagate-{uuid4().hex}", code()
        ended: SimpleQueue[Future] = SimpleQueue()
        waiting: dict[str, tuple[Unit, Future]] = {}
        for number, unit in enumerate(units):
            future = self.client.submit(_work, here, function, unit, key=f"{name}-{number}", pure=False)
            waiting[future.key] = unit, future
        for _, future in list(waiting.values()):
            future.add_done_callback(ended.put)
        try:
            while waiting:
                future = self._next(ended)
                if future.status == "cancelled":
                    raise self._gone("the Dask scheduler has gone, or gave up the tubes of this run")
                yield waiting.pop(future.key)
        finally:
            if waiting and self.client.status == "running":
                with suppress(OSError, TimeoutError):
                    self.client.cancel([future for _, future in waiting.values()])

    def _fetched(self, future: Future) -> Any:
        """Return the outcome of a unit that ended; Dask makes it anew where the worker that kept it has died since.

        For want of workers, or of a scheduler, Dask would wait for ever.
        """
        while True:
            try:
                return future.result(timeout=_ALL_GONE_S)
            except (OSError, CancelledError) as cause:  # a TimeoutError is an OSError too
                if future.status == "error":  # the unit's own
                    raise
                if not isinstance(cause, TimeoutError):
                    raise self._gone("the Dask scheduler has gone, or gave up the tubes of this run") from cause
                if not _threads(self.client):
                    raise self._gone("all Dask workers have gone") from cause

    def _next(self, ended: SimpleQueue[Future]) -> Future:
        """Wait for a future that ended; give up where no worker is left that could end one."""
        seen = time.monotonic()
        while True:
            try:
                return ended.get(timeout=_LOOK_EVERY_S)
            except Empty:
                if self.client.status == "closed":
                    raise self._gone("the Dask scheduler has gone") from None
                if _threads(self.client):
                    seen = time.monotonic()
                elif time.monotonic() - seen > _ALL_GONE_S:
                    raise self._gone("all Dask workers have gone") from None

    def _gone(self, what: str) -> StromagateError:
        hint = "start them again and give the same command: finished tubes are kept"
        return InputError("executor.gone", what, where=self.address, hint=hint)


def _must_fit(client: Client, address: str) -> None:
    """Refuse a cluster without workers, and one whose workers would make other results.

    Raises
    ------
    UsageError
        With the first worker that does not fit, and why.
    """
    if not _threads(client):
        try:
            client.submit(int, pure=False).result(timeout=_FIRST_WORKER_S)  # asks a cluster that grows for its first
        except TimeoutError as cause:
            raise UsageError(
                "executor.no_workers",
                f"the Dask scheduler has no worker, and got none within {_FIRST_WORKER_S:g} s",
                where=address,
                hint=f"start some: {_START.format(address=address)}",
            ) from cause
    for worker, found in client.run(code, on_error="return").items():
        if isinstance(found, Exception):
            raise _other_program(f"stromagate cannot be asked there: {type(found).__name__}: {found}", worker)
        _must_be_the_same(code(), found, worker)
    for worker, n in _threads(client).items():
        if n > 1:
            raise UsageError(
                "executor.threads",
                f"this Dask worker has {n} threads: tubes in one process would get in each other's way",
                where=worker,
                hint=f"start workers of one thread each: {_START.format(address=address)}",
            )


def _must_be_the_same(here: Mapping[str, str], there: Mapping[str, str], worker: str) -> None:
    if other := differences(there, here):
        raise _other_program(f"this Dask worker may make other results: it has {other}", worker)


def _other_program(message: str, worker: str) -> UsageError:
    hint = "install the same stromagate with the same libraries for all workers, and start them again"
    return UsageError("executor.other_program", message, where=worker, hint=hint)


def _threads(client: Client) -> dict[str, int]:
    """Return the number of threads of every worker by its address; nothing while the scheduler cannot be asked."""
    try:
        return dict(client.nthreads())
    except (OSError, TimeoutError):
        return {}


_ONE_AT_A_TIME = threading.Lock()
"""Of a worker process: one that joined later may have several threads, and limits on libraries hold for a process."""


def _work(here: Mapping[str, str], function: Callable[[Unit], Outcome], unit: Unit) -> Outcome:
    """Work on a unit in a worker, once it is sure that its outcome is the one that it would have at home."""
    from distributed import get_worker
    from threadpoolctl import threadpool_limits

    _must_be_the_same(here, code(), get_worker().address)
    with _ONE_AT_A_TIME, threadpool_limits(limits=1):
        return function(unit)


@contextmanager
def _no_talk() -> Iterator[None]:
    """Keep Dask's own log off the terminal: what matters of it is said in our errors."""
    loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    before = [(logger, logger.level) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in before:
            logger.setLevel(level)
