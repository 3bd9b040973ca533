"""``inspect``: what people read of a file, as a golden file and as JSON."""

from __future__ import annotations

from pathlib import Path

from tests.golden import matches_golden
from tests.tubes import write_tube


def test_what_people_read(call, tmp_path: Path, monkeypatch) -> None:
    write_tube(tmp_path / "tube.fcs", 0, 500)
    monkeypatch.chdir(tmp_path)
    result = call("inspect", "tube.fcs", "--witness")
    assert result.exit_code == 0, result.output
    assert not result.stderr
    matches_golden("inspect.txt", result.stdout)


def test_a_refused_file_is_an_answer_and_exit_3(call, said, tmp_path: Path) -> None:
    whole = write_tube(tmp_path / "tube.fcs", 0, 500).read_bytes()
    (tmp_path / "cut.fcs").write_bytes(whole[:-1000])
    result = call("inspect", tmp_path)
    assert result.exit_code == 3
    assert "refused" in result.stdout
    assert "ok" in result.stdout
    files = said(call("inspect", tmp_path, "--json"))["files"]
    assert [item["verdict"] for item in files] == ["refused", "ok"]
    assert files[0]["error"]["hint"]
    assert files[1]["n_events"] == 500
    assert [channel["pnn"] for channel in files[1]["channels"]][3:6] == ["FITC-A", "PE-A", "APC-A"]
    assert files[1]["spillover"]["channels"] == ["FITC-A", "PE-A", "APC-A"]
    salvaged = said(call("inspect", tmp_path / "cut.fcs", "--policy", "salvage", "--json"))["files"][0]
    assert salvaged["verdict"] == "salvaged"
    assert 400 < salvaged["n_events"] < 500


def test_folders_are_searched_through_and_through(call, said, tubes: Path) -> None:
    files = said(call("inspect", tubes, "--json"))["files"]
    assert [Path(item["path"]).name for item in files] == ["a.fcs", "b.FCS", "c.fcs"]


def test_it_says_why_a_template_does_not_fit(call, said, tubes: Path) -> None:
    (fit,) = [
        item
        for item in said(call("inspect", tubes / "a.fcs", "--json"))["files"][0]["templates"]
        if item["name"] == "bm_stroma_core"
    ]
    assert not fit["fits"]
    assert fit["reason"]
