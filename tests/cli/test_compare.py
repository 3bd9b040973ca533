"""`compare` on the command line: what it prints, writes, and how it ends."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stromagate.model.pattern import PatternCall
from stromagate.pipeline import bundle
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.tubes import collect_tubes
from tests.pipeline.reviews import finished_run
from tests.tubes import TEMPLATE, write_template


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return two runs of two tubes, the second with CD271 cut far higher."""
    first = finished_run(tmp_path_factory.mktemp("compare"))
    text = TEMPLATE.replace("axis: CD271, low: 0.45", "axis: CD271, low: 0.72").replace("1.0.0", "1.1.0")
    template = write_template(first.parent / "other.yaml", text)
    run_batch(collect_tubes([first.parent / "in"]).tubes, template, first.parent / "second")
    return first, first.parent / "second"


@pytest.fixture
def flipped(two: tuple[Path, Path], tmp_path: Path) -> Path:
    """Return a copy of the first run in which one tube has another pattern, and the likeliest's probability."""
    run = shutil.copytree(two[0], tmp_path / "flipped")
    made = bundle.read_result(run, "a")
    called = made.model_copy(
        update={"pattern": PatternCall(pattern="indeterminate", reason="none is likely", probability=0.6)}
    )
    bundle.write_file(run / "samples" / "a" / "result.json", bundle.to_json_bytes(called))
    return run


def test_which_tubes_moved_and_by_which_gate(call, two: tuple[Path, Path]) -> None:
    result = call("compare", *two)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "tubes in both runs: 2, by small 1.0.0, then by small 1.1.0; populations by name"
    assert lines[1] == "a: moved"
    assert lines[2].startswith("  MSC: 32 (21.89 to 45.17; detected, not quantifiable), then ")
    assert lines[2].endswith("; moved, outside both counting intervals")
    assert any(
        line.startswith("    by msc: 2.68 %, then ") and "; CD271 from 0.45, then 0.72 (+" in line for line in lines
    )
    assert lines[-1] == "2 of 2 tubes moved; patterns that flip: 0"


def test_the_same_run_again_moved_nothing(call, two: tuple[Path, Path], tmp_path: Path) -> None:
    again = shutil.copytree(two[0], tmp_path / "again")
    result = call("compare", two[0], again, "--fail-on", "moved")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "tubes in both runs: 2, by small 1.0.0",
        "a: the same",
        "b: the same",
        "0 of 2 tubes moved; patterns that flip: 0",
    ]


def test_fail_on_ends_with_5_and_still_prints(call, said, two: tuple[Path, Path], flipped: Path) -> None:
    moved = call("compare", *two, "--fail-on", "moved", "--json")
    assert moved.exit_code == 5
    assert (said(moved)["ok"], said(moved)["kind"], said(moved)["moved"]) == (True, "runs", ["a", "b"])
    assert call("compare", *two, "--fail-on", "flip").exit_code == 0
    result = call("compare", two[0], flipped, "--fail-on", "flip")
    assert result.exit_code == 5
    assert "  pattern flips: not assigned, then indeterminate: none is likely" in result.stdout.splitlines()
    assert result.stdout.endswith("0 of 2 tubes moved; patterns that flip: 1\n")
    assert call("compare", two[0], flipped, "--fail-on", "moved").exit_code == 0


def test_a_flowjo_table_in_text_and_csv(call, said, two: tuple[Path, Path], tmp_path: Path) -> None:
    n = bundle.read_result(two[0], "a").count("msc")
    table, out = tmp_path / "flowjo.csv", tmp_path / "c.csv"
    table.write_text(f"Sample:;Live/Stroma | Count;Live/X | Count\na.fcs;{n + 900};5\nMean;{n},5;5\n")
    result = call("compare", two[0], table, "--map", "Live/Stroma=msc", "--out", out)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "tubes in run and table: 1; Live/Stroma = msc"
    assert "rows of means and the like, left out: 1" in lines
    assert "tubes that are not in the table: b" in lines
    assert any(
        line.startswith(f"  Live/Stroma: FlowJo {n + 900} events, ours {n}; +900 events, up to ") for line in lines
    )
    assert lines[-1] == "1 of 1 tubes with a real difference"
    assert out.read_text().splitlines()[1].split(",")[16] == "real"
    result = call("compare", two[0], table, "--map", "Live/Stroma=msc", "--fail-on", "moved", "--json")
    assert result.exit_code == 5
    assert (said(result)["kind"], said(result)["moved"]) == ("flowjo", ["a"])


def test_wrong_usage_ends_with_2_and_says_what_to_do(call, said, two: tuple[Path, Path], tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("Sample,MSC | Count\na,5\n")
    for arguments, code in (
        ((two[0], two[0]), "compare.twice"),
        ((*two, "--map", "a=msc"), "compare.map"),
        ((two[0], table, "--fail-on", "flip"), "compare.fail_on"),
        ((*two, "--out", table), "compare.exists"),
    ):
        result = call("compare", *arguments, "--json")
        assert (result.exit_code, said(result)["error"]["code"]) == (2, code)
        assert said(result)["error"]["hint"]
    assert call("compare", *two, "--out", table, "--force").exit_code == 0
    assert call("compare", *two, "--fail-on", "warn").exit_code == 2


def test_what_is_no_run_ends_with_3(call, said, two: tuple[Path, Path], tmp_path: Path) -> None:
    for second in (tmp_path, tmp_path / "nowhere"):
        result = call("compare", two[0], second, "--json")
        assert (result.exit_code, said(result)["error"]["code"]) == (3, "run.none")
