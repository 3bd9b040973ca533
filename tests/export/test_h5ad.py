"""AnnData files, read back by anndata event by event and number by number."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import anndata
import numpy as np
import pytest
from flowutils import transforms

from stromagate.errors import InputError, UsageError
from stromagate.export.asked import chosen
from stromagate.export.formats import h5ad
from stromagate.fcs import read_fcs
from stromagate.gating.replay import members_of
from stromagate.model.result import SampleResult
from stromagate.model.sample import Repair, Sample
from stromagate.prepare.scales import TABLE_ERROR
from tests.export.conftest import Exported

MARKERS = ["CD45", "CD271", "CD146"]  # as the template lists them
DETECTORS = ["FITC-A", "APC-A", "PE-A"]


@pytest.fixture(scope="module")
def read(exported: Exported) -> anndata.AnnData:
    return anndata.read_h5ad(exported.home / "events.h5ad")


def written(exported: Exported, path: Path, result: SampleResult | None = None, sample: Sample | None = None) -> bytes:
    sample = sample or exported.sample
    h5ad.write(result or exported.result, sample, members_of(sample, exported.result.tree), path)
    return path.read_bytes()


def test_every_event_is_in_the_populations_it_was_counted_in(exported: Exported, read: anndata.AnnData) -> None:
    members = members_of(exported.sample, exported.result.tree)
    assert read.n_obs == exported.result.n_events
    assert list(read.obs.columns) == [each.name for each in exported.result.tree.nodes]
    for name in read.obs.columns:
        assert read.obs[name].dtype == bool
        assert np.array_equal(np.flatnonzero(read.obs[name]), members[name])
        assert int(read.obs[name].sum()) == exported.result.count(name)
    assert list(read.obs_names) == [str(row) for row in range(read.n_obs)]


def test_values_are_those_that_were_measured_and_gated(exported: Exported, read: anndata.AnnData) -> None:
    events, used = exported.sample.events, exported.result.tree.compensation
    assert used is not None
    assert list(read.var_names) == MARKERS
    assert list(read.var["pnn"]) == DETECTORS
    places = [exported.sample.pnn.index(name) for name in DETECTORS]
    assert list(read.var["channel"]) == [place + 1 for place in places]
    assert np.array_equal(read.layers["raw"], events[:, places], equal_nan=True)
    detectors = [exported.sample.pnn.index(name) for name in used.channels]
    mixed = events[:, detectors].astype(float) @ np.linalg.inv(np.array(used.matrix))
    for place, (marker, detector) in enumerate(zip(MARKERS, DETECTORS, strict=True)):
        expected, row = mixed[:, used.channels.index(detector)], read.var.loc[marker]
        assert np.allclose(read.layers["compensated"][:, place], expected, rtol=1e-6, atol=1e-3, equal_nan=True)
        there = np.isfinite(expected)
        assert there.sum() == len(events) - 1  # one value is no number, and so is what is mixed with it
        scale = (row["top"], row["decades"], row["width_decades"], row["negative_decades"])
        shown = transforms._logicle(read.layers["compensated"][there, place].astype(float), *scale)
        assert (row["scale"], bool(row["compensated"])) == ("logicle", True)
        assert np.abs(read.X[there, place] - shown).max() <= 2 * TABLE_ERROR


def test_scatter_time_and_other_detectors_stand_beside(exported: Exported, read: anndata.AnnData) -> None:
    names = list(read.uns["stromagate"]["other_channels"])
    assert names == ["FSC-A", "FSC-H", "SSC-A", "Time", "BV421-A"]
    places = [exported.sample.pnn.index(name) for name in names]
    assert np.array_equal(read.obsm["other_channels"], exported.sample.events[:, places])


def test_it_says_of_which_file_template_and_boundaries(exported: Exported, read: anndata.AnnData) -> None:
    about, result = read.uns["stromagate"], exported.result
    assert about["research_use"].startswith("For Research Use Only")
    assert {key: about["template"][key] for key in ("name", "version", "sha256")} == {
        "name": "small",
        "version": "1.0.0",
        "sha256": result.template.sha256,
    }
    assert about["file"] == {"sha256": result.source.sha256, "n_events": result.n_events, "dataset": 0}
    assert about["boundaries_sha256"] == result.tree.digest()
    assert np.array_equal(about["compensation"]["matrix"], np.array(result.tree.compensation.matrix))
    assert (about["verdict"], len(about["repairs"]), len(about["not_evaluable"])) == ("ok", 0, 0)


def test_repairs_and_populations_without_events_to_tell_are_in_it(exported: Exported, tmp_path: Path) -> None:
    repair = Repair("fcs.offset", "0\0", "256 \udc80", "the header is off by one")
    result = exported.result.model_copy(update={"repairs": (repair,), "verdict": "repaired"})
    members = members_of(exported.sample, result.tree)
    del members["progenitors"]
    h5ad.write(result, exported.sample, members, tmp_path / "x.h5ad")
    about = anndata.read_h5ad(tmp_path / "x.h5ad").uns["stromagate"]
    assert about["repairs"].to_dict("records") == [
        {"code": "fcs.offset", "before": "0\\x00", "after": "256 \\udc80", "why": "the header is off by one"}
    ]
    assert list(about["not_evaluable"]) == ["progenitors"]


def test_a_label_that_names_someone_is_left_out(exported: Exported, tmp_path: Path) -> None:
    words = {**exported.sample.keywords, "PATIENT NAME": "Mustermann, Erika"}
    channels = tuple(
        replace(each, pns="CD146 Mustermann, Erika") if each.pnn == "PE-A" else each
        for each in exported.sample.channels
    )
    content = written(exported, tmp_path / "x.h5ad", sample=replace(exported.sample, keywords=words, channels=channels))
    assert b"Mustermann" not in content
    assert list(anndata.read_h5ad(tmp_path / "x.h5ad").var["pns"]) == ["CD45", "CD271", ""]


def test_an_empty_tube_and_one_without_markers_are_written(exported: Exported, tmp_path: Path) -> None:
    none = {name: rows[:0] for name, rows in members_of(exported.sample, exported.result.tree).items()}
    counted = tuple(each.model_copy(update={"value": 0}) for each in exported.result.statistics)
    result = exported.result.model_copy(update={"n_events": 0, "statistics": counted})
    h5ad.write(result, replace(exported.sample, events=exported.sample.events[:0]), none, tmp_path / "x.h5ad")
    assert anndata.read_h5ad(tmp_path / "x.h5ad").shape == (0, 3)
    bare = exported.result.model_copy(update={"panel": replace(exported.result.panel, bindings=())})
    written(exported, tmp_path / "y.h5ad", bare)
    assert anndata.read_h5ad(tmp_path / "y.h5ad").obsm["other_channels"].shape == exported.sample.events.shape


def test_the_same_tube_gives_the_same_bytes(exported: Exported, tmp_path: Path) -> None:
    content, made = (exported.home / "events.h5ad").read_bytes(), (exported.home / "events.h5ad").stat().st_mtime
    time.sleep(max(0.0, made + 1.1 - time.time()))  # HDF5 counts seconds: within one, times in the file would not show
    assert written(exported, tmp_path / "by_another_name.h5ad") == content
    exported.run()
    assert (exported.home / "events.h5ad").read_bytes() == content


def test_blocks_join_without_a_seam(exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(h5ad, "_BLOCK_ROWS", 700)
    written(exported, tmp_path / "x.h5ad")
    one, other = (anndata.read_h5ad(path) for path in (tmp_path / "x.h5ad", exported.home / "events.h5ad"))
    assert np.array_equal(one.X, other.X, equal_nan=True)
    assert np.array_equal(one.layers["compensated"], other.layers["compensated"], equal_nan=True)


def test_other_events_are_refused_and_leave_nothing(exported: Exported, tmp_path: Path) -> None:
    members = members_of(exported.sample, exported.result.tree)
    members["msc"] = members["msc"][1:]
    with pytest.raises(InputError, match="msc holds") as caught:
        h5ad.write(exported.result, exported.sample, members, tmp_path / "x.h5ad")
    assert caught.value.code == "export.changed"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("why", ["is not installed", "cannot be loaded: numpy is too old"])
def test_without_the_library_nothing_is_begun(
    exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    if why == "is not installed":
        monkeypatch.setitem(sys.modules, "h5py", None)
    else:
        (tmp_path / "h5py.py").write_text("raise ImportError('numpy is too old')")
        monkeypatch.delitem(sys.modules, "h5py")
        monkeypatch.syspath_prepend(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in exported.out.rglob("*")}
    with pytest.raises(UsageError, match=f"needs h5py, which {why}") as caught:
        exported.run("h5ad")
    assert (caught.value.code, caught.value.hint) == ("export.library", "pip install 'stromagate[anndata]'")
    assert {path: path.stat().st_mtime_ns for path in exported.out.rglob("*")} == before
    assert chosen(["clr"]) == ("clr",)


def test_the_gain_of_the_run_is_that_of_the_values(exported: Exported, read: anndata.AnnData) -> None:
    assert read.uns["stromagate"]["gain"] == "apply"
    as_stored = read_fcs(exported.fcs, gain="ignore").events[:, 4]
    assert np.allclose(read.layers["raw"][:, MARKERS.index("CD146")] * 2, as_stored)
