"""``verify``: whether a folder of results is what was written, and its numbers what the files give."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stromagate.cli.console import AsJson, Debug, emit, say, speaking

if TYPE_CHECKING:
    from stromagate.pipeline.review.differences import Difference, Verified

_FILES = "Folder of the FCS files: count every number again. May be given several times."


def verify(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished run.", show_default=False)],
    files: Annotated[list[Path] | None, typer.Option("--files", help=_FILES, show_default=False)] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Look through a run: seals, hashes, tables, pages, edits, audit log, signatures.

    With --files, every number is counted from the FCS files again, on the
    boundaries that the results hold. Ends with 0 when nothing differs, 5 when
    something does; it says what and where. Nothing is written.
    """
    with speaking(as_json=as_json, debug=debug):
        from stromagate.pipeline.review.files import FileFinder
        from stromagate.pipeline.review.verify import verify as look_through

        found = look_through(folder, FileFinder(folder, files) if files else None)
        for note in found.notes:
            say(note)
        for what in found.not_checked:
            say(f"not checked: {what}")
        emit({"folder": str(folder), **found.as_json()}, lambda: _text(found), as_json=as_json)
    raise typer.Exit(0 if found.whole else 5)


def _text(found: Verified) -> str:
    looked = ", ".join(f"{what} {n}" for what, n in sorted(found.checked.items()) if n)
    head = "nothing differs" if found.whole else _n_differ(len(found.differences))
    return "\n".join([*map(_line, found.differences), f"{head}; looked at: {looked}"])


def _n_differ(n: int) -> str:
    return f"{n} thing{' is' if n == 1 else 's are'} not as written, or not what the files give"


def _line(difference: Difference) -> str:
    named = difference.sample_id and difference.sample_id not in difference.where.split("/")
    about = f" ({difference.sample_id})" if named else ""
    return f"{difference.where}{about}: {difference.sentence}"
