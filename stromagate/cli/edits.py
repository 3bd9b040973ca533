"""``edits``: a document to move a boundary of a finished run by hand, ready to be filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stromagate.cli.console import AsJson, Debug, emit, say, spare, speaking

_OUT = "File for `run --edits`: YAML with notes, or JSON by its name's ending; printed as YAML where none is named."
_POPULATION = "Population whose gate is to be moved. May be given several times."


def edits(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished run.", show_default=False)],
    sample: Annotated[
        str | None, typer.Option("--sample", help="The tube, where the run has several.", show_default=False)
    ] = None,
    population: Annotated[
        list[str] | None, typer.Option("--population", "-p", help=_POPULATION, show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help=_OUT, show_default=False)] = None,
    who: Annotated[str, typer.Option(help="Who moves it.", show_default=False)] = "",
    why: Annotated[str, typer.Option(help="Why, in your words.", show_default=False)] = "",
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write the present boundary of a gate as a document to change, for `run --edits`.

    It holds the hash of the fitted boundaries that edits are bound to, and the
    edits that the run was made with.
    """
    with speaking(as_json=as_json, debug=debug):
        import json
        from datetime import UTC, datetime

        from stromagate.pipeline.bundle import write_file
        from stromagate.pipeline.edit_starter import start_edits

        spare(out, "edits.exists", force=force)
        when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        made = start_edits(folder, sample, population or [], when=when, who=who, why=why)
        if out is not None:
            in_yaml = out.suffix.casefold() in {".yaml", ".yml"}
            text = made.yaml if in_yaml else json.dumps(made.document, ensure_ascii=False, indent=1) + "\n"
            write_file(out, text.encode("utf-8"))
            left = " and ".join(name for name, given in (("who", who), ("why", why)) if not given)
            say(f"change the geometry{f', fill in {left}' if left else ''}, then: stromagate run ... --edits {out}")
        data = {"out": None if out is None else str(out), "document": made.document}
        emit(data, made.yaml.rstrip("\n") if out is None else str(out), as_json=as_json)
