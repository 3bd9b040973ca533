"""What a worker is handed for one tube, and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stromagate.errors import fault_text
from stromagate.log import LogFile
from stromagate.model.config import RunConfig
from stromagate.model.controls import ControlTube
from stromagate.model.edits import SampleEdits
from stromagate.model.locks import Locks
from stromagate.model.result import ControlUse, SampleEntry
from stromagate.pattern.cut_points import AnyCalibration
from stromagate.pipeline.executor import LOCAL
from stromagate.pipeline.printing import Printer
from stromagate.pipeline.tubes import Tube
from stromagate.templates import LoadedTemplate

NO_MEMORY = "close other programs, take fewer --jobs or a larger machine, then run the same again"


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """What decides how a batch is run but can move no number.

    ``jobs`` worker processes; ``force`` computes again what is there and removes other tubes' results;
    ``standalone`` puts plotly.js into every page; ``command`` is remembered beside the times. ``history`` is the folder
    that the run adds its boundaries to, ``calibration`` the file that patterns are called by: it moves no count.
    ``printer`` makes a PDF of every page. ``exports`` are formats that are written beside the usual ones. ``log`` is
    the file that workers write their lines to; ``run_batch`` sets it. ``executor`` is ``local`` with its ``jobs``, or
    ``dask://HOST:PORT``, which has workers of its own.
    """

    jobs: int = 1
    force: bool = False
    standalone: bool = False
    command: str = ""
    history: Path | None = None
    calibration: Path | None = None
    printer: Printer | None = None
    exports: tuple[str, ...] = ()
    log: LogFile | None = None
    executor: str = LOCAL


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker needs for one tube.

    ``role`` is in the template's words. ``paired`` are the controls that belong to the tube and ``controls`` what is
    known of those that could be used. ``markers`` are those of a control that only the stained tubes' files name.
    ``sha256`` is the content of the file where it has been looked at before. ``edits`` are the tube's own and ``locks``
    the run's, read once for all tubes; where a job has none, they are what its configuration names. ``files`` are those
    of the paired controls by name, to count background on the tube's boundaries. ``calibration`` is what patterns are
    called by. ``claim`` is what the run holds ``out`` by; without one a worker does not look whether it still does.
    ``folder`` is where the run was started, for a worker that is elsewhere: all paths are whole then.
    """

    tube: Tube
    template: LoadedTemplate
    config: RunConfig
    out: Path
    options: BatchOptions
    role: str = "stained"
    paired: tuple[ControlUse, ...] = ()
    controls: tuple[ControlTube, ...] = ()
    markers: Mapping[str, str] = field(default_factory=dict)
    sha256: str | None = None
    edits: SampleEdits | None = None
    locks: Locks | None = None
    files: Mapping[str, Path] = field(default_factory=dict)
    calibration: AnyCalibration | None = None
    claim: str = ""
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class NotExported:
    """A file that could not be written: its path in the folder, why, and what that costs the run."""

    path: str
    error: dict[str, str | None]
    exit_code: int
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a worker says of one tube: its line of the index, and the traceback where the fault is ours.

    ``not_exported`` are the files that were asked for and could not be written, though the tube has its result.
    ``written`` is the SHA-256 of the result it wrote; empty where it wrote none.
    """

    entry: SampleEntry
    exit_code: int
    traceback: str = ""
    not_exported: tuple[NotExported, ...] = ()
    written: str = ""


def worst_code(codes: Iterable[int]) -> int:
    """Return the exit code of many tubes and files: 1 before 4 before 3."""
    known = {*codes}
    return 1 if 1 in known else max(known, default=0)


def fault_of_ours(error: Exception) -> dict[str, str | None]:
    """Return what is said of an error that nobody raised on purpose."""
    hint = "this is a fault of stromagate, not of the file; please report it with the output of --debug"
    return {"code": "internal", "message": fault_text(error), "where": None, "hint": hint}
