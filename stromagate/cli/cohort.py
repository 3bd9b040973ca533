"""``cohort``: the stained tubes of many runs beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stromagate.cli.console import AsJson, Debug, emit, say, speaking
from stromagate.cli.paper import AsPdf, OnPaper, printer_for, tell_not_printed
from stromagate.cli.progress import progress
from stromagate.errors import UsageError

if TYPE_CHECKING:
    from stromagate.pipeline.cohort import Gathered
    from stromagate.pipeline.printing import Printer

_FOLDERS = "Folders of finished runs."
_CALIBRATION = "Calls every pattern by this calibration (JSON), and draws its cut-points."
_GROUP = "Column of the sample sheets to group tubes by."
_BY_STRATUM = "One cohort for each template and kind of specimen, instead of refusing a mix."


def cohort(
    folders: Annotated[list[Path] | None, typer.Argument(help=_FOLDERS, show_default=False)] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the cohort (needed).", show_default=False)
    ] = None,
    calibration: Annotated[Path | None, typer.Option(help=_CALIBRATION, show_default=False)] = None,
    group: Annotated[str, typer.Option(help=_GROUP, show_default=False)] = "",
    by_stratum: Annotated[bool, typer.Option("--by-stratum", help=_BY_STRATUM)] = False,
    standalone: Annotated[bool, typer.Option("--standalone", help="Each page one file, to mail.")] = False,
    pdf: AsPdf = False,
    paper: OnPaper = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Put the stained tubes of finished runs side by side: patterns, numbers and quality in one page and two tables.

    Controls are left out. Tubes of several templates, or of several kinds of
    specimen (columns specimen, preparation, pull, storage), are refused.
    """
    with speaking(as_json=as_json, debug=debug):
        if out is None:
            raise UsageError("cohort.options", "--out is needed", hint="stromagate cohort RUN_DIR... --out DIR")
        printer = printer_for(paper, pdf=pdf)
        from stromagate.pipeline.calibrate import read_calibration
        from stromagate.pipeline.cohort import CohortRequest, gather
        from stromagate.pipeline.cohort_folder import write_cohort

        read = None if calibration is None else read_calibration(calibration)
        gathered = gather(CohortRequest(tuple(folders or ()), read, group.strip(), by_stratum), progress)
        pages = write_cohort(gathered, out, standalone=standalone)
        _tell(gathered)
        not_printed = {} if printer is None else _print(printer, out, pages)
        emit({**_data(gathered, out, pages), "not_printed": not_printed}, "\n".join(map(str, pages)), as_json=as_json)


def _print(printer: Printer, out: Path, pages: list[Path]) -> dict[str, str]:
    """Print every page beside it; return those of which there is no PDF, and why."""
    from stromagate.pipeline.printing import print_pages

    faults = print_pages(printer, [*pages, *sorted((out / "patients").glob("*.html"))], stage=progress)
    not_printed = {page.relative_to(out).as_posix(): why for page, why in faults.items()}
    tell_not_printed(not_printed)
    return not_printed


def _tell(gathered: Gathered) -> None:
    one = gathered.across[0]
    for left in one.left_out:
        say(f"{left.run}: {left.sample_id} is left out: {left.reason}", always=True)
    for name, made in gathered.cohorts.items():
        n = sum(len(tube.samples) for tube in made.tubes)
        said = f"{n} tubes of {len(made.patients)} patients" if n > 1 else "1 tube"
        say(f"{name or 'cohort'}: {said}")
    if one.n_controls:
        say(f"{one.n_controls} control tubes are not shown")


def _data(gathered: Gathered, out: Path, pages: list[Path]) -> dict[str, object]:
    return {
        "out": str(out),
        "cohorts": [
            {
                "name": name,
                "page": str(page),
                "tubes": sum(len(tube.samples) for tube in made.tubes),
                "patients": len(made.patients),
                "strata": made.strata,
                "template": made.template.name,
                "calibration": None if made.calibration is None else made.calibration.model_dump(mode="json"),
            }
            for (name, made), page in zip(gathered.cohorts.items(), pages, strict=True)
        ],
        "controls": gathered.across[0].n_controls,
        "left_out": [left.model_dump(mode="json") for left in gathered.across[0].left_out],
    }
