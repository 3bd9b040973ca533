"""Exports that are made from events: written while a run has the FCS files at hand, beside the results of tubes."""

from __future__ import annotations

from collections.abc import Iterable

from stromagate.errors import UsageError
from stromagate.export import asked
from stromagate.gating.replay import members_of
from stromagate.model.result import SampleResult
from stromagate.pipeline import bundle
from stromagate.pipeline.job import Job
from stromagate.pipeline.settings import read_tube


def write_from_events(job: Job, result: SampleResult) -> None:
    """Write what was asked for, and take away what an earlier run left that was asked for it.

    Raises
    ------
    InputError
        The file cannot be read any more, was changed since it was analysed, or the disk is full.
    """
    home = job.out / bundle.SAMPLES / result.sample_id
    wanted = asked.of_events(job.options.exports)
    for name in asked.made_by_run_only().values():
        if name not in wanted:
            (home / name).unlink(missing_ok=True)
    if not wanted:
        return
    sample = read_tube(job.tube.path, job.template, job.config)
    members = members_of(sample, result.tree)
    for name, write in wanted.items():
        write(result, sample, members, home / name)


def refuse_without_files(fresh: Iterable[str]) -> None:
    """Refuse formats that a finished run cannot make, because it has no events (UsageError ``export.events``)."""
    of_events = sorted({*fresh} & {*asked.made_by_run_only()})
    if of_events:
        raise UsageError(
            "export.events",
            f"{', '.join(of_events)} is made from the events of FCS files, and a finished run holds none",
            hint="give the command of the run again with this --export: tubes that are analysed are kept",
        )
