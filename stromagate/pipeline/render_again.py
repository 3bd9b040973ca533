"""A finished run made new from its results: every page and table, the patterns by another calibration."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from stromagate.errors import InputError
from stromagate.export import asked
from stromagate.model.result import RunIndex, SampleResult
from stromagate.pattern.cut_points import AnyCalibration
from stromagate.pipeline import bundle, logged
from stromagate.pipeline.calibrate import read_calibration, with_pattern
from stromagate.pipeline.calibrate import reference as calibration_ref
from stromagate.pipeline.controls.first_stage import Stage
from stromagate.pipeline.gated_files import refuse_without_files
from stromagate.pipeline.job import NotExported
from stromagate.pipeline.made_files import files_of_run, pages_of_tube
from stromagate.pipeline.missing_files import each_of, noted, take_away_unmade, to_be_made_again, without_package
from stromagate.pipeline.printing import Printer, print_run


def render_again(
    out: Path,
    *,
    standalone: bool = False,
    calibration: Path | None = None,
    exports: Iterable[str] = (),
    printer: Printer | None = None,
    jobs: int = 1,
    stage: Stage | None = None,
    on_missing: Callable[[NotExported], None] | None = None,
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
    on_missing : callable, optional
        Told of each export that could not be made now; the index that is returned names them too.

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
        missing = without_package(out, run)
        for result in results:
            made, home = pages_of_tube(result, run.exports, standalone=standalone), bundle.SAMPLES
            bundle.refresh_sample(out, result.sample_id, made.files)
            missing += each_of(out, out / home / result.sample_id, made.faults)
        run = noted(to_be_made_again(run), missing)
        closing = files_of_run(out, run, results, bundle.read_charts(out), standalone=standalone)
        take_away_unmade(out, run, closing.files)
        bundle.close_folder(out, closing.files)
        for each in (*missing, *closing.missing):
            logged.of_missing(each)
            if on_missing is not None:
                on_missing(each)
        return print_run(out, closing.run, printer, jobs=jobs, stage=stage)


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
