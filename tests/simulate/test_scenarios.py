"""The contract of every scenario, in both families: a tube that is whole, readable and true to itself."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stromagate.errors import DocumentError, SpecificationError
from stromagate.fcs import read_fcs
from stromagate.simulate import SCENARIOS, THEMES, scenario, write_tube
from stromagate.simulate.faults import LabFaults, RunFaults
from stromagate.simulate.further_antigens import FURTHER
from stromagate.simulate.panel import ANTIGENS, CEILING, DETECTORS, channel_names
from stromagate.simulate.phenotype import Signal
from stromagate.simulate.populations import MSC, NAMES, code_of
from stromagate.simulate.scenario import Scenario
from stromagate.simulate.truth import BUBBLE, CARRYOVER, NO_PARTICLE, count_rows
from stromagate.simulate.tube import TubeOrder, simulate_tube

# The grid that accuracy is scored on.
GRID = {
    *("clean", "low_n", "low_viability", "aml_blast90", "aml_cd34neg", "aml_monocytic", "aml_erythroid", "plasma_rich"),
    *("ec_rich_weak_cd31", "cd146_t_cell_rich", "hemodiluted", "normoxia", "age_20", "age_45", "age_70", "clog"),
    *("drift", "bad_compensation", "double_compensation", "fmo_missing", "fmo_small", "scatter_ceiling"),
    *("doublet_rich_digest", "cultured_msc", "no_stroma", "two_batch_a", "two_batch_b"),
    *(f"spike_{ppm}" for ppm in (0, 3, 10, 30, 100, 300, 1000)),
}


def test_the_whole_grid_is_there_and_names_are_names() -> None:
    names = [made.name for made in SCENARIOS]
    assert set(names) >= GRID
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)
    assert len({made.title for made in SCENARIOS}) == len(SCENARIOS)
    assert [made for theme in THEMES.values() for made in theme] == list(SCENARIOS)


@pytest.mark.parametrize("made", SCENARIOS, ids=lambda made: made.name)
def test_what_is_declared_exists(made: Scenario) -> None:
    markers = {detector.marker for detector in DETECTORS}
    assert {*made.marrow, *made.blood, *made.signals} <= set(NAMES)
    assert {antigen for signals in made.signals.values() for antigen in signals} <= {*ANTIGENS, *FURTHER}
    assert {*made.lab.omitted, *made.lab.wrong_antibody, *made.lab.wrong_antibody.values()} <= set(ANTIGENS)
    assert {*made.lab.transposed, *made.lab.other_voltage_decades} <= markers
    assert scenario(made.run.carryover_from).run.carryover_frac == 0
    assert 0 <= made.blood_frac < 1
    assert 0 <= made.fmo_frac <= 1


@pytest.mark.parametrize("family", ["a", pytest.param("b", marks=pytest.mark.soak)])
@pytest.mark.parametrize("made", SCENARIOS, ids=lambda made: made.name)
def test_every_scenario_makes_a_sound_tube(made: Scenario, family: str, tmp_path: Path) -> None:
    order = TubeOrder(made, "t", made.donor or made.name, batch=made.batch, n_events=6_000, seed=7, family=family)
    tube = simulate_tube(order)
    events, truth = tube.events, tube.truth
    assert events.shape == (6_000, len(channel_names()))
    assert np.isfinite(events).all()
    assert np.array_equal(events, np.rint(events))
    assert events.max() <= CEILING
    assert events[:, :5].min() >= 0
    assert np.all(np.diff(events[:, -1]) >= 0)
    assert set(np.unique(truth.primary)) <= {code_of(name) for name in truth.counted}
    assert set(np.unique(truth.secondary)) <= {*(code_of(name) for name in truth.counted), NO_PARTICLE}
    if not made.run.bubbles:
        assert not (truth.flags & BUBBLE).any()
    counts = {str(row[1]): row for row in count_rows("t", truth)}
    own = int((truth.flags & CARRYOVER == 0).sum())
    assert sum(int(counts[name][2]) for name in truth.counted) == own + int(
        ((truth.secondary != NO_PARTICLE) & (truth.flags & CARRYOVER == 0)).sum()
    )
    write_tube(tube, tmp_path / "t.fcs")
    sample = read_fcs(tmp_path / "t.fcs", policy="strict")
    assert sample.verdict == "ok"
    assert sample.keywords["STROMAGATE_SCENARIO"] == made.name
    assert sample.spillover.matrix == pytest.approx(tube.instrument.stated, rel=1e-5, abs=1e-7)
    assert np.array_equal(sample.events[:, :-1], events[:, :-1])


@pytest.mark.parametrize("made", SCENARIOS, ids=lambda made: made.name)
def test_msc_are_as_many_as_the_scenario_says(made: Scenario) -> None:
    """Over a tube large enough for the scenario: within five standard deviations of clumped counts."""
    raised = replace(made, msc_ppm=max(made.msc_ppm, 0.0) * (1 if made.msc_ppm > 1_000 else 40), msc_ppm_gsd=1.0)
    tube = simulate_tube(TubeOrder(raised, "t", "d", n_events=40_000, seed=3))
    own = tube.truth.flags & (CARRYOVER | BUBBLE) == 0
    nucleated = own & ~tube.truth.is_one_of("debris", "erythrocyte")
    expected = tube.marrow.msc_ppm / 1e6 * nucleated.sum()
    found = int((tube.truth.is_one_of(*MSC) & own).sum())
    assert abs(found - expected) < 5 * expected**0.5 + 0.02 * expected + 3


def test_spikes_rise_as_they_are_called() -> None:
    spikes = [made for made in SCENARIOS if made.name.startswith("spike_")]
    assert [made.msc_ppm for made in spikes] == [float(made.name.removeprefix("spike_")) for made in spikes]
    assert simulate_tube(TubeOrder(spikes[0], "t", "d", n_events=50_000)).truth.is_one_of(*MSC).sum() == 0


def test_the_two_batches_share_their_donor() -> None:
    first, second = scenario("two_batch_a"), scenario("two_batch_b")
    assert first.donor == second.donor
    assert first.batch != second.batch


def test_a_wrong_name_is_met_with_the_nearest() -> None:
    with pytest.raises(SpecificationError, match="did you mean 'aml_blast90'") as refused:
        scenario("aml_blasts90")
    assert refused.value.code == "simulate.scenario"


@pytest.mark.parametrize(
    ("change", "field", "hint"),
    [
        ({"marrow": {"neutrophils": 1.0}}, "marrow", "'neutrophil'"),
        ({"marrow": {"t_cell": -1.0}}, "marrow", None),
        ({"marrow": {"t_cell": float("nan")}}, "marrow", None),
        ({"marrow": {}}, "marrow", None),
        ({"signals": {"blasts": {}}}, "signals", "'blast'"),
        ({"signals": {"blast": {"CD435": Signal(3.0)}}}, "signals[blast]", "CD"),
        ({"shifts_decades": {"CD146a": 0.1}}, "shifts_decades", "CD"),
        ({"msc_ppm": -1.0}, "msc_ppm", None),
        ({"msc_ppm": 999_999.0}, "msc_ppm", None),
        ({"dead_frac": 1.5}, "dead_frac", "0 to 1"),
        ({"blood_frac": 1.0}, "blood_frac", "0 to 0.99"),
        ({"doublet_frac": float("nan")}, "doublet_frac", "0 to 1"),
        ({"run": RunFaults(clogs=11)}, "run.clogs", "0 to 10"),
        ({"run": RunFaults(drift_channels=9)}, "run.drift_channels", "0 to 8"),
        ({"run": RunFaults(carryover_frac=0.5)}, "run.carryover_frac", "0 to 0.1"),
        ({"lab": LabFaults(omitted=("CD2711",))}, "lab.omitted", "'CD271'"),
        ({"lab": LabFaults(wrong_antibody={"CD271": "CD10"})}, "lab.wrong_antibody", "CD105"),
        ({"lab": LabFaults(transposed=("CD271",))}, "lab.transposed", "two"),
        ({"lab": LabFaults(scatter_gain=0.0)}, "lab.scatter_gain", "0.1 to 10"),
        ({"lab": LabFaults(other_voltage_decades={"CD45": 9.0})}, "lab.other_voltage_decades[CD45]", "-2 to 2"),
    ],
)
def test_a_scenario_that_cannot_be_is_refused(change: dict[str, Any], field: str, hint: str | None) -> None:
    order = TubeOrder(replace(scenario("healthy"), **change), "t", "d", n_events=100)
    with pytest.raises(DocumentError) as refused:
        simulate_tube(order)
    assert refused.value.code == "simulate.scenario_invalid"
    (problem,) = refused.value.problems
    assert problem.path == field
    assert hint is None or hint in f"{problem.hint}"


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = replace(scenario("healthy"), dead_frac=2.0, msc_ppm=-3.0, run=RunFaults(bubbles=-1))
    with pytest.raises(DocumentError, match="3 problems"):
        simulate_tube(TubeOrder(wrong, "t", "d", n_events=100))


def test_a_tube_before_that_is_not_there_is_refused() -> None:
    wrong = replace(scenario("healthy"), run=RunFaults(carryover_frac=0.001, carryover_from="helthy"))
    with pytest.raises(SpecificationError, match="did you mean 'healthy'"):
        simulate_tube(TubeOrder(wrong, "t", "d", n_events=100))
