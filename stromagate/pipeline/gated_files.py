"""Exports that are made from events: written while the FCS files are at hand, beside the results of tubes.

A tube's numbers stand whether they can be written or not: what fails is named, costs the run its exit code, and leaves
no older file behind, which could be of other boundaries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from stromagate.errors import InputError, OutputError, SpecificationError, UsageError, did_you_mean
from stromagate.export import asked
from stromagate.export.exporter import ToFile
from stromagate.fcs import hash_file, read_fcs
from stromagate.gating.replay import members_of
from stromagate.model.result import SampleResult
from stromagate.pipeline import bundle
from stromagate.pipeline.job import Job, NotExported
from stromagate.pipeline.missing_files import not_exported
from stromagate.pipeline.settings import read_tube


def write_from_events(job: Job, result: SampleResult) -> tuple[NotExported, ...]:
    """Write what was asked for, and take away what an earlier run left that was asked for it.

    Returns
    -------
    tuple of NotExported
        What could not be written, and why: the file cannot be read any more, was changed since it was analysed, the
        disk is full. And what of an earlier run could not be taken away.
    """
    home = job.out / bundle.SAMPLES / result.sample_id
    wanted, named = asked.of_events(job.options.exports), asked.names_of_tube(job.options.exports)
    old = (home / name for name in asked.asked_of_tube().values() if name not in named)
    return (*filter(None, (_taken_away(job, path) for path in old)), *(_written(job, result, wanted, home)))


def _taken_away(job: Job, path: Path) -> NotExported | None:
    try:
        path.unlink(missing_ok=True)
    except OSError as cause:
        said = f"what an earlier run left cannot be taken away: {cause.strerror or cause}"
        hint = "remove it by hand: it may be of other boundaries"
        error = OutputError("export.old_file", said, where=str(path), hint=hint)
        return not_exported(job.out, path, error, job.tube)
    return None


def _written(job: Job, result: SampleResult, wanted: Mapping[str, ToFile], home: Path) -> Iterable[NotExported]:
    """Write the files one by one, and yield those that could not be."""
    if not wanted:
        return
    try:
        sample = read_tube(job.tube.path, job.template, job.config)
        members = members_of(sample, result.tree)
        _require_as_analysed(job, result)
    except Exception as error:  # noqa: BLE001  (the result stands, whatever became of the file since)
        for name in wanted:
            yield not_exported(job.out, home / name, error, job.tube)
        return
    for name, write in wanted.items():
        try:
            write(result, sample, members, home / name)
        except Exception as error:  # noqa: BLE001  (neither the result nor the other files hang on this one)
            yield not_exported(job.out, home / name, error, job.tube)


def _require_as_analysed(job: Job, result: SampleResult) -> None:
    """Refuse a file that is another one by now; equal counts do not say so. Asked once its events are read."""
    if hash_file(job.tube.path) != result.source.sha256:
        raise InputError(
            "export.changed",
            "the file is not as it was when it was analysed",
            where=str(job.tube.path),
            hint="the file was changed meanwhile; run the tube again",
        )


def export_events(name: str, result: SampleResult, fcs: str | Path, target: str | Path) -> None:
    """Write an export that is made from events, of one tube, without a folder of results.

    Parameters
    ----------
    name : str
        What ``--export`` is given: a format that is made from events, such as ``h5ad``.
    result : SampleResult
        As ``analyze`` gives it.
    fcs : path
        The tube's FCS file, which must be the one that was analysed.
    target : path
        Where to; a file there is replaced in one step.

    Raises
    ------
    SpecificationError
        ``export.not_of_events``: no such format.
    UsageError
        ``export.library``: it needs a library that is not installed; ``export.other_file``: the file is another one.
    InputError
        The file cannot be read.
    OutputError
        ``target`` cannot be written.
    """
    files = asked.made_by_run_only()
    if name not in files:
        raise SpecificationError(
            "export.not_of_events", f"no export named '{name}' is made from events", hint=did_you_mean(name, files)
        )
    write = asked.of_events(asked.chosen([name]))[files[name]]
    if result.source.sha256 and hash_file(Path(fcs)) != result.source.sha256:
        raise UsageError(
            "export.other_file",
            "this is not the file that was analysed",
            where=str(fcs),
            hint=f"the result is of {result.source.path}; analyze the file again if it was changed",
        )
    config, source = result.record.config, result.source
    sample = read_fcs(fcs, policy=config.policy, dataset=source.dataset, gain=result.tree.gain)
    write(result, sample, members_of(sample, result.tree), Path(target))


def refuse_without_files(fresh: Iterable[str]) -> None:
    """Refuse formats that a finished run cannot make, because it has no events (UsageError ``export.events``)."""
    of_events = sorted({*fresh} & {*asked.made_by_run_only()})
    if of_events:
        raise UsageError(
            "export.events",
            f"{', '.join(of_events)} is made from the events of FCS files, and a finished run holds none",
            hint="give the command of the run again with this --export: tubes that are analysed are kept",
        )
