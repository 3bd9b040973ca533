"""``deidentify``: scrubbed copies of FCS files, to pass on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from stromagate.cli.console import AsJson, Debug, emit, say, speaking
from stromagate.cli.progress import progress

if TYPE_CHECKING:
    from stromagate.pipeline.deidentify import Copy

_FILES = "FCS or LMD files, or folders of them."
_OUT = "Folder for the copies (tube_001.fcs ...)."
_KEEP = "Keep this keyword as it is. May be given several times."
_DROP = "Remove this keyword though it is usually kept, such as '$P3S'. May be given several times."
_MAP = "Table that leads from each copy back to its original (CSV); outside of --out."
_DATES = "Remove dates, or move those of the measurement by one secret number of days."
_MANY = 3
_LIMITS = (
    "Look the copies through before you pass them on: nobody can recognise every name, and events can be compared with "
    "those of the original."
)


def deidentify(
    files: Annotated[list[Path], typer.Argument(help=_FILES, show_default=False)],
    out: Annotated[Path, typer.Option("--out", "-o", help=_OUT, show_default=False)],
    keep: Annotated[list[str] | None, typer.Option("--keep", help=_KEEP)] = None,
    drop: Annotated[list[str] | None, typer.Option("--drop", help=_DROP)] = None,
    dates: Annotated[Literal["drop", "shift"], typer.Option(help=_DATES)] = "drop",
    map_file: Annotated[Path | None, typer.Option("--map", help=_MAP, show_default=False)] = None,
    dataset: Annotated[int | None, typer.Option(min=0, help="Data set of files that hold several.")] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Copy FCS files without what may tell who the patient is; events stay bit for bit.

    Of the keywords only those are kept that say how numbers are meant, and the
    names of channels and cytometer. Ends with 3 when a file was refused.
    """
    with speaking(as_json=as_json, debug=debug):
        from stromagate.fcs import find_inputs
        from stromagate.pipeline.deidentify import deidentify as copy_all
        from stromagate.pipeline.deidentify import unseen

        keep, drop = keep or [], drop or []
        with progress("Copying", len(find_inputs(files))) as step:
            copies = copy_all(
                files, out, keep=keep, drop=drop, dates=dates, map_file=map_file, dataset=dataset, on_done=step
            )
        for name in unseen(keep, drop, copies):
            say(f"no file has the keyword {name}", always=True)
        made = [copy for copy in copies if copy.made]
        say(f"{len(made)} of {len(copies)} files copied to {out}. {_LIMITS}")
        data = {
            "format": "stromagate.deidentified/1",
            "out": str(out),
            "map": None if map_file is None else str(map_file),
            "files": [copy.to_json() for copy in copies],
        }
        refused = [copy.error for copy in copies if copy.error]
        error = refused[0].as_json() if refused else None
        emit(data, lambda: "\n\n".join(_page(copy) for copy in copies), as_json=as_json, error=error)
    if refused:
        raise typer.Exit(3)


def _page(copy: Copy) -> str:
    from stromagate.pipeline.deidentify import tells_in_name

    lines = [str(copy.original)]
    if copy.made is None:
        error = copy.error
        lines += ["  copy       none: refused", f"  why        {error.message if error else ''}"]
        return "\n".join([*lines, f"  what to do {error.hint if error else ''}"])
    made = copy.made
    lines.append(f"  copy       {copy.name}")
    lines.append(f"  events     {made.n_events:,}, DATA unchanged (SHA-256 {made.data_sha256})")
    lines.append(f"  removed    {', '.join(_families(made.removed)) or 'no keyword'}")
    lines += [f"  left out   {part}" for part in made.left_out]
    for suspect in made.suspects:
        lines.append(f"  look at    {suspect}: still in the copy; --drop '{suspect.keyword}' removes it")
    if tells_in_name(copy):
        lines.append("  look at    the name of the original looks like an identity: keep it out of mails and folders")
    return "\n".join(lines)


def _families(names: Sequence[str]) -> list[str]:
    """Return the names, those that differ by a number alone as one where there are many."""
    families: dict[str, list[str]] = {}
    for name in names:
        families.setdefault(re.sub(r"\d+", "n", name), []).append(name)
    return [
        text
        for family, members in families.items()
        for text in ([f"{family} ({len(members)})"] if len(members) > _MANY else members)
    ]
