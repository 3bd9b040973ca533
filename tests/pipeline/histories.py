"""Histories of invented runs: a steady lab, and one in which a detector gains light."""

from __future__ import annotations

from typing import Any

import numpy as np

from stromagate.model.history import ChartBook, KeptBoundary, KeptMedian, KeptRun, KeptTube
from stromagate.pipeline.charts import chart_book
from stromagate.pipeline.history import sealed
from stromagate.qc.places import from_decades

LABELS = {"msc": "MSC (CD271+)"}


def kept_tube(name: str, **changes: Any) -> KeptTube:
    """Return one tube with a boundary on an intensity, one on light scatter, and two references."""
    fields: dict[str, Any] = {
        "sample_id": name,
        "sha256": f"{name:0>64}",
        "batch": "",
        "instrument": "LSR 12345678",
        "panel": "0123456789abcdef",
        "boundaries": (boundary("msc", "CD271", 1000.0), boundary("cells", "FSC-A", 40_000.0, linear=True)),
        "medians": (median("cells", "CD271", 60.0), median("msc", "CD271", 9000.0)),
        "viability_pct": 92.0,
        "n_events": 200_000,
        "rates": {"msc": 43.0},
        "denominator": "cells",
    }
    return KeptTube(**{**fields, **changes})


def boundary(population: str, axis: str, raw: float, *, linear: bool = False, **more: Any) -> KeptBoundary:
    fields = {"population": population, "axis": axis, "side": "from", "display": 0.5, "raw": raw, "linear": linear}
    return KeptBoundary(**{**fields, **more})


def median(population: str, axis: str, value: float, n: int = 500) -> KeptMedian:
    return KeptMedian(population=population, axis=axis, value=value, n=n)


def kept_run(*tubes: KeptTube, recorded: str = "2026-03-01T12:00:00Z", **changes: Any) -> KeptRun:
    """Return a sealed run."""
    fields: dict[str, Any] = {
        "run": "",
        "recorded": recorded,
        "stromagate": "0.1.0",
        "template": "bm_test",
        "template_version": "1.2.3",
        "template_sha256": "7a" * 32,
        "tubes": tubes,
    }
    return sealed(KeptRun(**{**fields, **changes}))


def kept_runs(n: int, *, shift_from: int | None = None, step: float = 0.06, seed: int = 0) -> list[KeptRun]:
    """Return ``n`` runs of a batch of two tubes each; from a batch on, CD271 gains ``step`` decades a batch."""
    rng = np.random.default_rng(seed)
    runs = []
    for number in range(1, n + 1):
        moved = step * max(0, number - shift_from + 1) if shift_from else 0.0
        runs.append(kept_run(*(_tube(f"t{number}-{i}", f"b{number}", moved, rng) for i in range(2))))
    return runs


def _tube(name: str, batch: str, moved: float, rng: np.random.Generator) -> KeptTube:
    noise = rng.normal(0, 0.02, 4)
    return kept_tube(
        name,
        batch=batch,
        boundaries=(
            boundary("msc", "CD271", from_decades(1.1 + moved + noise[0])),
            boundary("cells", "FSC-A", 40_000 * (1 + noise[1]), linear=True),
        ),
        medians=(median("cells", "CD271", 60.0), median("msc", "CD271", from_decades(2.1 + moved + noise[2]))),
        viability_pct=92 + 50 * noise[3],
        n_events=int(rng.integers(180_000, 220_000)),
    )


def book_of(runs: list[KeptRun], declared: tuple[str, ...] = ()) -> ChartBook:
    """Return the charts of the last of these runs."""
    return chart_book(runs, runs[-1], LABELS, declared)
