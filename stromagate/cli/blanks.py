"""``blanks``: what tubes without stroma count, for limits of detection."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stromagate.cli.console import AsJson, Debug, emit, say, speaking

if TYPE_CHECKING:
    from stromagate.pipeline.blanks import Gathered, Summary

_FOLDERS = "Folders of finished runs with tubes of the role `blank`."


def blanks(
    folders: Annotated[list[Path], typer.Argument(help=_FOLDERS, show_default=False)],
    out: Annotated[Path, typer.Option("--out", "-o", help="File for `run --blanks` (JSON).", show_default=False)],
    template: Annotated[
        str | None,
        typer.Option(help="The template they must have been run with; else they must agree.", show_default=False),
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Gather what a laboratory's blanks count, for the limits of blank, detection and quantification."""
    with speaking(as_json=as_json, debug=debug):
        from stromagate.pipeline.blanks import gather
        from stromagate.pipeline.bundle import to_json_bytes, write_file
        from stromagate.pipeline.template import load_template

        made = gather(folders, None if template is None else load_template(template))
        write_file(out, to_json_bytes(made.blanks))
        for item in made.left_out:
            say(f"{item.folder}: {item.sample_id} is left out: {item.reason}", always=True)
        emit(_data(made, out), "\n".join([*_lines(made), str(out)]), as_json=as_json)


def _data(made: Gathered, out: Path) -> dict[str, object]:
    return {
        "out": str(out),
        "template": made.blanks.template,
        "blanks": len(made.blanks.tubes),
        "days": list(made.blanks.days),
        "lots": list(made.blanks.lots),
        "lacking": list(made.lacking),
        "populations": [
            {
                "population": item.population,
                "denominator": item.denominator,
                "per_million": item.expected.mean,
                "events": item.expected.counted,
                "variance_over_mean": item.expected.dispersion,
                "lob_per_million": item.lob,
                "method": item.method,
            }
            for item in made.summaries
        ],
        "left_out": [
            {"folder": item.folder, "sample_id": item.sample_id, "why": item.reason} for item in made.left_out
        ],
    }


def _lines(made: Gathered) -> list[str]:
    blanks, lots = made.blanks, len(made.blanks.lots)
    known = f"lots {lots}" if lots else "no lot known (column `lot` of the sheet)"
    lines = [f"blanks {len(blanks.tubes)}, days {len(blanks.days)}, {known}", *map(_line, made.summaries)]
    if made.lacking:
        lines.append(
            f"no percentile of their own yet: {', '.join(made.lacking)}; the limits are of a fitted distribution"
        )
    return lines


def _line(item: Summary) -> str:
    differ = "" if item.expected.dispersion is None else f", variance over mean {item.expected.dispersion:.2g}"
    return (
        f"{item.population}: {item.expected.mean:.3g} in a million {item.denominator} ({item.expected.counted} events"
        f"{differ}); limit of blank in a million: {item.lob} ({item.method})"
    )
