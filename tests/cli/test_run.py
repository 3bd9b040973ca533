"""``run`` and ``report``: nine of ten tubes, exit codes, the same bytes, nothing lost."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

from stromagate.cli.run import _at_once
from tests.tubes import TEMPLATE, write_template, write_tube

TABLES = {
    "populations.csv": "sample_id,population,parent,statistic,marker,value,unit,denominator,ci_low,ci_high,state,n,"
    "counting_low,counting_high,boundary_low,boundary_high,role,interval",
    "thresholds.csv": "sample_id,population,axis,value_display,value_raw,spread,source,fallback,edited_by",
    "qc.csv": "sample_id,code,check,status,measured,limit,unit,sentence,stage,remedy",
}


def tree(folder: Path, *, but: tuple[str, ...] = ("run.json",)) -> dict[str, str]:
    """Return the SHA-256 of every file, without the one that holds times."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in but)
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_folder_of_tubes_becomes_a_folder_of_results(call, said, tubes: Path, tmp_path: Path) -> None:
    result = call("run", tubes, "--template", tubes / "small.yaml", "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.output
    answer = said(result)
    assert answer["ok"]
    assert [entry["status"] for entry in answer["run"]["samples"]] == ["ok"] * 3
    out = tmp_path / "out"
    names = set(tree(out, but=()))
    assert {"run.json", "index.html", "assets/plotly.min.js", *TABLES} <= names
    for sample_id in ("a", "b", "c"):
        assert {f"samples/{sample_id}/{name}" for name in ("result.json", "report.html", "populations.csv")} <= names
    for name, header in TABLES.items():
        lines = (out / name).read_text(encoding="utf-8").splitlines()
        assert lines[0] == header
        assert len(lines) > 3


def test_numbers_are_right(call, tubes: Path, tmp_path: Path) -> None:
    assert call("run", tubes / "a.fcs", "-t", tubes / "small.yaml", "-o", tmp_path / "out").exit_code == 0
    text = (tmp_path / "out" / "populations.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    counts = {row["population"]: int(float(row["value"])) for row in rows if row["statistic"] == "count"}
    assert 2200 < counts["cells"] < 2600
    assert 40 <= counts["msc"] <= 80
    (rate,) = [
        row
        for row in rows
        if (row["population"], row["statistic"], row["denominator"]) == ("msc", "per_million", "cells")
    ]
    assert float(rate["value"]) == pytest.approx(counts["msc"] / counts["cells"] * 1e6)
    assert float(rate["ci_low"]) < float(rate["value"]) < float(rate["ci_high"])


def test_the_interval_is_chosen(call, said, tubes: Path, tmp_path: Path) -> None:
    bounds = {}
    for kind in ("clopper-pearson", "wilson"):
        out = tmp_path / kind
        asked = ("--interval", kind, "--confidence", "0.9")
        assert call("run", tubes / "a.fcs", "-t", tubes / "small.yaml", "-o", out, *asked).exit_code == 0
        rows = csv.DictReader((out / "populations.csv").read_text(encoding="utf-8").splitlines())
        (row,) = [
            row
            for row in rows
            if (row["population"], row["statistic"], row["denominator"]) == ("msc", "fraction", "cells")
        ]
        bounds[kind] = (float(row["ci_low"]), float(row["ci_high"]))
    assert bounds["clopper-pearson"][0] < bounds["wilson"][0]
    refused = call(
        "run", tubes / "a.fcs", "-t", tubes / "small.yaml", "-o", tmp_path / "x", "--interval", "wald", "--json"
    )
    assert refused.exit_code == 2
    assert "clopper-pearson" in said(refused)["error"]["message"]


@pytest.mark.parametrize(("level", "code"), [("warn", 5), ("fail", 0)])
def test_a_finding_ends_with_5_only_where_it_was_asked(call, said, tubes: Path, tmp_path: Path, level, code) -> None:
    command = ("run", tubes / "a.fcs", "-t", tubes / "small.yaml", "-o", tmp_path / "out")
    plain = call(*command, "--json")
    assert plain.exit_code == 0
    worst = said(plain)["run"]["samples"][0]["worst_finding"]
    assert worst == "warn"  # 3,000 events are few for anything rare
    asked = call(*command, "--fail-on", level)
    assert asked.exit_code == code
    assert (f"findings of status {level} or worse in 1: a" in asked.stderr) == bool(code)
    assert (tmp_path / "out" / "index.html").is_file()
    assert call(*command, "--fail-on", "pass").exit_code == 2


def test_control_tubes_do_not_reach_fail_on(call, tubes: Path, tmp_path: Path) -> None:
    sheet = tubes / "controls.csv"
    sheet.write_text("file,role\na.fcs,fmo:CD146\n", encoding="utf-8")
    command = ("run", "--sheet", sheet, "-t", tubes / "small.yaml", "-o", tmp_path / "out", "--fail-on", "warn")
    result = call(*command)
    sheet.unlink()
    assert result.exit_code == 0, result.output


def test_a_failed_tube_goes_before_a_finding(call, tmp_path: Path) -> None:
    bad = write_tube(tmp_path / "bad.fcs")
    bad.write_bytes(bad.read_bytes()[:9000])
    template = write_template(tmp_path / "small.yaml")
    assert call("run", bad, "-t", template, "-o", tmp_path / "out", "--fail-on", "warn").exit_code == 3


def test_the_same_bytes_under_two_names_are_said(call, said, tubes: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, source in (("a.fcs", "a.fcs"), ("b.fcs", "b.FCS"), ("copy_of_a.fcs", "a.fcs")):
        (folder / name).write_bytes((tubes / source).read_bytes())
    result = call("run", folder, "-t", tubes / "small.yaml", "-o", tmp_path / "out", "--json")
    assert result.exit_code == 0
    assert "a, copy_of_a hold the same bytes" in result.stderr
    assert "a, copy_of_a hold the same bytes" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    contents = [entry["sha256"] for entry in said(result)["run"]["samples"]]
    assert contents[0] == contents[2] != contents[1]


def test_one_bad_file_among_ten(call, said, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for seed in range(10):
        write_tube(folder / f"tube_{seed}.fcs", seed, 800)
    bad = folder / "tube_4.fcs"
    bad.write_bytes(bad.read_bytes()[:9000])
    write_template(tmp_path / "small.yaml")
    result = call("run", folder, "-t", tmp_path / "small.yaml", "-o", tmp_path / "out", "--json", "--jobs", 2)
    assert result.exit_code == 3
    answer = said(result)
    entries = answer["run"]["samples"]
    assert [entry["sample_id"] for entry in entries if entry["status"] == "failed"] == ["tube_4"]
    assert answer["ok"] is False
    assert answer["error"] == entries[4]["error"]
    error = entries[4]["error"]
    assert error["code"].startswith("fcs.")
    assert error["message"]
    assert error["hint"]
    assert sorted(path.name for path in (tmp_path / "out" / "samples").iterdir()) == [
        f"tube_{i}" for i in range(10) if i != 4
    ]
    assert "tube_4" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "tube_4" in result.stderr
    assert "9 of 10 tubes analysed" in result.stderr


def test_same_input_same_bytes_for_any_number_of_workers(call, tubes: Path, tmp_path: Path) -> None:
    for name, jobs in (("one", 1), ("two", 2)):
        command = ("run", tubes, "-t", tubes / "small.yaml", "-o", tmp_path / name, "-j", jobs)
        assert call(*command).exit_code == 0
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_rendering_again_gives_the_same_pages(call, tubes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert call("run", tubes, "-t", tubes / "small.yaml", "-o", out).exit_code == 0
    before = tree(out, but=())
    for page in out.rglob("*.html"):
        page.unlink()
    (out / "populations.csv").write_text("spoiled", encoding="utf-8")
    result = call("report", out)
    assert result.exit_code == 0, result.output
    assert tree(out, but=()) == before


def test_finished_tubes_are_kept_and_changed_ones_made_again(call, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    write_tube(folder / "a.fcs", 0, 800)
    write_tube(folder / "b.fcs", 1, 800)
    template = write_template(tmp_path / "small.yaml")
    command = ("run", folder, "-t", template, "-o", out)
    assert call(*command).exit_code == 0
    made = {name: (out / "samples" / name / "result.json").stat().st_ino for name in "ab"}
    write_tube(folder / "b.fcs", 2, 800)
    assert call(*command).exit_code == 0
    again = {name: (out / "samples" / name / "result.json").stat().st_ino for name in "ab"}
    assert again["a"] == made["a"]
    assert again["b"] != made["b"]
    write_template(template, TEMPLATE.replace("low: 0.45", "low: 0.5"))
    assert call(*command).exit_code == 0
    assert (out / "samples" / "a" / "result.json").stat().st_ino != made["a"]


def test_pages_of_kept_tubes_are_as_asked(call, tubes: Path, tmp_path: Path) -> None:
    command = ("run", tubes / "a.fcs", "-t", tubes / "small.yaml", "-o", tmp_path / "out")
    page = tmp_path / "out" / "samples" / "a" / "report.html"
    assert call(*command).exit_code == 0
    before = page.read_bytes()
    page.unlink()
    assert call(*command).exit_code == 0
    assert page.read_bytes() == before
    assert call(*command, "--standalone").exit_code == 0
    assert page.stat().st_size > 10 * len(before)


def test_results_of_another_run_are_not_shown_as_this_ones(call, tubes: Path, tmp_path: Path) -> None:
    command = ("run", tubes / "a.fcs", "-t", tubes / "small.yaml", "-o")
    assert call(*command, tmp_path / "file").exit_code == 0
    assert call(*command, tmp_path / "none", "--compensation", "none").exit_code == 0
    (tmp_path / "none" / "samples" / "a").rename(tmp_path / "none" / "away")
    (tmp_path / "file" / "samples" / "a").rename(tmp_path / "none" / "samples" / "a")
    result = call("report", tmp_path / "none")
    assert result.exit_code == 3
    assert "was not made by the run" in result.stderr


def test_a_result_changed_by_hand_is_neither_shown_nor_kept(call, tubes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ("run", tubes / "a.fcs", "-t", tubes / "small.yaml", "-o", out)
    assert call(*command).exit_code == 0
    path = out / "samples" / "a" / "result.json"
    true = path.read_bytes()
    document = json.loads(true)
    count = next(row for row in document["statistics"] if row["population"] == "msc" and row["statistic"] == "count")
    count["value"] += 1
    path.write_text(json.dumps(document), encoding="utf-8")
    result = call("report", out)
    assert result.exit_code == 3
    assert "not as it was written" in result.stderr
    assert call(*command).exit_code == 0
    assert path.read_bytes() == true
    path.write_text(json.dumps(json.loads(true)), encoding="utf-8")  # other blanks, the same numbers
    assert call("report", out).exit_code == 0


def test_a_run_that_stops_early_leaves_no_tables_of_the_older_one(call, tubes, tmp_path, monkeypatch) -> None:
    from stromagate.pipeline import together

    out = tmp_path / "out"
    command = ("run", tubes, "-t", tubes / "small.yaml", "-o", out)
    assert call(*command).exit_code == 0
    real = together.analyze

    def interrupted(path, *args, **kwargs):
        if path.name == "b.FCS":
            raise KeyboardInterrupt
        return real(path, *args, **kwargs)

    monkeypatch.setattr(together, "analyze", interrupted)
    result = call(*command, "--compensation", "none")
    assert result.exit_code == 130
    assert "interrupted" in result.stderr
    assert not [name for name in ("run.json", "index.html", *TABLES) if (out / name).exists()]
    assert "not finished" in call("report", out).stderr
    as_json = call(*command, "--compensation", "none", "--json")
    assert as_json.exit_code == 130
    assert json.loads(as_json.stdout)["error"]["code"] == "interrupted"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not take such names")
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_name_that_is_no_text_costs_nothing(call, said, tmp_path: Path, jobs: int) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    write_tube(folder / "plain.fcs")
    for number, bad in enumerate([b"lat\xe9in.fcs", b"\xff\xfe.fcs"]):
        write_tube(folder / f"{number}.fcs", number).rename(folder / os.fsdecode(bad))
    (folder / os.fsdecode(b"cut\xe9.fcs")).write_bytes(b"FCS3.1")
    template = write_template(tmp_path / "small.yaml")
    result = call("run", folder, "-t", template, "-o", tmp_path / "out", "--json", "-j", jobs)
    assert result.exit_code == 3
    shown = {entry["file"] for entry in said(result)["run"]["samples"]}
    assert shown == {"plain.fcs", "lat\\xe9in.fcs", "\\xff\\xfe.fcs", "cut\\xe9.fcs"}
    assert call("report", tmp_path / "out").exit_code == 0
    looked = said(call("inspect", folder, "--json"))["files"]
    assert {os.fsencode(Path(item["path"]).name) for item in looked} >= {b"lat\xe9in.fcs", b"cut\xe9.fcs"}


def test_results_hold_no_events_no_times_and_no_paths_of_this_machine(call, tubes: Path, tmp_path: Path) -> None:
    assert call("run", tubes, "-t", tubes / "small.yaml", "-o", tmp_path / "out").exit_code == 0
    for path in (tmp_path / "out" / "samples").rglob("result.json"):
        text = path.read_text(encoding="utf-8")
        assert str(tubes) not in text
        assert str(tmp_path) not in text
        assert json.loads(text)["format"] == "stromagate.result/1"
        assert len(text) < 400_000


def test_a_sheet_names_tubes_and_carries_columns(call, said, tubes: Path, tmp_path: Path) -> None:
    sheet = tubes / "sheet.csv"
    sheet.write_text("file,sample_id,role,day\na.fcs,P1,stained,0\nb.FCS,P1_fmo,fmo:CD146,0\n", encoding="utf-8")
    result = call("run", "--sheet", sheet, "-t", tubes / "small.yaml", "-o", tmp_path / "out", "--json")
    sheet.unlink()
    assert result.exit_code == 0, result.output
    entries = said(result)["run"]["samples"]
    assert [(entry["sample_id"], entry["labels"]["role"]) for entry in entries] == [
        ("P1", "stained"),
        ("P1_fmo", "fmo:CD146"),
    ]


def test_a_marker_may_be_bound_by_hand(call, tmp_path: Path) -> None:
    tube = write_tube(tmp_path / "x.fcs", stains=["", "", "", "CD45", "", "CD271", ""])
    template = write_template(tmp_path / "small.yaml")
    refused = call("run", tube, "-t", template, "-o", tmp_path / "out")
    assert refused.exit_code == 4
    assert "CD146" in refused.stderr
    assert "PE-A" in refused.stderr
    assert call("run", tube, "-t", template, "-o", tmp_path / "out", "-m", "CD146=PE-A").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run"], 2, "--template is needed"),
        (["run", "{in}", "-t", "bm_stroma_core"], 2, "--out is needed"),
        (["run", "-t", "{in}/small.yaml", "-o", "{out}"], 2, "nothing to run on"),
        (["run", "{in}/none.fcs", "-t", "{in}/small.yaml", "-o", "{out}"], 3, "none.fcs"),
        (["run", "{empty}", "-t", "{in}/small.yaml", "-o", "{out}"], 3, ".fcs"),
        (["run", "{in}", "-t", "bm_stroma_cor", "-o", "{out}"], 4, "bm_stroma_core"),
        (["run", "{in}", "-t", "{in}/small.yaml", "-o", "{out}", "-m", "CD146"], 2, "MARKER=CHANNEL"),
        (["run", "{in}", "-t", "{in}/small.yaml", "-o", "{out}", "--policy", "loose"], 2, "policy"),
        (["run", "{in}", "-t", "{in}/small.yaml", "-o", "{out}", "--compensation", "{in}/none.csv"], 3, "none.csv"),
        (["run", "--sheet", "{in}/none.csv", "-t", "{in}/small.yaml", "-o", "{out}"], 3, "none.csv"),
        (["report", "{empty}"], 3, "no run"),
        (["inspect", "{empty}"], 3, ".fcs"),
        (["templates", "show", "bm_stroma_cor"], 4, "bm_stroma_core"),
    ],
)
def test_mistakes_end_with_one_clear_error(
    call, said, tubes: Path, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    places = {"in": tubes, "out": tmp_path / "out", "empty": tmp_path / "empty"}
    places["empty"].mkdir()
    filled = [argument.format(**places) for argument in arguments]
    result = call(*filled)
    assert result.exit_code == code, result.output
    assert words in result.stderr
    assert not result.stdout
    assert "Traceback" not in result.stderr
    as_json = call(*filled, "--json")
    assert as_json.exit_code == code
    answer = said(as_json)
    assert answer["ok"] is False
    assert set(answer["error"]) == {"code", "message", "where", "hint"}
    assert words in " ".join(str(value) for value in answer["error"].values())


def test_a_template_with_mistakes_says_all_of_them(call, tubes: Path, tmp_path: Path) -> None:
    text = TEMPLATE.replace("method: valley", "method: vally").replace("parent: cd45neg", "parent: cd45ng")
    template = write_template(tmp_path / "bad.yaml", text)
    result = call("run", tubes, "-t", template, "-o", tmp_path / "out")
    assert result.exit_code == 4
    assert "valley" in result.stderr
    assert "cd45neg" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_fault_of_ours_costs_one_tube_and_ends_with_1(call, said, tubes, tmp_path, monkeypatch) -> None:
    from stromagate.pipeline import together

    real = together.analyze

    def broken(path, *args, **kwargs):
        if path.name == "a.fcs":
            raise ZeroDivisionError("a bug")
        return real(path, *args, **kwargs)

    monkeypatch.setattr(together, "analyze", broken)
    result = call("run", tubes, "-t", tubes / "small.yaml", "-o", tmp_path / "out", "--json")
    assert result.exit_code == 1
    entries = said(result)["run"]["samples"]
    assert [entry["status"] for entry in entries] == ["failed", "ok", "ok"]
    assert entries[0]["error"]["code"] == "internal"


def test_no_more_processes_are_started_than_there_are_files(tubes: Path) -> None:
    """Each loads the whole program: of --jobs 64 for one tube, 63 would have nothing to do."""
    assert _at_once(64, [tubes / "a.fcs"], None) == 1
    assert _at_once(64, [tubes / "a.fcs", tubes / "b.FCS"], None) == 2
    assert _at_once(64, [tubes], None) == 64  # nobody has looked into it yet
    assert _at_once(64, [], tubes / "samples.csv") == 64
