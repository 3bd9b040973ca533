"""The set on disk: complete, honest about what it is, readable, and the very one that ships."""

from __future__ import annotations

import csv
import hashlib
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from stromagate.errors import InputError
from stromagate.fcs import read_fcs
from stromagate.pipeline.sheet import read_sheet
from stromagate.simulate import load_truth, sample_set
from stromagate.simulate.panel import DETECTORS, channel_labels, channel_names, spillover
from stromagate.simulate.populations import NAMES
from stromagate.simulate.sample_set import FULL, MANIFEST_COLUMNS, SMALL, orders
from stromagate.simulate.truth import NO_PARTICLE, TRUTH_COLUMNS
from tests.reference_data import ROOT

SHIPPED = ROOT / "sample_fcs"
# Python's zlib may be another build elsewhere: the arrays in these are compared, not the bytes.
COMPRESSED = ".npz"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    told: list[str] = []
    sheet = sample_set(tmp_path_factory.mktemp("set"), progress=told.append)
    return sheet, told


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_sheet_is_one_the_pipeline_reads(made: tuple[Path, list[str]]) -> None:
    sheet, told = made
    rows = read_sheet(sheet)
    assert len(rows) == 12
    assert [row.file.name for row in rows] == told
    assert all(row.file.is_file() for row in rows)
    assert sorted(row.role for row in rows) == ["fmo:CD146"] * 4 + ["fmo:CD271"] * 4 + ["stained"] * 4
    assert {row.labels["preparation"] for row in rows} == {"cd45_depleted"}
    assert len({row.labels["patient_id"] for row in rows}) == 4
    assert (sheet.parent / "healthy_01_stained.fcs").is_file()


def test_the_set_is_small_and_holds_countable_stroma(made: tuple[Path, list[str]]) -> None:
    folder = made[0].parent
    assert sum(path.stat().st_size for path in folder.iterdir()) < 30e6
    truth = {(row["sample_id"], row["population"]): int(row["viable_singlets"]) for row in _rows(folder / "truth.csv")}
    assert truth["healthy_01_stained", "msc"] >= 50
    assert truth["aml_msc_high_01_stained", "msc"] >= 150
    assert truth["aml_progenitor_high_01_stained", "progenitors"] >= 50
    assert truth["aml_mesenchymal_low_01_stained", "msc"] < 20
    low, many, progenitors = (
        truth[f"aml_{name}_01_stained", "progenitors"] for name in ("mesenchymal_low", "msc_high", "progenitor_high")
    )
    assert low < many < progenitors / 2


def test_every_file_says_that_it_is_simulated(made: tuple[Path, list[str]]) -> None:
    folder = made[0].parent
    sample = read_fcs(folder / "aml_msc_high_01_fmo_CD146.fcs", policy="strict")
    assert sample.verdict == "ok"
    assert sample.repairs == ()
    assert sample.keywords["STROMAGATE_SIMULATED"] == "yes"
    assert sample.keywords["STROMAGATE_PREPARATION"] == "cd45_depleted"
    assert sample.keywords["STROMAGATE_SCENARIO"] == "aml_msc_high"
    assert sample.keywords["$CYT"] == "stromagate simulator"
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "Synthetic" in text
    assert "No cell and no person" in text
    assert all(name in text for name in NAMES)
    assert "cd45_depleted" in text


def test_files_carry_the_panel_and_the_true_matrix(made: tuple[Path, list[str]]) -> None:
    sample = read_fcs(made[0].parent / "healthy_01_stained.fcs")
    assert sample.pnn == channel_names()
    assert tuple(channel.pns for channel in sample.channels) == channel_labels()
    assert {channel.range_top for channel in sample.channels[:-1]} == {262_144}
    assert sample.timestep_s == 0.01
    assert sample.spillover.status == "ok"
    assert sample.spillover.channels == tuple(detector.pnn for detector in DETECTORS)
    assert sample.spillover.matrix is not None
    assert np.array_equal(sample.spillover.matrix, spillover())
    assert 60 < sample.events[-1, -1] < 100


def test_truth_of_events_and_table_agree(made: tuple[Path, list[str]]) -> None:
    folder = made[0].parent
    table = _rows(folder / "truth.csv")
    assert tuple(table[0]) == TRUTH_COLUMNS
    for row in read_sheet(made[0]):
        truth = load_truth(folder / f"{row.sample_id}.truth.npz")
        counts = {line["population"]: line for line in table if line["sample_id"] == row.sample_id}
        assert set(NAMES) | {"msc", "nucleated"} == set(counts)
        single = (truth.secondary == NO_PARTICLE) & (truth.flags & 1 == 0)
        seen = np.bincount(truth.primary[single], minlength=len(NAMES))
        assert [int(counts[name]["viable_singlets"]) for name in NAMES] == seen.tolist()
    with np.load(folder / "healthy_01_stained.truth.npz") as arrays:
        assert arrays["populations"].tolist() == list(NAMES)
        assert arrays["primary"].dtype == np.uint8


def test_the_manifest_names_every_file_with_its_hash(made: tuple[Path, list[str]]) -> None:
    _check_manifest(made[0].parent)


def _check_manifest(folder: Path, beside: frozenset[str] = frozenset()) -> None:
    rows = _rows(folder / "MANIFEST.csv")
    assert tuple(rows[0]) == MANIFEST_COLUMNS
    assert {row["file"] for row in rows} | {"MANIFEST.csv"} | beside == {path.name for path in folder.iterdir()}
    for row in rows:
        data = (folder / row["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"], row["file"]
        assert len(data) == int(row["bytes"])
        assert row["purpose"]


def test_the_shipped_files_are_those_of_their_manifest() -> None:
    _check_manifest(SHIPPED, beside=frozenset({"controls_calibration.json"}))


def test_the_shipped_set_is_what_the_simulator_makes(made: tuple[Path, list[str]]) -> None:
    """``sample_fcs`` cannot drift from the code: all of it is made again and compared byte for byte."""
    with_numpy = re.search(r"numpy (\d+\.\d+)\.", (SHIPPED / "README.md").read_text(encoding="utf-8"))
    assert with_numpy
    if not np.__version__.startswith(f"{with_numpy[1]}."):
        pytest.skip(f"made with numpy {with_numpy[1]}, whose random streams another version need not repeat")
    for path in sorted(made[0].parent.iterdir()):
        shipped = SHIPPED / path.name
        if path.suffix == COMPRESSED:
            ours, theirs = load_truth(path), load_truth(shipped)
            for field in ("primary", "secondary", "flags"):
                assert np.array_equal(getattr(ours, field), getattr(theirs, field)), path.name
        elif path.suffix == ".fcs" or path.name in {"truth.csv", "samples.csv"}:
            assert path.read_bytes() == shipped.read_bytes(), path.name


def test_the_sheet_is_missing_until_the_set_is_complete(tmp_path: Path, made: tuple[Path, list[str]]) -> None:
    """A broken run must not look like a set."""
    shutil.copy(made[0], tmp_path / "samples.csv")

    class StoppedError(Exception):
        pass

    def stop(_: str) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        sample_set(tmp_path, progress=stop)
    assert not (tmp_path / "samples.csv").exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError) as refused:
        sample_set(tmp_path / "file" / "set")
    assert refused.value.code == "simulate.folder"
    assert refused.value.hint


def test_the_full_set_is_whole_marrow_of_the_same_donors() -> None:
    small, full = orders(SMALL), orders(FULL)
    assert [order.sample_id for order in small] == [order.sample_id for order in full]
    assert {order.prepared for order in full} == {"whole"}
    assert min(order.n_events for order in full) >= 1_000_000
