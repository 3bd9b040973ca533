"""``run``: FCS files in, a folder of results and reports out."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from stromagate.cli.console import AsJson, Debug, ErrorObject, emit, say, speaking
from stromagate.cli.exports import Exports, tell_not_exported
from stromagate.cli.paper import AsPdf, OnPaper, printer_for, tell_not_printed
from stromagate.cli.plugins import tell_not_loaded
from stromagate.cli.progress import progress
from stromagate.errors import UsageError

if TYPE_CHECKING:
    from stromagate.model.config import RunConfig
    from stromagate.model.result import RunIndex
    from stromagate.pipeline.job import BatchOptions, NotExported, Outcome
    from stromagate.pipeline.tubes import TubeList

Level = Literal["warn", "fail"]

_INPUTS = "FCS or LMD files, or folders (searched through and through)."
_OUT = "Folder for the results (needed)."
_FAIL_ON = "End with 5 where a stained tube has such a finding, or a worse one."
_LOCKS = "Boundaries of earlier batches, for locked gates (JSON)."
_BLANKS = "What the laboratory's blanks count, for limits of detection (JSON)."
_EDITS = "Boundaries that a person moved (JSON or YAML); refused where the fitted ones changed since."
_HISTORY = "Folder of earlier runs: adds this one, charts them, and looks for drift."
_HEMODILUTION = "Rates also as without the blood in the marrow, by rbc_bm, rbc_pb, wbc_pb, tnc_bm of the sheet."
_CALIBRATION = "What stromal patterns are called by (JSON); without it none is."
_KEYWORDS = "Keywords that results keep: a few of the instrument, or none."
_EXECUTOR = "Where tubes are worked on: local, or the workers of a Dask cluster, dask://HOST:PORT."
_MARKER = "Bind a marker by hand: CD146=PE-A. May be given several times."


def run(
    inputs: Annotated[list[Path] | None, typer.Argument(help=_INPUTS, show_default=False)] = None,
    template: Annotated[str, typer.Option("--template", "-t", help="Shipped template or YAML file (needed).")] = "",
    out: Annotated[Path | None, typer.Option("--out", "-o", help=_OUT, show_default=False)] = None,
    sheet: Annotated[Path | None, typer.Option(help="Sample sheet (CSV or XLSX) instead of inputs.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Tubes worked on at once.")] = 1,
    executor: Annotated[str, typer.Option(help=_EXECUTOR)] = "local",
    marker: Annotated[list[str] | None, typer.Option("--marker", "-m", help=_MARKER)] = None,
    panel: Annotated[Path | None, typer.Option(help="Panel file (CSV: channel, marker).")] = None,
    compensation: Annotated[str, typer.Option(help="`file`, `none`, or a matrix CSV.")] = "file",
    policy: Annotated[str, typer.Option(help="Odd files: strict, repair or salvage.")] = "repair",
    gain: Annotated[str | None, typer.Option(help="$PnG: apply or ignore; the template's by default.")] = None,
    dataset: Annotated[int | None, typer.Option(min=0, help="Data set of files that hold several.")] = None,
    confidence: Annotated[float, typer.Option(help="Level of the intervals.")] = 0.95,
    interval: Annotated[str, typer.Option(help="Interval of shares: clopper-pearson or wilson.")] = "clopper-pearson",
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    hemodilution: Annotated[bool, typer.Option("--hemodilution", help=_HEMODILUTION)] = False,
    locks: Annotated[Path | None, typer.Option(help=_LOCKS, show_default=False)] = None,
    blanks: Annotated[Path | None, typer.Option(help=_BLANKS, show_default=False)] = None,
    edits: Annotated[Path | None, typer.Option(help=_EDITS, show_default=False)] = None,
    history: Annotated[Path | None, typer.Option(help=_HISTORY, show_default=False)] = None,
    calibration: Annotated[Path | None, typer.Option(help=_CALIBRATION, show_default=False)] = None,
    keywords: Annotated[Literal["instrument", "none"], typer.Option(help=_KEYWORDS)] = "instrument",
    fail_on: Annotated[Level | None, typer.Option("--fail-on", help=_FAIL_ON, show_default=False)] = None,
    force: Annotated[bool, typer.Option("--force", help="Compute again; replace other tubes' results.")] = False,
    standalone: Annotated[bool, typer.Option("--standalone", help="Each report one file, to mail.")] = False,
    export: Exports = None,
    pdf: AsPdf = False,
    paper: OnPaper = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Gate tubes by a template and write numbers and reports.

    Ends with 0 when every tube was analysed, 3 when an input could not be
    read or an export not be written, 4 when a template, sheet or panel is wrong, 5 when --fail-on asked for
    it. One bad tube does not stop the others. A run that was interrupted goes
    on where it stood.
    """
    with speaking(as_json=as_json, debug=debug):
        if not template or out is None:
            missing = "--template" if not template else "--out"
            raise UsageError(
                "run.options", f"{missing} is needed", hint="stromagate run FOLDER --template bm_stroma_core --out DIR"
            )
        _load_program(_at_once(jobs, inputs or [], sheet), executor)
        from stromagate.pipeline.job import BatchOptions

        config = _config(
            markers=_overrides(marker or []),
            panel_file=None if panel is None else str(panel),
            compensation=compensation,
            policy=policy,
            gain=gain,
            dataset=dataset,
            confidence=confidence,
            interval=interval,
            seed=seed,
            hemodilution=hemodilution,
            keywords=keywords,
            locks=None if locks is None else str(locks),
            blanks=None if blanks is None else str(blanks),
            edits=None if edits is None else str(edits),
        )
        options = BatchOptions(
            jobs=jobs,
            executor=executor,
            force=force,
            standalone=standalone,
            command=_command(),
            history=history,
            calibration=calibration,
            printer=printer_for(paper, pdf=pdf),
            exports=tuple(export or ()),
        )
        finished, faults = _run(inputs or [], sheet, template, out, config, options)
        if debug:
            say("\n".join(filter(None, faults)))
        _tell(finished, out)
        tell_not_loaded()
        tell_not_printed(finished.not_printed)
        stopped = _reached(finished, fail_on) if fail_on and not finished.exit_code else 0
        emit(
            {"format": finished.format, "out": str(out), "run": finished.to_json()},
            str(out / "index.html"),
            as_json=as_json,
            error=first_error(finished),
        )
    raise typer.Exit(finished.exit_code or stopped)


def _at_once(jobs: int, inputs: list[Path], sheet: Path | None) -> int:
    """Return how many tubes can be worked on at once, as far as can be told before folders and sheets are read."""
    if sheet is not None or not all(path.is_file() for path in inputs):
        return jobs
    return min(jobs, max(1, len(inputs)))


def _load_program(jobs: int, executor: str) -> None:
    """Load what a run needs, here and in its workers at the same time."""
    from stromagate.pipeline.executor import LOCAL, begun

    with begun(jobs if executor == LOCAL else 1, "stromagate.pipeline.one_tube"):
        importlib.import_module("stromagate.pipeline.batch")


def _command() -> str:
    return " ".join(["stromagate", *sys.argv[1:]])


def _reached(finished: RunIndex, level: Level) -> int:
    """Name what reaches the level, tubes and the run itself, and return the exit code: 5, or 0 where nothing does."""
    from stromagate.pipeline.batch import reaching, reaching_together

    tubes = [entry.sample_id for entry in reaching(finished, level)]
    if tubes:
        say(f"findings of status {level} or worse in {len(tubes)}: {', '.join(tubes)}", always=True)
    together = dict.fromkeys(finding.code for finding in reaching_together(finished, level))
    if together:
        say(f"findings of status {level} or worse in all tubes together: {', '.join(together)}", always=True)
    return 5 if tubes or together else 0


def first_error(finished: RunIndex) -> ErrorObject | None:
    """Return the error of the first tube that failed, else of the first export that did; None where none did."""
    failed = (entry.error for entry in finished.samples if entry.error)
    return next(failed, None) or next(iter(finished.not_exported.values()), None)


def _run(
    inputs: list[Path],
    sheet: Path | None,
    template: str,
    out: Path,
    config: RunConfig,
    options: BatchOptions,
) -> tuple[RunIndex, list[str]]:
    """Run the batch, and return its index and what tracebacks there are."""
    from stromagate.pipeline.batch import run_batch
    from stromagate.pipeline.tubes import collect_tubes

    found = collect_tubes(inputs, sheet)
    _tell_roles(found, inputs)
    faults: list[str] = []

    def note(what: Outcome | NotExported) -> None:
        faults.append(what.traceback)

    run = run_batch(found.tubes, template, out, config, options, on_done=note, stage=progress, on_missing=note)
    return run, faults


def _tell_roles(found: TubeList, inputs: list[Path]) -> None:
    """Say what is not analysed, and what a sheet would be good for where there is none."""
    from stromagate.pipeline.proposal import looks_like_controls

    if found.n_compensation:
        say(f"{found.n_compensation} compensation controls of the sheet are not analysed")
    likely = looks_like_controls(found.tubes) if inputs else []
    if likely:
        shown = ", ".join(tube.sample_id for tube in likely[:3]) + (" ..." if len(likely) > 3 else "")
        where = inputs[0] if inputs[0].is_dir() else "FOLDER"
        say(f"{len(likely)} of {len(found.tubes)} tubes are named like controls and count as stained here: {shown}")
        say(f"  stromagate sheet {where} --out samples.csv proposes their roles; then run --sheet samples.csv")


def _tell(finished: RunIndex, out: Path) -> None:
    failed = [entry for entry in finished.samples if entry.status == "failed"]
    for entry in failed:
        error = entry.error or {}
        say(f"failed: {entry.sample_id} ({entry.file}): {error.get('message')}", always=True)
        if error.get("hint"):
            say(f"  {error['hint']}", always=True)
    for finding in finished.findings:
        if finding.status in {"warn", "fail"}:
            say(f"{finding.status}: {finding.sentence} ({finding.code})")
    tell_not_exported(finished.not_exported)
    done = len(finished.samples) - len(failed)
    say(f"{done} of {len(finished.samples)} tubes analysed; results in {out}")


def _overrides(texts: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for marker, equals, channel in pairs:
        if not (marker.strip() and equals and channel.strip()):
            raise UsageError(
                "run.marker", f"--marker {marker}{equals}{channel} is not MARKER=CHANNEL", hint="--marker CD146=PE-A"
            )
    return {marker.strip(): channel.strip() for marker, _, channel in pairs}


def _config(**values: object) -> RunConfig:
    from pydantic import ValidationError

    from stromagate.model.config import RunConfig

    try:
        return RunConfig.model_validate(values)
    except ValidationError as cause:
        first = cause.errors()[0]
        raise UsageError("run.option", f"--{first['loc'][0]}: {first['msg']}", hint="stromagate run --help") from cause
