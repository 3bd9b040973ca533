"""Finished runs written without an analysis: folders of results made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stromagate.model.result import SampleResult
from stromagate.model.sample import SourceRef
from stromagate.pipeline.bundle import RESULT_FILE, close_folder, open_folder, to_json_bytes, write_sample
from tests.pattern.tubes import LABELS, tube
from tests.report.pages import make_run


def donor(name: str, p: int, q: int, *, labels: dict[str, str] | None = None, **changes: Any) -> SampleResult:
    """Return the tube of one donor, who is another than all others."""
    own = {
        "sample_id": name,
        "labels": {**LABELS, "patient_id": f"of {name}", "group": "control", **(labels or {})},
        "source": SourceRef(f"{name}.fcs", 1, sha256=name.encode().hex().ljust(64, "0")),
    }
    return tube(p, q, **{**own, **changes})


def donors(n: int) -> list[SampleResult]:
    """Return donors whose P lies from 16 to 26 and whose Q from 36 to 46 per million."""
    return [donor(f"c{number:02d}", 16 + number % 11, 36 + (3 * number) % 11) for number in range(n)]


def write_run(folder: Path, results: Sequence[SampleResult], *failed: dict[str, str | None], **changes: Any) -> Path:
    """Write a finished run of these results, and of tubes that failed with these errors."""
    run = make_run(list(results), *failed, **changes)
    with open_folder(folder, [entry.sample_id for entry in run.samples], force=True):
        for result in results:
            write_sample(folder, result.sample_id, {RESULT_FILE: to_json_bytes(result)})
        close_folder(folder, {"run.json": to_json_bytes(run)})
    return folder
