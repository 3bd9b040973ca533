"""What stands beside the numbers of a run: the MIFlowCyt table, and a README that says what each file is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from stromagate.export.asked import of_events
from stromagate.export.exporter import exporters
from stromagate.export.miflowcyt import miflowcyt_csv
from stromagate.model.result import RunIndex, SampleResult
from stromagate.report import render_miflowcyt
from stromagate.report.miflowcyt import items

if TYPE_CHECKING:
    from stromagate.report.build import Plotly

README = "README.txt"

_WHAT = {
    "run.json": "what became of each tube, with settings, versions and times",
    "index.html": "all tubes at a glance; begin here",
    "miflowcyt.html": "MIFlowCyt table of the run, and what is missing in it",
    "miflowcyt.csv": "the same of every tube, one line a row",
    "pooled.csv": "replicates counted together",
    "pooled.json": "the same, for programs",
    "without_blood.csv": "rates as without the blood in the marrow",
    "history.json": "series over earlier runs, for programs",
    "history.html": "control charts over earlier runs",
    "assets/plotly.min.js": "draws the plots of the pages; keep it beside them",
}


def accompanying(
    run: RunIndex, results: Sequence[SampleResult], files: Mapping[str, bytes], plotly: Plotly
) -> dict[str, bytes]:
    """Return the files that stand beside those of a run.

    Parameters
    ----------
    run : RunIndex
        What became of each tube.
    results : sequence of SampleResult
        Those that have a result.
    files : mapping of str to bytes
        The run's own files, by name.
    plotly : {"shared", "inline"}
        As for the other pages.
    """
    made = {
        "miflowcyt.html": render_miflowcyt(run, results, plotly).encode(),
        "miflowcyt.csv": miflowcyt_csv(
            (
                result.sample_id,
                item.number,
                item.title,
                item.subject,
                item.value,
                item.source,
                "yes" if item.missing else "",
                item.write_in if item.missing else "",
            )
            for result in results
            for item in items(result)
        ),
    }
    return {**made, README: _readme(run, {*files, *made}).encode()}


def _of_patients(names: Iterable[str]) -> bool:
    return any(name.startswith("patients/") for name in names)


def _readme(run: RunIndex, names: Iterable[str]) -> str:
    """Return what is in the folder, in words: tables have no place for a line that speaks of all their rows."""
    what = {**{exporter.filename: exporter.summary for exporter in exporters.all().values()}, **_WHAT}
    template = f" with the template {run.template.name} {run.template.version}" if run.template else ""
    listed = [
        f"  {name}: {what[kind]}"
        for name in sorted(names, key=lambda name: (name != "index.html", name))
        if (kind := name.removeprefix("exports/")) in what
    ]
    return "\n".join(
        [
            run.research_use,
            "",
            f"Results of a run of stromagate {run.stromagate}{template}. The line above holds for every file in this",
            "folder, tables included. A stromal pattern describes a tube; it says nothing about a patient's course.",
            "",
            *listed,
            *(["  patients/NAME.html: the tubes of one patient side by side"] if _of_patients(names) else []),
            "  samples/NAME/: result.json (everything about one tube), report.html, populations.csv,",
            "    gates.gatingml.xml (its boundaries, for other programs)",
            *(f"  samples/NAME/{name}: {what[name]}" for name in of_events(run.exports)),
            "",
            "Every rate stands beside the population that it is divided by (column `denominator`). A value whose state",
            "is not `quantifiable` is no quantity: use its interval, never the value alone.",
            "",
        ]
    )
