"""Photons and noise: what a real detector does to light, held against the formulas of the field."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stromagate.simulate.optics import autofluorescence, detect, draw_leaks, dye_signals, light
from stromagate.simulate.panel import ANTIGENS, CEILING, DETECTORS, spillover
from stromagate.simulate.populations import code_of
from stromagate.simulate.stain import stain_for

N = 200_000


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def test_variance_grows_with_the_mean_by_the_gain() -> None:
    """Poisson statistics: var = g x mean + electronic noise, the quality-control plot of every cytometer."""
    levels = np.array([50.0, 500.0, 2_000.0, 8_000.0, 30_000.0])
    variances = np.array([detect(np.full((60_000, 8), level), _rng(1)).var(axis=0) for level in levels])
    for column, detector in enumerate(DETECTORS):
        slope, intercept = np.polyfit(levels, variances[:, column], 1, w=1 / levels)
        assert slope == pytest.approx(detector.units_per_photoelectron, rel=0.03)
        assert intercept == pytest.approx(detector.electronic_sd_units**2, rel=0.15)


def test_a_dark_detector_scatters_around_zero() -> None:
    dark = detect(np.zeros((N, 8)), _rng(2))
    assert np.all(np.abs(dark.mean(axis=0)) < 0.5)
    assert dark.min() < -50
    for column, detector in enumerate(DETECTORS):
        assert dark[:, column].std() == pytest.approx(detector.electronic_sd_units, rel=0.02)


def test_nothing_exceeds_the_ceiling_and_everything_is_whole() -> None:
    seen = detect(np.full((1_000, 8), 1e6), _rng(3))
    assert np.all(seen == CEILING)
    dim = detect(np.full((1_000, 8), 333.3), _rng(3))
    assert np.array_equal(dim, np.rint(dim))
    assert dim.dtype == np.float32


@pytest.mark.parametrize(("g_i", "g_j", "share", "expected"), [(20.0, 10.0, 0.1, 1.095), (5.0, 20.0, 0.5, 3.354)])
def test_spillover_spread_of_two_detectors(g_i: float, g_j: float, share: float, expected: float) -> None:
    """The spreading error of Nguyen 2013: SSM = sqrt(g_j s + s^2 g_i), after compensation, per root of intensity."""
    pair = [
        replace(DETECTORS[0], units_per_photoelectron=g_i, electronic_sd_units=0.0),
        replace(DETECTORS[1], units_per_photoelectron=g_j, electronic_sd_units=0.0),
    ]
    matrix = np.array([[1.0, share], [0.0, 1.0]])
    intensity = 40_000.0
    dyes = np.tile([intensity, 0.0], (N, 1))
    measured = detect(light(dyes, np.zeros((1, 2)), matrix), _rng(4), pair).astype(np.float64)
    spread = (measured @ np.linalg.inv(matrix))[:, 1].std() / np.sqrt(intensity)
    assert np.sqrt(g_j * share + share**2 * g_i) == pytest.approx(expected, abs=5e-4)
    assert spread == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("dye", range(len(DETECTORS)))
def test_the_matrix_is_recovered_from_single_stains(dye: int) -> None:
    """Two beads of one dye: the slope in every other detector is the share that was put in; and so is the spread."""
    gains = np.array([detector.units_per_photoelectron for detector in DETECTORS])
    bright = np.zeros((40_000, len(DETECTORS)))
    bright[:, dye] = 50_000.0
    high = detect(light(bright, np.zeros(8)), _rng(5)).astype(np.float64)
    low = detect(light(bright / 50, np.zeros(8)), _rng(6)).astype(np.float64)
    rise = high.mean(axis=0) - low.mean(axis=0)
    assert rise / rise[dye] == pytest.approx(spillover()[dye], abs=3e-4)
    unmixed = [events @ np.linalg.inv(spillover()) for events in (high, low)]
    grown = (unmixed[0].var(axis=0) - unmixed[1].var(axis=0)) / (unmixed[0][:, dye].mean() - unmixed[1][:, dye].mean())
    # The formula for two detectors holds to first order in the other shares, hence for pairs without a detour.
    shares = spillover()[dye]
    expected = gains * shares + shares**2 * gains[dye]
    others = np.flatnonzero((shares > 0.02) & (np.arange(8) != dye))
    assert np.sqrt(grown[others]) == pytest.approx(np.sqrt(expected[others]), rel=0.10)


def test_an_antibody_left_out_leaves_nothing() -> None:
    codes = np.full(5_000, code_of("progenitors"), dtype=np.uint8)
    antigen = np.full((codes.size, len(ANTIGENS)), 3_000.0)
    dead = (np.arange(codes.size) % 2).astype(np.float64)
    pe = [detector.marker for detector in DETECTORS].index("CD271")
    stained = dye_signals(codes, antigen, dead, stain_for("stained"), _rng(7))
    without = dye_signals(codes, antigen, dead, stain_for("fmo:CD271"), _rng(7))
    assert np.all(without[:, pe] == 0.0)
    assert np.array_equal(np.delete(stained, pe, axis=1), np.delete(without, pe, axis=1))
    assert not dye_signals(codes, antigen, dead, stain_for("unstained"), _rng(7)).any()


def test_a_single_stain_is_one_dye_alone() -> None:
    codes = np.full(100, code_of("t_cell"), dtype=np.uint8)
    antigen = np.full((codes.size, len(ANTIGENS)), 500.0)
    alone = dye_signals(codes, antigen, np.zeros(100), stain_for("comp:FITC-A"), _rng(8))
    assert np.flatnonzero(alone.any(axis=0)).tolist() == [0]
    # Two antibodies carry that dye.
    assert np.all(alone[:, 0] == 1_000.0)


def test_dead_cells_take_up_every_dye_together() -> None:
    codes = np.full(20_000, code_of("t_cell"), dtype=np.uint8)
    antigen = np.full((codes.size, len(ANTIGENS)), 10.0)
    living, dying = np.zeros(codes.size), np.ones(codes.size)
    live = dye_signals(codes, antigen, living, stain_for("stained"), _rng(9))
    dead = dye_signals(codes, antigen, dying, stain_for("stained"), _rng(9))
    assert np.all(np.median(dead, axis=0) > 20 * np.median(live, axis=0))
    logs = np.log10(dead[:, [2, 3, 4, 5, 6]])
    assert np.corrcoef(logs.T).min() > 0.7
    size = np.zeros(codes.size)
    glow_live = autofluorescence(codes, size, living, _rng(10))
    glow_dead = autofluorescence(codes, size, dying, _rng(10))
    assert 5 < np.median(glow_dead[:, 0] / np.median(glow_live[:, 0])) < 20


def test_stroma_glows_three_to_eight_times_a_leukocyte() -> None:
    alive = np.zeros(5_000)

    def glow(name: str) -> float:
        codes = np.full(alive.size, code_of(name), dtype=np.uint8)
        return float(np.median(autofluorescence(codes, np.zeros(alive.size), alive, _rng(11))[:, 0]))

    assert 100 < glow("t_cell") < 250
    assert 1.5 < glow("monocyte") / glow("t_cell") < 2.5
    assert 3 < glow("progenitors") / glow("t_cell") < 8


def test_dying_cells_lie_on_the_way_from_living_to_dead() -> None:
    """What lets in a tenth of one dye lets in a tenth of all: no dye tells a dying cell dead and another one alive."""
    codes = np.full(20_000, code_of("t_cell"), dtype=np.uint8)
    antigen = np.full((codes.size, len(ANTIGENS)), 10.0)

    def medians(leak: float) -> np.ndarray:
        return np.median(dye_signals(codes, antigen, np.full(codes.size, leak), stain_for("stained"), _rng(12)), axis=0)

    alive, dying, dead = medians(0.0), medians(0.1), medians(1.0)
    assert np.all(alive < dying)
    assert dead - alive == pytest.approx(10 * (dying - alive), rel=0.1)
    leaks = draw_leaks(np.arange(40_000) % 2 == 0, _rng(13))
    assert np.all(leaks[1::2] == 0.0)
    assert 0.8 < np.mean(leaks[::2] == 1.0) < 0.9
    assert leaks[::2].min() > 0.03
