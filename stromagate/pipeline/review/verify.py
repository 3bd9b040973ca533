"""Whether a folder is what was written, and its numbers what its files give: every seal, hash, table, page and act.

A seal tells a result that was changed from one that was not; it is no secret, and who makes a result anew can seal it.
What holds then are signatures, and the numbers counted from the files once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from stromagate import __version__
from stromagate.errors import StromagateError, fault_text
from stromagate.export.asked import Made, made_by_run_only, not_there
from stromagate.model.result import RunIndex, SampleResult
from stromagate.pattern import call_pattern
from stromagate.pipeline import bundle
from stromagate.pipeline.made_files import files_of
from stromagate.pipeline.review.checked_numbers import check_numbers
from stromagate.pipeline.review.checked_review import check_review
from stromagate.pipeline.review.companions import Places
from stromagate.pipeline.review.differences import Difference, Kind, Verified
from stromagate.pipeline.review.rerun import Files
from stromagate.report.lookup import worst

_NO_FILES = "numbers were not counted from the files again: name their folder with --files"


def verify(folder: Path, files: Files | None = None) -> Verified:
    """Look through a finished run.

    Parameters
    ----------
    folder : path
        The run.
    files : FileFinder, optional
        Finds its FCS files: then every number is counted again on the boundaries of the results.

    Returns
    -------
    Verified
        All that differs, what was looked at, and what could not be.

    Raises
    ------
    InputError
        There is no finished run, or its index cannot be read.
    """
    run, found = bundle.read_run(folder), Verified()
    results = list(_results(folder, run, found))
    for result in results:
        found.add("results", _agrees(run, result))
        if result.tree.digest() != result.fitted_tree_sha256 and not result.edits and result.fitted_tree_sha256:
            found.add("results", [_of(result, "its boundaries are not those that were fitted")], 0)
    _check_patterns(run, results, Places(folder, files.folders if files else ()), found)
    if len(results) == sum(entry.status != "failed" for entry in run.samples):
        _check_pages(folder, run, results, found)
    else:
        found.not_checked.append("tables and pages: not all results can be read")
    check_review(folder, {each.sample_id: each for each in results}, [entry.sample_id for entry in run.samples], found)
    if files is None:
        found.not_checked.append(_NO_FILES)
    else:
        check_numbers(folder, run, results, files, found)
    return found


def _results(folder: Path, run: RunIndex, found: Verified) -> Iterator[SampleResult]:
    """Yield the results whose seals fit, and say of all others why not."""
    for entry in run.samples:
        if entry.status == "failed":
            continue
        try:
            yield bundle.read_result(folder, entry.sample_id)
        except StromagateError as error:
            where = f"{bundle.SAMPLES}/{entry.sample_id}/{bundle.RESULT_FILE}"
            found.add("results", [Difference("result", where, error.message, entry.sample_id)])
    known = {entry.sample_id for entry in run.samples if entry.status != "failed"}
    for path in sorted((folder / bundle.SAMPLES).glob(f"*/{bundle.RESULT_FILE}")):
        if path.parent.name not in known:
            where = path.relative_to(folder).as_posix()
            found.add("results", [Difference("result", where, f"{bundle.RUN_FILE} speaks of no such tube")], 0)


def _agrees(run: RunIndex, result: SampleResult) -> Iterator[Difference]:
    """Yield what of a result is not what the index of the run says."""
    entry = next(each for each in run.samples if each.sample_id == result.sample_id)
    pairs = {
        "file": (entry.file, result.source.path),
        "content of the file": (entry.sha256, result.source.sha256),
        "status": (entry.status, result.verdict),
        "number of events": (entry.n_events, result.n_events),
        "labels": (entry.labels, result.labels),
        "worst finding": (entry.worst_finding, _gravest(result)),
        "template": (run.template, result.template),
        "settings": (run.config.without_edits(), result.record.config),
        "version": (run.stromagate, result.record.stromagate),
    }
    for what, (said, there) in pairs.items():
        if said != there:
            yield _of(result, f"{bundle.RUN_FILE} and the result differ in: {what}", kind="run")


def _gravest(result: SampleResult) -> str | None:
    found = worst(result.findings)
    return found.status if found else None


def _check_patterns(run: RunIndex, results: Sequence[SampleResult], places: Places, found: Verified) -> None:
    """Call every pattern anew from the numbers of its result."""
    from stromagate.pipeline.calibrate import read_calibration

    if run.stromagate != __version__:
        return
    try:
        path = places.calibration(run.calibration)
        known = None if path is None else read_calibration(path)
    except StromagateError as error:
        found.not_checked.append(f"patterns: {error.message}")
        return
    for result in results:
        same = call_pattern(result, known) == result.pattern
        found.add("patterns", [] if same else [_of(result, "its pattern is not what its numbers give")])


def _check_pages(folder: Path, run: RunIndex, results: list[SampleResult], found: Verified) -> None:
    """Make every table and page of the results once more, and compare them byte by byte."""
    if run.stromagate != __version__:
        found.not_checked.append(
            f"tables and pages: made by stromagate {run.stromagate}, and this is {__version__}, which may write others"
        )
        return
    standalone = not (folder / "assets" / "plotly.min.js").is_file()
    try:
        expected = files_of(folder, run, results, standalone=standalone)
    except StromagateError as error:
        found.add("tables and pages", [Difference("page", bundle.CHARTS_FILE, error.message)])
        return
    _check_missing(folder, run, expected, found)
    for name, content in sorted(expected.files.items()):
        found.add("tables and pages", _compared(folder, name, content))
    printed = len(list(folder.glob("*.pdf"))) + len(list(folder.glob(f"{bundle.SAMPLES}/*/*.pdf")))
    if printed:
        found.not_checked.append(f"{printed} PDFs: print them again from the pages")
    gated = [name for name in made_by_run_only().values() for _ in folder.glob(f"{bundle.SAMPLES}/*/{name}")]
    if gated:
        counted = "1 file" if len(gated) == 1 else f"{len(gated)} files"
        found.not_checked.append(f"{counted} made from events ({', '.join(dict.fromkeys(gated))}): run again")


def _check_missing(folder: Path, run: RunIndex, expected: Made, found: Verified) -> None:
    """Say which exports cannot be made: a difference, unless the run goes without them and says so."""
    without = {name for name in run.not_exported if name not in expected.files and not (folder / name).exists()}
    for name, fault in sorted(expected.faults.items()):
        if name not in without:
            why = fault.message if isinstance(fault, StromagateError) else fault_text(fault)
            found.add("tables and pages", [Difference("page", name, f"cannot be made once more: {why}")])
    gone = not_there(run.exports)
    if told := sorted(without.difference(gone)):
        found.not_checked.append(f"exports that the run says it goes without: {', '.join(told)}")
    if gone:
        found.not_checked.append(f"exports that no package offers here: {', '.join(gone)}")


def _compared(folder: Path, name: str, content: bytes) -> Iterator[Difference]:
    kind: Kind = "run" if name == bundle.RUN_FILE else "page"
    try:
        there = (folder / name).read_bytes()
    except OSError as cause:
        missing = "is missing" if isinstance(cause, FileNotFoundError) else f"cannot be read: {cause.strerror}"
        yield Difference(kind, name, missing)
        return
    if there != content:
        yield Difference(kind, name, f"is not what the results give{_first_line(there, content)}")


def _first_line(there: bytes, expected: bytes) -> str:
    """Return where two texts part, where they have lines to tell by."""
    pairs = zip(there.split(b"\n"), expected.split(b"\n"), strict=False)
    line = next((number for number, (a, b) in enumerate(pairs, start=1) if a != b), None)
    return f" (line {line})" if line else " (its length)"


def _of(result: SampleResult, sentence: str, kind: Kind = "result") -> Difference:
    where = f"{bundle.SAMPLES}/{result.sample_id}/{bundle.RESULT_FILE}"
    return Difference(kind, where, sentence, result.sample_id)
