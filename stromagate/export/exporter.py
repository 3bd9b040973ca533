"""The contract of an exporter: results in, one file out.

Adding a format is adding ``export/formats/NAME.py`` with ``EXPORTER = Exporter(...)``. Formats are of a whole run or of
one tube (``a_tube``), and are written with every run or only where ``--export`` names them (``asked``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stromagate.model.result import RunFinding, RunIndex, SampleResult
from stromagate.model.sample import Rows, Sample
from stromagate.registry import Registry

ToFile = Callable[[SampleResult, Sample, Mapping[str, Rows], Path], None]
"""Writes a file from a result, its tube as the run read it, and the rows of its populations."""


@dataclass(frozen=True, slots=True)
class Exporter:
    """Declaration of a format: the file's name and a pure function from results to its bytes.

    ``of_run`` also takes what was seen of all tubes together, where the format has a place for it; ``of_folder`` the
    index of the run and its other files, by their path in the folder, where the format speaks of these. A format of
    one tube (``a_tube``) is rendered from exactly one result and lies beside it. What is written only where it is
    ``asked`` for lies in ``exports/``, or, if it must (``at_top``), beside ``run.json``. ``to_file`` writes a format of
    one tube from its events and the rows of its populations: only a run has these, so that ``render`` refuses.
    ``library`` is a module that it needs beside the usual ones, and ``extra`` the optional part of the program that
    brings it: whoever asks for the format without having it is told so before anything is done.
    """

    filename: str
    summary: str
    render: Callable[[Sequence[SampleResult]], bytes]
    of_run: Callable[[Sequence[SampleResult], Sequence[RunFinding]], bytes] | None = None
    of_folder: Callable[[RunIndex, Sequence[SampleResult], Mapping[str, bytes]], bytes] | None = None
    a_tube: bool = False
    asked: bool = False
    at_top: bool = False
    to_file: ToFile | None = None
    library: str = ""
    extra: str = ""


exporters: Registry[Exporter] = Registry(
    kind="exporter",
    package="stromagate.export.formats",
    attribute="EXPORTER",
    group="stromagate.exporters.v1",
    declares=Exporter,
    own=lambda exporter: f"the file {exporter.filename}",
)


def rendered(exporter: Exporter, results: Sequence[SampleResult], findings: Sequence[RunFinding] = ()) -> bytes:
    """Return the bytes of a format that is made of results; a fault in it names the file it was making."""
    of_run = exporter.of_run
    return making(exporter, (lambda: of_run(results, findings)) if of_run else (lambda: exporter.render(results)))


def making(exporter: Exporter, make: Callable[[], bytes]) -> bytes:
    """Return what an exporter makes; a fault in it names the file, and so does what is no bytes."""
    try:
        made: object = make()
        if not isinstance(made, bytes):
            message = f"{type(made).__name__} in place of bytes"
            raise TypeError(message)
        return made
    except Exception as fault:
        fault.add_note(f"in the exporter of {exporter.filename}")
        raise
