"""What is made of results and of nothing else: the pages, tables and exports of a tube and of a run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from stromagate.export import asked, export, export_all
from stromagate.export.pooled import pooled_csv, without_blood_csv
from stromagate.model.history import ChartBook
from stromagate.model.result import RunIndex, SampleResult
from stromagate.pipeline import bundle
from stromagate.pipeline.accompanying import accompanying
from stromagate.pipeline.patients import addresses, pages_of_run
from stromagate.quantify.blood_tubes import blood_corrected
from stromagate.quantify.pooling import pool
from stromagate.report import plotly_asset, render_history, render_index, render_sample
from stromagate.report.build import Plotly


def pages_of_tube(result: SampleResult, exports: Iterable[str], *, standalone: bool) -> dict[str, bytes]:
    """Return what is made of a tube's result."""
    return {
        "report.html": render_sample(result, plotly="inline" if standalone else "shared").encode(),
        "populations.csv": export("populations_csv", [result]),
        **asked.of_tube(result, exports),
    }


def files_of_run(
    run: RunIndex, results: list[SampleResult], book: ChartBook | None, *, standalone: bool
) -> dict[str, bytes]:
    """Return what is made of all results together, by path in the folder: tables, pages, ``run.json``, exports."""
    plotly: Plotly = "inline" if standalone else "shared"
    pooled = pool(results, failed=[entry for entry in run.samples if entry.status == "failed"])
    patients = pages_of_run(results, plotly)
    page = render_index(run, results, plotly, pooled, charted=book is not None, patients=addresses(patients)).encode()
    files = {bundle.RUN_FILE: bundle.to_json_bytes(run), "index.html": page, **export_all(results, run.findings)}
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
    files |= asked.of_run(run, results)
    to_come = dict.fromkeys(asked.names_of_folder(run.exports), b"")
    files |= accompanying(run, results, files | to_come, plotly)
    return files | asked.of_folder(run, results, files)


def files_of(out: Path, run: RunIndex, results: list[SampleResult], *, standalone: bool) -> dict[str, bytes]:
    """Return every file of a finished run but its results, by its path in the folder, as it is made of them.

    Raises
    ------
    InputError
        Its charts are damaged.
    """
    files = files_of_run(run, results, bundle.read_charts(out), standalone=standalone)
    for result in results:
        own = pages_of_tube(result, run.exports, standalone=standalone)
        files |= {f"{bundle.SAMPLES}/{result.sample_id}/{name}": content for name, content in own.items()}
    return files
