"""Pulses: where populations lie, and what two particles in the beam look like."""

from __future__ import annotations

import numpy as np
import pytest

from stromagate.simulate.panel import CEILING
from stromagate.simulate.populations import code_of
from stromagate.simulate.scatter import TRIGGER_UNITS, WIDTH_UNITS, Pulses, columns, draw_pulses

N = 20_000
FSC_A, FSC_H, FSC_W, SSC_A, SSC_H = range(5)
NONE = np.empty(0, dtype=np.intp)


def _pulses(name: str, n: int = N, seed: int = 0) -> Pulses:
    rng = np.random.Generator(np.random.PCG64(seed))
    codes = np.full(n, code_of(name), dtype=np.uint8)
    return draw_pulses(codes, rng.standard_normal(n), np.zeros(n, dtype=np.bool_), rng)


def _singles(name: str) -> np.ndarray:
    pulses = _pulses(name)
    return columns(pulses, pulses.take(NONE), NONE, np.empty(0)).astype(np.float64)


def _pairs(name: str, gap_um: float) -> np.ndarray:
    first, second = _pulses(name, seed=1), _pulses(name, seed=2)
    return columns(first, second, np.arange(N), np.full(N, gap_um)).astype(np.float64)


@pytest.mark.parametrize(
    ("name", "fsc", "ssc"),
    [
        ("t_cell", 60_000, 20_000),
        ("monocyte", 95_000, 55_000),
        ("neutrophil", 100_000, 120_000),
        ("blast", 78_000, 28_000),
        ("late_erythroblast", 36_000, 11_000),
        ("msc_cd146neg", 130_000, 90_000),
    ],
)
def test_populations_lie_where_they_should(name: str, fsc: float, ssc: float) -> None:
    seen = _singles(name)
    assert np.median(seen[:, FSC_A]) == pytest.approx(fsc, rel=0.02)
    assert np.median(seen[:, SSC_A]) == pytest.approx(ssc, rel=0.02)
    assert seen.min() >= 0
    assert seen.max() <= CEILING
    assert np.array_equal(seen, np.rint(seen))


def test_debris_falls_off_above_the_trigger() -> None:
    fsc = _singles("debris")[:, FSC_A]
    assert fsc.min() >= TRIGGER_UNITS
    assert np.mean(fsc < 25_000) > 0.9
    assert np.median(fsc) < 12_000


def test_area_over_height_of_one_cell_grows_with_its_size() -> None:
    ratios = {name: _singles(name) for name in ("t_cell", "neutrophil", "msc_cd146neg")}
    medians = {name: np.median(seen[:, FSC_A] / seen[:, FSC_H]) for name, seen in ratios.items()}
    assert medians["t_cell"] == pytest.approx(1.0, abs=0.01)
    assert 1.05 < medians["neutrophil"] < medians["msc_cd146neg"] < 1.35
    lymph = ratios["t_cell"]
    spread = np.std(np.log(lymph[:, FSC_A] / lymph[:, FSC_H]))
    assert 0.025 < spread < 0.045


def test_width_is_area_over_height() -> None:
    seen = _singles("monocyte")
    assert seen[:, FSC_W] == pytest.approx(WIDTH_UNITS * seen[:, FSC_A] / seen[:, FSC_H], rel=1e-3)


def test_areas_add_and_heights_do_not() -> None:
    single, pair = _singles("t_cell"), _pairs("t_cell", 6.5)
    assert np.median(pair[:, FSC_A]) == pytest.approx(2 * np.median(single[:, FSC_A]), rel=0.02)
    assert np.median(pair[:, SSC_A]) == pytest.approx(2 * np.median(single[:, SSC_A]), rel=0.02)
    ratio = pair[:, FSC_A] / pair[:, FSC_H]
    assert 1.2 < np.median(ratio) < 1.6
    # Nearly all of these pairs lie outside of what single lymphocytes show.
    assert np.mean(ratio > np.percentile(single[:, FSC_A] / single[:, FSC_H], 99.9)) > 0.95


def test_two_cells_side_by_side_look_like_one_and_far_apart_like_two() -> None:
    aside, apart = _pairs("t_cell", 0.0), _pairs("t_cell", 45.0)
    assert np.median(aside[:, FSC_A] / aside[:, FSC_H]) == pytest.approx(1.0, abs=0.01)
    assert np.median(apart[:, FSC_A] / apart[:, FSC_H]) == pytest.approx(1.95, abs=0.1)


def test_the_longer_the_gap_the_wider_the_pulse() -> None:
    widths = [np.median(_pairs("blast", gap)[:, FSC_W]) for gap in (0.0, 4.0, 8.0, 12.0, 20.0)]
    assert np.all(np.diff(widths) > 0)


def test_dead_cells_shrink() -> None:
    rng = np.random.Generator(np.random.PCG64(5))
    codes = np.full(N, code_of("neutrophil"), dtype=np.uint8)
    dead = draw_pulses(codes, rng.standard_normal(N), np.ones(N, dtype=np.bool_), rng)
    assert np.median(dead.fsc_a) < 0.8 * np.median(_pulses("neutrophil").fsc_a)
