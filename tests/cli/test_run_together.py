"""``run``: what is seen of all tubes together reaches every output, and ``--history`` keeps and charts runs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from stromagate.fcs import read_fcs, write_fcs
from tests.tubes import write_template, write_tube


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for seed, name in enumerate("ab"):
        write_tube(tmp_path / "in" / f"{name}.fcs", seed)
    write_template(tmp_path / "small.yaml")
    return tmp_path


def command(folder: Path, *more: object, out: str = "out") -> tuple[object, ...]:
    return ("run", folder / "in", "-t", folder / "small.yaml", "-o", folder / out, *more)


def resaved(source: Path, target: Path, **keywords: str) -> None:
    """Write the same events with other keywords."""
    sample = read_fcs(source)
    labels = [channel.pns for channel in sample.channels]
    words = {"$SPILLOVER": sample.keywords["$SPILLOVER"], "$TIMESTEP": "1", "$CYT": "Test cytometer", **keywords}
    write_fcs(target, sample.events, list(sample.pnn), labels=labels, keywords=words)


def test_the_same_events_in_another_file_fail_in_every_output(call, said, folder: Path) -> None:
    resaved(folder / "in" / "a.fcs", folder / "in" / "c.fcs", **{"$COM": "exported again"})
    assert (folder / "in" / "a.fcs").read_bytes() != (folder / "in" / "c.fcs").read_bytes()
    result = call(*command(folder, "--fail-on", "fail", "--json"))
    assert result.exit_code == 5
    assert "all tubes together: Q29" in result.stderr
    (finding,) = [item for item in said(result)["run"]["findings"] if item["code"] == "Q29"]
    assert (finding["status"], finding["samples"]) == ("fail", ["a", "c"])
    rows = list(csv.DictReader((folder / "out" / "qc.csv").read_text(encoding="utf-8").splitlines()))
    (row,) = [row for row in rows if row["code"] == "Q29"]
    assert (row["sample_id"], row["status"]) == ("", "fail")
    assert row["sentence"] in (folder / "out" / "index.html").read_text(encoding="utf-8")


def test_tubes_that_differ_in_one_event_are_no_twins(call, said, folder: Path) -> None:
    sample = read_fcs(folder / "in" / "a.fcs")
    events = sample.events.copy()
    events[-1, 0] += 1
    labels = [channel.pns for channel in sample.channels]
    words = {"$SPILLOVER": sample.keywords["$SPILLOVER"], "$TIMESTEP": "1"}
    write_fcs(folder / "in" / "c.fcs", events, list(sample.pnn), labels=labels, keywords=words)
    findings = said(call(*command(folder, "--json")))["run"]["findings"]
    assert [item["status"] for item in findings if item["code"] == "Q29"] == ["pass"]


def test_voltages_day_and_order_come_from_the_files_and_no_day_is_written(call, said, folder: Path) -> None:
    for name, volts, clock in (("a", "480", "10:00:00"), ("b", "520", "10:05:00.50")):
        words = {"$P5V": volts, "$DATE": "17-MAR-2031", "$BTIM": clock}
        resaved(folder / "in" / f"{name}.fcs", folder / "in" / f"{name}2.fcs", **words)
        (folder / "in" / f"{name}.fcs").unlink()
    result = call(*command(folder, "--json", "--history", folder / "hist"))
    found = {item["code"]: item for item in said(result)["run"]["findings"]}
    assert "CD146 (PE-A) 520 V, not 480 V" in found["Q60"]["sentence"]
    assert found["Q63"]["status"] == "pass"
    written = [path.read_bytes() for path in (*(folder / "out").rglob("*.*"), folder / "hist" / "history.jsonl")
               if path.is_file() and "plotly" not in path.name]  # fmt: skip
    assert not any(b"17-mar-2031" in content.lower() for content in written)


def test_a_history_grows_by_one_line_a_run_and_by_none_the_second_time(call, said, folder: Path) -> None:
    asked = command(folder, "--history", folder / "hist", "--json")
    first = call(*asked)
    assert first.exit_code == 0, first.output
    before = (folder / "hist" / "history.jsonl").read_bytes()
    assert before.count(b"\n") == 1
    assert {"history.html", "history.json"} <= {path.name for path in (folder / "out").iterdir()}
    charts = (folder / "out" / "history.json").read_bytes()
    again = call(*asked)
    assert again.exit_code == 0
    assert (folder / "hist" / "history.jsonl").read_bytes() == before
    assert (folder / "out" / "history.json").read_bytes() == charts
    write_tube(folder / "in" / "b.fcs", 7)
    assert call(*asked).exit_code == 0
    assert (folder / "hist" / "history.jsonl").read_bytes().startswith(before)
    assert (folder / "hist" / "history.jsonl").read_bytes().count(b"\n") == 2
    drift = [item["status"] for item in said(first)["run"]["findings"] if item["code"] in {"Q56", "Q57", "Q58"}]
    assert drift == ["not_applicable"] * 3


def test_a_history_moves_no_number_and_leaves_with_the_run(call, folder: Path) -> None:
    assert call(*command(folder, out="plain")).exit_code == 0
    assert call(*command(folder, "--history", folder / "hist")).exit_code == 0
    for name in ("populations.csv", "thresholds.csv", "samples/a/result.json"):
        assert (folder / "plain" / name).read_bytes() == (folder / "out" / name).read_bytes()
    page = (folder / "out" / "history.html").read_bytes()
    (folder / "out" / "history.html").unlink()
    assert call("report", folder / "out").exit_code == 0
    assert (folder / "out" / "history.html").read_bytes() == page
    assert call(*command(folder)).exit_code == 0
    assert not list((folder / "out").glob("history*"))


def test_a_gain_that_creeps_is_found_after_a_declared_baseline(call, said, folder: Path) -> None:
    """Six steady runs are declared as the baseline; then all light grows."""
    (folder / "hist").mkdir()
    (folder / "hist" / "baseline.txt").write_text("\n".join(f"r{i}" for i in range(6)), encoding="utf-8")
    for path in (folder / "in").iterdir():
        path.unlink()
    for i in range(8):
        write_tube(folder / "in" / "t.fcs", i, n=1200)
        gain = 1.0 if i < 6 else 4.0
        sample = read_fcs(folder / "in" / "t.fcs")
        events = sample.events.copy()
        events[:, 3:6] *= gain
        labels = [channel.pns for channel in sample.channels]
        words = {"$SPILLOVER": sample.keywords["$SPILLOVER"], "$TIMESTEP": "1", "$CYT": "Test cytometer"}
        write_fcs(folder / "in" / "t.fcs", events, list(sample.pnn), labels=labels, keywords=words)
        sheet = folder / "sheet.csv"
        sheet.write_text(f"file,sample_id,batch\nin/t.fcs,t{i},r{i}\n", encoding="utf-8")
        result = call("run", "--sheet", sheet, "-t", folder / "small.yaml", "-o", folder / f"out{i}",
                      "--history", folder / "hist", "--json", "-q")  # fmt: skip
        assert result.exit_code == 0, result.output
        status = {item["code"]: item["status"] for item in said(result)["run"]["findings"]}
        assert (status["Q56"] == "warn") == (i >= 6), i
    assert status["Q57"] == "warn"
    book = json.loads((folder / "out7" / "history.json").read_text(encoding="utf-8"))
    assert book["charts"][0]["declared"]


@pytest.mark.parametrize(
    ("place", "code", "words"),
    [("out", 2, "one folder"), ("in/a.fcs", 2, "is a file"), ("torn", 3, "line 1 is damaged")],
)
def test_a_history_that_cannot_be_used_stops_the_run_before_it_begins(call, said, folder, place, code, words) -> None:
    (folder / "torn").mkdir()
    (folder / "torn" / "history.jsonl").write_text("no line of a history\n", encoding="utf-8")
    result = call(*command(folder, "--history", folder / place, "--json"))
    assert result.exit_code == code
    assert words in said(result)["error"]["message"]
    assert not (folder / "out").exists()
