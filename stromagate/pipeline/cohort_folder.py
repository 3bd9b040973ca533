"""The folder of a cohort on disk: pages, tables and the document; ``cohort.json`` comes last and marks it as finished.

::

    OUT/cohort.html  cohort.csv  cohort_wide.csv  cohort.json  README.txt  assets/plotly.min.js
    OUT/patients/<patient_id>.html  (of patients with several tubes)
    OUT/<kind>/cohort.html ...      (with --by-stratum: a cohort a kind of specimen)
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from stromagate.errors import UsageError
from stromagate.export.cohort import cohort_csv, cohort_wide_csv
from stromagate.model.cohort import Cohort
from stromagate.pipeline.accompanying import README
from stromagate.pipeline.bundle import PATIENTS, cannot_write, to_json_bytes, write_file
from stromagate.pipeline.claim import claimed
from stromagate.pipeline.cohort import Gathered
from stromagate.pipeline.patients import patient_pages
from stromagate.pipeline.whole_files import sweep
from stromagate.report import plotly_asset, render_cohort
from stromagate.report.build import Plotly

_FILES = ("cohort.html", "cohort.csv", "cohort_wide.csv", "cohort.json")
_MARKER = ".stromagate_cohort"


def write_cohort(gathered: Gathered, out: Path, *, standalone: bool = False) -> list[Path]:
    """Write pages and tables of all cohorts.

    Parameters
    ----------
    gathered : Gathered
        The cohorts.
    out : path
        A new folder, an empty one, or one that holds an older cohort, which is replaced.
    standalone : bool
        Whether plotly.js stands in each page.

    Returns
    -------
    list of path
        The page of each cohort.

    Raises
    ------
    UsageError
        The folder holds something else.
    InputError
        It cannot be written.
    """
    _make_ready(out)
    plotly: Plotly = "inline" if standalone else "shared"
    # A page that is mailed leads nowhere, and its links would tell how folders are called here.
    reports = {} if standalone else gathered.reports
    with claimed(out / _MARKER):
        try:
            sweep((out, out / PATIENTS, out / "assets", *(out / name for name in gathered.cohorts)))
            _clear(out)
            _remember(out, gathered)
        except OSError as cause:
            raise cannot_write(out, cause) from cause
        homes = {
            tube.name: f"{name}/cohort.html" if name else "cohort.html"
            for name, cohort in gathered.cohorts.items()
            for tube in cohort.tubes
        }
        homes = {
            tube.name: homes.get(tube.name, next(iter(homes.values()))) for one in gathered.across for tube in one.tubes
        }
        pages = patient_pages(gathered.across, _links(reports, out / PATIENTS), plotly, homes=homes)
        for page in pages:
            write_file(out / PATIENTS / page.file, page.content)
        write_file(out / README, _readme(gathered).encode())
        if not standalone:
            write_file(out / "assets" / "plotly.min.js", plotly_asset())
        for name, cohort in gathered.cohorts.items():
            up = "../" if name else ""
            known = {page.patient: f"{up}{PATIENTS}/{quote(page.file)}" for page in pages if page.of(cohort)}
            _write_one(cohort, out / name, reports, known, plotly, root=up)
    return [out / name / "cohort.html" for name in gathered.cohorts]


def _write_one(
    cohort: Cohort, folder: Path, reports: Mapping[str, Path], pages: Mapping[str, str], plotly: Plotly, *, root: str
) -> None:
    links = _links(reports, folder)
    page = render_cohort(cohort, plotly, links=links, pages=pages, root=root)
    write_file(folder / "cohort.html", page.encode())
    write_file(folder / "cohort.csv", cohort_csv(cohort))
    write_file(folder / "cohort_wide.csv", cohort_wide_csv(cohort))
    write_file(folder / "cohort.json", to_json_bytes(cohort))


def _links(reports: Mapping[str, Path], folder: Path) -> dict[str, str]:
    """Return the way from a folder to each tube's report, as long as there is one."""
    found = {}
    for name, path in reports.items():
        if path.is_file():
            try:
                way = os.path.relpath(path.resolve(), folder.resolve())
            except ValueError:  # on another drive of Windows
                continue
            found[name] = quote(Path(way).as_posix(), errors="replace")
    return found


def _make_ready(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError("cohort.out_file", "the output is a file", where=str(out), hint="name a folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        entries = {entry.name for entry in out.iterdir()}
        if entries and _MARKER not in entries:
            raise UsageError(
                "cohort.out_foreign",
                "the folder holds files that are not those of a cohort",
                where=str(out),
                hint="name a new or an empty folder; nothing in it was touched",
            )
    except OSError as cause:
        raise cannot_write(out, cause) from cause


def _clear(out: Path) -> None:
    """Take away an older cohort: its kinds of specimen stand in the marker, so nothing else is ever removed."""
    lines = (out / _MARKER).read_text(encoding="utf-8").splitlines()[1:]
    for folder in (out, *(out / line for line in lines if line and Path(line).name == line)):
        for name in reversed(_FILES):
            (folder / name).unlink(missing_ok=True)
            (folder / name).with_suffix(".pdf").unlink(missing_ok=True)
        if folder != out and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    shutil.rmtree(out / PATIENTS, ignore_errors=True)
    (out / README).unlink(missing_ok=True)


def _remember(out: Path, gathered: Gathered) -> None:
    kinds = "".join(f"{name}\n" for name in gathered.cohorts if name)
    # Written in place: the file is what this run holds the folder by.
    (out / _MARKER).write_text(f"stromagate cohort\n{kinds}", encoding="utf-8")


def _readme(gathered: Gathered) -> str:
    """Return what is in the folder, in words: tables have no place for a line that speaks of all their rows."""
    one = gathered.across[0]
    kinds = [f"  {name}/: the cohort of this kind of specimen" for name in gathered.cohorts if name]
    return "\n".join(
        [
            one.research_use,
            "",
            f"A cohort made by stromagate {one.stromagate} of finished runs. The line above holds for every",
            "file in this folder, tables included. A stromal pattern describes a tube; it says nothing about",
            "a patient's course.",
            "",
            *kinds,
            "  cohort.html: all tubes side by side; begin here",
            "  cohort.csv: every number, one a row, with denominator, interval and state",
            "  cohort_wide.csv: one tube a row; each rate's column names its population and its denominator",
            "  cohort.json: the same, for programs",
            "  patients/NAME.html: the tubes of one patient side by side, where there are several",
            "",
            "A value whose state is not `quantifiable` is no quantity: use its interval, never the value alone.",
            "",
        ]
    )
