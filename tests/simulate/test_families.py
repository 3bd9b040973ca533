"""Two families of tubes: the second is made of other distributions on another instrument, and of the same biology."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from stromagate.errors import SpecificationError
from stromagate.fcs import read_fcs
from stromagate.simulate import write_tube
from stromagate.simulate.antigens import antigen_tables, draw_antigens
from stromagate.simulate.panel import ANTIGENS, DETECTORS, spillover
from stromagate.simulate.populations import MSC, code_of
from stromagate.simulate.residuals import SCORES, gamma_deviations
from stromagate.simulate.scenarios import scenario
from stromagate.simulate.tube import Tube, TubeOrder, simulate_tube

FIRST = 5
MARKERS = [detector.marker for detector in DETECTORS]
RICH = replace(scenario("healthy"), msc_ppm=60_000.0)
BASE = TubeOrder(RICH, "tube", "donor", n_events=80_000, seed=41)


@cache
def _tube(family: str, role: str = "stained") -> Tube:
    return simulate_tube(replace(BASE, family=family, role=role), workers=2)


def _moments(values: np.ndarray) -> tuple[float, float, float]:
    centred = values - values.mean()
    return values.mean(), values.std(), float((centred**3).mean() / values.std() ** 3)


@pytest.mark.parametrize("sd", [0.12, 0.25, 0.45])
@pytest.mark.parametrize("skew", [-0.2, 0.0, 0.1])
def test_deviations_have_the_spread_asked_for(sd: float, skew: float) -> None:
    table = gamma_deviations(np.array([[sd]]), np.array([[skew]]))[0, 0]
    assert np.all(np.diff(table) >= 0)
    scores = np.random.Generator(np.random.PCG64(0)).standard_normal(400_000)
    mean, spread, third = _moments(np.interp(scores, SCORES, table))
    assert mean == pytest.approx(0.0, abs=0.01 * sd)
    assert spread == pytest.approx(sd, rel=0.02)
    # A gamma has its long tail below in decades, unless the phenotype says that its tail is above.
    assert (third > 0.1) if skew > 0 else (third < -0.1)


def test_the_families_are_of_other_shape_and_the_same_place() -> None:
    codes = np.full(200_000, code_of("t_cell"), dtype=np.uint8)
    cd31, found = ANTIGENS.index("CD31"), {}
    for family in ("a", "b"):
        rng = np.random.Generator(np.random.PCG64(5))
        drawn, _ = draw_antigens(codes, np.zeros(codes.size), antigen_tables({}, 0.3, family=family), rng)
        found[family] = _moments(np.log10(drawn[:, cd31]))
    assert found["b"][0] == pytest.approx(found["a"][0], abs=0.02)
    assert found["b"][1] == pytest.approx(found["a"][1], rel=0.06)
    assert found["b"][2] < found["a"][2] - 0.3


def test_heavy_tails_reach_further_than_a_normal() -> None:
    table = gamma_deviations(np.array([[0.2]]), np.array([[0.1]]))[0, 0]
    assert np.interp(3.3, SCORES, table) > 0.2 * 3.3 * 1.1


def test_the_share_of_cd146_is_the_same_in_both() -> None:
    shares = [t.truth.is_one_of(MSC[1]).sum() / t.truth.is_one_of(*MSC).sum() for t in map(_tube, "ab")]
    # This donor's CD146 lies a little above the median; how many cells that takes over the cut depends on the shape.
    assert shares[1] == pytest.approx(shares[0], abs=0.06)


def test_cd146_of_msc_stays_without_a_gap() -> None:
    tube = _tube("b")
    rows = tube.truth.is_one_of(*MSC) & tube.truth.viable_singlet
    seen = tube.events[rows, FIRST:-1].astype(np.float64) @ np.linalg.inv(tube.instrument.true_matrix)
    log = np.log10(np.maximum(seen[:, MARKERS.index("CD146")] / tube.instrument.gain[MARKERS.index("CD146")], 30))
    counts, _ = np.histogram(log, bins=np.arange(2.6, 3.85, 0.15))
    # Nowhere between the ends are there fewer cells than at the upper one.
    assert counts[:-1].min() >= counts[-1]
    assert counts[-1] > 30


def test_spillover_and_voltages_are_others(tmp_path: Path) -> None:
    assert np.abs(spillover("b") - spillover("a")).max() > 0.03
    write_tube(_tube("b"), tmp_path / "b.fcs")
    sample = read_fcs(tmp_path / "b.fcs", policy="strict")
    assert sample.keywords["STROMAGATE_FAMILY"] == "b"
    volts = [int(sample.keywords[f"$P{FIRST + 1 + i}V"]) for i in range(len(DETECTORS))]
    assert all(volt != detector.voltage for volt, detector in zip(volts, DETECTORS, strict=True))
    assert sample.spillover.matrix == pytest.approx(_tube("b").instrument.true_matrix, rel=1e-5)


def test_the_stated_matrix_is_the_one_single_stains_show() -> None:
    """Measured at this family's gains, over cells of one dye, whatever their autofluorescence."""
    pnn = "PerCP-Cy5-5-A"
    tube = _tube("b", f"comp:{pnn}")
    dye = [detector.pnn for detector in DETECTORS].index(pnn)
    seen = tube.events[tube.truth.is_one_of("t_cell") & tube.truth.viable_singlet, FIRST:-1].astype(np.float64)
    bright, dim = (
        seen[seen[:, dye] > np.percentile(seen[:, dye], 80)],
        seen[seen[:, dye] < np.percentile(seen[:, dye], 20)],
    )
    rise = np.median(bright, axis=0) - np.median(dim, axis=0)
    assert rise / rise[dye] == pytest.approx(tube.instrument.stated[dye], abs=0.012)


def test_depletion_works_on_both() -> None:
    kept = []
    for family in ("a", "b"):
        tube = simulate_tube(replace(BASE, scenario=scenario("healthy"), family=family, prepared="cd45_depleted"))
        kept.append(tube.truth.is_one_of(*MSC).sum())
    assert min(kept) > 40


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(SpecificationError, match="family 'c'") as refused:
        simulate_tube(replace(BASE, family="c"))
    assert refused.value.code == "simulate.family"
