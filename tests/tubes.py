"""Small tubes on disk and a small template for them: what the tests of the command line and the pipeline run on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stromagate.fcs import write_fcs

NAMES = ["FSC-A", "FSC-H", "SSC-A", "FITC-A", "PE-A", "APC-A", "Time"]
STAINS = ["", "", "", "CD45", "CD146", "CD271", ""]
SPILLOVER = "3,FITC-A,PE-A,APC-A,1,0.12,0,0.02,1,0.01,0,0.03,1"

TEMPLATE = """\
format: stromagate.template/1
name: small
version: 1.0.0
status: local
title: A small template for tests
panel: {required: [CD45, CD271, CD146]}
scales: {default: {transform: logicle, top: 262144, width: 0.5}}
populations:
  - {name: cells, parent: all, gate: {method: fixed, axes: [FSC-A, SSC-A], low: [20000, 1000], high: [null, null]}}
  - {name: cd45neg, parent: cells, gate: {method: valley, axis: CD45, keep: below, otherwise: tail}}
  - {name: msc, parent: cd45neg, label: MSC, gate: {method: fixed, axis: CD271, low: 0.45}}
  - {name: progenitors, parent: msc, gate: {method: fixed, axis: CD146, low: 0.45}}
denominators: [cells, msc]
intensities: [CD146]
indices: {msc: msc, progenitors: progenitors}
"""


def write_tube(path: Path, seed: int = 0, n: int = 3000, *, stains: list[str] | None = None) -> Path:
    """Write a tube: leukocytes, debris and 2 % stroma of which half are CD146+."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, n, p=[0.78, 0.20, 0.02])
    size = np.choose(kind, [rng.normal(80e3, 8e3, n), rng.exponential(6e3, n), rng.normal(120e3, 9e3, n)])
    side = np.choose(kind, [rng.normal(40e3, 9e3, n), rng.exponential(4e3, n), rng.normal(90e3, 9e3, n)])
    cd45 = np.choose(kind, [rng.lognormal(9.6, 0.4, n), rng.normal(100, 80, n), rng.normal(150, 120, n)])
    cd146 = np.where((kind == 2) & (rng.random(n) < 0.5), rng.lognormal(8.8, 0.3, n), rng.normal(60, 90, n))
    cd271 = np.where(kind == 2, rng.lognormal(9.3, 0.3, n), rng.normal(60, 90, n))
    dyes = np.column_stack([cd45, cd146, cd271]) @ np.array([[1, 0.12, 0], [0.02, 1, 0.01], [0, 0.03, 1]])
    events = np.column_stack([size, size * rng.normal(0.9, 0.03, n), side, dyes, np.sort(rng.uniform(0, 60, n))])
    write_fcs(
        path,
        events.astype(np.float32),
        NAMES,
        labels=STAINS if stains is None else stains,
        keywords={"$SPILLOVER": SPILLOVER, "$TIMESTEP": "1", "$CYT": "Test cytometer"},
    )
    return path


def write_template(path: Path, text: str = TEMPLATE) -> Path:
    """Write the small template, or a changed one."""
    path.write_text(text, encoding="utf-8")
    return path
