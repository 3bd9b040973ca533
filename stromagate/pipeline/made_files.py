"""What is made of results and of nothing else: the pages, tables and exports of a tube and of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stromagate.export import asked, export
from stromagate.export.asked import Made
from stromagate.export.pooled import pooled_csv, without_blood_csv
from stromagate.model.history import ChartBook
from stromagate.model.result import RunIndex, SampleResult
from stromagate.pipeline import bundle
from stromagate.pipeline.accompanying import accompanying
from stromagate.pipeline.job import NotExported
from stromagate.pipeline.missing_files import each_of, noted
from stromagate.pipeline.patients import addresses, pages_of_run
from stromagate.quantify.blood_tubes import blood_corrected
from stromagate.quantify.pooling import pool
from stromagate.report import plotly_asset, render_history, render_index, render_sample
from stromagate.report.build import Plotly


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The files of a run by their path, its index, which names those it goes without, and what is said of these."""

    run: RunIndex
    files: dict[str, bytes]
    missing: tuple[NotExported, ...]


def pages_of_tube(result: SampleResult, exports: Iterable[str], *, standalone: bool) -> Made:
    """Return what is made of a tube's result."""
    own = {
        "report.html": render_sample(result, plotly="inline" if standalone else "shared").encode(),
        "populations.csv": export("populations_csv", [result]),
    }
    exported = asked.of_tube(result, exports)
    return Made(own | exported.files, exported.faults)


def files_of_run(
    out: Path, run: RunIndex, results: list[SampleResult], book: ChartBook | None, *, standalone: bool
) -> RunFiles:
    """Return what is made of all results together: tables, pages, ``run.json``, exports.

    An exporter that breaks costs its file, which the index and the page of the run then name.
    """
    tables = asked.of_run(run, results)
    missing = each_of(out, out, tables.faults)
    run = noted(run, missing)
    made = _files(run, results, book, tables.files, standalone=standalone)
    while made.faults:  # those speak of the page that is to name them
        more = each_of(out, out, made.faults)
        missing, run = [*missing, *more], noted(run, more)
        made = _files(run, results, book, tables.files, standalone=standalone)
    return RunFiles(run, made.files, tuple(missing))


def _files(
    run: RunIndex,
    results: list[SampleResult],
    book: ChartBook | None,
    tables: Mapping[str, bytes],
    *,
    standalone: bool,
) -> Made:
    """Return the files of a run by their path, beside its tables and exports that are made already."""
    plotly: Plotly = "inline" if standalone else "shared"
    pooled = pool(results, failed=[entry for entry in run.samples if entry.status == "failed"])
    patients = pages_of_run(results, plotly)
    page = render_index(run, results, plotly, pooled, charted=book is not None, patients=addresses(patients)).encode()
    files = {bundle.RUN_FILE: bundle.to_json_bytes(run), "index.html": page, **tables}
    files |= {f"{bundle.PATIENTS}/{each.file}": each.content for each in patients}
    if book is not None:
        charts = render_history(book, run.findings, plotly).encode()
        files |= {bundle.CHARTS_FILE: bundle.to_json_bytes(book), "history.html": charts}
    if pooled.groups:
        files |= {"pooled.csv": pooled_csv(pooled), "pooled.json": bundle.to_json_bytes(pooled)}
    if run.config.hemodilution and (corrected := blood_corrected(results)):
        files["without_blood.csv"] = without_blood_csv(corrected)
    if not standalone:
        files["assets/plotly.min.js"] = plotly_asset()
    files |= accompanying(run, results, files | dict.fromkeys(asked.names_of_folder(run), b""), plotly)
    of_folder = asked.of_folder(run, results, files)
    return Made(files | of_folder.files, of_folder.faults)


def files_of(out: Path, run: RunIndex, results: list[SampleResult], *, standalone: bool) -> Made:
    """Return every file of a finished run but its results, by its path in the folder, as it is made of them.

    Raises
    ------
    InputError
        Its charts are damaged.
    """
    tables = asked.of_run(run, results)
    made = _files(run, results, bundle.read_charts(out), tables.files, standalone=standalone)
    files, faults = made.files, tables.faults | made.faults
    for result in results:
        own, home = pages_of_tube(result, run.exports, standalone=standalone), f"{bundle.SAMPLES}/{result.sample_id}"
        files |= {f"{home}/{name}": content for name, content in own.files.items()}
        faults |= {f"{home}/{name}": fault for name, fault in own.faults.items()}
    return Made(files, faults)
