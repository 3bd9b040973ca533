"""The first shipped panel on the simulated marrows of ``sample_fcs``, against what every event really is.

The boundaries were chosen on these four marrows, so this guards against getting worse and proves nothing about other
tubes: figures to quote are those of held-out seeds. The bars are those of a clean tube: recall 0.85 and precision 0.90
of at least 50 cells.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from stromagate.fcs import read_fcs
from stromagate.gating import engine
from stromagate.gating.method import Outside
from stromagate.model.config import RunConfig
from stromagate.model.controls import ControlTube
from stromagate.pipeline.controls import gate_control
from stromagate.pipeline.template import load_template
from stromagate.prepare import prepare
from stromagate.simulate import TubeOrder, scenario, simulate_tube, write_tube
from tests.reference_data import ROOT

TUBES = ROOT / "sample_fcs"
MARROWS = ("healthy_01", "aml_mesenchymal_low_01", "aml_progenitor_high_01", "aml_msc_high_01")
OF = {
    "msc": ("msc_cd146neg", "progenitors"),
    "progenitors": ("progenitors",),
    "endothelium": ("endothelium",),
}
DEAD = 1

pytestmark = pytest.mark.skipif(not TUBES.is_dir(), reason="the simulated tubes are not here")


@cache
def fmo_tubes() -> tuple[ControlTube, ...]:
    """Both FMO tubes of all four marrows: they are of one batch."""
    loaded, config = load_template("bm_stroma_core"), RunConfig()
    return tuple(
        gate_control(
            TUBES / f"{marrow}_fmo_{marker}.fcs",
            loaded,
            config,
            sample_id=f"{marrow}_fmo_{marker}",
            role=f"fmo:{marker}",
            markers={},
        )
        for marrow in MARROWS
        for marker in ("CD146", "CD271")
    )


@cache
def gated(tube: str, *, controls: bool = True) -> engine.Gated:
    loaded = load_template("bm_stroma_core")
    prepared = prepare(read_fcs(TUBES / f"{tube}.fcs"), loaded.template)
    outside = Outside(controls=fmo_tubes() if controls else ())
    return engine.gate(prepared, loaded.template, gates=loaded.gates, seed=0, outside=outside)


def truth(tube: str, population: str) -> np.ndarray:
    """Rows of the living single cells of a population."""
    with np.load(TUBES / f"{tube}.truth.npz") as known:
        names = list(known["populations"])
        codes = [names.index(name) for name in OF[population]]
        alone = (known["secondary"] == 255) & ((known["flags"] & DEAD) == 0)
        return np.flatnonzero(alone & np.isin(known["primary"], codes))


@pytest.mark.parametrize("marrow", MARROWS)
@pytest.mark.parametrize("population", ["msc", "endothelium"])
def test_rare_cells_are_found_and_little_else(marrow: str, population: str) -> None:
    found, true = gated(f"{marrow}_stained").members[population], truth(f"{marrow}_stained", population)
    right = len(np.intersect1d(found, true))
    if len(true) >= 50:
        assert right / len(true) >= 0.85
        assert right / len(found) >= 0.90
    else:  # too few for a share: at most a fifth of the true number is lost or added, and never less than four
        allowed = max(4, len(true) // 5)
        assert len(true) - right <= allowed
        assert len(found) - right <= allowed


@pytest.mark.parametrize("marrow", ["healthy_01", "aml_progenitor_high_01", "aml_msc_high_01"])
def test_the_share_of_progenitors(marrow: str) -> None:
    """CD146 is a continuum: some cells near the cut fall on the wrong side, on either side alike."""
    tube = f"{marrow}_stained"
    counts = gated(tube).counts
    share = (counts["progenitors"] or 0) / (counts["msc"] or 1)
    true = len(truth(tube, "progenitors")) / len(truth(tube, "msc"))
    assert share == pytest.approx(true, abs=0.08)
    assert (counts["progenitors"] or 0) + (counts["msc_cd146neg"] or 0) == counts["msc"]


@pytest.mark.parametrize("marrow", MARROWS)
def test_without_the_antibody_next_to_nothing_is_found(marrow: str) -> None:
    # The cut lets two events through by its own word, and some of what passes is stroma, by its glow.
    tube = f"{marrow}_fmo_CD271"
    assert len(set(gated(tube).members["msc"]) - set(truth(tube, "msc"))) <= 2
    without = gated(f"{marrow}_fmo_CD146").counts
    assert (without["endothelium"] or 0) <= 1
    assert (without["progenitors"] or 0) <= max(2, 0.1 * (without["msc"] or 0))


@pytest.mark.parametrize("marrow", MARROWS)
def test_every_gate_of_a_stained_tube_but_cd105_finds_its_boundary(marrow: str) -> None:
    nodes = gated(f"{marrow}_stained").tree.nodes
    assert {node.state for node in nodes if "cd105" not in node.name} <= {"fitted", "fixed"}


@pytest.mark.parametrize("marrow", MARROWS)
def test_without_controls_the_two_rare_markers_fall_back_on_their_own_negatives(marrow: str) -> None:
    nodes = {node.name: node for node in gated(f"{marrow}_stained", controls=False).tree.nodes}
    assert {name for name, node in nodes.items() if node.state == "fallback"} == {"cd271pos", "cd146pos"}
    assert {nodes[name].method for name in ("cd271pos", "cd146pos")} == {"tail"}
    assert {gated(f"{marrow}_stained").tree.node(name).method for name in ("cd271pos", "cd146pos")} == {"control"}


# Marrows that a cut went wrong on once, or would. The seeds are among those it was tuned on: a guard, and no figure.
HARD = (
    ("plasma_rich", "cd45_depleted", 80_000, 202),  # as autofluorescent as stroma, and most of the cells
    ("aml_blast90", "cd45_depleted", 80_000, 202),
    ("aml_msc_high", "whole", 500_000, 101),  # CD71 of blasts puts a valley below the stroma's autofluorescence
    ("low_viability", "cd45_depleted", 80_000, 202),
)


@pytest.mark.parametrize(("marrow", "prepared", "n_events", "seed"), HARD, ids=[name for name, *_ in HARD])
def test_hard_marrows(marrow: str, prepared: str, n_events: int, seed: int, tmp_path: Path) -> None:
    name = f"{marrow}{seed}"
    rate_per_s = 5000.0 if prepared == "whole" else 1000.0
    order = TubeOrder(
        scenario(marrow),
        name,
        name,
        prepared=prepared,
        batch=f"b{seed}",
        n_events=n_events,
        rate_per_s=rate_per_s,
        seed=seed,
    )
    tube = simulate_tube(order)
    write_tube(tube, tmp_path / "tube.fcs")
    loaded = load_template("bm_stroma_core")
    prepared_tube = prepare(read_fcs(tmp_path / "tube.fcs"), loaded.template)
    found = engine.gate(prepared_tube, loaded.template, gates=loaded.gates, seed=0).members["msc"]
    true = np.flatnonzero(tube.truth.viable_singlet & tube.truth.is_one_of(*OF["msc"]))
    right = len(np.intersect1d(found, true))
    assert len(true) >= 40
    assert right / len(true) >= 0.85
    assert right / len(found) >= 0.85
