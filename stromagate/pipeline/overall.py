"""All tubes of a run looked at together: its findings, and its place among earlier runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stromagate.model.history import ChartBook
from stromagate.model.result import RunIndex, SampleResult
from stromagate.pipeline.charts import chart_book
from stromagate.pipeline.history import add_run, read_baseline
from stromagate.pipeline.job import BatchOptions
from stromagate.pipeline.kept import keep
from stromagate.pipeline.run_evidence import look_at_run
from stromagate.pipeline.tubes import Tube
from stromagate.qc.run_check import RunEvidence
from stromagate.qc.whole_run import check_run
from stromagate.quantify.pooling import pool
from stromagate.templates import LoadedTemplate


def look_over(
    run: RunIndex,
    results: Sequence[SampleResult],
    tubes: Sequence[Tube],
    loaded: LoadedTemplate,
    options: BatchOptions,
) -> tuple[RunIndex, ChartBook | None]:
    """Return the index of a run with what was seen of all tubes together, and its charts where it keeps a history.

    Raises
    ------
    InputError
        The history cannot be read or written.
    """
    pooled = pool(results, failed=[entry for entry in run.samples if entry.status == "failed"])
    evidence = replace(look_at_run(tubes, results, loaded, run.config), pooled=pooled)
    book = _charted(evidence, run, loaded, options)
    if book is not None:
        evidence = replace(evidence, charts=book.charts)
    return run.model_copy(update={"findings": check_run(evidence)}), book


def _charted(evidence: RunEvidence, run: RunIndex, loaded: LoadedTemplate, options: BatchOptions) -> ChartBook | None:
    """Add the run to its history and return the charts over all that is there."""
    if options.history is None:
        return None
    kept = keep(evidence, loaded, run.times.get("ended", ""))
    runs = add_run(options.history, kept) if kept.tubes else []
    labels = {item.name: item.label for item in loaded.template.populations if item.label}
    return chart_book(runs, kept, labels, read_baseline(options.history))
