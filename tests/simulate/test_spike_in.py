"""Simulated stroma in a real tube: what was measured stays, what is ours is known, and both lie on one scale."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from stromagate.errors import InputError, SpecificationError, StromagateError, UsageError
from stromagate.fcs import read_fcs, write_fcs
from stromagate.simulate import Request, deliver, orders_of, scenario, write_tube
from stromagate.simulate.background import extended_matrix, missing_detectors, read_background
from stromagate.simulate.panel import ANTIGENS
from stromagate.simulate.populations import MSC, code_of
from stromagate.simulate.spike_in import Spiked, SpikeOrder, spike_in, write_spiked
from stromagate.simulate.truth import BACKGROUND, NO_PARTICLE, STUCK
from stromagate.simulate.tube import TubeOrder, simulate_tube
from tests.reference_data import DATA, needs_reference_data

MARROW = DATA / "real/eyurtsev+fcsparser/fcsparser/tests/data/FlowCytometers/FACS_Diva/facs_diva_test.fcs"
BLOOD = DATA / "real/whitews+FlowKit/data/100715.fcs"
RICH = replace(scenario("healthy"), msc_ppm=8_000.0, endothelium_ppm=3_000.0)


@cache
def _spiked(path: Path, seed: int = 1) -> Spiked:
    return spike_in(SpikeOrder(path, RICH, "t", "d", seed=seed))


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated marrow without stroma as background, its CD271 and CD146 taken away: the truth about it is known."""
    tube = simulate_tube(TubeOrder(scenario("no_stroma"), "bg", "bg", n_events=60_000, seed=8), workers=2)
    whole = tmp_path_factory.mktemp("bg") / "whole.fcs"
    write_tube(tube, whole)
    sample = read_fcs(whole)
    kept = [i for i, name in enumerate(sample.pnn) if name not in {"PE-A", "BV421-A", "Time"}]
    assert sample.spillover.matrix is not None
    rows = [i for i, name in enumerate(sample.spillover.channels) if name not in {"PE-A", "BV421-A"}]
    matrix = sample.spillover.matrix[np.ix_(rows, rows)]
    text = ",".join(
        [str(len(rows)), *(sample.spillover.channels[i] for i in rows), *(f"{x:g}" for row in matrix for x in row)]
    )
    path = whole.with_name("background.fcs")
    write_fcs(
        path,
        sample.events[:, kept],
        [sample.pnn[i] for i in kept],
        labels=[sample.channels[i].pns for i in kept],
        keywords={"$SPILLOVER": text},
    )
    return path


def _ours(spiked: Spiked) -> np.ndarray:
    return spiked.truth.flags & BACKGROUND == 0


def _unmixed(spiked: Spiked) -> dict[str, np.ndarray]:
    columns = [spiked.names.index(name) for name in spiked.colours]
    values = spiked.events[:, columns].astype(np.float64) @ np.linalg.inv(spiked.matrix)
    return {spiked.labels[column]: values[:, i] for i, column in enumerate(columns)}


def test_what_was_measured_stays_as_it_is(known: Path) -> None:
    spiked = _spiked(known)
    sample = read_fcs(known)
    theirs = spiked.events[~_ours(spiked)]
    assert np.array_equal(theirs[:, : len(sample.channels)], sample.events)
    assert spiked.names[: len(sample.channels)] == sample.pnn
    assert spiked.simulated == ("BV421-A", "PE-A")
    assert (spiked.truth.primary[~_ours(spiked)] == NO_PARTICLE).all()


def test_as_many_are_put_in_as_were_asked_for(known: Path) -> None:
    spiked = _spiked(known)
    msc = spiked.truth.is_one_of(*MSC).sum()
    assert msc == pytest.approx(RICH.msc_ppm * 0.06, abs=4 * (RICH.msc_ppm * 0.06) ** 0.5)
    assert spiked.truth.is_one_of("endothelium").sum() > 100
    assert (spiked.truth.is_one_of(*MSC) <= _ours(spiked)).all()
    at = np.flatnonzero(_ours(spiked)) / spiked.events.shape[0]
    assert np.quantile(at, [0.25, 0.5, 0.75]) == pytest.approx([0.25, 0.5, 0.75], abs=0.08)


def test_simulated_negatives_look_like_the_ones_that_were_taken_away(known: Path) -> None:
    """The background was simulated with CD271 and CD146; what is guessed for its cells must lie where they lay."""
    true = simulate_tube(TubeOrder(scenario("no_stroma"), "bg", "bg", n_events=60_000, seed=8), workers=2)
    spiked = _spiked(known)
    theirs = ~_ours(spiked)
    for name in ("PE-A", "BV421-A"):
        place = [detector.pnn for detector in true.instrument.detectors].index(name)
        before = true.events[:, 5 + place]
        after = spiked.events[theirs, spiked.names.index(name)]
        for quantile in (0.25, 0.5, 0.75, 0.95):
            expected = np.quantile(before, quantile)
            assert np.quantile(after, quantile) == pytest.approx(expected, rel=0.35, abs=40), (name, quantile)
        assert np.median(after[after < 3_000]) > 0


def test_bright_cells_spill_into_the_simulated_colours_and_are_compensated(known: Path) -> None:
    spiked = _spiked(known)
    theirs = ~_ours(spiked)
    unmixed = _unmixed(spiked)
    pe = spiked.events[theirs, spiked.names.index("PE-A")]
    red = unmixed["CD235a+CD71"][theirs]
    bright, dim = red > np.quantile(red, 0.97), red < np.quantile(red, 0.5)
    share = spiked.matrix[spiked.colours.index("FITC-A"), spiked.colours.index("PE-A")]
    assert np.median(pe[bright]) - np.median(pe[dim]) > 0.4 * share * np.median(red[bright])
    assert abs(np.median(unmixed["CD271"][theirs][bright])) < 120


def test_stroma_has_its_phenotype_on_the_tubes_own_scale(known: Path) -> None:
    spiked = _spiked(known)
    unmixed = _unmixed(spiked)
    alive = spiked.truth.viable_singlet & _ours(spiked)
    msc, endothelium = alive & spiked.truth.is_one_of(*MSC), alive & spiked.truth.is_one_of("endothelium")
    theirs = ~_ours(spiked)
    assert np.median(unmixed["CD271"][msc]) > 5_000
    assert np.median(unmixed["CD45"][msc]) < 0.1 * np.quantile(unmixed["CD45"][theirs], 0.9)
    assert np.median(unmixed["CD31"][endothelium]) > 8_000
    progenitors, rest = (alive & spiked.truth.is_one_of(name) for name in reversed(MSC))
    assert np.median(unmixed["CD146"][progenitors]) > 3 * np.median(unmixed["CD146"][rest])


def test_the_scale_of_a_tube_is_found_by_its_lymphocytes(known: Path) -> None:
    """The background was simulated on our own scale, so that every factor should be one."""
    background = _spiked(known).background
    scatter = background.factor[list(background.scatter.values())]
    assert scatter == pytest.approx(1.0, rel=0.05)
    # CD45 is that of the donor, who differs from the median one.
    cd45 = background.sample.pnn.index("PerCP-Cy5-5-A")
    tube = simulate_tube(TubeOrder(scenario("no_stroma"), "bg", "bg", n_events=60_000, seed=8), workers=2)
    donor = tube.marrow.antigens.log10[code_of("t_cell"), ANTIGENS.index("CD45")] - 4.4
    assert np.log10(background.factor[cd45]) == pytest.approx(donor, abs=0.06)


@pytest.mark.parametrize("name", ["aml_blast90", "aml_monocytic", "aml_erythroid", "plasma_rich"])
def test_blasts_and_monocytes_are_not_taken_for_lymphocytes(name: str, tmp_path: Path) -> None:
    tube = simulate_tube(TubeOrder(scenario(name), "bg", "bg", n_events=40_000, seed=8), workers=2)
    write_tube(tube, tmp_path / "bg.fcs")
    background = read_background(tmp_path / "bg.fcs")
    assert background.factor[list(background.scatter.values())] == pytest.approx(1.0, rel=0.08)
    donor = tube.marrow.antigens.log10[code_of("t_cell"), ANTIGENS.index("CD45")] - 4.4
    assert np.log10(background.factor[background.sample.pnn.index("PerCP-Cy5-5-A")]) == pytest.approx(donor, abs=0.12)


def test_scale_follows_the_background(known: Path, tmp_path: Path) -> None:
    """The same tube at half the scatter gain, and CD45 at a third: what is put in moves along."""
    sample = read_fcs(known)
    events = sample.events.copy()
    cd45 = sample.pnn.index("PerCP-Cy5-5-A")
    events[:, 0] /= 2
    events[:, cd45] /= 3
    path = tmp_path / "dim.fcs"
    words = {"$SPILLOVER": "1,PerCP-Cy5-5-A,1"}
    write_fcs(path, events, sample.pnn, labels=[c.pns for c in sample.channels], keywords=words)
    dim, usual = spike_in(SpikeOrder(path, RICH, "t", "d")), _spiked(known)
    for column, factor in ((0, 2), (cd45, 3)):
        ratio = usual.background.factor[column] / dim.background.factor[column]
        assert ratio == pytest.approx(factor, rel=0.06)
    medians = [np.median(spiked.events[_ours(spiked), 0]) for spiked in (usual, dim)]
    assert medians[0] / medians[1] == pytest.approx(2.0, rel=0.06)


def test_the_file_says_what_is_simulated_in_it(known: Path, tmp_path: Path) -> None:
    write_spiked(_spiked(known), tmp_path / "t.fcs")
    sample = read_fcs(tmp_path / "t.fcs", policy="strict")
    assert sample.verdict == "ok"
    assert sample.keywords["STROMAGATE_SIMULATED"] == "stroma"
    assert sample.keywords["STROMAGATE_BACKGROUND"] == "background.fcs"
    assert "BV421-A, PE-A" in sample.keywords["$COM"]
    assert sample.spillover.matrix == pytest.approx(_spiked(known).matrix, abs=1e-6)
    assert {c.pnn: c.pns for c in sample.channels}["PE-A"] == "CD271"


def test_bound_msc_carry_a_cell_of_the_tube(known: Path) -> None:
    spiked = spike_in(SpikeOrder(known, replace(RICH, msc_bound_frac=0.4), "t", "d"))
    unmixed = _unmixed(spiked)
    msc = spiked.truth.is_one_of(*MSC)
    stuck = spiked.truth.flags & STUCK > 0
    assert stuck[msc].mean() == pytest.approx(0.4, abs=0.09)
    assert not stuck[~msc].any()
    assert (spiked.truth.secondary[stuck] != NO_PARTICLE).all()
    alone = msc & spiked.truth.viable_singlet
    # It brings its CD45, and two cells are wider than one: area over height parts them from single ones.
    assert np.median(unmixed["CD45"][stuck]) > 10 * np.median(unmixed["CD45"][alone])
    ratio = spiked.events[:, 0] / spiked.events[:, 1]
    assert np.median(ratio[stuck]) > 1.1 * np.median(ratio[alone])
    assert np.median(unmixed["CD271"][stuck]) == pytest.approx(np.median(unmixed["CD271"][alone]), rel=0.15)


def test_a_tube_with_the_whole_panel_lacks_nothing(tmp_path: Path) -> None:
    write_tube(simulate_tube(TubeOrder(scenario("no_stroma"), "bg", "bg", n_events=20_000)), tmp_path / "bg.fcs")
    spiked = spike_in(SpikeOrder(tmp_path / "bg.fcs", RICH, "t", "d"))
    assert spiked.simulated == ()
    assert spiked.names == read_fcs(tmp_path / "bg.fcs").pnn
    alive = spiked.truth.viable_singlet & _ours(spiked) & spiked.truth.is_one_of(*MSC)
    assert np.median(_unmixed(spiked)["CD271"][alive]) > 5_000
    assert np.all(np.diff(spiked.events[:, -1]) >= 0)


def test_the_same_seed_is_the_same_tube(known: Path) -> None:
    again, other = spike_in(SpikeOrder(known, RICH, "t", "d")), _spiked(known, 2)
    assert again.events.tobytes() == _spiked(known).events.tobytes()
    assert other.events.tobytes() != _spiked(known).events.tobytes()


def test_a_spiked_tube_is_delivered_with_its_truth(known: Path, tmp_path: Path) -> None:
    orders, _ = orders_of(Request([scenario("healthy")], spike_ppm=2_000.0, background=known))
    (tube,) = deliver(orders, tmp_path)
    counts = tube.report["counts"]
    assert counts["msc"]["particles"] == counts["progenitors"]["particles"] + counts["msc_cd146neg"]["particles"]
    assert counts["msc"]["per_million_background_events"] == pytest.approx(2_000, rel=0.4)
    assert tube.report["background"]["n_events"] == 60_000
    assert tube.report["background"]["simulated"] == ["BV421-A", "PE-A"]
    assert tube.report["events"]["background"] == 60_000


@needs_reference_data
def test_a_real_marrow_of_a_leukaemia_tube_takes_stroma() -> None:
    spiked = _spiked(MARROW)
    background = spiked.background
    sample = background.sample
    carried = {sample.pnn[column]: spiked.labels[column] for column in background.carries}
    assert carried == {"PerCP-A": "CD45", "PE-Cy7-A": "CD34"}
    assert {"BV421-A", "SIM-PE-A", "SIM-APC-A"} <= set(spiked.simulated)
    # Its lymphocytes, read off a plot: about 78,000 forward, 28,000 side, 35,000 of CD45; blasts lie beside them.
    ours = {"FSC-A": 60_000, "SSC-A": 20_000}
    seen = {name: background.factor[background.scatter[name]] * units for name, units in ours.items()}
    assert seen == pytest.approx({"FSC-A": 78_000, "SSC-A": 28_000}, rel=0.12)
    assert background.factor[sample.pnn.index("PerCP-A")] * 10**4.4 == pytest.approx(35_000, rel=0.15)
    assert "PE-A" in sample.pnn  # CD10 there: our CD271 must not pose as that detector
    theirs, alive = ~_ours(spiked), spiked.truth.viable_singlet & _ours(spiked)
    assert np.array_equal(spiked.events[theirs][:, : len(sample.channels)], sample.events)
    unmixed = _unmixed(spiked)
    msc = alive & spiked.truth.is_one_of(*MSC)
    assert np.median(unmixed["CD271"][msc]) > 20 * np.quantile(unmixed["CD271"][theirs], 0.75)
    assert np.median(unmixed["CD45"][msc]) < 0.15 * np.median(unmixed["CD45"][theirs])
    assert abs(np.median(unmixed["CD19"][msc])) < 600  # a colour of which nothing is known: negative
    # The height of forward scatter is derived from area and width, and singlets lie on one line with the cells put in.
    height = spiked.events[:, spiked.names.index("FSC-H")]
    ratio = spiked.events[:, sample.pnn.index("FSC-A")] / np.maximum(height, 1)
    assert 0.9 < np.median(ratio[theirs]) < 1.2
    assert np.median(ratio[msc]) > np.median(ratio[theirs])


@needs_reference_data
def test_a_tube_without_cd45_is_scaled_by_all_cells() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        spiked = _spiked(BLOOD)
    assert "CD45" not in {spiked.labels[column] for column in spiked.background.carries}
    assert "CD45" in spiked.labels
    assert "smallest quarter" in spiked.background.reference
    theirs = ~_ours(spiked)
    # Side scatter of that instrument lies in the hundreds: what is put in follows.
    ssc = spiked.background.scatter["SSC-A"]
    assert np.median(spiked.events[~theirs, ssc]) < 5 * np.median(spiked.events[theirs, ssc])
    assert extended_matrix(spiked.background, missing_detectors(spiked.background)).shape[0] == len(spiked.colours)


@needs_reference_data
def test_a_mass_cytometry_file_is_no_background() -> None:
    path = DATA / "real/JinmiaoChenLab+cytofkit/inst/extdata/b1c3a.fcs"
    with pytest.raises(SpecificationError, match="scatter") as refused:
        read_background(path)
    assert refused.value.code == "simulate.background"
    assert refused.value.hint


def test_backgrounds_that_cannot_serve_are_refused(known: Path, tmp_path: Path) -> None:
    sample = read_fcs(known)
    few = tmp_path / "few.fcs"
    write_fcs(few, sample.events[:999], sample.pnn)
    with pytest.raises(SpecificationError, match="999 events"):
        read_background(few)
    holes = sample.events.copy()
    holes[7, 6] = np.nan
    write_fcs(tmp_path / "holes.fcs", holes, sample.pnn)
    with pytest.raises(SpecificationError, match="no numbers"):
        read_background(tmp_path / "holes.fcs")
    alike = {"$SPILLOVER": "2,FITC-A,APC-A,1,1,1,1"}
    write_fcs(tmp_path / "alike.fcs", sample.events, sample.pnn, keywords=alike)
    with pytest.raises(SpecificationError, match="cannot be told apart"):
        read_background(tmp_path / "alike.fcs")
    with pytest.raises(InputError):
        read_background(tmp_path / "absent.fcs")
    with pytest.raises(UsageError, match="a tenth"):
        spike_in(SpikeOrder(known, replace(RICH, msc_ppm=200_000.0), "t", "d"))


def _real_files() -> list[Path]:
    found = (path for path in DATA.rglob("*") if path.suffix.casefold() in {".fcs", ".lmd"})
    return sorted(path for path in found if path.stat().st_size < 8_000_000)


@needs_reference_data
@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.soak)])
def test_every_real_file_takes_stroma_or_says_why_not(tmp_path: Path, every: int) -> None:
    """Any instrument, any panel: what comes out is readable, and what was measured is unchanged in it."""
    made, taken, refused = replace(RICH, msc_ppm=20_000.0), 0, []
    for path in _real_files()[::every]:
        try:
            spiked = spike_in(SpikeOrder(path, made, "t", "d"))
        except StromagateError as error:
            refused.append(error)
            continue
        write_spiked(spiked, tmp_path / "t.fcs")
        again = read_fcs(tmp_path / "t.fcs", policy="strict")
        theirs = ~_ours(spiked)
        n_channels = len(spiked.background.sample.channels)
        assert np.array_equal(spiked.events[theirs][:, :n_channels], spiked.background.sample.events), path
        assert np.isfinite(again.events).all(), path
        assert spiked.truth.is_one_of(*MSC).sum() > 0.5 * 0.02 * theirs.sum(), path
        taken += 1
    assert taken > 30 / every
    assert len(refused) > 10 / every
    assert all(error.hint for error in refused)
