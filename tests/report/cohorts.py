"""Tubes of a cohort made by hand, down to the counts, and runs of them on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stromagate.model.cohort import Cohort
from stromagate.model.result import Finding, SampleResult, Statistic
from stromagate.pattern import call_pattern
from stromagate.pattern.cut_points import AnyCalibration
from stromagate.pipeline import bundle
from stromagate.pipeline.cohort_tubes import Around, Taken, assemble
from stromagate.quantify.intervals import clopper_pearson
from stromagate.quantify.states import count_state
from tests.pattern.tubes import tube as counted
from tests.report.pages import make_run
from tests.results import make_result

LABELS = {"role": "stained", "specimen": "aspirate", "preparation": "whole"}
TOTALS = {"nucleated": 1_000_000, "singlets": 2_000_000}
WARNED = Finding(code="Q07", check="few_events", status="warn", sentence="Few events.", stage="acquisition")
FAILED = Finding(code="Q10", check="scatter_ceiling", status="fail", sentence="At the top.", stage="acquisition")


def cohort_tube(
    name: str,
    p: int,
    q: int,
    *,
    patient: str = "",
    labels: Mapping[str, str] | None = None,
    totals: Mapping[str, int] = TOTALS,
    background: int | None = 0,
    **changes: Any,
) -> SampleResult:
    """Return a tube with so many progenitors and other MSC, with its rates under every denominator."""
    base = counted(p, q, totals=totals, background=background)
    counts = {**totals, "msc": p + q, "progenitors": p, "msc_cd146neg": q, "lymphocytes": 200_000}
    rows = [*base.statistics, _count("msc_cd146neg", q), _count("lymphocytes", 200_000)]
    rows += [
        _rate(name, counts[name], below, totals[below])
        for name in ("lymphocytes", "msc", "progenitors", "msc_cd146neg")
        for below in totals
    ]
    rows.append(_rate("progenitors", p, "msc", p + q, share=True))
    fields = {
        "sample_id": name,
        "labels": {**LABELS, "patient_id": patient or f"P-{name}", **(labels or {})},
        "statistics": tuple(rows),
        "source": replace(make_result().source, path=f"{name}.fcs", sha256=f"{hash_of(name):064x}"),
        "edits": (),
        "views": (),
    }
    return base.model_copy(update={**fields, **changes})


def hash_of(name: str) -> int:
    """Return a number for a name, the same on every machine."""
    return int.from_bytes(name.encode()[:32], "big")


def _count(name: str, n: int) -> Statistic:
    return Statistic(population=name, parent="", statistic="count", value=n, unit="events", n=n, state=count_state(n))


def _rate(name: str, k: int, below: str, total: int, *, share: bool = False) -> Statistic:
    per = 1 if share else 1_000_000
    low, high = clopper_pearson(k, total) if total else (None, None)
    return Statistic(
        population=name,
        parent="msc",
        statistic="fraction" if share else "per_million",
        value=per * k / total if total else None,
        unit="fraction" if share else "per million",
        denominator=below,
        ci_low=None if low is None else per * low,
        ci_high=None if high is None else per * high,
        state=count_state(k) if total else "not evaluable",
        n=k,
    )


def many(n: int = 12, **changes: Any) -> list[SampleResult]:
    """Return tubes whose P and Q climb in steps that no two share; every third is of the group MDS."""
    return [
        cohort_tube(
            f"t{i:02}",
            (13 * i * i) % 170,
            30 + (29 * i) % 210,
            labels={"diagnosis": "MDS" if i % 3 == 0 else "AML"},
            findings=(WARNED,) if i % 2 else (),
            **changes,
        )
        for i in range(n)
    ]


def cohort_of(results: Sequence[SampleResult], calibration: AnyCalibration | None = None, **around: Any) -> Cohort:
    """Return the cohort of some tubes, each called by a calibration."""
    called = [one.model_copy(update={"pattern": call_pattern(one, calibration, draws=400)}) for one in results]
    c = None if calibration is None else calibration.offset_ppm
    taken = [Taken(one, "run", one.sample_id) for one in called]
    return assemble(taken, Around(runs=("run",), offset_ppm=c, **around))


def write_run(folder: Path, results: Sequence[SampleResult], *failed: dict[str, str | None]) -> Path:
    """Write a finished run as it lies on disk, with its results and a stub of every report."""
    for result in results:
        place = folder / "samples" / result.sample_id
        bundle.write_file(place / "result.json", bundle.to_json_bytes(result))
        bundle.write_file(place / "report.html", b"<!doctype html>")
    bundle.write_file(folder / "run.json", bundle.to_json_bytes(make_run(list(results), *failed)))
    return folder
