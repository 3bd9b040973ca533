"""Batches that differ and mistakes in the lab: each is seen in the events or the file, and in the right direction."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from stromagate.fcs import read_fcs
from stromagate.simulate import write_tube
from stromagate.simulate.faults import LabFaults
from stromagate.simulate.instrument import PMT_POWER, instrument_for
from stromagate.simulate.mixes import HEALTHY_MARROW
from stromagate.simulate.panel import CEILING, DETECTORS, spillover
from stromagate.simulate.populations import MSC
from stromagate.simulate.scenario import Scenario
from stromagate.simulate.scenarios import scenario
from stromagate.simulate.truth import NO_PARTICLE
from stromagate.simulate.tube import Tube, TubeOrder, simulate_tube

FIRST = 5
MARKERS = [detector.marker for detector in DETECTORS]
BASE = TubeOrder(scenario("healthy"), "tube", "donor", n_events=60_000, seed=31)
STROMA_RICH = replace(scenario("healthy"), msc_ppm=60_000.0, endothelium_ppm=20_000.0)


@cache
def _plain(rich: bool = False) -> Tube:
    return simulate_tube(replace(BASE, scenario=STROMA_RICH if rich else BASE.scenario), workers=2)


def _with(faults: LabFaults, made: Scenario = BASE.scenario, **changes: object) -> Tube:
    return simulate_tube(replace(BASE, scenario=replace(made, lab=faults), **changes), workers=2)


def _median(tube: Tube, marker: str, *names: str, matrix: np.ndarray | None = None) -> float:
    rows = tube.truth.is_one_of(*names) & tube.truth.viable_singlet
    used = tube.instrument.true_matrix if matrix is None else matrix
    unmixed = tube.events[rows, FIRST:-1].astype(np.float64) @ np.linalg.inv(used)
    return float(np.median(unmixed[:, MARKERS.index(marker)]))


def test_the_second_batch_is_brighter_by_its_gain_and_compensated_right() -> None:
    """A locked gate must follow reference cells: every population moves by the same 0.15 decade."""
    plain, shifted = _plain(), _with(LabFaults(gain_shift_decades=0.15))
    for marker, name in [("CD45", "t_cell"), ("CD31", "monocyte"), ("CD34", "hspc")]:
        moved = np.log10(_median(shifted, marker, name) / _median(plain, marker, name))
        assert moved == pytest.approx(0.15, abs=0.02), marker
    assert shifted.instrument.stated == pytest.approx(shifted.instrument.true_matrix)
    assert [d.voltage for d in shifted.instrument.detectors] == [d.voltage for d in DETECTORS]


def test_gain_multiplies_photoelectrons_not_their_number() -> None:
    """A brighter setting shows no more photons: the relative spread of a bright population stays."""
    plain, bright = _plain(), _with(LabFaults(gain_shift_decades=0.15))
    spreads = []
    for tube in (plain, bright):
        cells = tube.truth.is_one_of("t_cell") & tube.truth.viable_singlet
        seen = tube.events[cells, FIRST + MARKERS.index("Viability")].astype(np.float64)
        spreads.append(np.std(seen) / np.mean(seen))
    assert spreads[1] == pytest.approx(spreads[0], rel=0.12)


def test_gains_of_batches_scatter_as_declared_and_belong_to_the_batch() -> None:
    faults = LabFaults(gain_sd_decades=0.10)

    def gains(batch: str) -> np.ndarray:
        return np.log10(instrument_for(faults, "a", seed=1, batch=batch, donor="d").gain)

    drawn = np.array([gains(f"batch {i}") for i in range(60)])
    assert drawn.std() == pytest.approx(0.10, rel=0.12)
    assert np.array_equal(gains("batch 1"), gains("batch 1"))


def test_autofluorescence_differs_by_donor() -> None:
    faults = LabFaults(af_sd_frac=0.20)
    factors = [instrument_for(faults, "a", seed=1, batch="b", donor=str(i)).autofluorescence for i in range(200)]
    assert np.std(np.log(factors)) == pytest.approx(0.20, rel=0.15)
    made = _with(faults, role="unstained")
    plain = _with(LabFaults(), role="unstained")
    seen = [np.median(t.events[t.truth.is_one_of("neutrophil"), FIRST]) for t in (made, plain)]
    assert seen[0] / seen[1] == pytest.approx(made.instrument.autofluorescence, rel=0.08)


def test_jitter_is_in_the_matrix_and_error_is_not() -> None:
    off = ~np.eye(len(DETECTORS), dtype=np.bool_) & (spillover() > 0)
    jittered = instrument_for(LabFaults(spillover_jitter_frac=0.1), "a", seed=1, batch="b", donor="d")
    assert jittered.stated == pytest.approx(jittered.true_matrix)
    assert np.std((jittered.stated / np.maximum(spillover(), 1e-9))[off]) == pytest.approx(0.1, rel=0.4)
    wrong = instrument_for(LabFaults(matrix_error_frac=0.10), "a", seed=1, batch="b", donor="d")
    assert wrong.true_matrix == pytest.approx(spillover())
    assert np.std((wrong.stated / np.maximum(spillover(), 1e-9))[off]) == pytest.approx(0.10, rel=0.4)
    assert np.diag(wrong.stated) == pytest.approx(1.0)


def test_bad_compensation_leaves_the_neighbour_tilted() -> None:
    """Over bright cells of one dye, what is left in another detector is the error of that coefficient."""
    tube = simulate_tube(replace(BASE, scenario=scenario("bad_compensation"), role="comp:PerCP-Cy5-5-A"))
    cd45, cd31 = MARKERS.index("CD45"), MARKERS.index("CD31")
    error = (tube.instrument.true_matrix - tube.instrument.stated)[cd45, cd31]
    left = tube.events[:, FIRST:-1].astype(np.float64) @ np.linalg.inv(tube.instrument.stated)
    cells = tube.truth.is_one_of("t_cell") & tube.truth.viable_singlet
    seen = left[cells]
    bright = seen[:, cd45] > np.percentile(seen[:, cd45], 70)
    dim = seen[:, cd45] < np.percentile(seen[:, cd45], 30)
    rise = np.median(seen[bright], axis=0) - np.median(seen[dim], axis=0)
    assert abs(error) > 0.002
    assert rise[cd31] / rise[cd45] == pytest.approx(error, abs=0.0025)


def test_compensating_twice_pulls_negatives_below_zero(tmp_path: Path) -> None:
    tube = simulate_tube(replace(BASE, scenario=scenario("double_compensation")))
    write_tube(tube, tmp_path / "t.fcs")
    sample = read_fcs(tmp_path / "t.fcs")
    assert sample.spillover.matrix == pytest.approx(spillover())
    cells = tube.truth.is_one_of("t_cell") & tube.truth.viable_singlet
    once = tube.events[cells, FIRST:-1].astype(np.float64)
    twice = once @ np.linalg.inv(spillover())
    cd105 = MARKERS.index("CD105")
    assert np.median(once[:, cd105]) > -20
    assert np.median(twice[:, cd105]) < -100


def test_an_omitted_antibody_leaves_nothing() -> None:
    tube = _with(LabFaults(omitted=("CD31",)), STROMA_RICH)
    assert _median(_plain(rich=True), "CD31", "endothelium") > 8_000
    assert _median(tube, "CD31", "endothelium") < 500
    assert _median(tube, "CD146", "endothelium") == pytest.approx(
        _median(_plain(rich=True), "CD146", "endothelium"), rel=0.1
    )


def test_a_wrong_antibody_shows_its_own_antigen_in_the_colour() -> None:
    tube = _with(LabFaults(wrong_antibody={"CD271": "CD105"}), STROMA_RICH)
    assert _median(_plain(rich=True), "CD271", "endothelium") < 1_000
    assert _median(tube, "CD271", "endothelium") > 8_000  # CD105 is bright on endothelium
    assert _median(tube, "CD105", "endothelium") > 8_000


def test_transposed_names_stand_on_each_others_detector(tmp_path: Path) -> None:
    tube = simulate_tube(replace(BASE, scenario=scenario("labels_transposed"), n_events=2_000))
    plain = simulate_tube(replace(BASE, n_events=2_000))
    assert tube.events.tobytes() == plain.events.tobytes()
    write_tube(tube, tmp_path / "t.fcs")
    named = {channel.pnn: channel.pns for channel in read_fcs(tmp_path / "t.fcs").channels}
    assert named["PE-A"] == "CD105"
    assert named["APC-A"] == "CD271"
    assert named["BV421-A"] == "CD146"


def test_other_voltages_are_written_and_the_matrix_does_not_fit(tmp_path: Path) -> None:
    made = scenario("other_voltages")
    tube = simulate_tube(replace(BASE, scenario=made))
    write_tube(tube, tmp_path / "t.fcs")
    keywords = read_fcs(tmp_path / "t.fcs").keywords
    for number, detector in enumerate(DETECTORS, start=FIRST + 1):
        decades = made.lab.other_voltage_decades.get(detector.marker, 0.0)
        assert int(keywords[f"$P{number}V"]) == round(detector.voltage * 10 ** (decades / PMT_POWER))
    for marker, name in [("CD45", "t_cell"), ("CD31", "monocyte")]:
        moved = np.log10(_median(tube, marker, name) / _median(_plain(), marker, name))
        assert moved == pytest.approx(made.lab.other_voltage_decades[marker], abs=0.02)
    assert tube.instrument.stated == pytest.approx(spillover())
    pair = MARKERS.index("CD45"), MARKERS.index("CD31")
    assert tube.instrument.true_matrix[pair] > 2 * spillover()[pair]


def test_low_headroom_puts_a_part_of_the_msc_at_the_ceiling() -> None:
    lab = scenario("scatter_ceiling").lab
    tube = _with(lab, STROMA_RICH)
    msc = tube.truth.is_one_of(*MSC) & (tube.truth.secondary == NO_PARTICLE)
    at_ceiling = (tube.events[msc, 0] >= CEILING).mean()
    assert 0.10 < at_ceiling < 0.40
    plain = _plain(rich=True)
    before = plain.truth.is_one_of(*MSC) & (plain.truth.secondary == NO_PARTICLE)
    assert (plain.events[before, 0] >= CEILING).mean() < 0.05


def test_blood_dilutes_what_is_of_marrow_alone() -> None:
    rich = replace(STROMA_RICH, marrow={**HEALTHY_MARROW, "plasma_cell": 0.03})
    plain, diluted = (
        simulate_tube(replace(BASE, scenario=replace(rich, blood_frac=frac)), workers=2) for frac in (0.0, 0.5)
    )

    def share(tube: Tube, *names: str) -> float:
        cells = ~tube.truth.is_one_of("debris", "erythrocyte")
        return float(tube.truth.is_one_of(*names)[cells].mean())

    for names in (MSC, ("endothelium",), ("plasma_cell",), ("late_erythroblast",)):
        assert share(diluted, *names) / share(plain, *names) == pytest.approx(0.5, abs=0.08), names
    assert share(diluted, "t_cell") > 1.3 * share(plain, "t_cell")
    assert diluted.marrow.msc_ppm == pytest.approx(0.5 * plain.marrow.msc_ppm)


@pytest.mark.parametrize("hours", [12.0, 24.0])
def test_cd146_rises_while_the_marrow_waits(hours: float) -> None:
    waited = simulate_tube(replace(BASE, scenario=replace(STROMA_RICH, hours_to_stain=hours)), workers=2)
    moved = np.log10(_median(waited, "CD146", "endothelium") / _median(_plain(rich=True), "CD146", "endothelium"))
    assert moved == pytest.approx(0.2 * hours / 24, abs=0.02)
    share = [t.truth.is_one_of(MSC[1]).sum() / t.truth.is_one_of(*MSC).sum() for t in (waited, _plain(rich=True))]
    assert share[0] > share[1]
    assert _median(waited, "CD271", *MSC) == pytest.approx(_median(_plain(rich=True), "CD271", *MSC), rel=0.03)


def test_cd146_declines_with_age() -> None:
    shares = []
    for age in (20, 45, 70):
        made = replace(scenario(f"age_{age}"), msc_ppm=60_000.0)
        tube = simulate_tube(replace(BASE, scenario=made), workers=2)
        shares.append(tube.truth.is_one_of(MSC[1]).sum() / tube.truth.is_one_of(*MSC).sum())
    assert shares[0] > shares[1] + 0.08 > shares[2] + 0.16


def test_an_fmo_of_another_day_has_other_gains_and_the_same_cells() -> None:
    made = scenario("fmo_other_day")
    stained = simulate_tube(replace(BASE, scenario=made, batch=made.batch, n_events=2_000))
    fmo = simulate_tube(replace(BASE, scenario=made, batch=made.fmo_batch, role="fmo:CD146", n_events=2_000))
    assert np.abs(np.log10(stained.instrument.gain / fmo.instrument.gain)).max() > 0.05
    assert stained.marrow.shares == pytest.approx(fmo.marrow.shares, rel=0.05)
