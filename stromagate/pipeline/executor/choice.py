"""What every executor offers, and which one is meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from stromagate.errors import UsageError
from stromagate.pipeline.executor.local import Here

Unit = TypeVar("Unit")
Outcome = TypeVar("Outcome")

LOCAL = "local"
_DEFAULT_PORT = 8786  # Dask's own


class Workers(Protocol):
    """Where units of work run.

    ``elsewhere`` says that it may be another machine: relative paths mean nothing there, and files may not be seen.
    """

    @property
    def elsewhere(self) -> bool:
        """Whether units leave this machine, or may."""

    def each(
        self, function: Callable[[Unit], Outcome], units: Iterable[Unit], *, lost: Callable[[Unit], Outcome]
    ) -> Iterator[Outcome]:
        """Yield the outcome of every unit as it is finished, in any order.

        Parameters
        ----------
        function : callable
            Pure in its unit; must be importable by a worker.
        units : iterable
            What to work on; paths and documents, never events.
        lost : callable
            What to say of a unit whose worker died twice: with others beside it, and on its own.
        """


@contextmanager
def workers(executor: str = LOCAL, jobs: int = 1) -> Iterator[Workers]:
    """Have workers for as long as a run takes.

    Parameters
    ----------
    executor : str
        ``local``, or ``dask://HOST:PORT`` of a Dask scheduler.
    jobs : int
        Number of processes of ``local``; 1 stays in this one. A cluster has as many workers as it has.

    Raises
    ------
    UsageError
        It is neither, the scheduler does not answer or has no fitting workers, or Dask is not installed.
    """
    address = address_of(executor)
    if address is None:
        yield Here(jobs)
        return
    from stromagate.pipeline.executor.dask import cluster

    with cluster(address) as found:
        yield found


def address_of(executor: str) -> str | None:
    """Return the address of a scheduler as Dask writes it; None for ``local``.

    Raises
    ------
    UsageError
        It is no address.
    """
    if executor == LOCAL:
        return None
    try:
        parts = urlsplit(executor)
        host, port = parts.hostname, parts.port or _DEFAULT_PORT
    except ValueError:  # no number, or half a bracket
        host = None
    if not host or parts.scheme != "dask" or "@" in parts.netloc or parts.path.strip("/") or parts.query:
        raise UsageError(
            "executor.unknown",
            f"--executor {executor} is neither {LOCAL} nor dask://HOST:PORT",
            hint="what `dask scheduler` prints as tcp://HOST:PORT is given as dask://HOST:PORT",
        )
    return f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"
