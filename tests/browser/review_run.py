"""A small run to be reviewed: one tube of a million events and three of a few, gated by a template with an outline."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stromagate.fcs import write_fcs
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.tubes import collect_tubes

TEMPLATE = """\
format: stromagate.template/1
name: review_small
version: 1.0.0
status: local
title: Four gates to be reviewed
panel: {required: [CD45, CD271, CD146]}
scales: {default: {transform: logicle, top: 262144, decades: 4.5, width: 0.6}}
populations:
  - name: cells
    parent: all
    label: Cells
    gate:
      method: polygon
      axes: [FSC-A, SSC-A]
      units: linear
      vertices: [[40000, 10000], [190000, 10000], [190000, 160000], [40000, 160000]]
  - name: cd45neg
    parent: cells
    label: CD45-negative cells
    gate: {method: fixed, axes: [CD45], high: [800], units: linear}
  - name: msc
    parent: cd45neg
    label: MSC
    gate: {method: fixed, axes: [CD271], low: [1500], units: linear}
  - name: progenitors
    parent: msc
    label: CD146+ progenitors
    gate: {method: fixed, axes: [CD146], low: [1500], units: linear}
denominators: [cells]
indices: {msc: msc, progenitors: progenitors}
"""
CHANNELS = ["FSC-A", "SSC-A", "FITC-A", "PE-A", "BV421-A"]
LABELS = {"FITC-A": "CD45", "PE-A": "CD271", "BV421-A": "CD146"}
BIG, SMALL = 1_000_000, 20_000


def make_run(folder: Path) -> Path:
    """Write four tubes, run them, and return the folder of the run; the tubes lie in ``folder/tubes``."""
    tubes = folder / "tubes"
    tubes.mkdir()
    for seed, (name, n) in enumerate((("big", BIG), ("one", SMALL), ("two", SMALL), ("three", SMALL))):
        write_fcs(tubes / f"{name}.fcs", _events(n, seed), CHANNELS, labels=[LABELS.get(c, "") for c in CHANNELS])
    template = folder / "review_small.yaml"
    template.write_text(TEMPLATE, encoding="utf-8")
    run_batch(collect_tubes([tubes]).tubes, template, folder / "run")
    return folder / "run"


def _events(n: int, seed: int) -> np.ndarray:
    """Return leukocytes, debris, and 2 % of stroma of which a third carries CD146."""
    rng = np.random.default_rng(seed)
    events = np.empty((n, len(CHANNELS)), dtype=np.float32)
    events[:, 0] = rng.normal(90_000, 22_000, n)
    events[:, 1] = rng.normal(60_000, 20_000, n)
    debris = rng.random(n) < 0.2
    events[debris, 0] = rng.normal(15_000, 6_000, int(debris.sum()))
    events[:, 2] = 10 ** rng.normal(4.0, 0.3, n)
    events[:, 3:] = rng.normal(0, 200, (n, 2))
    stroma = rng.random(n) < 0.02
    k = int(stroma.sum())
    events[stroma, 0] = rng.normal(150_000, 12_000, k)
    events[stroma, 1] = rng.normal(110_000, 14_000, k)
    events[stroma, 2] = rng.normal(100, 150, k)
    events[stroma, 3] = 10 ** rng.normal(4.1, 0.2, k)
    events[stroma, 4] = np.where(rng.random(k) < 1 / 3, 10 ** rng.normal(3.9, 0.2, k), rng.normal(100, 150, k))
    return np.clip(events, -2000, 262_143)
