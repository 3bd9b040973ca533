"""Whole tubes: mixes, doublets, controls, and the same bytes for any number of workers."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from stromagate.errors import SpecificationError, UsageError
from stromagate.simulate.acquisition import TIMESTEP_S
from stromagate.simulate.panel import CEILING, DETECTORS, channel_names, spillover
from stromagate.simulate.populations import ALL_POPULATIONS, POPULATIONS, code_of
from stromagate.simulate.scenario import Scenario
from stromagate.simulate.scenarios import scenario
from stromagate.simulate.truth import BY_CHANCE, DEAD, NO_PARTICLE, STUCK, count_rows
from stromagate.simulate.tube import CHUNK_EVENTS, Tube, TubeOrder, simulate_tube
from tests.reference_data import ROOT

ORDER = TubeOrder(scenario("healthy"), "tube", "donor", n_events=120_000, rate_per_s=2_000.0, seed=11)
FIRST = 5
MARKERS = [detector.marker for detector in DETECTORS]


@cache
def _tube(role: str = "stained", prepared: str = "whole", name: str = "healthy") -> Tube:
    order = replace(ORDER, role=role, prepared=prepared, scenario=scenario(name), sample_id=f"{name} {role}")
    return simulate_tube(order, workers=2)


def _unmixed(tube: Tube) -> np.ndarray:
    return tube.events[:, FIRST:-1].astype(np.float64) @ np.linalg.inv(spillover())


def _marker(tube: Tube, marker: str, *names: str) -> np.ndarray:
    rows = tube.truth.is_one_of(*names) & tube.truth.viable_singlet
    return _unmixed(tube)[rows, MARKERS.index(marker)]


def _stroma_rich(**changes: float) -> Scenario:
    return replace(scenario("healthy"), msc_ppm=30_000.0, **changes)


def test_the_same_order_is_the_same_bytes_for_any_number_of_workers() -> None:
    order = replace(ORDER, n_events=2 * CHUNK_EVENTS + 777)
    one, many, again = simulate_tube(order), simulate_tube(order, workers=3), simulate_tube(order)
    for other in (many, again):
        assert one.events.tobytes() == other.events.tobytes()
        for field in ("primary", "secondary", "flags"):
            assert np.array_equal(getattr(one.truth, field), getattr(other.truth, field))


@pytest.mark.parametrize("change", [{"seed": 12}, {"sample_id": "other"}, {"donor": "other"}])
def test_another_seed_tube_or_donor_is_other_events(change: dict[str, object]) -> None:
    small = replace(ORDER, n_events=3_000)
    assert simulate_tube(small).events.tobytes() != simulate_tube(replace(small, **change)).events.tobytes()


def test_a_plainer_processor_makes_the_same_bytes() -> None:
    """Vector units differ in the last bit of an exponential; whole numbers hide it."""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found")
    if not found:
        pytest.skip("numpy uses no vector unit here that could be switched off")
    script = (
        "import hashlib, sys; from tests.simulate.test_tube import ORDER, replace, scenario, simulate_tube\n"
        "for name, family in ((ORDER.scenario.name, 'a'), ('rough_run', 'b'), ('double_compensation', 'a')):\n"
        "    order = replace(ORDER, n_events=20_000, scenario=scenario(name), family=family)\n"
        "    print(hashlib.sha256(simulate_tube(order).events.tobytes()).hexdigest())"
    )
    plain = {"NPY_DISABLE_CPU_FEATURES": " ".join(found)}
    printed = {
        subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, env=os.environ | extra, capture_output=True, text=True, check=True
        ).stdout
        for extra in ({}, plain)
    }
    assert len(printed) == 1
    assert [len(line) for line in printed.pop().split()] == [64, 64, 64]


def test_chunks_do_not_repeat_each_other() -> None:
    tube = simulate_tube(replace(ORDER, n_events=2 * CHUNK_EVENTS))
    assert not np.array_equal(tube.events[:100, :5], tube.events[CHUNK_EVENTS : CHUNK_EVENTS + 100, :5])


def test_columns_hold_whole_numbers_within_the_range() -> None:
    tube = _tube()
    assert tube.events.shape == (ORDER.n_events, 14)
    assert len(channel_names()) == 14
    assert tube.events.dtype == np.float32
    assert np.all(np.isfinite(tube.events))
    assert np.array_equal(tube.events, np.rint(tube.events))
    assert tube.events.max() <= CEILING
    assert tube.events[:, :FIRST].min() >= 0
    assert tube.events[:, FIRST:-1].min() > -500


def test_time_runs_forward_at_about_the_rate_asked_for() -> None:
    time_s = _tube().events[:, -1].astype(np.float64) * TIMESTEP_S
    assert np.all(np.diff(time_s) >= 0)
    assert time_s[-1] == pytest.approx(ORDER.n_events / ORDER.rate_per_s, rel=0.02)
    per_second = np.bincount(time_s.astype(np.intp))[:-1]
    # The rate wanders by more than counting noise, and not by much.
    assert per_second.var() / per_second.mean() > 1.2
    assert per_second.std() / per_second.mean() < 0.25


def test_the_mix_is_that_of_the_marrow() -> None:
    tube = _tube()
    # Singlets: the share of stuck cells is equal among nucleated ones.
    single = tube.truth.secondary == NO_PARTICLE
    nucleated = np.array([p.nucleated and p.name not in {"msc_cd146neg", "progenitors"} for p in ALL_POPULATIONS])
    expected = np.where(nucleated, tube.marrow.shares, 0.0)
    expected /= expected.sum()
    counts = np.bincount(tube.truth.primary[single], minlength=256)[: len(ALL_POPULATIONS)] * nucleated
    spread = np.sqrt(np.maximum(counts.sum() * expected * (1 - expected), 1.0))
    assert np.all(np.abs(counts - counts.sum() * expected) < 5 * spread)


@pytest.mark.parametrize(("rate", "expected"), [(1_000.0, 0.010), (5_000.0, 0.049), (10_000.0, 0.095)])
def test_coincidence_grows_with_the_rate(rate: float, expected: float) -> None:
    tube = simulate_tube(replace(ORDER, rate_per_s=rate, scenario=replace(ORDER.scenario, doublet_frac=0.0)))
    assert np.mean(tube.truth.flags & BY_CHANCE > 0) == pytest.approx(expected, rel=0.08)


def test_stuck_cells_are_as_many_as_declared_and_nucleated() -> None:
    tube = _tube()
    stuck = tube.truth.flags & STUCK > 0
    nucleated = np.isin(tube.truth.primary, [code_of(p.name) for p in POPULATIONS if p.nucleated])
    assert stuck[nucleated].mean() == pytest.approx(ORDER.scenario.doublet_frac, rel=0.06)
    assert not stuck[~nucleated].any()
    assert set(np.unique(tube.truth.secondary[stuck])) <= {code_of(p.name) for p in POPULATIONS if p.nucleated}


def test_doublets_lie_off_the_line_of_singlets() -> None:
    tube = simulate_tube(replace(ORDER, scenario=replace(ORDER.scenario, doublet_frac=0.05)))
    ratio = tube.events[:, 0] / tube.events[:, 1]
    lymph = tube.truth.is_one_of("t_cell")
    twins = lymph & (tube.truth.secondary == code_of("t_cell")) & (tube.truth.flags & STUCK > 0)
    assert twins.sum() > 30
    assert 1.2 < np.median(ratio[twins]) < 1.7
    assert np.median(ratio[lymph & (tube.truth.secondary == NO_PARTICLE)]) == pytest.approx(1.0, abs=0.02)


def test_colours_of_two_cells_add() -> None:
    tube = simulate_tube(replace(ORDER, scenario=replace(ORDER.scenario, doublet_frac=0.2)))
    cd45 = _unmixed(tube)[:, MARKERS.index("CD45")]
    lymph = tube.truth.is_one_of("t_cell") & (tube.truth.flags & DEAD == 0)
    twins = lymph & (tube.truth.secondary == code_of("t_cell"))
    single = lymph & (tube.truth.secondary == NO_PARTICLE)
    assert np.median(cd45[twins]) == pytest.approx(2 * np.median(cd45[single]), rel=0.05)
    # A red cell that flies along gives its CD235a to a leukocyte.
    dump = _unmixed(tube)[:, MARKERS.index("CD235a+CD71")]
    carried = lymph & (tube.truth.secondary == code_of("late_erythroblast"))
    assert np.median(dump[carried]) > 20 * np.median(dump[single])


def test_msc_stick_to_leukocytes_as_often_as_declared() -> None:
    tube = simulate_tube(replace(ORDER, scenario=_stroma_rich(msc_bound_frac=0.3)))
    msc = tube.truth.is_one_of("msc_cd146neg", "progenitors")
    stuck = tube.truth.flags & STUCK > 0
    # MSC also stand first where they are the partner of another cell's pair; those are few.
    assert stuck[msc].mean() == pytest.approx(0.3, abs=0.03)
    cd45 = _unmixed(tube)[:, MARKERS.index("CD45")]
    assert np.median(cd45[msc & stuck]) > 10 * np.median(cd45[msc & ~stuck])


def test_msc_come_in_bursts() -> None:
    tube = simulate_tube(replace(ORDER, n_events=250_000, scenario=_stroma_rich()))
    time_s = tube.events[:, -1] * TIMESTEP_S
    spans = (time_s / 5.0).astype(np.intp)
    msc = np.bincount(spans[tube.truth.is_one_of("msc_cd146neg", "progenitors")])[:-1]
    lymph = np.bincount(spans[tube.truth.is_one_of("t_cell")])[:-1]
    # Negative binomial with k = 2: variance mean + mean^2 / 2, far above that of a steady stream.
    assert msc.var() > 5 * msc.mean()
    assert lymph.var() < 8 * lymph.mean()


def test_truth_and_events_tell_the_same() -> None:
    tube = _tube()

    def median(marker: str, name: str) -> float:
        return float(np.median(_marker(tube, marker, name)))

    assert median("CD45", "t_cell") > median("CD45", "neutrophil") > median("CD45", "hspc")
    assert median("CD45", "hspc") > 20 * median("CD45", "late_erythroblast")
    assert median("CD34", "hspc") > 20 * median("CD34", "t_cell")
    assert median("CD235a+CD71", "erythrocyte") > 50 * median("CD235a+CD71", "neutrophil")
    assert median("CD31", "monocyte") > 3 * median("CD31", "t_cell")
    viability = _unmixed(tube)[:, MARKERS.index("Viability")]
    dead = tube.truth.flags & DEAD > 0
    assert np.median(viability[dead]) > 30 * np.median(viability[~dead])
    expected = ORDER.scenario.dead_frac
    assert dead[tube.truth.is_one_of("neutrophil")].mean() == pytest.approx(expected, rel=0.1)
    assert not dead[tube.truth.is_one_of("debris", "erythrocyte")].any()


def test_stroma_shows_its_phenotype() -> None:
    tube = simulate_tube(replace(ORDER, scenario=replace(_stroma_rich(), endothelium_ppm=10_000.0)))
    high = _marker(tube, "CD146", "progenitors")
    low = _marker(tube, "CD146", "msc_cd146neg")
    assert np.median(high) > 5 * np.median(low)
    for name in ("progenitors", "msc_cd146neg"):
        assert np.median(_marker(tube, "CD271", name)) > 5_000
        assert np.median(_marker(tube, "CD45", name)) < 600
        assert np.median(_marker(tube, "CD31", name)) < 500
    assert np.median(_marker(tube, "CD31", "endothelium")) > 10_000
    assert np.median(_marker(tube, "CD146", "endothelium")) > 10_000
    assert np.median(_marker(tube, "CD271", "endothelium")) < 1_000


@pytest.mark.parametrize("marker", ["CD146", "CD271"])
def test_an_fmo_lacks_its_marker_and_nothing_else(marker: str) -> None:
    full, fmo, bare = (_tube(role, "cd45_depleted") for role in ("stained", f"fmo:{marker}", "unstained"))
    positive = {"CD146": "endothelium", "CD271": "msc_cd146neg"}[marker]
    assert np.median(_marker(full, marker, positive)) > 8 * np.median(_marker(fmo, marker, positive))
    assert np.median(_marker(fmo, marker, positive)) == pytest.approx(
        np.median(_marker(bare, marker, positive)), rel=0.35
    )
    for other in MARKERS:
        ratio = np.median(_marker(fmo, other, "neutrophil")) / np.median(_marker(full, other, "neutrophil"))
        if other == marker:
            assert ratio < 1.0
        else:
            assert ratio == pytest.approx(1.0, abs=0.08)
    assert full.marrow.shares == pytest.approx(fmo.marrow.shares)


def test_unstained_cells_show_autofluorescence_only() -> None:
    bare = _tube("unstained", "cd45_depleted")
    assert np.median(_marker(bare, "CD45", "neutrophil", "t_cell")) < 150
    assert np.median(_marker(bare, "Viability", "neutrophil")) < 80


def test_spillover_is_recovered_from_a_single_stained_tube() -> None:
    """The slope between detectors over cells of one dye, whatever their autofluorescence."""
    for pnn in ("PerCP-Cy5-5-A", "FITC-A"):
        tube = _tube(f"comp:{pnn}")
        dye = [detector.pnn for detector in DETECTORS].index(pnn)
        cells = tube.truth.is_one_of("t_cell", "late_erythroblast") & tube.truth.viable_singlet
        seen = tube.events[cells, FIRST:-1].astype(np.float64)
        bright = seen[:, dye] > np.percentile(seen[:, dye], 80)
        dim = seen[:, dye] < np.percentile(seen[:, dye], 20)
        rise = np.median(seen[bright], axis=0) - np.median(seen[dim], axis=0)
        assert rise / rise[dye] == pytest.approx(spillover()[dye], abs=0.006)


def test_counts_add_up() -> None:
    tube = _tube("stained", "cd45_depleted")
    rows = {str(row[1]): row[2:] for row in count_rows("tube", tube.truth)}
    populations = [p.name for p in POPULATIONS]
    particles = ORDER.n_events + int((tube.truth.secondary != NO_PARTICLE).sum())
    assert sum(int(rows[name][0]) for name in populations) == particles
    assert sum(int(rows[name][2]) for name in populations) == int(tube.truth.viable_singlet.sum())
    for column in range(3):
        assert rows["msc"][column] == sum(int(rows[name][column]) for name in ("msc_cd146neg", "progenitors"))
        assert int(rows["nucleated"][column]) == sum(int(rows[p.name][column]) for p in POPULATIONS if p.nucleated)
    assert all(int(row[0]) >= int(row[1]) >= int(row[2]) for row in rows.values())
    assert rows["nucleated"][3] == 1e6
    expected = 1e6 * int(rows["msc"][2]) / int(rows["nucleated"][2])
    assert rows["msc"][3] == pytest.approx(expected, abs=0.01)


def test_whole_marrow_has_few_msc_and_enriched_marrow_many() -> None:
    def msc(tube: Tube) -> int:
        return int(tube.truth.is_one_of("msc_cd146neg", "progenitors").sum())

    assert msc(_tube()) < 20
    assert msc(_tube("stained", "cd45_depleted")) > 60


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"n_events": 0}, "simulate.events"),
        ({"n_events": 10**9}, "simulate.events"),
        ({"rate_per_s": 0.0}, "simulate.rate"),
        ({"rate_per_s": float("nan")}, "simulate.rate"),
        ({"seed": -1}, "simulate.seed"),
    ],
)
def test_numbers_out_of_range_are_refused(change: dict[str, object], code: str) -> None:
    with pytest.raises(UsageError) as refused:
        simulate_tube(replace(ORDER, **change))
    assert refused.value.code == code
    assert refused.value.hint


@pytest.mark.parametrize("role", ["fmo", "fmo:CD999", "comp:CD146", "blank", "", "fmo:CD71"])
def test_unknown_roles_are_refused_with_what_there_is(role: str) -> None:
    with pytest.raises(SpecificationError, match="fmo:CD146") as refused:
        simulate_tube(replace(ORDER, role=role))
    assert refused.value.code == "simulate.role"


def test_one_event_is_a_tube() -> None:
    tube = simulate_tube(replace(ORDER, n_events=1))
    assert tube.events.shape == (1, 14)
    assert tube.truth.primary.shape == (1,)
