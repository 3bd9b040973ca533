"""``report``: the pages and tables of a finished run once more, from its results alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stromagate.cli.console import AsJson, Debug, emit, say, speaking


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished run.", show_default=False)],
    standalone: Annotated[bool, typer.Option("--standalone", help="Each report one file, to mail.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Render all pages and tables of a run again; no FCS file is needed."""
    with speaking(as_json=as_json, debug=debug):
        from stromagate.pipeline.batch import render_again

        run = render_again(folder, standalone=standalone)
        page = folder / "index.html"
        done = sum(entry.status != "failed" for entry in run.samples)
        say(f"{done} reports rendered from results")
        emit({"format": run.format, "out": str(folder), "index": str(page)}, str(page), as_json=as_json)
