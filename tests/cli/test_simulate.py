"""``simulate``: scenarios listed and made, companions, spikes, real backgrounds, and nothing replaced unasked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stromagate.fcs import read_fcs
from stromagate.pipeline.sheet import read_sheet
from stromagate.simulate import SCENARIOS, TubeOrder, scenario, simulate_tube, write_tube


def test_the_list_names_every_scenario(call, said) -> None:
    result = call("simulate", "--list")
    assert result.exit_code == 0
    assert all(f"  {made.name} " in result.stdout and made.title in result.stdout for made in SCENARIOS)
    rows = said(call("simulate", "--list", "--json"))["scenarios"]
    assert [row["name"] for row in rows] == [made.name for made in SCENARIOS]


def test_tubes_are_made_with_companions_and_truth(call, tmp_path: Path) -> None:
    out = tmp_path / "tubes"
    wanted = ["--scenario", "aml_blast90", "--scenario", "clean", "--seed", 3, "--events", 8_000, "--out", out]
    result = call("simulate", *wanted, "--companions", "fmo:CD146, unstained", "--preparation", "cd45_depleted")
    assert result.exit_code == 0, result.output
    sheet = Path(result.stdout.strip())
    assert sheet == (out / "samples.csv").resolve()
    rows = read_sheet(sheet)
    assert [row.role for row in rows] == ["stained", "fmo:CD146", "unstained"] * 2
    assert {row.labels["preparation"] for row in rows} == {"cd45_depleted"}
    for row in rows:
        assert row.file.is_file()
        truth = json.loads((out / f"{row.sample_id}.truth.json").read_text(encoding="utf-8"))
        assert truth["role"] == row.role
        assert truth["seed"] == 3
        assert (out / f"{row.sample_id}.truth.parquet").is_file()
    order = TubeOrder(scenario("clean"), "clean_s3", "clean_s3", prepared="cd45_depleted", n_events=8_000, seed=3)
    assert (read_fcs(out / "clean_s3.fcs").events[:, :-1] == simulate_tube(order).events[:, :-1]).all()


def test_one_object_is_printed_where_json_is_asked(call, said, tmp_path: Path) -> None:
    wanted = ["-s", "fmo_missing", "-n", 3_000, "--spike-ppm", 20_000, "--companions", "fmo:CD146", "--rate", 500]
    result = call("simulate", *wanted, "-o", tmp_path, "--family", "b", "--signals", "--json")
    assert result.exit_code == 0, result.output
    answer = said(result)
    assert answer["ok"]
    assert answer["format"] == "stromagate.simulation/1"
    (tube,) = answer["tubes"]
    assert tube["sample_id"] == "fmo_missing_20000ppm_s1"
    assert tube["n_events"] == 3_000
    assert 15 < tube["true_singlets"]["msc"] < 80
    assert len(answer["left_out"]) == 1
    assert Path(tube["fcs"]).is_file()
    assert read_fcs(tube["fcs"]).keywords["STROMAGATE_FAMILY"] == "b"
    assert read_fcs(tube["fcs"]).events[-1, -1] == pytest.approx(6.0, rel=0.1)


def test_nothing_is_replaced_unless_forced(call, said, tmp_path: Path) -> None:
    wanted = ["simulate", "-s", "clean", "-n", 500, "-o", tmp_path]
    assert call(*wanted).exit_code == 0
    before = (tmp_path / "clean_s1.fcs").read_bytes()
    refused = call(*wanted, "--seed", 1, "--json")
    assert refused.exit_code == 2
    assert said(refused)["error"]["code"] == "simulate.exists"
    assert (tmp_path / "clean_s1.fcs").read_bytes() == before
    assert call(*wanted, "--force").exit_code == 0
    assert (tmp_path / "clean_s1.fcs").read_bytes() == before  # the same order is the same bytes


def test_stroma_is_put_into_a_real_tube(call, said, tmp_path: Path) -> None:
    background = tmp_path / "theirs.fcs"
    write_tube(simulate_tube(TubeOrder(scenario("no_stroma"), "b", "b", n_events=20_000)), background)
    before = background.read_bytes()
    result = call("simulate", "--background", background, "--spike-ppm", 5_000, "-o", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    (tube,) = said(result)["tubes"]
    assert tube["sample_id"] == "healthy_5000ppm_s1"
    assert 60 < tube["true_singlets"]["msc"] < 130
    assert tube["n_events"] > 20_060
    assert background.read_bytes() == before
    assert read_sheet(tmp_path / "out" / "samples.csv")[0].file == tmp_path / "out" / "healthy_5000ppm_s1.fcs"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code", "hint"),
    [
        ([], 2, "simulate.what", "--list"),
        (["-s", "aml_blasts90"], 4, "simulate.scenario", "aml_blast90"),
        (["-s", "clean", "--events", "0"], 2, "simulate.events", "1 to"),
        (["-s", "clean", "--spike-ppm", "-3"], 2, "simulate.spike", "0 to"),
        (["-s", "clean", "--companions", "fmo:CD164"], 4, "simulate.role", "fmo:CD146"),
        (["--background", "absent.fcs"], 3, "file.missing", None),
        (["--background", "absent.fcs", "--companions", "unstained"], 2, "simulate.background_only", "leave"),
    ],
)
def test_mistakes_are_met_with_what_to_do(
    call, said, tmp_path: Path, arguments: list[str], exit_code: int, code: str, hint: str | None
) -> None:
    out = tmp_path / "out"
    result = call("simulate", *arguments, "--out", out, "--json")
    assert result.exit_code == exit_code, result.output
    error = said(result)["error"]
    assert error["code"] == code
    assert hint is None or hint in error["hint"]
    assert not out.exists()


def test_a_folder_must_be_named(call, said) -> None:
    result = call("simulate", "-s", "clean", "--json")
    assert result.exit_code == 2
    assert said(result)["error"]["code"] == "simulate.where"


def test_words_that_are_not_allowed_are_wrong_usage(call) -> None:
    for arguments in (["--preparation", "depleted"], ["--family", "c"], ["--jobs", "0"], ["--seed", "-1"]):
        assert call("simulate", "-s", "clean", "--out", "x", *arguments).exit_code == 2


def test_simulated_tubes_run_through_the_pipeline(call, tmp_path: Path) -> None:
    """What is written is what the tool reads: a spiked, enriched tube is analysed and its MSC are found."""
    wanted = ["-s", "healthy", "-n", 40_000, "--preparation", "cd45_depleted", "--seed", 2]
    assert call("simulate", *wanted, "-o", tmp_path / "t").exit_code == 0
    sheet = tmp_path / "t" / "samples.csv"
    result = call("run", "--sheet", sheet, "--template", "bm_stroma_core", "--out", tmp_path / "r")
    assert result.exit_code == 0, result.output
    true = json.loads((tmp_path / "t" / "healthy_s2.truth.json").read_text(encoding="utf-8"))["counts"]["msc"]
    found = json.loads((tmp_path / "r/samples/healthy_s2/result.json").read_text(encoding="utf-8"))
    counted = next(s for s in found["statistics"] if s["population"] == "msc" and s["statistic"] == "count")
    assert counted["value"] == pytest.approx(true["viable_singlets"], rel=0.4)


def test_a_series_of_batches_with_controls_is_a_sheet_that_can_be_run(call, said, tmp_path: Path) -> None:
    wanted = ["simulate", "-s", "clean", "-n", 2_000, "--batches", 2, "--donors", 2, "--panel", "stroma_ext_12"]
    wanted += ["--companions", "fmo:CD146", "--companion-events", 3_000, "-o", tmp_path, "--json"]
    result = call(*wanted)
    assert result.exit_code == 0, result.output
    tubes = said(result)["tubes"]
    assert [tube["n_events"] for tube in tubes] == [2_000, 3_000] * 4
    rows = read_sheet(tmp_path / "samples.csv")
    assert {row.labels["batch"] for row in rows} == {"batch_01", "batch_02"}
    assert {row.labels["panel"] for row in rows} == {"stroma_ext_12"}
    assert {row.labels["patient_id"] for row in rows} == {"clean_s1_d01", "clean_s1_d02"}


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code", "hint"),
    [
        (["--panel", "immune10"], 4, "simulate.panel", "immune_10"),
        (["--batches", "100"], 2, "simulate.batches", "0 to 99"),
        (["--donors", "100"], 2, "simulate.donors", "1 to 99"),
        (["--companions", "unstained", "--companion-events", "0"], 2, "simulate.events", "1 to"),
        (["--panel", "hypoxia", "--companions", "fmo:CD105"], 4, "simulate.role", "fmo:"),
    ],
)
def test_a_series_that_cannot_be_is_refused(call, said, tmp_path, arguments, exit_code, code, hint) -> None:
    result = call("simulate", "-s", "clean", "-n", 500, "-o", tmp_path / "out", *arguments, "--json")
    assert result.exit_code == exit_code
    assert said(result)["error"]["code"] == code
    assert hint in said(result)["error"]["hint"]
    assert not (tmp_path / "out").exists()
