"""The scores as a person reads them: one line a population, and one a cluster size where clusters have no names."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np

from benchmarks.labelled.scores import METHODS, TOOL, Row

LEGEND = (
    "F1 of automatic gates against gates people drew on real files: median of the tubes, in brackets the worst one.",
    "All get the same parents and axes, found by our gates; only the cut differs. drawn, found: median events.",
    "Tubes on which the templates were tried are left out. There the distances for CD11c and CD69 were chosen, which",
    "the baselines have no place for. GMM: scikit-learn's GaussianMixture, components by BIC. No file holds stroma:",
    "this is how the methods cut, not how the stroma template does.",
)


def text(rows: Sequence[Row]) -> str:
    """Return the table of all sets."""
    lines = list(LEGEND)
    for name in dict.fromkeys(row.set_name for row in rows):
        kept = [row for row in rows if row.set_name == name and not row.tried]
        tubes = len({row.tube for row in kept})
        lines += ["", _line((f"{name}, {tubes} tubes", "drawn", "found", *METHODS))]
        lines += [_line(cells) for cells in _cells(kept)]
    return "\n".join(lines)


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write one line a tube, population and method."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*(item.name for item in fields(Row)), "f1"], lineterminator="\n")
        writer.writeheader()
        writer.writerows({**asdict(row), "f1": f"{row.f1:.4f}"} for row in rows)


def medians(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Return the median F1 by group of populations and method."""
    groups = dict.fromkeys(_group(row, rows) for row in rows)
    return {
        group: {
            method: float(np.median([row.f1 for row in rows if row.method == method and _group(row, rows) == group]))
            for method in METHODS
            if any(row.method == method and _group(row, rows) == group for row in rows)
        }
        for group in groups
    }


def _cells(rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    for group in dict.fromkeys(_group(row, rows) for row in rows):
        kept = [row for row in rows if _group(row, rows) == group]
        ours = [row for row in kept if row.method == TOOL]
        drawn, found = (f"{np.median([getattr(row, key) for row in ours]):,.0f}" for key in ("drawn", "found"))
        yield (f"  {group}", drawn, found, *(_shown([row.f1 for row in kept if row.method == m]) for m in METHODS))
    if not _is_named(rows):
        by_method = ([row for row in rows if row.method == method] for method in METHODS)
        yield ("  all, by their events", "", "", *(f"{_weighted(kept):.2f}" if kept else "-" for kept in by_method))


def _weighted(rows: Sequence[Row]) -> float:
    """Return the mean F1 of clusters weighted by their events, as FlowCAP scored them, then over tubes."""
    tubes = dict.fromkeys(row.tube for row in rows)
    return float(
        np.mean(
            [
                np.average([r.f1 for r in rows if r.tube == tube], weights=[r.drawn for r in rows if r.tube == tube])
                for tube in tubes
            ]
        )
    )


def _group(row: Row, rows: Sequence[Row]) -> str:
    """Return the name a person gave; a cluster without one is known by its rank by size within its tube."""
    if not row.population.startswith("cluster "):
        return row.population
    sizes = sorted({(r.drawn, r.population) for r in rows if r.tube == row.tube}, reverse=True)
    rank = [name for _, name in sizes].index(row.population)
    return ("largest cluster", "second cluster", "third cluster", "smaller clusters")[min(rank, 3)]


def _is_named(rows: Sequence[Row]) -> bool:
    return not any(row.population.startswith("cluster ") for row in rows)


def _shown(values: Sequence[float]) -> str:
    return f"{np.median(values):.2f} ({min(values):.2f})" if values else "-"


def _line(cells: Sequence[str]) -> str:
    name, drawn, found, *shown = cells
    return f"{name:<52}{drawn:>8}{found:>8}  " + "".join(f"{cell:>14}" for cell in shown)
