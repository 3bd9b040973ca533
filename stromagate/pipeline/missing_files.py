"""Files that were to be written beside results and could not be: named with the reason, and no older one left there.

Results stand whether they can be exported or not.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from stromagate.errors import SpecificationError, StromagateError
from stromagate.export import asked
from stromagate.model.result import RunIndex
from stromagate.pipeline import bundle, logged
from stromagate.pipeline.job import NO_MEMORY, NotExported, fault_of_ours, worst_code
from stromagate.pipeline.tubes import Tube, printable


def not_exported(out: Path, path: Path, error: Exception, tube: Tube | None = None) -> NotExported:
    """Return what is said of a file that is not there, and see to it that no older one is.

    Parameters
    ----------
    out : path
        Folder of results.
    path : path
        The file, below it.
    error : Exception
        Why it could not be written.
    tube : Tube, optional
        The tube that it is of.
    """
    with suppress(OSError):
        path.unlink(missing_ok=True)
    shown, trace, code = path.relative_to(out).as_posix(), "", 1
    if isinstance(error, StromagateError):
        said, code = error.as_json(), error.exit_code
        named = {str(path): shown} | ({} if tube is None else {str(tube.path): tube.shown})
        said |= {"where": named.get(said["where"] or "", said["where"]) or shown}
    elif isinstance(error, MemoryError):
        said = {"code": "worker.memory", "message": "memory ran out over this file", "where": shown, "hint": NO_MEMORY}
    else:
        logged.of_fault("" if tube is None else tube.sample_id, error)
        said = fault_of_ours(error) | {"where": shown}
    if code == 1:
        trace = "".join(traceback.format_exception(error))
    if path.exists():
        said |= {"hint": f"{said['hint'] or ''}; what lies there now is not of this run".removeprefix("; ")}
    return NotExported(shown, said, code, trace)


def lost_with_its_process(out: Path, path: Path, said: Mapping[str, str | None]) -> NotExported:
    """Return the same of a file whose process was killed; ``said`` is the error of that."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
    shown = path.relative_to(out).as_posix()
    return NotExported(shown, {**said, "where": shown}, 1)


def each_of(out: Path, home: Path, faults: Mapping[str, Exception], tube: Tube | None = None) -> list[NotExported]:
    """Return what is said of files by the faults that were met over them; their paths are below ``home``."""
    return [not_exported(out, home / path, fault, tube) for path, fault in faults.items()]


def noted(run: RunIndex, missing: Iterable[NotExported]) -> RunIndex:
    """Return the index of a run that goes without these files, and ends accordingly."""
    missing = tuple(missing)
    if not missing:
        return run
    said = {each.path: {key: text and printable(text) for key, text in each.error.items()} for each in missing}
    code = worst_code([run.exit_code, *(each.exit_code for each in missing)])
    return run.model_copy(update={"not_exported": run.not_exported | said, "exit_code": code})


def to_be_made_again(run: RunIndex) -> RunIndex:
    """Return the index of a run whose exports are about to be made of its results once more.

    What is made from events stays as missing as it was.
    """
    of_events = {*asked.made_by_run_only().values()}
    still = {path: why for path, why in run.not_exported.items() if path.rpartition("/")[2] in of_events}
    failed = any(entry.status == "failed" for entry in run.samples)
    whole = bool(run.not_exported) and not still and not failed
    return run.model_copy(update={"not_exported": still, "exit_code": 0 if whole else run.exit_code})


def without_package(out: Path, run: RunIndex) -> list[NotExported]:
    """Name the formats that a run was asked for and that no package offers here any more.

    Which file they wrote is not known: what may be theirs beside the results of tubes is named, not taken away.
    """
    gone = asked.not_there(run.exports)
    if not gone:
        return []
    ours = {bundle.RESULT_FILE, "report.html", "report.pdf", "populations.csv", *asked.names_of_tube()}
    ours |= {*asked.asked_of_tube().values()}
    left = sorted({path.name for path in (out / bundle.SAMPLES).glob("*/*")} - ours)
    what = f"; made before, and not now: {', '.join(left[:5])} beside the results of tubes" if left else ""
    hint = f"install it and give the command again{what}"
    missing = []
    for name in gone:
        said = f"no package that offers '{name}' is there, or none that loads"
        error = SpecificationError("export.gone", said, where=name, hint=hint)
        missing.append(NotExported(name, error.as_json(), error.exit_code))
    return missing


def take_away_unmade(out: Path, run: RunIndex, files: Iterable[str]) -> None:
    """Take away what lies among the exports of a run and was not made now, where formats are gone that may have.

    Raises
    ------
    OutputError
        It cannot be taken away.
    """
    folder = out / bundle.EXPORTS
    if not asked.not_there(run.exports) or not folder.is_dir():
        return
    kept = {*files}
    for path in folder.iterdir():
        if path.is_file() and path.relative_to(out).as_posix() not in kept:
            try:
                path.unlink(missing_ok=True)
            except OSError as cause:
                raise bundle.cannot_write(path, cause) from cause
