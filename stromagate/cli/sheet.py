"""``sheet``: a sample sheet proposed from the files of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stromagate.cli.console import AsJson, Debug, emit, say, spare, speaking

_INPUTS = "FCS or LMD files, or folders (searched through and through)."
_OUT = "File for the sheet (CSV); it is printed where none is named."


def sheet(
    inputs: Annotated[list[Path], typer.Argument(help=_INPUTS, show_default=False)],
    out: Annotated[Path | None, typer.Option("--out", "-o", help=_OUT, show_default=False)] = None,
    template: Annotated[
        str | None, typer.Option("--template", "-t", help="By whose markers names are read.", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Propose a sample sheet: which tube is stained, and which is a control of what.

    Roles are guessed from the names of files and tubes and nothing else: look
    through them before `stromagate run --sheet`.
    """
    with speaking(as_json=as_json, debug=debug):
        from stromagate.pipeline.bundle import write_file
        from stromagate.pipeline.proposal import COLUMNS, propose, sheet_cells, sheet_text, tally
        from stromagate.pipeline.template import load_template
        from stromagate.pipeline.tubes import collect_tubes

        spare(out, "sheet.exists", force=force)
        loaded = None if template is None else load_template(template).template
        rows = propose(collect_tubes(inputs).tubes, loaded)
        folder = (out or Path("sheet.csv")).absolute().parent
        text = sheet_text(rows, folder)
        say(f"{len(rows)} tubes: {tally(rows)}")
        unclear = [row.sample_id for row in rows if row.role.endswith(":?")]
        if unclear:
            say(f"say which marker was left out, in place of the question mark: {', '.join(unclear)}")
        if out is not None:
            write_file(out, text.encode("utf-8"))
            say(f"roles are guessed from names: look through them, then stromagate run --sheet {out} ...")
        named = [dict(zip(COLUMNS, line, strict=True)) for line in sheet_cells(rows, folder)]
        data = {"format": "stromagate.sheet/1", "sheet": None if out is None else str(out), "rows": named}
        emit(data, text.rstrip("\n") if out is None else str(out), as_json=as_json)
