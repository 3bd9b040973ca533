"""``demo``: the whole job on synthetic tubes, in one command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from stromagate.cli.console import AsJson, Debug, emit, say, speaking
from stromagate.cli.progress import progress
from stromagate.cli.run import first_error


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for tubes and results.")] = Path("demo_results"),
    full: Annotated[bool, typer.Option("--full", help="Simulate whole aspirates of millions of events.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Tubes worked on at once.")] = 2,
    force: Annotated[bool, typer.Option("--force", help="Compute again what is there.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Run everything on simulated marrow: one healthy, three leukaemic, each with its FMO tubes."""
    with speaking(as_json=as_json, debug=debug):
        from stromagate.pipeline.batch import run_batch
        from stromagate.pipeline.demo import DEMO_TEMPLATE, demo_calibration, demo_sheet
        from stromagate.pipeline.job import BatchOptions
        from stromagate.pipeline.tubes import collect_tubes

        if full:
            say("Simulating whole aspirates; this takes some minutes the first time ...")
        sheet = demo_sheet(out, full=full, progress=lambda name: say(f"  simulated {name}"))
        tubes = collect_tubes([], sheet).tubes
        results = out / ("results_full" if full else "results")
        command = " ".join(["stromagate", *sys.argv[1:]])
        options = BatchOptions(jobs, force, command=command, calibration=demo_calibration(sheet))
        finished = run_batch(tubes, DEMO_TEMPLATE, results, options=options, stage=progress)
        page = (results / "index.html").resolve()
        say(f"{len(tubes)} simulated tubes analysed with {DEMO_TEMPLATE}.")
        say(f"To move its gates in the browser: stromagate review {results} --files {sheet.parent}")
        say("Open the report in a browser:")
        data = {"index": str(page), "run": finished.to_json()}
        emit(data, str(page), as_json=as_json, error=first_error(finished))
    raise typer.Exit(finished.exit_code)
