"""``lock``: the boundaries of earlier batches, for gates that are carried over instead of fitted anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stromagate.cli.console import AsJson, Debug, emit, say, speaking

if TYPE_CHECKING:
    from stromagate.model.locks import LockedBoundary
    from stromagate.pipeline.lock import LeftOut, Wanted

_FOLDERS = "Folders of finished runs, oldest first."


def lock(
    folders: Annotated[list[Path], typer.Argument(help=_FOLDERS, show_default=False)],
    out: Annotated[Path, typer.Option("--out", "-o", help="File for `run --locks` (JSON).", show_default=False)],
    template: Annotated[
        str | None, typer.Option(help="Lock what this template's locked gates ask for.", show_default=False)
    ] = None,
    population: Annotated[str | None, typer.Option(help="Population whose gate to lock.", show_default=False)] = None,
    negative: Annotated[str | None, typer.Option(help="Population that counts as 0.", show_default=False)] = None,
    positive: Annotated[str | None, typer.Option(help="Population that counts as 1.", show_default=False)] = None,
    batches: Annotated[
        int | None, typer.Option(min=1, help="Keep the last so many batches.", show_default="all")
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Gather where a gate lay in earlier batches, in units of two reference populations."""
    with speaking(as_json=as_json, debug=debug):
        from stromagate.pipeline.bundle import to_json_bytes, write_file
        from stromagate.pipeline.lock import lock as gather

        made = gather(folders, _wanted(template, population, negative, positive), batches=batches)
        write_file(out, to_json_bytes(made.locks))
        for item in made.left_out:
            say(_left_out(item), always=True)
        data = {
            "out": str(out),
            "template": made.locks.template,
            "boundaries": [_row(boundary) for boundary in made.locks.boundaries],
            "left_out": [
                {"folder": item.folder, "sample_id": item.sample_id, "population": item.population, "why": item.reason}
                for item in made.left_out
            ],
        }
        text = [_line(boundary) for boundary in made.locks.boundaries]
        emit(data, "\n".join([*text, str(out)]), as_json=as_json)


def _wanted(template: str | None, population: str | None, negative: str | None, positive: str | None) -> list[Wanted]:
    from stromagate.errors import UsageError
    from stromagate.pipeline.lock import Wanted, wanted_by
    from stromagate.pipeline.template import load_template

    named = (population, negative, positive)
    if template is not None and not any(named):
        return list(wanted_by(load_template(template)))
    if template is None and population and negative and positive:
        return [Wanted(population, negative, positive)]
    raise UsageError(
        "lock.what",
        "it is not clear which gates to lock",
        hint="give --template NAME, or all of --population, --negative and --positive",
    )


def _left_out(item: LeftOut) -> str:
    about = f" says nothing of {item.population}" if item.population else " is left out"
    return f"{item.folder}: {item.sample_id}{about}: {item.reason}"


def _ways(boundary: LockedBoundary) -> dict[str, float]:
    """Return each batch's median way, oldest first."""
    from statistics import median

    return {batch: median(ways) for batch, ways in boundary.ways_by_batch().items()}


def _row(boundary: LockedBoundary) -> dict[str, object]:
    return {
        "population": boundary.population,
        "axis": boundary.axis,
        "negative": boundary.negative,
        "positive": boundary.positive,
        "tubes": len(boundary.tubes),
        "way_frac": _ways(boundary),
    }


def _line(boundary: LockedBoundary) -> str:
    ways = _ways(boundary)
    listed = ", ".join(f"{batch} {100 * way:.1f} %" for batch, way in ways.items())
    return (
        f"{boundary.population} on {boundary.axis}: tubes {len(boundary.tubes)}, batches {len(ways)}; part of the way "
        f"from {boundary.negative} to {boundary.positive}, oldest first: {listed}"
    )
