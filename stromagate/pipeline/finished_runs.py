"""Finished runs as something else is made of them: each folder once, and all of one template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stromagate.errors import SpecificationError, UsageError
from stromagate.model.result import RunIndex, SampleResult, TemplateRef
from stromagate.pipeline.bundle import read_results, read_run


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A folder and its index."""

    folder: Path
    run: RunIndex

    def results(self) -> list[SampleResult]:
        """Read its results.

        Raises
        ------
        InputError
            One is damaged or not as it was written.
        """
        return read_results(self.folder, self.run)


def finished_runs(folders: Sequence[Path], verb: str) -> list[FinishedRun]:
    """Read the indices of finished runs.

    Parameters
    ----------
    folders : sequence of path
        Folders of runs.
    verb : str
        Who asks: the first part of an error's code, and of the command in its hint.

    Raises
    ------
    UsageError
        A folder is named twice, or none is named.
    InputError
        A folder holds no finished run.
    """
    known: dict[Path, Path] = {}
    for folder in folders:
        if folder.resolve() in known:
            raise UsageError(f"{verb}.twice", "a folder is named twice", where=str(folder), hint="name each run once")
        known[folder.resolve()] = folder
    if not known:
        raise UsageError(f"{verb}.no_run", "no run was named", hint=f"stromagate {verb} DIR... (see --help)")
    return [FinishedRun(folder, read_run(folder)) for folder in known.values()]


def content_of(result: SampleResult) -> tuple[str, int]:
    """Return what a tube is known by in two runs, whatever it is called there: its content and its data set."""
    return result.source.sha256 or result.source.path, result.source.dataset


def one_template(runs: Sequence[FinishedRun], verb: str) -> TemplateRef:
    """Return the template of all runs: a number by other gates is another number.

    Raises
    ------
    SpecificationError
        They are of several templates, or one does not say its own.
    """
    first: tuple[Path, TemplateRef] | None = None
    for each in runs:
        found = each.run.template
        if found is None:
            raise SpecificationError(
                f"{verb}.no_template",
                "the run does not say its template",
                where=str(each.folder),
                hint="run its tubes again",
            )
        first = first or (each.folder, found)
        if found.sha256 != first[1].sha256:
            said = [f"{ref.name} {ref.version} ({ref.sha256[:12]})" for ref in (first[1], found)]
            raise SpecificationError(
                f"{verb}.templates",
                f"the runs are not of one template: {first[0]} used {said[0]}, this one {said[1]}",
                where=str(each.folder),
                hint="name runs of one template, or run the older tubes again with the newer one",
            )
    assert first is not None
    return first[1]
