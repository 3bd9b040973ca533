"""What the formats made from events share: how they are declared, that these are the events of the result, whole files.

A run alone has the events, so that asking for such a format without one is refused, and says how to get it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from stromagate.errors import InputError, OutputError, UsageError
from stromagate.export.exporter import Exporter, ToFile
from stromagate.fcs.identity import names_someone, seen_in
from stromagate.model.gates import ROOT
from stromagate.model.result import SampleResult
from stromagate.model.sample import Channel, Rows, Sample

_SHORTEST_FOUND_AGAIN = 4  # characters, as in a scrubbed copy: shorter ones stand in labels by chance


def from_events(
    name: str,
    filename: str,
    summary: str,
    write: ToFile,
    *,
    library: str = "",
    extra: str = "",
) -> Exporter:
    """Declare a format of one tube that is made from its events.

    Parameters
    ----------
    name : str
        What ``--export`` is given.
    filename, summary : str
        As of every format.
    write : ToFile
        Writes the file.
    library, extra : str
        Module that it needs beside the usual ones, and the optional part of the program that brings it.
    """

    def refuse(_results: Sequence[SampleResult]) -> NoReturn:
        raise UsageError(
            "export.events",
            f"'{name}' is made from the events of a file",
            hint=f"stromagate run ... --export {name}, or stromagate.pipeline.export_events from Python",
        )

    return Exporter(filename, summary, refuse, a_tube=True, asked=True, to_file=write, library=library, extra=extra)


def require_those_of(result: SampleResult, members: Mapping[str, Rows]) -> None:
    """Refuse members that are not as many as the result counted (InputError ``export.changed``)."""
    for name, rows in members.items():
        before = result.n_events if name == ROOT else result.count(name)
        if len(rows) != before:
            raise InputError(
                "export.changed",
                f"{name} holds {len(rows)} events now and held {before} before",
                where=result.source.path,
                hint="the file was changed while it was analysed; run the tube again",
            )


def inside(rows: Rows, n_events: int) -> NDArray[np.bool_]:
    """Return whether each event is among some rows, shape (n_events,)."""
    truth = np.zeros(n_events, dtype=np.bool_)
    truth[rows] = True
    return truth


def label_of(channel: Channel, sample: Sample) -> str:
    """Return a channel's label; none that looks like somebody's name, or holds what the file says of anyone."""
    people = (said.strip().casefold() for key, said in sample.keywords.items() if names_someone(key, said))
    told = any(len(said) >= _SHORTEST_FOUND_AGAIN and said in channel.pns.casefold() for said in people)
    return "" if told or seen_in(f"$P{channel.index + 1}S", channel.pns) else channel.pns


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name and rename it (OutputError ``file.unwritable``)."""
    with whole(path) as partial:
        partial.write_bytes(content)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a name to write a file under; it is renamed once that is done, and taken away where it failed.

    Raises
    ------
    OutputError
        ``file.unwritable``: with the system's reason, of any OSError on the way.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        with partial.open("rb+") as stream:
            os.fsync(stream.fileno())
        partial.replace(path)
    except OSError as cause:
        raise OutputError(
            "file.unwritable",
            f"the file cannot be written: {cause.strerror or cause}",
            where=str(path),
            hint="free space or check the folder and its permissions, and give the command again",
        ) from cause
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
