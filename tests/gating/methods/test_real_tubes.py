"""Fitted boundaries on real tubes against an independent density, hand-drawn gates, and known clusters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.random import default_rng
from scipy.stats import gaussian_kde

from stromagate.fcs import read_fcs
from stromagate.gating.methods import singlet, time, valley
from stromagate.model.gates import Interval, Polygon, Spans
from stromagate.model.sample import F64
from stromagate.model.scales import Scale
from stromagate.prepare.scales import forward
from tests.gating.methods.populations import FakePopulation, one_axis
from tests.reference_data import DATA, needs_reference_data

pytestmark = needs_reference_data
ACTIVATION = DATA / "cytoexplorer"
GVHD = DATA / "real/burtonrj+CytoPy/tests/assets/gvhd_fcs"


def columns(path: str) -> dict[str, F64]:
    sample = read_fcs(path)
    return {name: sample.events[:, i].astype(np.float64) for i, name in enumerate(sample.pnn)}


def activation_signals(tube: int) -> Iterator[F64]:
    """Yield the compensated signals of a tube in display units."""
    document = json.loads((ACTIVATION / "gate_tree.json").read_text())
    tube_columns = columns(str(ACTIVATION / f"Activation_{tube}.fcs"))
    channels = document["compensation"]["channels"]
    measured = np.stack([tube_columns[name] for name in channels], axis=1)
    signals = measured @ np.linalg.inv(np.array(document["compensation"]["matrix"]))
    for i, name in enumerate(channels):
        t = document["transforms"][name]
        yield forward(Scale("logicle", t["T"], t["W"], t["M"], t["A"]), signals[:, i].copy())


def independent_minimum(values: F64, low: float, high: float) -> float:
    """Return the minimum of a Gaussian kernel density (scipy's) between two peaks."""
    subset = values[default_rng(0).permutation(values.size)[:8_000]]
    # Silverman's rule is made for one population; these have two or three.
    density = gaussian_kde(subset, lambda kernel: 0.6 * kernel.silverman_factor())
    grid = np.linspace(low, high, 300)
    return float(grid[np.argmin(density(grid))])


def told_peaks(sentence: str) -> tuple[float, float]:
    found = re.search(r"between peaks at (\S+) and (\S+),", sentence)
    assert found, sentence
    return float(found[1].replace(",", "")), float(found[2].replace(",", ""))


def moved_shares(signals: Iterator[F64]) -> list[float]:
    """Return, for every signal with a valley, the share of events that the independent cut would move."""
    shares = []
    for values in signals:
        params = valley.Params(axis="CD45", keep="above")
        fitted = valley.fit(one_axis(values), params, default_rng(0))
        if fitted.geometry is None:
            continue
        assert isinstance(fitted.geometry, Interval)
        cut = fitted.geometry.low or 0.0
        other = independent_minimum(values, *told_peaks(fitted.sentence))
        shares.append(float(np.mean((values >= cut) != (values >= other))))
    return shares


def test_valleys_of_activated_t_cells_agree_with_an_independent_density() -> None:
    shares = [share for tube in (2, 10, 22) for share in moved_shares(activation_signals(tube))]
    assert len(shares) >= 15
    assert np.median(shares) < 0.01
    assert max(shares) < 0.03


def test_valleys_of_old_ten_bit_tubes_agree_with_an_independent_density() -> None:
    """1,024 channels on a log scale: a comb of values, events piled on the lowest."""
    paths = sorted(GVHD.glob("*.fcs"))
    assert len(paths) == 8
    shares = []
    for path in paths:
        tube = columns(str(path))
        scale = Scale("asinh", 10_000.0, 0.0, 3.0, 0.0)
        shares += moved_shares(forward(scale, tube[name]) for name in tube if name.startswith("FL"))
    assert len(shares) >= 8
    assert np.median(shares) < 0.01
    assert max(shares) < 0.06


@pytest.mark.parametrize("tube", [2, 10, 22])
def test_singlets_agree_with_the_gate_drawn_by_hand(tube: int) -> None:
    masks = np.load(ACTIVATION / f"Activation_{tube}.masks.npz")
    raw = columns(str(ACTIVATION / f"Activation_{tube}.fcs"))
    area, height = raw["FSC-A"], raw["FSC-H"]
    drawn = {
        str(path).rsplit("/", 1)[-1]: np.unpackbits(row)[: area.size].astype(bool)
        for path, row in zip(masks["paths"], masks["packed"], strict=True)
    }
    population = FakePopulation({"FSC-A": area.astype(np.float32), "FSC-H": height.astype(np.float32)})
    fitted = singlet.fit(population, singlet.Params(), default_rng(0))
    assert isinstance(fitted.geometry, Polygon)
    kept = in_polygon(fitted.geometry, area, height)
    cells = drawn["Cells"]
    assert np.mean((kept == drawn["Single Cells"])[cells]) > 0.95


def in_polygon(polygon: Polygon, x: F64, y: F64) -> np.ndarray:
    inside = np.zeros(x.size, dtype=bool)
    for (x0, y0), (x1, y1) in zip(polygon.vertices, [*polygon.vertices[1:], polygon.vertices[0]], strict=True):
        if y0 != y1:
            inside ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return inside


@pytest.mark.parametrize("tube", [2, 10, 22])
def test_steady_tubes_lose_no_time(tube: int) -> None:
    raw = columns(str(ACTIVATION / f"Activation_{tube}.fcs"))
    population = FakePopulation({name: values.astype(np.float32) for name, values in raw.items()})
    fitted = time.fit(population, time.Params(), default_rng(0))
    assert isinstance(fitted.geometry, Spans), fitted.sentence
    ((low, high),) = fitted.geometry.spans
    assert low <= raw["Time"].min()
    assert high > raw["Time"].max()
