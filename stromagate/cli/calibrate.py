"""``calibrate``: what low and high mean, by the laboratory's own controls or within a cohort."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from stromagate.cli.console import AsJson, Debug, emit, say, spare, speaking
from stromagate.errors import UsageError

if TYPE_CHECKING:
    from stromagate.pattern.reference import Made

_FOLDERS = "Folders of finished runs."
_COHORT = "Cut within these tubes as a cohort (level L2) instead of at the range of own controls (L1)."
_WHERE = "Take the tubes with this in the sample sheet: group=control. May be given several times."
_DENOMINATORS = "Denominators that decide, the main one first, by commas; by default those that count the marrow."


def calibrate(
    folders: Annotated[list[Path], typer.Argument(help=_FOLDERS, show_default=False)],
    out: Annotated[Path, typer.Option("--out", "-o", help="File for `run --calibration` (JSON).", show_default=False)],
    name: Annotated[str, typer.Option("--name", help="What reports call it.", show_default=False)],
    cohort: Annotated[Literal["median", "tertiles"] | None, typer.Option(help=_COHORT, show_default=False)] = None,
    where: Annotated[list[str] | None, typer.Option("--where", help=_WHERE, show_default=False)] = None,
    denominators: Annotated[str, typer.Option(help=_DENOMINATORS, show_default=False)] = "",
    day: Annotated[str, typer.Option(help="Day it is made, as reports are to say it.", show_default=False)] = "",
    note: Annotated[str, typer.Option(help="What its readers must know.", show_default=False)] = "",
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Make the calibration that patterns are called by, and lock it.

    Of 20 controls percentiles are shown, of 40 a range of 90 % is stated and
    patterns are called, of 120 a range of 95 %. It holds for the template and
    the kind of specimen it was made of, and for no other.
    """
    with speaking(as_json=as_json, debug=debug):
        from stromagate.pipeline.bundle import write_file
        from stromagate.pipeline.calibrate import Wanted, calibration_bytes
        from stromagate.pipeline.calibrate import calibrate as make

        spare(out, "calibrate.exists", force=force)
        named = tuple(each.strip() for each in denominators.split(",") if each.strip())
        made = make(folders, Wanted(name, cohort or "range", _pairs(where or []), named, day, note))
        write_file(out, calibration_bytes(made.calibration))
        for item in made.left_out:
            if not item.reason.startswith("it is a control tube"):
                say(f"{item.sample_id} is left out: {item.reason}", always=True)
        emit(_data(made, out), lambda: "\n".join([*_lines(made), str(out)]), as_json=as_json)


def _pairs(texts: list[str]) -> tuple[tuple[str, str], ...]:
    found = [text.partition("=") for text in texts]
    for column, equals, value in found:
        if not (column.strip() and equals and value.strip()):
            raise UsageError(
                "calibrate.where", f"--where {column}{equals}{value} is not COLUMN=VALUE", hint="--where group=control"
            )
    return tuple((column.strip(), value.strip()) for column, _, value in found)


def _data(made: Made, out: Path) -> dict[str, object]:
    calibration = made.calibration
    return {
        "out": str(out),
        "name": calibration.name,
        "level": calibration.level,
        "tubes": calibration.n,
        "seal": calibration.seal,
        "strata": calibration.strata,
        "denominators": list(calibration.denominators),
        "cut_points": _cuts(made),
        "left_out": [{"sample_id": item.sample_id, "why": item.reason} for item in made.left_out],
    }


def _cuts(made: Made) -> list[dict[str, object]]:
    import numpy as np

    from stromagate.pattern.cut_points import cut_points

    return [
        {"denominator": name, "index": index, "low": cut.low, "high": cut.high}
        for name in made.calibration.denominators
        for index, cut in (cut_points(made.calibration, name, 1, np.random.default_rng(0)) or {}).items()
    ]


def _lines(made: Made) -> list[str]:
    calibration = made.calibration
    kind = ", ".join(f"{column} {said}" for column, said in calibration.strata.items())
    taken = f"{calibration.n} tubes, {calibration.background} of background"
    rows = [
        f"  {row['index']} per million {row['denominator']}: low below {row['low']:.4g}, high from {row['high']:.4g}"
        for row in _cuts(made)
    ]
    few = ["too few tubes for a range: no pattern is called by it (40 are needed; percentiles from 20 on)"]
    return [f"{calibration.level} “{calibration.name}”: {taken}; {kind}", *(rows or few)]
