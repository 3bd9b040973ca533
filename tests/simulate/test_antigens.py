"""Antigen signals: their distributions, their company, and the continuum of CD146."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.simulate.antigens import SIZE_CORRELATION, antigen_tables, bend, draw_antigens
from stromagate.simulate.panel import ANTIGENS
from stromagate.simulate.phenotype import Signal
from stromagate.simulate.populations import NAMES, POPULATIONS, code_of
from stromagate.simulate.stromal_cells import CD146_OF_MSC

N = 60_000


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def _logs(name: str, share: float = 0.3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    codes = np.full(N, code_of(name), dtype=np.uint8)
    size = _rng(1).standard_normal(N)
    signal, high = draw_antigens(codes, size, antigen_tables({}, share), _rng(2))
    return np.log10(signal), high, size


@settings(derandomize=True, max_examples=60)
@given(st.floats(-0.25, 0.25))
def test_bent_scores_keep_their_order_mean_and_variance(skew: float) -> None:
    grid = np.linspace(-6, 6, 2_001)
    bent = bend(grid, skew)
    assert np.all(np.diff(bent) > 0)
    weight = np.exp(-0.5 * grid**2)
    weight /= weight.sum()
    assert weight @ bent == pytest.approx(0, abs=1e-6)
    assert weight @ bent**2 == pytest.approx(1, abs=1e-4)
    assert np.sign(weight @ bent**3) == np.sign(skew) or abs(skew) < 1e-3


@pytest.mark.parametrize("name", [name for name in NAMES if name != "debris"])
def test_every_population_shows_its_declared_signals(name: str) -> None:
    logs, _, _ = _logs(name)
    for antigen, signal in POPULATIONS[code_of(name)].signals.items():
        if isinstance(signal, Signal) and signal.tail_frac < 0.03:
            column = logs[:, ANTIGENS.index(antigen)]
            assert np.mean(column) == pytest.approx(
                signal.log10 + signal.tail_frac * (signal.tail_log10 - signal.log10), abs=0.01
            )
            assert np.percentile(column, 84) - np.percentile(column, 16) == pytest.approx(
                2 * signal.sd_decades, rel=0.12
            )


def test_signals_go_with_size() -> None:
    logs, _, size = _logs("blast")
    for antigen in ("CD45", "CD31", "CD71"):
        together = np.corrcoef(logs[:, ANTIGENS.index(antigen)], size)[0, 1]
        assert together == pytest.approx(SIZE_CORRELATION, abs=0.03)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.12, 0.3, 0.5, 0.7, 0.95, 1.0])
def test_the_share_of_progenitors_is_the_scenario_s(share: float) -> None:
    _, high, _ = _logs("msc_cd146neg", share)
    assert high.mean() == pytest.approx(share, abs=0.012)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_cd146_of_msc_has_no_gap(share: float) -> None:
    logs, high, _ = _logs("msc_cd146neg", share)
    cd146 = logs[:, ANTIGENS.index("CD146")]
    assert np.array_equal(high, cd146 >= CD146_OF_MSC.cut_log10)
    between = (cd146 > CD146_OF_MSC.low_log10 + 0.25) & (cd146 < CD146_OF_MSC.high_log10 - 0.25)
    assert 0.25 < between.mean() < 0.55
    counts, _ = np.histogram(cd146, bins=np.arange(2.0, 4.01, 0.1))
    assert counts.min() > 0.005 * N


def test_msc_are_cd45_negative_to_low_with_a_sticky_tail() -> None:
    logs, _, _ = _logs("msc_cd146neg")
    cd45 = logs[:, ANTIGENS.index("CD45")]
    assert np.median(cd45) == pytest.approx(2.0, abs=0.1)
    assert 0.02 < np.mean(cd45 > 2.8) < 0.10


def test_only_msc_are_called_cd146_high() -> None:
    codes = np.arange(N, dtype=np.intp) % len(NAMES)
    _, high = draw_antigens(codes.astype(np.uint8), np.zeros(N), antigen_tables({}, 1.0), _rng(3))
    assert set(np.unique(codes[high])) == {code_of("msc_cd146neg"), code_of("progenitors")}


def test_a_donor_s_shift_moves_the_antigen_and_no_other() -> None:
    codes = np.full(2_000, code_of("endothelium"), dtype=np.uint8)
    plain, _ = draw_antigens(codes, np.zeros(2_000), antigen_tables({}, 0.3), _rng(4))
    moved, _ = draw_antigens(codes, np.zeros(2_000), antigen_tables({"CD31": 0.2}, 0.3), _rng(4))
    ratio = np.log10(moved / plain)
    assert ratio[:, ANTIGENS.index("CD31")] == pytest.approx(0.2, abs=1e-9)
    assert np.delete(ratio, ANTIGENS.index("CD31"), axis=1) == pytest.approx(0.0, abs=1e-9)
