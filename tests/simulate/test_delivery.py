"""Tubes on disk as somebody asks for them: whole, true, never over other files, the same for any number of workers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from stromagate.errors import InputError, SpecificationError, UsageError
from stromagate.fcs import read_fcs
from stromagate.pipeline.sheet import read_sheet
from stromagate.simulate import Request, deliver, orders_of, scenario
from stromagate.simulate.panel import ANTIGENS
from stromagate.simulate.populations import NAMES
from stromagate.simulate.truth import BACKGROUND, CLOG, DEAD, NO_PARTICLE
from stromagate.simulate.tube import TubeOrder, simulate_tube

REQUEST = Request(
    [scenario("rough_run"), scenario("fmo_missing")],
    seeds=[5],
    n_events=60_000,
    companions=["fmo:CD146", "unstained", "comp:PE-A"],
)


def _made(folder: Path, request: Request = REQUEST, **options: Any) -> list[Any]:
    return deliver(orders_of(request)[0], folder, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tubes")
    _made(out, keep_signals=True, workers=2)
    return out


def _hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_the_sheet_is_one_the_pipeline_reads(folder: Path) -> None:
    rows = read_sheet(folder / "samples.csv")
    assert [(row.sample_id, row.role) for row in rows] == [
        ("rough_run_s5", "stained"),
        ("rough_run_s5_fmo_CD146", "fmo:CD146"),
        ("rough_run_s5_unstained", "unstained"),
        ("rough_run_s5_comp_PE-A", "comp:PE-A"),
        ("fmo_missing_s5", "stained"),
        ("fmo_missing_s5_unstained", "unstained"),
        ("fmo_missing_s5_comp_PE-A", "comp:PE-A"),
    ]
    assert {row.labels["patient_id"] for row in rows[:4]} == {"rough_run_s5"}
    for row in rows:
        sample = read_fcs(row.file, policy="strict")
        assert sample.verdict == "ok"
        assert sample.keywords["TUBE NAME"] == row.role


def test_the_table_of_events_says_what_the_simulator_knows(folder: Path) -> None:
    order = orders_of(REQUEST)[0][0]
    assert isinstance(order, TubeOrder)
    truth = simulate_tube(order, workers=2).truth
    table = parquet.read_table(folder / "rough_run_s5.truth.parquet")
    assert table.num_rows == 60_000
    primary = table["primary"].to_pylist()
    assert primary == [NAMES[code] for code in truth.primary]
    seconds = [None if code == NO_PARTICLE else NAMES[code] for code in truth.secondary]
    assert table["secondary"].to_pylist() == seconds
    assert any(seconds)
    for name, bit in {"dead": DEAD, "clog": CLOG, "background": BACKGROUND}.items():
        assert table[name].to_numpy().tolist() == (truth.flags & bit > 0).tolist()
    assert table["clog"].to_numpy().any()


def test_the_state_before_noise_goes_with_what_is_seen(folder: Path) -> None:
    table = parquet.read_table(folder / "rough_run_s5.truth.parquet")
    assert [name for name in table.column_names if name.startswith("signal_")] == [f"signal_{a}" for a in ANTIGENS]
    sample = read_fcs(folder / "rough_run_s5.fcs")
    steady = ~(table["clog"].to_numpy() | table["dead"].to_numpy() | table["bubble"].to_numpy())
    t_cells = np.array(table["primary"].to_pylist()) == "t_cell"
    rows = t_cells & steady & np.array([second is None for second in table["secondary"].to_pylist()])
    latent, seen = table["signal_CD45"].to_numpy()[rows], sample.events[rows, sample.pnn.index("PerCP-Cy5-5-A")]
    assert np.corrcoef(np.log(latent), np.log(seen))[0, 1] > 0.97


def test_the_report_counts_what_the_table_holds(folder: Path) -> None:
    said = json.loads((folder / "rough_run_s5.truth.json").read_text(encoding="utf-8"))
    table = parquet.read_table(folder / "rough_run_s5.truth.parquet")
    primary = np.array(table["primary"].to_pylist())
    alive = ~(table["dead"].to_numpy() | table["carryover"].to_numpy())
    single = np.array([second is None for second in table["secondary"].to_pylist()])
    for name in ("t_cell", "neutrophil", "msc_cd146neg", "debris"):
        assert said["counts"][name]["viable_singlets"] == int(((primary == name) & alive & single).sum())
    nucleated = said["counts"]["nucleated"]["viable_singlets"]
    expected = 1e6 * said["counts"]["t_cell"]["viable_singlets"] / nucleated
    assert said["counts"]["t_cell"]["per_million_viable_nucleated"] == pytest.approx(expected, abs=0.01)
    assert said["events"]["all"] == 60_000
    assert said["events"]["clog"] == int(table["clog"].to_numpy().sum())
    assert len([span for span in said["run"]["spans"] if span["kind"] == "clog"]) == 3
    assert sum(value != 0 for value in said["run"]["drift_decades"].values()) == 2
    assert said["scenario"]["name"] == "rough_run"


def test_the_same_request_is_the_same_bytes_for_any_number_of_workers(folder: Path, tmp_path: Path) -> None:
    _made(tmp_path / "eight", keep_signals=True, workers=8)
    assert _hashes(tmp_path / "eight") == _hashes(folder)


def test_a_companion_that_the_scenario_lacks_is_named(folder: Path) -> None:
    _, left_out = orders_of(REQUEST)
    assert len(left_out) == 1
    assert "fmo_missing" in left_out[0]
    assert "fmo:CD146" in left_out[0]
    assert not list(folder.glob("fmo_missing*fmo_CD146*"))


def test_sizes_and_days_of_companions_are_the_scenarios() -> None:
    small = orders_of(Request([scenario("fmo_small")], companions=["fmo:CD146", "unstained"], n_events=100_000))[0]
    assert [order.n_events for order in small if isinstance(order, TubeOrder)] == [100_000, 2_000, 25_000]
    other = orders_of(Request([scenario("fmo_other_day")], companions=["fmo:CD146", "unstained"]))[0]
    batches = [order.batch for order in other if isinstance(order, TubeOrder)]
    assert batches[0] == batches[2] != batches[1]
    low = orders_of(Request([scenario("low_n")]))[0][0]
    assert isinstance(low, TubeOrder)
    assert low.n_events == scenario("low_n").n_events


def test_a_spike_replaces_the_scenarios_msc() -> None:
    request = Request([scenario("healthy_donor")], seeds=[1, 2, 1], spike_ppm=500.0, n_events=100_000)
    orders = orders_of(request)[0]
    assert [order.sample_id for order in orders] == ["healthy_donor_500ppm_s1", "healthy_donor_500ppm_s2"]
    for order in orders:
        assert isinstance(order, TubeOrder)
        assert simulate_tube(order).marrow.msc_ppm == 500.0


def test_nothing_is_replaced_unasked(folder: Path) -> None:
    before = _hashes(folder)
    with pytest.raises(UsageError) as refused:
        _made(folder)
    assert refused.value.code == "simulate.exists"
    assert "--force" in (refused.value.hint or "")
    assert _hashes(folder) == before


def test_other_files_in_the_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "mine.fcs").write_bytes(b"mine")
    small = replace(REQUEST, scenarios=[scenario("clean")], n_events=500, companions=())
    first = _made(tmp_path, small)
    again = _made(tmp_path, small, force=True)
    assert (tmp_path / "mine.fcs").read_bytes() == b"mine"
    assert [tube.fcs for tube in first] == [tube.fcs for tube in again]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "clean_s5.fcs",
        "clean_s5.truth.json",
        "clean_s5.truth.parquet",
        "mine.fcs",
        "samples.csv",
    ]


def test_a_broken_run_leaves_no_sheet(tmp_path: Path) -> None:
    class StoppedError(Exception):
        pass

    def stop(_: str) -> None:
        raise StoppedError

    small = replace(REQUEST, n_events=500)
    with pytest.raises(StoppedError):
        _made(tmp_path, small, on_done=stop)
    assert not (tmp_path / "samples.csv").exists()
    assert (tmp_path / "rough_run_s5.fcs").exists()


@pytest.mark.parametrize(
    ("change", "kind", "code"),
    [
        ({"n_events": 0}, UsageError, "simulate.events"),
        ({"rate_per_s": 0.0}, UsageError, "simulate.rate"),
        ({"seeds": [-1]}, UsageError, "simulate.seed"),
        ({"spike_ppm": -1.0}, UsageError, "simulate.spike"),
        ({"spike_ppm": float("nan")}, UsageError, "simulate.spike"),
        ({"spike_ppm": 600_000.0}, UsageError, "simulate.spike"),
        ({"companions": ["fmo:CD164"]}, SpecificationError, "simulate.role"),
        ({"companions": ["blank"]}, SpecificationError, "simulate.role"),
        ({"prepared": "cd45_depletd"}, SpecificationError, "simulate.preparation"),
        ({"family": "c"}, SpecificationError, "simulate.family"),
        ({"background": Path("x.fcs")}, UsageError, "simulate.background_only"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is(
    change: dict[str, Any], kind: type[Exception], code: str
) -> None:
    with pytest.raises(kind) as refused:
        orders_of(replace(REQUEST, **change))
    assert getattr(refused.value, "code", None) == code
    assert getattr(refused.value, "hint", None)


@pytest.mark.parametrize("place", [lambda tmp: tmp / "file", lambda tmp: tmp / "file" / "within"])
def test_a_folder_that_cannot_be_is_told(tmp_path: Path, place: Callable[[Path], Path]) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises((UsageError, InputError)) as refused:
        _made(place(tmp_path), replace(REQUEST, n_events=100))
    assert refused.value.code in {"simulate.out", "simulate.folder"}
    assert refused.value.hint
