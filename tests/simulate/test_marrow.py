"""Marrows: shares that sum up, donors that differ, and a depletion that takes cells by their antigen."""

from __future__ import annotations

import numpy as np
import pytest

from stromagate.errors import SpecificationError
from stromagate.simulate.antigens import antigen_tables, draw_antigens
from stromagate.simulate.marrow import Bead, Marrow, Preparation, draw_marrow, preparation
from stromagate.simulate.mixes import HEALTHY_MARROW, healthy_marrow_with, leukaemic_marrow
from stromagate.simulate.panel import ANTIGENS
from stromagate.simulate.populations import MSC, NAMES, POPULATIONS, code_of
from stromagate.simulate.scenario import Scenario
from stromagate.simulate.scenarios import SCENARIOS, scenario


def _marrow(name: str = "healthy", prepared: str = "whole", donor: str = "d", seed: int = 3) -> Marrow:
    return draw_marrow(scenario(name), preparation(prepared), seed=seed, donor=donor, batch="b")


def _share(marrow: Marrow, *names: str) -> float:
    return float(marrow.shares[[code_of(name) for name in names]].sum())


def _of_nucleated(marrow: Marrow, *names: str) -> float:
    return _share(marrow, *names) / _share(marrow, *(p.name for p in POPULATIONS if p.nucleated))


@pytest.mark.parametrize("made", SCENARIOS, ids=lambda made: made.name)
@pytest.mark.parametrize("prepared", ["whole", "cd45_depleted"])
def test_shares_are_shares(made: Scenario, prepared: str) -> None:
    marrow = _marrow(made.name, prepared)
    assert marrow.shares.sum() == pytest.approx(1.0)
    assert np.all(marrow.shares >= 0)
    assert 0 <= marrow.msc_bound_frac < 1


@pytest.mark.parametrize("made", SCENARIOS, ids=lambda made: made.name)
def test_declared_marrows_name_populations_and_sum_to_one(made: Scenario) -> None:
    assert set(made.marrow) <= set(NAMES)
    assert sum(made.marrow.values()) == pytest.approx(1.0, abs=0.02)


def test_healthy_marrow_has_the_published_mix() -> None:
    """Centres of the published ranges, over donors: myelogram and CD45/SSC (with the red cells lysed)."""
    mixes = [_marrow(donor=str(i)) for i in range(40)]

    def mean(*names: str) -> float:
        return float(np.mean([_of_nucleated(marrow, *names) for marrow in mixes]))

    leukocytes = 1.0 - mean("proerythroblast", "early_erythroblast", "late_erythroblast")
    assert 0.40 < mean("neutrophil", "myeloid_precursor", "eosinophil") < 0.65
    assert 0.05 < 1 - leukocytes < 0.25
    assert mean("t_cell", "t_cell_cd146", "b_cell") / leukocytes == pytest.approx(0.183, abs=0.03)
    assert mean("monocyte") / leukocytes == pytest.approx(0.047, abs=0.01)
    assert mean("hspc") / leukocytes == pytest.approx(0.015, abs=0.004)
    assert 0.02 <= mean("t_cell_cd146") / mean("t_cell", "t_cell_cd146") <= 0.03


def test_msc_are_as_rare_as_the_scenario_says() -> None:
    marrow = _marrow()
    free_and_bound = _of_nucleated(marrow, *MSC) * 1e6
    assert marrow.msc_ppm == 43.0
    assert free_and_bound == pytest.approx(43.0, rel=0.01)


def test_msc_of_random_donors_spread_as_published() -> None:
    ppm = np.array([_marrow("healthy_donor", donor=f"donor {i}").msc_ppm for i in range(600)])
    assert np.median(ppm) == pytest.approx(43.0, rel=0.15)
    assert np.exp(np.std(np.log(ppm))) == pytest.approx(3.2, rel=0.12)


def test_a_donor_is_the_same_in_every_tube_and_others_differ() -> None:
    assert np.array_equal(_marrow().shares, _marrow().shares)
    assert not np.array_equal(_marrow().shares, _marrow(donor="e").shares)
    assert not np.array_equal(_marrow().shares, _marrow(seed=4).shares)
    assert not np.array_equal(_marrow().antigens.log10, _marrow(donor="e").antigens.log10)


def test_blasts_take_the_place_of_other_cells() -> None:
    assert leukaemic_marrow(0.6)["blast"] == 0.6
    assert sum(leukaemic_marrow(0.6).values()) == pytest.approx(1.0)
    assert 0.45 < _of_nucleated(_marrow("aml_mesenchymal_low"), "blast") < 0.75


def test_a_healthy_marrow_makes_room_for_what_is_asked() -> None:
    marrow = healthy_marrow_with(plasma_cell=0.05)
    assert marrow["plasma_cell"] == 0.05
    assert sum(marrow.values()) == pytest.approx(1.0)
    assert marrow["t_cell"] / marrow["monocyte"] == pytest.approx(HEALTHY_MARROW["t_cell"] / HEALTHY_MARROW["monocyte"])


def test_no_stroma_means_none() -> None:
    assert _share(_marrow("no_stroma"), *MSC, "endothelium", "cd146_only") == 0.0


def test_depletion_enriches_what_lacks_the_antigen() -> None:
    whole, depleted = _marrow(), _marrow(prepared="cd45_depleted")

    def enriched(name: str) -> float:
        return _of_nucleated(depleted, name) / _of_nucleated(whole, name)

    assert 20 < enriched("msc_cd146neg") < 100
    assert enriched("t_cell") < 1 < enriched("hspc") < enriched("plasma_cell") < enriched("endothelium")
    assert enriched("late_erythroblast") < 1


def test_depletion_keeps_the_dim_cells_of_a_population() -> None:
    """What is drawn after a depletion is what rejection of single cells would leave."""
    bead = Bead("CD45", 3.1, 2.0, 0.05)
    n, blast, cd45 = 200_000, code_of("blast"), ANTIGENS.index("CD45")
    codes = np.full(n, blast, dtype=np.uint8)
    size = np.random.Generator(np.random.PCG64(1)).standard_normal(n)
    tables = antigen_tables({}, 0.3)
    before, _ = draw_antigens(codes, size, tables, np.random.Generator(np.random.PCG64(2)))
    chance = bead.recovery(np.log10(before[:, cd45]))
    kept = before[np.random.Generator(np.random.PCG64(3)).random(n) < chance, cd45]
    # A donor's CD45 lies higher or lower than the median donor's; the beads are moved along with it.
    shift = float(_marrow("aml_msc_high").antigens.log10[blast, cd45] - tables.log10[blast, cd45])
    beads = Preparation("beads", "CD45 beads alone", (Bead("CD45", 3.1 + shift, 2.0, 0.05),))
    marrow = draw_marrow(scenario("aml_msc_high"), beads, seed=3, donor="d", batch="b")
    after, _ = draw_antigens(codes, size, marrow.antigens, np.random.Generator(np.random.PCG64(4)))
    at = [0.5, 5, 25, 50, 75, 95, 99.5]
    seen = np.percentile(np.log10(after[:, cd45]) - shift, at)
    assert seen == pytest.approx(np.percentile(np.log10(kept), at), abs=0.02)


def test_recovery_falls_with_the_antigen_to_the_leak() -> None:
    recovery = Bead("CD45", 2.6, 2.0, 0.01).recovery(np.linspace(0, 6, 50))
    assert np.all(np.diff(recovery) < 0)
    assert recovery[0] > 0.99
    assert recovery[-1] == pytest.approx(0.01, abs=0.001)
    assert Bead("CD45", 2.6, 2.0, 0.01).recovery(np.array([2.6]))[0] == pytest.approx(0.505)


def test_bound_msc_are_lost_with_their_partner() -> None:
    assert _marrow().msc_bound_frac == pytest.approx(scenario("healthy").msc_bound_frac)
    assert _marrow(prepared="cd45_depleted").msc_bound_frac < 0.03


def test_unknown_names_are_told_with_the_nearest() -> None:
    with pytest.raises(SpecificationError, match="did you mean 'aml_msc_high'") as unknown:
        scenario("aml_msc_hihg")
    assert unknown.value.code == "simulate.scenario"
    with pytest.raises(SpecificationError, match="did you mean 'cd45_depleted'") as unprepared:
        preparation("cd45depleted")
    assert unprepared.value.code == "simulate.preparation"


def test_names_say_composition_only() -> None:
    """No scenario knows an outcome: the association in the literature is never built in."""
    words = ("relapse", "remission", "surviv", "prognos", "outcome", "risk")
    for made in SCENARIOS:
        assert not any(word in f"{made.name} {made.title}".casefold() for word in words)
