"""``review``: one gate on all tubes in the browser, moved in place, saved with a reason, signed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from stromagate.cli.console import AsJson, Debug, emit, say, speaking

_FOLDER = "Folder of a finished run."
_FILES = "Folder with the tubes' FCS files (found by their content); may be given several times."
_READER = "Who reviews; the account's name by default."
_BLIND = "Hide which tube is whose, and what others did."
_GET = "Answer one address, such as /grid.json?gate=msc, and end."


def review(
    folder: Annotated[Path, typer.Argument(help=_FOLDER, show_default=False)],
    files: Annotated[list[Path] | None, typer.Option("--files", help=_FILES, show_default=False)] = None,
    reader: Annotated[str, typer.Option(help=_READER, show_default=False)] = "",
    blind: Annotated[bool, typer.Option("--blind", help=_BLIND)] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes a free one.")] = 0,
    get: Annotated[str, typer.Option("--get", help=_GET, show_default=False)] = "",
    no_open: Annotated[bool, typer.Option("--no-open", help="Open no browser; print the address alone.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Look at every gate on every tube in the browser, the most likely wrong first.

    Serves this machine alone and needs no network. Boundaries that are moved
    go to DIR/review/edits.json with who, when and why; results and templates
    stay as they are until the run is made again.
    """
    with speaking(as_json=as_json, debug=debug):
        from stromagate.pipeline.review.files import FileFinder
        from stromagate.pipeline.review.journal import account
        from stromagate.pipeline.review.refused import said
        from stromagate.pipeline.review.rerun import broken_off, rerun
        from stromagate.web.review import Review

        who = said(reader.strip() or account(), "who")
        finder = FileFinder(folder, files or [])
        if broken_off(folder):
            say("running this folder again was broken off; that is finished first")
            rerun(folder, finder)
        opened = Review(folder, who, finder, blind=blind)
        if get:
            from stromagate.web.once import answer

            status, body = answer(opened, get)
            sys.stdout.buffer.write(body + b"\n")
            raise typer.Exit(0 if status < 400 else 2)
        from stromagate.web.server import serve

        def ready(address: str) -> None:
            say("The review is open at this address, on this machine alone, until ctrl+c:")
            emit({"address": address, "folder": str(folder)}, address, as_json=as_json)
            sys.stdout.flush()
            if not no_open:
                import webbrowser

                webbrowser.open(address)

        try:
            serve(opened, port, ready)
        except KeyboardInterrupt:  # the way to end it, and no fault
            say("the review has ended; what was saved is kept")
            if opened.jobs.progress.running:
                say("the run was being made again: open the review once more, and that is finished first")
