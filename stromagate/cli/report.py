"""``report``: the pages and tables of a finished run once more, from its results alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stromagate.cli.console import AsJson, Debug, emit, say, speaking
from stromagate.cli.exports import Exports, tell_not_exported
from stromagate.cli.paper import AsPdf, OnPaper, printer_for, tell_not_printed
from stromagate.cli.plugins import tell_not_loaded
from stromagate.cli.progress import progress

_CALIBRATION = "Call the stromal patterns anew by this (JSON); without it they stay as they are."

if TYPE_CHECKING:
    from stromagate.pipeline.job import NotExported


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished run.", show_default=False)],
    calibration: Annotated[Path | None, typer.Option(help=_CALIBRATION, show_default=False)] = None,
    standalone: Annotated[bool, typer.Option("--standalone", help="Each report one file, to mail.")] = False,
    export: Exports = None,
    pdf: AsPdf = False,
    paper: OnPaper = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Pages printed at once.")] = 1,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Render all pages and tables of a run again; no FCS file is needed."""
    with speaking(as_json=as_json, debug=debug):
        printer = printer_for(paper, pdf=pdf)
        from stromagate.pipeline.job import worst_code
        from stromagate.pipeline.render_again import render_again

        missing: list[NotExported] = []
        run = render_again(
            folder,
            standalone=standalone,
            calibration=calibration,
            exports=export or (),
            printer=printer,
            jobs=jobs,
            stage=progress,
            on_missing=missing.append,
        )
        page = folder / "index.html"
        done = sum(entry.status != "failed" for entry in run.samples)
        say(f"{done} reports rendered from results")
        tell_not_exported({each.path: each.error for each in missing})
        if debug:
            say("\n".join(filter(None, (each.traceback for each in missing))))
        tell_not_printed(run.not_printed)
        tell_not_loaded()
        data = {
            "format": run.format,
            "out": str(folder),
            "index": str(page),
            "not_exported": run.not_exported,
            "not_printed": run.not_printed,
        }
        emit(data, str(page), as_json=as_json, error=next((each.error for each in missing), None))
    if missing:
        raise typer.Exit(worst_code(each.exit_code for each in missing))
