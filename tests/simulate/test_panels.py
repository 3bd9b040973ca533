"""Panels beyond the usual one: what is declared holds together, and the tubes show what each cell carries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stromagate.errors import SpecificationError
from stromagate.fcs import read_fcs
from stromagate.simulate import PANELS, Panel, Tube, TubeOrder, panel, scenario, simulate_tube, write_tube
from stromagate.simulate.detectors import DETECTORS_BY_NAME
from stromagate.simulate.further_antigens import FURTHER
from stromagate.simulate.part_cells import PARTS
from stromagate.simulate.populations import ALL_NAMES, NAMES, code_of
from stromagate.simulate.stain import stain_for
from stromagate.simulate.truth import NO_PARTICLE, count_rows
from stromagate.templates.aliases import known_aliases, squash

FIRST = 5
LARGER = PANELS[1:]
_TUBES: dict[tuple[str, str, str], Tube] = {}


def _tube(name: str, made: str = "healthy", role: str = "stained", n_events: int = 40_000) -> Tube:
    key = (name, made, role)
    if key not in _TUBES:
        order = TubeOrder(scenario(made), f"{made} {role}", "donor", role=role, n_events=n_events, seed=3, panel=name)
        _TUBES[key] = simulate_tube(order, workers=2)
    return _TUBES[key]


def _unmixed(tube: Tube, marker: str) -> np.ndarray:
    colours = tube.events[:, FIRST:-1].astype(np.float64) @ np.linalg.inv(tube.panel.spillover())
    return colours[:, tube.panel.markers.index(marker)]


def _median(tube: Tube, marker: str, *kinds: str) -> float:
    rows = tube.truth.is_one_of(*kinds) & tube.truth.viable_singlet
    assert rows.sum() >= 5, (marker, kinds)
    return float(np.median(_unmixed(tube, marker)[rows]))


@pytest.mark.parametrize("colours", PANELS, ids=lambda each: each.name)
def test_a_panel_holds_together(colours: Panel) -> None:
    names = colours.channel_names()
    assert len(set(names)) == len(names)
    assert len(set(colours.markers)) == len(colours.markers)
    assert "Viability" in colours.markers
    assert {part.name for part in PARTS} >= set(colours.parts)
    for antibody in colours.antibodies:
        marker = colours.detectors[colours.detector_index(antibody.pnn)].marker
        assert antibody.antigen in marker.split("+")
    for family in "ab":
        matrix = colours.spillover(family)
        assert np.all(np.diag(matrix) == 1)
        assert matrix.min() >= 0
        assert (matrix - np.eye(len(matrix))).max() <= 0.25
        # Unmixing must not blow noise up beyond use.
        assert np.linalg.cond(matrix) < 4
    usual = set(panel("stroma_core_8").antigens)
    assert {antibody.antigen for antibody in colours.antibodies} <= usual | set(FURTHER)


@pytest.mark.parametrize("colours", PANELS, ids=lambda each: each.name)
def test_bright_dyes_carry_the_rare_stroma_and_no_bright_neighbour_spills_into_them(colours: Panel) -> None:
    """The rule of panel design: CD271 and CD146 take no more than 3 % from CD45 or the viability dye."""
    matrix = colours.spillover()
    for marker in {"CD271", "CD146"} & set(colours.markers):
        column = colours.markers.index(marker)
        for loud in ("CD45", "Viability"):
            assert matrix[colours.markers.index(loud), column] <= 0.03


def test_every_further_antigen_and_kind_has_a_name_that_is_known() -> None:
    assert {kind for kinds in FURTHER.values() for kind in kinds} <= set(NAMES)
    assert len(set(ALL_NAMES)) == len(ALL_NAMES)
    assert ALL_NAMES[: len(NAMES)] == NAMES
    assert len({each.name for each in PANELS}) == len(PANELS)
    used = {antibody.antigen for each in PANELS for antibody in each.antibodies}
    assert used >= set(FURTHER)
    assert set(DETECTORS_BY_NAME) == {detector.pnn for each in PANELS for detector in each.detectors}


@pytest.mark.parametrize("colours", LARGER, ids=lambda each: each.name)
def test_a_tube_of_a_panel_is_read_back_as_it_was_ordered(colours: Panel, tmp_path: Path) -> None:
    order = TubeOrder(scenario("healthy"), "t", "d", n_events=3_000, family="b", panel=colours.name)
    tube = simulate_tube(order)
    write_tube(tube, tmp_path / "t.fcs")
    sample = read_fcs(tmp_path / "t.fcs", policy="strict")
    assert sample.verdict == "ok"
    assert sample.pnn == colours.channel_names()
    assert tuple(channel.pns for channel in sample.channels) == colours.channel_labels()
    assert sample.spillover is not None
    assert sample.spillover.matrix == pytest.approx(tube.instrument.true_matrix, abs=1e-5)


@pytest.mark.parametrize("colours", PANELS, ids=lambda each: each.name)
def test_every_marker_has_its_fmo_and_it_lacks_that_marker_alone(colours: Panel) -> None:
    full = stain_for("stained", colours)
    for detector in colours.detectors:
        fmo = stain_for(f"fmo:{detector.marker}", colours)
        left_out = {a.antigen for a, flag in zip(colours.antibodies, fmo.antibodies, strict=True) if not flag}
        assert fmo.viability is (detector.marker != "Viability")
        assert left_out == (set() if detector.marker == "Viability" else set(detector.marker.split("+")))
        alone = stain_for(f"comp:{detector.pnn}", colours)
        assert sum(alone.antibodies) == len(left_out)
    assert all(full.antibodies)
    with pytest.raises(SpecificationError, match="fmo:CD999"):
        stain_for("fmo:CD999", colours)


@pytest.mark.parametrize(
    ("name", "made", "marker", "bright", "dark"),
    [
        ("stroma_ext_12", "cultured_msc", "CD73", "progenitors", "neutrophil"),
        ("stroma_ext_12", "cultured_msc", "CD90", "progenitors", "neutrophil"),
        ("stroma_ext_12", "cultured_msc", "CD13", "progenitors", "t_cell"),
        ("stroma_ext_12", "healthy", "DNA", "neutrophil", "erythrocyte"),
        ("stroma_ext_12", "healthy", "DNA", "late_erythroblast", "debris"),
        ("aspirate_min_5", "healthy", "CD235a", "late_erythroblast", "neutrophil"),
        ("lsc_hsc_9", "healthy", "CD38", "hspc", "late_erythroblast"),
        ("lsc_hsc_9", "aml_blast90", "CD123", "lsc", "t_cell"),
        ("lsc_hsc_11", "aml_blast90", "TIM3", "lsc", "t_cell"),
        ("lsc_hsc_9", "aml_blast90", "CD38", "blast", "lsc"),
        ("immune_10", "healthy", "CD3", "t_cell", "nk_cell"),
        ("immune_10", "healthy", "CD4", "t_cell", "t_cd8"),
        ("immune_10", "healthy", "CD25", "treg", "t_cell"),
        ("immune_10", "healthy", "CD127", "t_cell", "treg"),
        ("immune_10", "healthy", "HLA-DR", "monocyte", "m_mdsc"),
        ("immune_10", "healthy", "CD15", "pmn_mdsc", "monocyte"),
        ("blast_adhesion", "aml_blast90", "CD49d", "blast", "late_erythroblast"),
        ("blast_adhesion", "aml_blast90", "CD184", "blast", "late_erythroblast"),
        ("msc_like_cd13", "cultured_msc", "CD13", "progenitors", "t_cell"),
        ("isct_culture_qc", "cultured_msc", "CD105", "progenitors", "neutrophil"),
        ("isct_culture_qc", "cultured_msc", "CD14", "monocyte", "progenitors"),
        ("stroma_subsets", "cultured_msc", "SUSD2", "progenitors", "monocyte"),
        ("stroma_subsets", "cultured_msc", "MSCA-1", "progenitors", "monocyte"),
        ("niche_13", "doublet_rich_digest", "CD144", "endothelium", "monocyte"),
        ("hypoxia", "cultured_msc", "HIF-1a", "progenitors", "t_cell"),
    ],
)
def test_what_a_cell_carries_is_seen(name: str, made: str, marker: str, bright: str, dark: str) -> None:
    tube = _tube(name, made)
    assert _median(tube, marker, bright) > 3 * max(_median(tube, marker, dark), 1.0)


def test_an_fmo_of_a_larger_panel_is_dark_in_its_colour() -> None:
    stained, fmo = _tube("stroma_ext_12", "cultured_msc"), _tube("stroma_ext_12", "cultured_msc", "fmo:CD73")
    assert _median(fmo, "CD73", "progenitors") < 0.05 * _median(stained, "CD73", "progenitors")
    assert _median(fmo, "CD90", "progenitors") == pytest.approx(_median(stained, "CD90", "progenitors"), rel=0.1)


def test_a_donor_is_the_same_in_every_panel() -> None:
    """Shares of the usual kinds, MSC per million and the usual antigens do not depend on what a tube is stained for."""
    usual = simulate_tube(TubeOrder(scenario("healthy_donor"), "t", "d", n_events=1))
    for colours in LARGER:
        other = simulate_tube(TubeOrder(scenario("healthy_donor"), "t", "d", n_events=1, panel=colours.name))
        assert other.marrow.msc_ppm == usual.marrow.msc_ppm
        n = usual.marrow.antigens.log10.shape[1]
        assert np.array_equal(other.marrow.antigens.log10[:, :n], usual.marrow.antigens.log10)
        whole = other.marrow.shares.copy()
        for part in (each for each in PARTS if each.name in colours.parts):
            whole[code_of(part.of)] += whole[code_of(part.name)]
            whole[code_of(part.name)] = 0.0
        assert whole == pytest.approx(usual.marrow.shares, rel=1e-12)


def test_parts_are_counted_where_the_panel_tells_them_and_nowhere_else() -> None:
    tube = _tube("immune_10")
    counts = {row[1]: row for row in count_rows("t", tube.truth)}
    for part in (each for each in PARTS if each.name in tube.panel.parts):
        assert counts[part.name][2] > 0
        share = counts[part.name][2] / (counts[part.name][2] + counts[part.of][2])
        assert part.frac / part.gsd**3 < share < part.frac * part.gsd**3
    usual = _tube("stroma_core_8")
    assert usual.truth.counted == NAMES
    assert {row[1] for row in count_rows("t", usual.truth)} == {"nucleated", "msc", *NAMES}
    codes = usual.truth.primary
    assert codes[codes != NO_PARTICLE].max() < len(NAMES)


def test_a_panel_that_does_not_exist_and_a_scenario_about_a_colour_it_lacks_are_refused() -> None:
    with pytest.raises(SpecificationError, match="did you mean 'immune_10'") as refused:
        panel("imune_10")
    assert refused.value.code == "simulate.panel"
    for made in ("antibody_wrong", "labels_transposed", "other_voltages", "antibody_omitted"):
        order = replace(TubeOrder(scenario(made), "t", "d"), panel="isct_culture_qc")
        with pytest.raises(SpecificationError, match="does not have") as about:
            simulate_tube(order)
        assert about.value.code == "simulate.panel_scenario"


@pytest.mark.parametrize("name", [each.name for each in LARGER])
def test_runs_that_go_wrong_do_so_in_every_panel(name: str) -> None:
    tube = simulate_tube(TubeOrder(scenario("rough_run"), "t", "d", n_events=4_000, panel=name))
    assert tube.events.shape == (4_000, len(tube.panel.channel_names()))
    assert np.isfinite(tube.events).all()
    assert np.count_nonzero(tube.run.disturbance.drift_decades) == 2


def test_markers_bear_the_names_that_templates_know() -> None:
    """$PnS of a tube must bind without a panel file; a marker no alias table knows yet still names itself."""
    names = known_aliases()
    for antigen in ("CD73", "CD90", "CD166", "CD13", "DNA", "CD184", "CD274", "CD339", "CLEC12A", "SUSD2", "Viability"):
        assert names[squash(antigen)] == antigen
