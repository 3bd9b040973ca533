"""Many tubes: each on its own, none stopping another, and one folder of results at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from stromagate import __version__, log
from stromagate.export import asked
from stromagate.model.config import RunConfig
from stromagate.model.result import RunFinding, RunIndex, SampleEntry
from stromagate.pipeline import bundle, logged
from stromagate.pipeline.calibrate import read_calibration
from stromagate.pipeline.calibrate import reference as calibration_ref
from stromagate.pipeline.controls.first_stage import Stage, silent, with_controls
from stromagate.pipeline.controls.roles import check_roles
from stromagate.pipeline.edits import check_edits
from stromagate.pipeline.elsewhere import take_back, wait_until_seen, with_whole_paths
from stromagate.pipeline.executor import workers
from stromagate.pipeline.history import check_history
from stromagate.pipeline.job import BatchOptions, Job, NotExported, Outcome, worst_code
from stromagate.pipeline.made_files import files_of_run
from stromagate.pipeline.missing_files import noted
from stromagate.pipeline.one_tube import lost, work_on
from stromagate.pipeline.outside import blanks_of, locks_of
from stromagate.pipeline.overall import look_over
from stromagate.pipeline.printing import print_run
from stromagate.pipeline.settings import pin, portable
from stromagate.pipeline.template import load_template, reference
from stromagate.pipeline.tubes import Tube, printable
from stromagate.pipeline.unfinished import Unfinished
from stromagate.report.lookup import role


def run_batch(
    tubes: tuple[Tube, ...],
    template: str | Path,
    out: Path,
    config: RunConfig | None = None,
    options: BatchOptions | None = None,
    *,
    on_done: Callable[[Outcome], None] | None = None,
    stage: Stage | None = None,
    on_missing: Callable[[NotExported], None] | None = None,
) -> RunIndex:
    """Analyse every tube and write the folder of results.

    A tube that fails costs one line of the index, never another tube's result; a folder that cannot be written ends
    the run. A tube whose file, template, controls, configuration and program version are those of the result already
    there is kept, unless ``options.force``. Where the template's gates ask for controls, these are gated first.

    Parameters
    ----------
    tubes : tuple of Tube
        The tubes, controls among them.
    template : str or path
        Shipped name or YAML file.
    out : path
        Folder of results.
    config : RunConfig, optional
        Everything that can move a number.
    options : BatchOptions, optional
        What cannot.
    on_done : callable, optional
        Told what became of each tube.
    stage : callable, optional
        Progress: told the title and the number of units of each stage, gives what is told the name of each unit.
    on_missing : callable, optional
        Told of each file of the whole run that could not be made; those of tubes stand in what becomes of these.

    Returns
    -------
    RunIndex
        What became of each tube; ``exit_code`` is the worst of them (1 before 4 before 3).

    Raises
    ------
    UsageError
        The folder cannot take this run, or there are no workers as ``options.executor`` wants them.
    OutputError
        The disk is full, or the folder cannot be written: what was finished is kept.
    InputError
        The workers have gone: what was finished is kept.
    DocumentError
        The template is wrong.
    SpecificationError
        An export that there is not.
    """
    started = _now()
    config, options = pin(config or RunConfig()), options or BatchOptions()
    options = replace(options, exports=asked.chosen(options.exports), log=log.current())
    loaded = load_template(template)
    check_roles(tubes, loaded.template)
    edits, locks = check_edits(config, [tube.sample_id for tube in tubes], loaded), locks_of(config, loaded)
    blanks_of(config, loaded)  # refused before any tube is touched
    if options.history is not None:
        check_history(options.history, out)
    calibration = None if options.calibration is None else read_calibration(options.calibration)
    shared = config.without_edits()
    jobs = [
        Job(tube, loaded, shared, out, options, edits=edits.get(tube.sample_id), locks=locks, calibration=calibration)
        for tube in tubes
    ]
    names = [tube.sample_id for tube in tubes]
    with workers(options.executor, options.jobs) as hands, bundle.open_folder(out, names, force=options.force) as claim:
        outcomes: dict[str, Outcome] = {}
        listed = ((tube.sample_id, tube.shown) for tube in tubes)
        so_far = Unfinished(out, listed, started=started, command=printable(options.command))
        jobs = [replace(job, claim=claim) for job in jobs]
        equipped = with_controls([with_whole_paths(job) if hands.elsewhere else job for job in jobs], hands, stage)
        with (stage or silent)("Analysing tubes", len(jobs)) as step:
            for outcome in hands.each(work_on, equipped, lost=lost):
                if hands.elsewhere:
                    take_back(out, outcome)
                outcomes[outcome.entry.sample_id] = outcome
                so_far.note(outcome.entry)
                logged.of_outcome(outcome)
                step(outcome.entry.sample_id)
                if on_done is not None:
                    on_done(outcome)
        run = RunIndex(
            stromagate=__version__,
            template=reference(loaded),
            config=portable(config),
            samples=tuple(outcomes[tube.sample_id].entry for tube in tubes),
            calibration=calibration_ref(calibration),
            exports=options.exports,
            exit_code=worst_code([outcome.exit_code for outcome in outcomes.values()]),
            times={"started": started, "ended": _now(), "command": printable(options.command)} | logged.run_id(options),
        )
        run = noted(run, (each for tube in tubes for each in outcomes[tube.sample_id].not_exported))
        if hands.elsewhere:
            wait_until_seen(out, {name: outcome.written for name, outcome in outcomes.items()})
        results = bundle.read_results(out, run)
        run, book = look_over(run, results, tubes, loaded, options)
        closing = files_of_run(out, run, results, book, standalone=options.standalone)
        bundle.close_folder(out, closing.files)
        for each in closing.missing:
            logged.of_missing(each)
            if on_missing is not None:
                on_missing(each)
        logged.of_run(closing.run)
        return print_run(out, closing.run, options.printer, jobs=options.jobs, stage=stage)


def reaching(run: RunIndex, level: Literal["warn", "fail"]) -> list[SampleEntry]:
    """Return the analysed tubes with a finding of that gravity or worse; controls are background and not judged."""
    grave = _GRAVE[level]
    return [entry for entry in run.samples if entry.worst_finding in grave and not role(entry.labels).is_control]


def reaching_together(run: RunIndex, level: Literal["warn", "fail"]) -> list[RunFinding]:
    """Return the findings of that gravity or worse of all tubes together, controls among them."""
    return [finding for finding in run.findings if finding.status in _GRAVE[level]]


_GRAVE = {"warn": {"warn", "fail"}, "fail": {"fail"}}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
