"""The whole job on two real sets of different cytometers, each with a small local template."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from stromagate.model.config import RunConfig
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.tubes import collect_tubes
from tests.reference_data import DATA, needs_reference_data

ACTIVATION = """\
format: stromagate.template/1
name: activation
version: 1.0.0
status: local
title: Mouse T-cell activation, eleven colours, compensated
panel: {required: [CD8, CD4, CD44, CD69, Hoechst-405]}
scales: {default: {transform: logicle, top: 262144}}
populations:
  - {name: singlets, parent: all, gate: {method: singlet, axes: [FSC-A, FSC-H]}}
  - {name: cells, parent: singlets,
     gate: {method: fixed, axes: [FSC-A, SSC-A], low: [25000, 5000], high: [150000, 150000], units: linear}}
  - {name: live, parent: cells, gate: {method: valley, axis: Hoechst-405, keep: below, otherwise: tail}}
  - {name: cd4, parent: live, gate: {method: valley, axis: CD4, keep: above, otherwise: tail}}
  - {name: cd8, parent: live, gate: {method: valley, axis: CD8, keep: above, otherwise: tail}}
  - {name: t_cells, parent: live, gate: {method: boolean, operation: any, of: [cd4, cd8]}}
denominators: [live]
intensities: [CD44, CD69]
"""

GVHD = """\
format: stromagate.template/1
name: gvhd
version: 1.0.0
status: local
title: Graft-versus-host blood, four colours, uncompensated
panel: {required: [FL1.H, FL2.H, FL3.H, FL4.H]}
scales: {default: {transform: linear}}
populations:
  - {name: cells, parent: all, gate: {method: fixed, axis: FSC-H, low: 150, units: linear}}
  - {name: fl4, parent: cells, gate: {method: valley, axis: FL4.H, keep: above, otherwise: tail}}
  - {name: fl1, parent: cells, gate: {method: valley, axis: FL1.H, keep: above, otherwise: tail}}
denominators: [cells]
"""


def run(folder: Path, template: str, out: Path, config: RunConfig | None = None) -> dict[tuple[str, str], int]:
    path = out.with_suffix(".yaml")
    path.write_text(template, encoding="utf-8")
    finished = run_batch(collect_tubes([folder]).tubes, path, out, config)
    assert finished.exit_code == 0
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["exit_code"] == 0
    for entry in finished.samples:
        assert (out / "samples" / entry.sample_id / "report.html").stat().st_size > 20_000
    rows = csv.DictReader((out / "populations.csv").read_text(encoding="utf-8").splitlines())
    return {
        (row["sample_id"], row["population"]): int(float(row["value"])) for row in rows if row["statistic"] == "count"
    }


@needs_reference_data
def test_ten_activation_tubes_with_their_panel_file(tmp_path: Path) -> None:
    folder = DATA / "cytoexplorer"
    config = RunConfig(panel_file=str(folder / "Activation-Experiment-Markers.csv"))
    counts = run(folder, ACTIVATION, tmp_path / "out", config)
    for number in (2, 4, 8, 10, 14, 16, 20, 22, 26, 30):
        drawn = drawn_counts(folder / f"Activation_{number}.masks.npz")
        for ours, theirs in (("cd4", "CD4 T Cells"), ("cd8", "CD8 T Cells")):
            assert counts[f"Activation_{number}", ours] == pytest.approx(drawn[theirs], rel=0.25), (number, ours)


def drawn_counts(path: Path) -> dict[str, int]:
    """Return the events in each hand-drawn gate, by the last part of its path."""
    masks = np.load(path)
    inside = [int(np.unpackbits(bits)[:n].sum()) for bits, n in zip(masks["packed"], masks["n"], strict=True)]
    return {str(path).rpartition("/")[2]: n for path, n in zip(masks["paths"], inside, strict=True)}


@needs_reference_data
def test_eight_gvhd_tubes_without_stains(tmp_path: Path) -> None:
    folder = DATA / "real" / "burtonrj+CytoPy" / "tests" / "assets" / "gvhd_fcs"
    counts = run(folder, GVHD, tmp_path / "out")
    assert len({sample for sample, _ in counts}) == 8
    for sample in {sample for sample, _ in counts}:
        assert 0 < counts[sample, "fl4"] < counts[sample, "cells"] < counts[sample, "all"]
