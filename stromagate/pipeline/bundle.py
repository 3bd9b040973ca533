"""What a run leaves on disk: the layout, written so that a partial file never has a final name, and read again.

::

    OUT/run.json  index.html  populations.csv  thresholds.csv  qc.csv  patterns.csv  assets/plotly.min.js
    OUT/miflowcyt.html  miflowcyt.csv  README.txt
    OUT/pooled.csv  pooled.json  (where the sheet names replicates)
    OUT/without_blood.csv  (with --hemodilution)
    OUT/history.json  history.html  (of a run with --history)
    OUT/patients/<patient_id>.html  (of patients with several stained tubes)
    OUT/exports/  (what --export names; ro-crate-metadata.json lies beside run.json)
    OUT/samples/<sample_id>/result.json  report.html  populations.csv  gates.gatingml.xml
    and beside every page, with --pdf, the same as a PDF
    OUT/unfinished.json  (in place of run.json, until that is written)
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from stromagate.errors import InputError, OutputError, UsageError
from stromagate.fcs.inputs import RESULTS_MARKER
from stromagate.model.history import ChartBook
from stromagate.model.result import RunIndex, SampleResult
from stromagate.pipeline.claim import at_work, claimed, holder, no_workers_left, wait_for_workers
from stromagate.pipeline.seal import bears_its_seal, plain_bytes, seal_of, sealed
from stromagate.pipeline.tube_folder import PARTIAL, without_print
from stromagate.pipeline.tube_folder import SAMPLES as SAMPLES  # noqa: PLC0414  (known by this name)
from stromagate.pipeline.tube_folder import refresh_sample as refresh_sample  # noqa: PLC0414  (known by this name)
from stromagate.pipeline.tube_folder import remove_sample as remove_sample  # noqa: PLC0414  (known by this name)
from stromagate.pipeline.tube_folder import write_sample as write_sample  # noqa: PLC0414  (known by this name)
from stromagate.pipeline.unfinished import UNFINISHED_FILE, still_to_do
from stromagate.pipeline.whole_files import cannot_write as cannot_write  # noqa: PLC0414  (known by this name)
from stromagate.pipeline.whole_files import sweep
from stromagate.pipeline.whole_files import write_file as write_file  # noqa: PLC0414  (known by this name)

T = TypeVar("T", bound=BaseModel)

RUN_FILE = "run.json"
RESULT_FILE = "result.json"
CHARTS_FILE = "history.json"
PATIENTS = "patients"
EXPORTS = "exports"
# What is said of all tubes together; the mark of a finished run goes first and comes last.
RUN_FILES = (
    RUN_FILE,
    "index.html",
    "populations.csv",
    "thresholds.csv",
    "qc.csv",
    "patterns.csv",
    "miflowcyt.html",
    "miflowcyt.csv",
    "README.txt",
    "pooled.csv",
    "pooled.json",
    "without_blood.csv",
    CHARTS_FILE,
    "history.html",
    "ro-crate-metadata.json",
    UNFINISHED_FILE,
)
_MARKER = RESULTS_MARKER


@contextmanager
def open_folder(out: Path, sample_ids: Iterable[str], *, force: bool) -> Iterator[str]:
    """Make ``out`` ready for a run of these tubes and hold it, or say why it cannot be.

    The tables and pages of an older run are taken away: should this one be interrupted, nothing there speaks of results
    that are no longer beside it. Results of tubes stay.

    Yields
    ------
    str
        The claim that the run's workers write by (``writing``).

    Raises
    ------
    UsageError
        ``out`` is a file, holds something that is not a run, is held by another run, or holds results of tubes that
        are not in this run (unless ``force``, which removes those).
    OutputError
        It cannot be written.
    """
    if out.exists() and not out.is_dir():
        raise UsageError("out.file", "the output is a file", where=str(out), hint="name a folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        entries = {entry.name for entry in out.iterdir()}
    except OSError as cause:
        raise cannot_write(out, cause) from cause
    if entries and not entries & {RUN_FILE, _MARKER}:
        raise UsageError(
            "out.foreign",
            "the folder holds files that are not results of a run",
            where=str(out),
            hint="name a new or an empty folder; nothing in it was touched",
        )
    with hold(out) as claim:
        try:
            _clear(out, set(sample_ids), force=force)
        except OSError as cause:
            raise cannot_write(out, cause) from cause
        try:
            yield claim
        except OutputError:
            with suppress(OSError):  # half a tube is of no use, and takes up what space there is
                _sweep(out)
            raise


@contextmanager
def hold(out: Path) -> Iterator[str]:
    """Keep other runs out of a folder of results, and take away what a killed one left half written.

    Raises
    ------
    UsageError
        Another run is at work there.
    OutputError
        It cannot be written.
    """
    marker = out / _MARKER
    with claimed(marker) as claim:
        wait_for_workers(marker)
        try:
            if not marker.stat().st_size:
                marker.write_bytes(b"stromagate run\n")  # in place: it is what the folder is held by
            _sweep(out)
        except OSError as cause:
            raise cannot_write(out, cause) from cause
        yield claim
        no_workers_left(marker)  # not after an error: some of them may live a moment longer than the run


@contextmanager
def writing(out: Path, claim: str) -> Iterator[None]:
    """Write a tube's results as a worker of the run that holds the folder; without a claim nothing is looked at.

    Raises
    ------
    OutputError
        Another run has taken the folder over.
    """
    if not claim:
        yield
        return
    with at_work(out / _MARKER, claim):
        yield


def is_seen(out: Path, claim: str) -> bool:
    """Say whether the folder that a run holds by this claim is the one that is seen from here, under that path."""
    names_in(out)
    return holder(out / _MARKER) == claim


def names_in(folder: Path) -> set[str]:
    """Return what is in a folder; a network file system looks anew when it is listed, and not when it is asked."""
    try:
        return {entry.name for entry in folder.iterdir()}
    except OSError:
        return set()


def _sweep(out: Path) -> None:
    shutil.rmtree(out / PARTIAL, ignore_errors=True)
    tubes = out / SAMPLES
    sweep((out, out / "assets", out / PATIENTS, out / EXPORTS, *(tubes.iterdir() if tubes.is_dir() else ())))


def _clear(out: Path, sample_ids: set[str], *, force: bool) -> None:
    stale = _stale(out, sample_ids)
    if stale and not force:
        listed = ", ".join(stale[:5]) + (" ..." if len(stale) > 5 else "")
        raise UsageError(
            "out.other_tubes",
            f"the folder holds results of {len(stale)} tube{'s' if len(stale) > 1 else ''} not in this run: {listed}",
            where=str(out),
            hint="name another folder, or add --force to remove them",
        )
    for name in RUN_FILES:
        (out / name).unlink(missing_ok=True)
        if name.endswith(".html"):
            (out / name).with_suffix(".pdf").unlink(missing_ok=True)
    for name in stale:
        shutil.rmtree(out / SAMPLES / name)
    shutil.rmtree(out / PATIENTS, ignore_errors=True)
    shutil.rmtree(out / EXPORTS, ignore_errors=True)


def _stale(out: Path, sample_ids: set[str]) -> list[str]:
    folder = out / SAMPLES
    return sorted(entry.name for entry in folder.iterdir() if entry.name not in sample_ids) if folder.is_dir() else []


def close_folder(out: Path, files: Mapping[str, bytes]) -> None:
    """Write the run's own files, ``run.json`` last: it is the mark of a finished run.

    Raises
    ------
    OutputError
        The disk is full or the place cannot be written.
    """
    try:
        _sweep(out)  # of workers that were killed, and whose tubes others made
    except OSError as cause:
        raise cannot_write(out, cause) from cause
    for name in sorted(files, key=lambda name: name == RUN_FILE):
        without_print(out / name, files[name])
        write_file(out / name, files[name])
    try:
        (out / UNFINISHED_FILE).unlink(missing_ok=True)
    except OSError as cause:
        raise cannot_write(out / UNFINISHED_FILE, cause) from cause


def read_run(out: Path) -> RunIndex:
    """Read the index of a finished run.

    Raises
    ------
    InputError
        No run there, an unfinished one, or a damaged index.
    """
    path = out / RUN_FILE
    if not path.is_file():
        unfinished = (out / _MARKER).is_file()
        raise InputError(
            "run.unfinished" if unfinished else "run.none",
            f"the run in this folder was not finished{still_to_do(out)}"
            if unfinished
            else "there is no run in this folder",
            where=str(out),
            hint="run the same command again: finished tubes are kept" if unfinished else f"no {RUN_FILE} was found",
        )
    return _read(path, RunIndex)[0]


def read_charts(out: Path) -> ChartBook | None:
    """Read the charts of a run over earlier ones; None where it kept no history.

    Raises
    ------
    InputError
        They are damaged.
    """
    path = out / CHARTS_FILE
    return _read(path, ChartBook)[0] if path.is_file() else None


def read_result(out: Path, sample_id: str) -> SampleResult:
    """Read one tube's result.

    Raises
    ------
    InputError
        It is missing, damaged, of another format, or not as it was written: numbers in it may have been changed.
    """
    path = out / SAMPLES / sample_id / RESULT_FILE
    result, written = _read(path, SampleResult)
    # What is written another way, with other blanks, may still say the same.
    if not bears_its_seal(written, result.seal) and result.seal != seal_of(result):
        raise InputError(
            "result.changed",
            "this result is not as it was written: its seal does not fit its content",
            where=str(path),
            hint="run the tube again; a result changed by hand is no result of the run",
        )
    return result.model_copy(update={"seal": ""})  # as it was when it was analysed: pages come out the same


def read_results(out: Path, run: RunIndex) -> list[SampleResult]:
    """Read the results of all tubes of a run that have one, in the run's order.

    Raises
    ------
    InputError
        One is missing, damaged, or was not made by this run.
    """
    entries = [entry for entry in run.samples if entry.status != "failed"]
    results = [read_result(out, entry.sample_id) for entry in entries]
    shared = run.config.without_edits()
    for entry, result in zip(entries, results, strict=True):
        if _made_as(result) != (entry.sample_id, entry.file, run.stromagate, run.template, shared):
            raise InputError(
                "result.other_run",
                f"this result of {entry.file} was not made by the run that {RUN_FILE} speaks of",
                where=str(out / SAMPLES / entry.sample_id / RESULT_FILE),
                hint="run the tubes again: those that are as the run wants them are kept",
            )
    return results


def _made_as(result: SampleResult) -> tuple[object, ...]:
    return (result.sample_id, result.source.path, result.record.stromagate, result.template, result.record.config)


def to_json_bytes(document: BaseModel) -> bytes:
    """Return the canonical bytes of a document: sorted keys, no NaN, one trailing newline; a result is sealed."""
    return sealed(document) if isinstance(document, SampleResult) else plain_bytes(document)


def _read(path: Path, kind: type[T]) -> tuple[T, bytes]:
    """Return a document and the bytes it was read from."""
    try:
        written = path.read_bytes()
        return kind.model_validate_json(written), written
    except OSError as cause:
        hint = "run the same command again: finished tubes are kept"
        raise InputError(
            "result.unreadable", f"cannot be read: {cause.strerror}", where=str(path), hint=hint
        ) from cause
    except ValidationError as cause:
        raise InputError(
            "result.damaged",
            first_fault(cause),
            where=str(path),
            hint="the file was changed or written by another version; run the tube again",
        ) from cause


def first_fault(cause: ValidationError) -> str:
    """Return the first thing that is wrong with a document, and how many there are."""
    first = cause.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "the document"
    said = str(first["msg"]).removeprefix("Value error, ")
    return f"{place}: {said} ({cause.error_count()} in all)"
