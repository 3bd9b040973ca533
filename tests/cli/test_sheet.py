"""``sheet``: the proposal on the command line, and where a run speaks of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tubes import write_template, write_tube


@pytest.fixture
def named(tmp_path: Path) -> Path:
    for seed, name in enumerate(["P1_stained", "P1_FMO_CD146", "P1_FMO_x"]):
        write_tube(tmp_path / f"{name}.fcs", seed, 500)
    write_template(tmp_path / "small.yaml")
    return tmp_path


def test_a_sheet_is_proposed_and_runs(call, said, named: Path) -> None:
    sheet = named / "samples.csv"
    result = call("sheet", named, "--out", sheet)
    assert result.exit_code == 0
    assert result.stdout.strip() == str(sheet)
    assert "3 tubes: 1 fmo:CD146, 1 fmo:?, 1 stained" in result.stderr
    assert "in place of the question mark: P1_FMO_x" in result.stderr
    wrong = call("run", "--sheet", sheet, "-t", named / "small.yaml", "-o", named / "out", "--json")
    assert wrong.exit_code == 4
    assert said(wrong)["error"]["code"] == "sheet.roles"
    sheet.write_text(sheet.read_text().replace("fmo:?", "fmo:CD271"), encoding="utf-8")
    assert call("run", "--sheet", sheet, "-t", named / "small.yaml", "-o", named / "out").exit_code == 0


def test_without_a_file_the_sheet_is_printed(call, said, named: Path) -> None:
    result = call("sheet", named)
    assert result.stdout.startswith("file,sample_id,patient_id,role,batch,role_guessed_from\n")
    answer = said(call("sheet", named, "--json"))
    assert answer["ok"]
    assert [row["role"] for row in answer["rows"]] == ["fmo:CD146", "fmo:?", "stained"]
    assert answer["sheet"] is None


def test_a_sheet_that_is_there_is_not_written_over(call, said, named: Path) -> None:
    (named / "samples.csv").write_text("mine", encoding="utf-8")
    result = call("sheet", named, "--out", named / "samples.csv", "--json")
    assert result.exit_code == 2
    assert said(result)["error"]["code"] == "sheet.exists"
    assert (named / "samples.csv").read_text() == "mine"
    assert call("sheet", named, "--out", named / "samples.csv", "--force").exit_code == 0


def test_nothing_to_propose_from_is_an_error(call, tmp_path: Path) -> None:
    assert call("sheet", tmp_path / "none").exit_code == 3
    assert call("sheet", tmp_path).exit_code == 3


def test_a_run_without_a_sheet_says_what_one_would_do(call, named: Path) -> None:
    result = call("run", named, "-t", named / "small.yaml", "-o", named / "out")
    assert "2 of 3 tubes are named like controls and count as stained here" in result.stderr
    assert f"stromagate sheet {named} --out samples.csv" in result.stderr
    assert call("run", named, "-t", named / "small.yaml", "-o", named / "out", "-q").stderr == ""


def test_locks_are_an_option(call, named: Path) -> None:
    missing = call("run", named, "-t", named / "small.yaml", "-o", named / "out", "--locks", named / "none.json")
    assert missing.exit_code == 3
    assert "there is no such file" in missing.stderr
