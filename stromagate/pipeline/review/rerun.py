"""The same run again with the readers' boundaries: the batch of ``run --edits``, told what the run itself was told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from stromagate.errors import InputError
from stromagate.model.config import RunConfig
from stromagate.model.edits import GateEdits
from stromagate.model.result import RunIndex, SampleEntry, SampleResult
from stromagate.pipeline import bundle
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.controls.first_stage import Stage
from stromagate.pipeline.environment import environment
from stromagate.pipeline.job import BatchOptions, Outcome
from stromagate.pipeline.printing import Printer
from stromagate.pipeline.review.companions import Places
from stromagate.pipeline.review.journal import EDITS_FILE, REVIEW, Journal
from stromagate.pipeline.review.refused import raise_signed
from stromagate.pipeline.review.signoff import result_sha256
from stromagate.pipeline.review.store import edits_of_run
from stromagate.pipeline.seal import plain_bytes
from stromagate.pipeline.tubes import Tube
from stromagate.templates import LoadedTemplate

KEPT_RUN = "run.json"
_TAKEN = "taken"
_BETWEEN = re.compile(r"[;,|\s]+")
_AGAIN = " (run again by review)"
_NAMED_AT_MOST = 5


class Files(Protocol):
    """Finds a run's FCS files again (``FileFinder``)."""

    @property
    def folders(self) -> Sequence[Path]:
        """Folders that the user named."""
        ...

    def find(self, sha256: str, name: str) -> Path | None:
        """Return the file with that content; None where it is not at hand."""
        ...


def rerun(
    folder: Path,
    files: Files,
    jobs: int = 1,
    on_done: Callable[[Outcome], None] | None = None,
    *,
    on_left_out: Callable[[str, str], None] | None = None,
    who: str = "stromagate",
    printer: Printer | None = None,
    stage: Stage | None = None,
) -> RunIndex:
    """Make a run again with the edits of its review; only tubes whose edits changed are analysed.

    All that it needs is looked for before anything is touched: every tube, the template, every file that the run was
    told of. ``DIR/review`` stays. Should it be broken off, what it was told stands in ``DIR/review/run.json`` until it
    is called again.

    Parameters
    ----------
    folder : path
        The run.
    files : FileFinder
        Finds its FCS files.
    jobs : int
        Tubes worked on at once.
    on_done : callable, optional
        Told what became of each tube.
    on_left_out : callable, optional
        Told each tube whose edits could not be taken, such as edits of boundaries that another version fits elsewhere,
        and why. The tube is made with its automatic boundaries, and its edits stay in the review.
    who : str
        Goes to the audit log.
    printer : Printer, optional
        Makes a PDF of every page; without one the PDFs of pages that change are taken away.
    stage : callable, optional
        Progress, as in ``run_batch``.

    Returns
    -------
    RunIndex
        As ``run_batch``.

    Raises
    ------
    InputError
        There is no run, a result is damaged, or something is not at hand: what, and how to name its folder.
    SignedError
        A signed tube would be analysed by other versions of the program or its libraries.
    UsageError, DocumentError
        As ``run_batch``.
    """
    told = _told(folder, files)
    journal = Journal(folder, edits_of_run(folder, told.run))
    _keep_signed(journal, told.results)
    options = BatchOptions(
        jobs=jobs,
        standalone=told.standalone,
        command=told.run.times.get("command", "stromagate run").removesuffix(_AGAIN) + _AGAIN,
        history=told.history,
        calibration=told.calibration,
        printer=printer,
        exports=told.run.exports,
    )
    with (
        journal.held() as head
    ):  # what is run is one moment's edits; those that come while it runs are for the next time
        document, revision = journal.document(), head.revision
    before = _hashes(folder, told.run)
    run_with = partial(_run, folder, told, options, on_done=on_done, stage=stage)
    with _kept(folder, told.run):
        finished = run_with(document)
        lost = _lost_edits(finished, document)
        if lost:  # better the automatic boundaries than no result: what a tube has none of cannot be looked at
            kept = tuple(item for item in document.samples if item.sample_id not in lost)
            finished = run_with(GateEdits(samples=kept))
    after = _hashes(folder, finished)
    with journal.held() as head:
        made = {name: sha256 for name, sha256 in after.items() if before.get(name) != sha256}
        journal.act(head, who, "rerun", why=_said(revision, finished, lost), results=made)
    for sample_id, reason in lost.items():
        if on_left_out is not None:
            on_left_out(sample_id, reason)
    return finished


def _run(
    folder: Path,
    told: _Told,
    options: BatchOptions,
    document: GateEdits,
    *,
    on_done: Callable[[Outcome], None] | None,
    stage: Stage | None,
) -> RunIndex:
    """Run the batch with some edits: a copy of them, that nobody writes into meanwhile."""
    taken, config = folder / REVIEW / _TAKEN / EDITS_FILE, told.config
    try:
        if document.samples:
            bundle.write_file(taken, plain_bytes(document))
            config = config.model_copy(update={"edits": str(taken)})
        return run_batch(told.tubes, told.template.where, folder, config, options, on_done=on_done, stage=stage)
    finally:
        with suppress(OSError):
            taken.unlink(missing_ok=True)
            taken.parent.rmdir()


@contextmanager
def _kept(folder: Path, run: RunIndex) -> Iterator[None]:
    """Keep what the run was told for as long as its own index is not there."""
    kept = folder / REVIEW / KEPT_RUN
    bundle.write_file(kept, plain_bytes(run))
    try:
        yield
    finally:
        if (folder / bundle.RUN_FILE).is_file():  # finished, or refused before anything was touched
            kept.unlink(missing_ok=True)


def _lost_edits(finished: RunIndex, document: GateEdits) -> dict[str, str]:
    """Return the tubes that failed for their edits alone, each with the reason."""
    edited = {item.sample_id for item in document.samples}
    return {
        entry.sample_id: entry.error.get("message") or ""
        for entry in finished.samples
        if entry.sample_id in edited and entry.error and (entry.error.get("code") or "").startswith("edits.")
    }


def _said(revision: int, finished: RunIndex, lost: Mapping[str, str]) -> str:
    parts = [f"with the edits of revision {revision}"]
    parts += [f"without those of {name}: {reason}" for name, reason in lost.items()]
    failed = [entry.sample_id for entry in finished.samples if entry.status == "failed"]
    return "; ".join([*parts, *([f"failed: {', '.join(failed)}"] if failed else [])])


def broken_off(folder: Path) -> bool:
    """Say whether a re-run of this folder was ended before it had finished: `rerun` then goes on where it stood."""
    return not (folder / bundle.RUN_FILE).is_file() and (folder / REVIEW / KEPT_RUN).is_file()


@dataclass(frozen=True, slots=True)
class _Told:
    """What the run was told, everything at its place."""

    run: RunIndex
    results: list[SampleResult]
    tubes: tuple[Tube, ...]
    template: LoadedTemplate
    config: RunConfig
    calibration: Path | None
    history: Path | None
    standalone: bool


def _told(folder: Path, files: Files) -> _Told:
    run = _index(folder)
    if run.template is None:
        raise InputError(
            "review.no_template", "the run does not say its template", where=str(folder), hint="run its tubes again"
        )
    results = _results(folder, run)
    places = Places(folder, files.folders)
    charted = (folder / bundle.CHARTS_FILE).is_file()
    return _Told(
        run,
        results,
        tubes_of(folder, run, files),
        places.template(run.template),
        places.config(run),
        places.calibration(run.calibration),
        places.history(results) if charted else None,
        standalone=not (folder / "assets" / "plotly.min.js").is_file(),
    )


def _index(folder: Path) -> RunIndex:
    """Return what a run was told; of a re-run that was broken off, what that was told."""
    return bundle.read_run(folder / REVIEW if broken_off(folder) else folder)


def _results(folder: Path, run: RunIndex) -> list[SampleResult]:
    """Return the results that are there; a re-run that was broken off may have been about to write one."""
    names = [entry.sample_id for entry in run.samples if entry.status != "failed"]
    there = [name for name in names if (folder / bundle.SAMPLES / name / bundle.RESULT_FILE).is_file()]
    return [bundle.read_result(folder, name) for name in there]


def tubes_of(folder: Path, run: RunIndex, files: Files) -> tuple[Tube, ...]:
    """Return the tubes of a run as its sheet had them, each with its file.

    Parameters
    ----------
    folder : path
        The run.
    run : RunIndex
        Its index.
    files : FileFinder
        Finds the files. A tube that failed has no known content: its file is taken by its name, and fails again.

    Raises
    ------
    InputError
        Files are not at hand, all of them named.
    """
    found = {entry.sample_id: _file(entry, files) for entry in run.samples}
    missing = [e.file for e in run.samples if found[e.sample_id] is None and e.status != "failed"]
    if missing:
        more = f" and {len(missing) - _NAMED_AT_MOST} more" if len(missing) > _NAMED_AT_MOST else ""
        raise InputError(
            "review.files",
            f"{len(missing)} of {len(run.samples)} files of this run are not at hand: "
            f"{', '.join(missing[:_NAMED_AT_MOST])}{more}",
            where=str(folder),
            hint="name the folder they lie in: --files FOLDER; nothing was touched",
        )
    names = {entry.sample_id.casefold(): entry.sample_id for entry in run.samples}
    return tuple(
        Tube(
            found[entry.sample_id] or folder.parent / entry.file,
            entry.sample_id,
            entry.file,
            entry.labels,
            _listed(entry.labels, names),
        )
        for entry in run.samples
    )


def _file(entry: SampleEntry, files: Files) -> Path | None:
    return files.find(entry.sha256 or "", entry.file)


def _listed(labels: Mapping[str, str], names: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the controls that a tube's row lists, as the sheet was read; None where it lists nothing."""
    words = [word for word in _BETWEEN.split(labels.get("controls", "")) if word]
    found = dict.fromkeys(names[word.casefold()] for word in words if word.casefold() in names)
    return tuple(found) if words else None


def _keep_signed(journal: Journal, results: Sequence[SampleResult]) -> None:
    """Refuse to make signed results anew by other versions: their signatures would be of numbers that are gone."""
    standing, here = journal.signed(), environment()
    for result in results:
        versions = result.record.model_dump(include={"stromagate", "python", "libraries"})
        if result.sample_id in standing and versions != here:
            raise_signed(result.sample_id, standing[result.sample_id])


def _hashes(folder: Path, run: RunIndex) -> dict[str, str]:
    found = ((entry.sample_id, result_sha256(folder, entry.sample_id)) for entry in run.samples)
    return {name: sha256 for name, sha256 in found if sha256}
