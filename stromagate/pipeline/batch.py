"""Many tubes: each on its own, none stopping another, and one folder of results at the end."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from stromagate import __version__, log
from stromagate.errors import InputError, OutputError, StromagateError
from stromagate.export import asked, export, export_all
from stromagate.export.pooled import pooled_csv, without_blood_csv
from stromagate.model.config import RunConfig
from stromagate.model.history import ChartBook
from stromagate.model.result import RunFinding, RunIndex, SampleEntry, SampleResult
from stromagate.pattern.cut_points import AnyCalibration
from stromagate.pipeline import bundle, logged
from stromagate.pipeline.accompanying import accompanying
from stromagate.pipeline.calibrate import read_calibration, with_pattern
from stromagate.pipeline.calibrate import reference as calibration_ref
from stromagate.pipeline.controls.first_stage import Stage, silent, with_controls
from stromagate.pipeline.controls.roles import check_roles
from stromagate.pipeline.edits import check_edits
from stromagate.pipeline.elsewhere import as_named_at_home, must_be_seen, take_back, wait_until_seen, with_whole_paths
from stromagate.pipeline.executor import workers
from stromagate.pipeline.gated_files import refuse_without_files, write_from_events
from stromagate.pipeline.history import check_history
from stromagate.pipeline.job import NO_MEMORY, BatchOptions, Job, Outcome, fault_of_ours
from stromagate.pipeline.outside import blanks_of, locks_of
from stromagate.pipeline.overall import look_over
from stromagate.pipeline.patients import addresses, pages_of_run
from stromagate.pipeline.printing import Printer, print_run
from stromagate.pipeline.resume import still_valid
from stromagate.pipeline.settings import pin, portable
from stromagate.pipeline.template import load_template, reference
from stromagate.pipeline.together import analyze_job
from stromagate.pipeline.tubes import Tube, printable
from stromagate.pipeline.unfinished import Unfinished
from stromagate.quantify.blood_tubes import blood_corrected
from stromagate.quantify.pooling import pool
from stromagate.report import plotly_asset, render_history, render_index, render_sample
from stromagate.report.build import Plotly
from stromagate.report.lookup import role, worst


def run_batch(
    tubes: tuple[Tube, ...],
    template: str | Path,
    out: Path,
    config: RunConfig | None = None,
    options: BatchOptions | None = None,
    *,
    on_done: Callable[[Outcome], None] | None = None,
    stage: Stage | None = None,
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
            for outcome in hands.each(_one, equipped, lost=_lost):
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
            not_exported={
                each.path: {key: said and printable(said) for key, said in each.error.items()}
                for tube in tubes
                for each in outcomes[tube.sample_id].not_exported
            },
            exit_code=_worst([outcome.exit_code for outcome in outcomes.values()]),
            times={"started": started, "ended": _now(), "command": printable(options.command)} | logged.run_id(options),
        )
        if hands.elsewhere:
            wait_until_seen(out, {name: outcome.written for name, outcome in outcomes.items()})
        results = bundle.read_results(out, run)
        run, book = look_over(run, results, tubes, loaded, options)
        bundle.close_folder(out, _run_files(run, results, book, standalone=options.standalone))
        logged.of_run(run)
        return print_run(out, run, options.printer, jobs=options.jobs, stage=stage)


def render_again(
    out: Path,
    *,
    standalone: bool = False,
    calibration: Path | None = None,
    exports: Iterable[str] = (),
    printer: Printer | None = None,
    jobs: int = 1,
    stage: Stage | None = None,
) -> RunIndex:
    """Make all pages and tables of a finished run again from its results alone.

    Parameters
    ----------
    out : path
        Folder of results.
    standalone : bool
        Each page one file.
    calibration : path, optional
        Patterns are called anew by it; without one they stay as they are.
    exports : iterable of str, optional
        Formats to write beside those that the run was asked for.
    printer : Printer, optional
        Makes a PDF of every page, ``jobs`` of them at once.
    stage : callable, optional
        Progress, as in ``run_batch``.

    Raises
    ------
    InputError
        No finished run there, a damaged result, or a calibration that cannot be read.
    SpecificationError
        The calibration is none, or was changed; an export that there is not.
    """
    run = bundle.read_run(out)
    fresh = asked.chosen(exports)
    refuse_without_files(set(fresh) - set(run.exports))
    run = run.model_copy(update={"exports": tuple(sorted({*run.exports, *fresh}))})
    known = None if calibration is None else read_calibration(calibration)
    with bundle.hold(out):
        results = bundle.read_results(out, run)
        if known is not None:
            run = run.model_copy(update={"calibration": calibration_ref(known)})
            results = [_called_anew(out, result, known) for result in results]
        _must_be_of_one(run, results)
        for result in results:
            bundle.refresh_sample(out, result.sample_id, _pages(result, run.exports, standalone=standalone))
        bundle.close_folder(out, _run_files(run, results, bundle.read_charts(out), standalone=standalone))
        return print_run(out, run, printer, jobs=jobs, stage=stage)


def _must_be_of_one(run: RunIndex, results: list[SampleResult]) -> None:
    """Refuse patterns of two calibrations: what called them anew was broken off."""
    odd = [result.sample_id for result in results if result.pattern.calibration != run.calibration]
    if odd:
        raise InputError(
            "report.calibrations",
            f"the patterns of {', '.join(odd[:3])} are not by the calibration that the run names",
            hint="calling them anew was broken off: do it again with report --calibration FILE",
        )


def _called_anew(out: Path, result: SampleResult, calibration: AnyCalibration) -> SampleResult:
    """Write a result with its pattern by another calibration, and return it."""
    made = with_pattern(result, calibration)
    bundle.refresh_sample(out, made.sample_id, {bundle.RESULT_FILE: bundle.to_json_bytes(made)})
    return made


def reaching(run: RunIndex, level: Literal["warn", "fail"]) -> list[SampleEntry]:
    """Return the analysed tubes with a finding of that gravity or worse; controls are background and not judged."""
    grave = _GRAVE[level]
    return [entry for entry in run.samples if entry.worst_finding in grave and not role(entry.labels).is_control]


def reaching_together(run: RunIndex, level: Literal["warn", "fail"]) -> list[RunFinding]:
    """Return the findings of that gravity or worse of all tubes together, controls among them."""
    return [finding for finding in run.findings if finding.status in _GRAVE[level]]


_GRAVE = {"warn": {"warn", "fail"}, "fail": {"fail"}}


def _one(job: Job) -> Outcome:
    """Analyse one tube and put its folder in place; say in an outcome what happens, unless nothing can be written."""
    with log.written(job.options.log):
        return _analyzed(job)


def _analyzed(job: Job) -> Outcome:
    try:
        logged.of_beginning(job.tube.sample_id)
        must_be_seen(job)
        kept = still_valid(job)
        result = with_pattern(kept or analyze_job(job), job.calibration)
        files = _pages(result, job.options.exports, standalone=job.options.standalone)
        written = files if result is kept else {bundle.RESULT_FILE: bundle.to_json_bytes(result), **files}
        with bundle.writing(job.out, job.claim):
            put = bundle.refresh_sample if result is kept else bundle.write_sample
            put(job.out, job.tube.sample_id, written)
            missing = write_from_events(job, result)
    except OutputError:  # no fault of the tube, and the next one would meet it too
        raise
    except StromagateError as error:
        return _failed(job, error.as_json(), error.exit_code)
    except MemoryError:
        said = {"code": "worker.memory", "message": "memory ran out over this tube", "where": None, "hint": NO_MEMORY}
        return _failed(job, said, 1)
    except Exception as error:  # noqa: BLE001  (a fault of ours must not cost the other tubes their results)
        logged.of_fault(job.tube.sample_id, error)
        return _failed(job, fault_of_ours(error), 1, traceback.format_exc())
    entry = SampleEntry(
        sample_id=result.sample_id,
        file=result.source.path,
        status=result.verdict,
        n_events=result.n_events,
        labels=result.labels,
        worst_finding=found.status if (found := worst(result.findings)) else None,
        sha256=result.source.sha256,
    )
    code, trace = (
        _worst([each.exit_code for each in missing]),
        "\n".join(filter(None, (each.traceback for each in missing))),
    )
    made = written.get(bundle.RESULT_FILE)
    return Outcome(entry, code, trace, missing, written=hashlib.sha256(made).hexdigest() if made else "")


def _lost(job: Job) -> Outcome:
    """Say that the process which worked on a tube was killed, alone on the machine as far as we can know."""
    said = {
        "code": "worker.killed",
        "message": "the process that worked on this tube was ended twice, by the system or from outside",
        "where": None,
        "hint": f"memory may have run out: {NO_MEMORY}",
    }
    return _failed(job, said, 1)


def _failed(job: Job, error: dict[str, str | None], exit_code: int, trace: str = "") -> Outcome:
    tube = job.tube
    if job.folder is None:
        with bundle.writing(job.out, job.claim):
            bundle.remove_sample(job.out, tube.sample_id)
    where = tube.shown if error["where"] in {None, str(tube.path)} else as_named_at_home(error["where"], job)
    shown = {key: text and printable(text) for key, text in {**error, "where": where}.items()}
    entry = SampleEntry(sample_id=tube.sample_id, file=tube.shown, status="failed", error=shown, labels=tube.labels)
    return Outcome(entry, exit_code, traceback=trace)


def _worst(codes: list[int]) -> int:
    return 1 if 1 in codes else max(codes, default=0)


def _pages(result: SampleResult, exports: Iterable[str], *, standalone: bool) -> dict[str, bytes]:
    """Return what is made of a tube's result."""
    return {
        "report.html": render_sample(result, plotly="inline" if standalone else "shared").encode(),
        "populations.csv": export("populations_csv", [result]),
        **asked.of_tube(result, exports),
    }


def _run_files(
    run: RunIndex, results: list[SampleResult], book: ChartBook | None, *, standalone: bool
) -> dict[str, bytes]:
    plotly: Plotly = "inline" if standalone else "shared"
    pooled = pool(results, failed=[entry for entry in run.samples if entry.status == "failed"])
    patients = pages_of_run(results, plotly)
    page = render_index(run, results, plotly, pooled, charted=book is not None, patients=addresses(patients)).encode()
    files = {bundle.RUN_FILE: bundle.to_json_bytes(run), "index.html": page, **export_all(results, run.findings)}
    files |= {f"{bundle.PATIENTS}/{each.file}": each.content for each in patients}
    if book is not None:
        charts = render_history(book, run.findings, plotly).encode()
        files |= {bundle.CHARTS_FILE: bundle.to_json_bytes(book), "history.html": charts}
    if pooled.groups:
        files |= {"pooled.csv": pooled_csv(pooled), "pooled.json": bundle.to_json_bytes(pooled)}
    if run.config.hemodilution and (corrected := blood_corrected(results)):
        files["without_blood.csv"] = without_blood_csv(corrected)
    if not standalone:
        files["assets/plotly.min.js"] = plotly_asset()
    files |= asked.of_run(run, results)
    to_come = dict.fromkeys(asked.names_of_folder(run.exports), b"")
    files |= accompanying(run, results, files | to_come, plotly)
    return files | asked.of_folder(run, results, files)


def files_of(out: Path, run: RunIndex, results: list[SampleResult], *, standalone: bool) -> dict[str, bytes]:
    """Return every file of a finished run but its results, by its path in the folder, as it is made of them.

    Raises
    ------
    InputError
        Its charts are damaged.
    """
    files = _run_files(run, results, bundle.read_charts(out), standalone=standalone)
    for result in results:
        own = _pages(result, run.exports, standalone=standalone)
        files |= {f"{bundle.SAMPLES}/{result.sample_id}/{name}": content for name, content in own.items()}
    return files


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
