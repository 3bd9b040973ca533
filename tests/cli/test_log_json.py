"""``--log-json``: whole lines from every process, of which no word comes from a file or a sheet."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from stromagate import log
from stromagate.fcs import write_fcs
from stromagate.pipeline.batch import BatchOptions, run_batch
from stromagate.pipeline.tubes import collect_tubes
from tests.cli.test_run import tree
from tests.tubes import NAMES, SPILLOVER, STAINS, write_template, write_tube

KEYS = ["time", "level", "room", "run_id", "sample_id", "stage", "code", "message"]
SECRETS = ("Mustermann", "12.03.1961", "Schwester Agnes", "4711-0815")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tubes, a file that is none, and a sheet; persons stand in keywords, in labels, and in what is wrong."""
    import numpy as np

    folder = tmp_path_factory.mktemp("batch")
    write_template(folder / "small.yaml")
    write_tube(folder / "a.fcs", 0, 1500)
    personal = {
        "$SRC": "Mustermann, Erika",
        "$SMNO": "4711-0815",
        "$OP": "Schwester Agnes",
        "$COM": "born 12.03.1961",
        "PATIENT ID": "Mustermann 4711-0815",
        "$LAST_MODIFIER": "Schwester Agnes",
        "$FIL": "Mustermann.fcs",
    }
    events = np.random.default_rng(1).normal(1000, 300, (1500, len(NAMES))).astype(np.float32)
    told = {"$SPILLOVER": SPILLOVER, "$TIMESTEP": "1", **personal}
    write_fcs(folder / "b.fcs", events, NAMES, labels=STAINS, keywords=told)
    (folder / "c.fcs").write_bytes(b"FCS3.1    Mustermann 12.03.1961" + bytes(40))
    sheet = "file,sample_id,patient_id,comment\na.fcs,a,Mustermann,Schwester Agnes\nb.fcs,b,4711-0815,12.03.1961\n"
    (folder / "samples.csv").write_text(f"{sheet}c.fcs,c,Mustermann,\n", encoding="utf-8")
    return folder


def run(call, batch: Path, out: Path, *further: object) -> int:
    line = ("run", "--sheet", batch / "samples.csv", "-t", batch / "small.yaml", "-o", out)
    return int(call(*line, *further).exit_code)


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_tube_tells_its_course_and_no_person_is_named(call, batch: Path, tmp_path: Path, jobs: int) -> None:
    path = tmp_path / "log.jsonl"
    assert run(call, batch, tmp_path / "out", "--jobs", jobs, "--log-json", path) == 3
    text, told = path.read_text(encoding="utf-8"), lines(path)
    assert not [secret for secret in SECRETS if secret in text]
    assert str(tmp_path) not in text
    assert str(batch) not in text
    assert all(list(each) == KEYS for each in told)
    assert len({each["run_id"] for each in told}) == 1
    assert all(datetime.fromisoformat(each["time"]).tzinfo for each in told)
    assert [told[0]["code"], told[-1]["code"]] == ["verb.begun", "verb.ended"]
    assert told[-1]["message"] == "ended with 3"
    for name in ("a", "b"):
        codes = [each["code"] for each in told if each["sample_id"] == name]
        assert codes[0] == "tube.begun"
        assert codes[-1] == "tube.done"
        assert {"fcs.read", "gates.placed", "checks.made"} < set(codes)
    (failed,) = [each for each in told if each["sample_id"] == "c" and each["level"] == "error"]
    assert failed["code"].startswith("fcs.")
    index = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert failed["code"] == index["samples"][2]["error"]["code"]
    assert index["times"]["run_id"] == failed["run_id"]
    assert {each["room"] for each in told} == {"cli", "fcs", "gating", "pipeline", "qc"}


def test_findings_are_told_by_code_and_name(call, batch: Path, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    run(call, batch, tmp_path / "out", "--log-json", path)
    (said,) = [each for each in lines(path) if (each["code"], each["sample_id"]) == ("Q07", "a")]
    assert (said["level"], said["room"], said["message"]) == ("error", "qc", "few_events: fail")


def test_the_results_are_the_same_with_and_without_a_log(call, batch: Path, tmp_path: Path) -> None:
    run(call, batch, tmp_path / "plain")
    run(call, batch, tmp_path / "logged", "--log-json", tmp_path / "log.jsonl")
    assert tree(tmp_path / "plain") == tree(tmp_path / "logged")


def test_calls_are_added_to_the_end_and_told_apart(call, tmp_path: Path) -> None:
    for _ in range(2):
        assert call("plan", "--ppm", "43", "--log-json", tmp_path / "log.jsonl").exit_code == 0
    told = lines(tmp_path / "log.jsonl")
    assert [each["code"] for each in told] == ["verb.begun", "verb.ended"] * 2
    assert len({each["run_id"] for each in told}) == 2


def test_a_log_that_cannot_be_written_is_said_before_any_work(call, batch: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere" / "log.jsonl", tmp_path):
        out = tmp_path / "out"
        done = call("run", batch / "a.fcs", "-t", batch / "small.yaml", "-o", out, "--json", "--log-json", path)
        assert done.exit_code == 2
        error = json.loads(done.stdout)["error"]
        assert error["code"] == "log.file"
        assert error["hint"]
        assert not out.exists()


def test_a_file_that_is_no_log_is_left_as_it_is(call, batch: Path, tmp_path: Path) -> None:
    """``--log-json *.fcs`` names a tube."""
    tube, before = batch / "a.fcs", (batch / "a.fcs").read_bytes()
    refused = call("inspect", batch / "b.fcs", "--json", "--log-json", tube)
    assert refused.exit_code == 2
    error = json.loads(refused.stdout)["error"]
    assert (error["code"], error["where"]) == ("log.foreign", str(tube))
    assert tube.read_bytes() == before
    (tmp_path / "empty").touch()
    assert call("plan", "--ppm", "43", "--log-json", tmp_path / "empty").exit_code == 0
    assert len(lines(tmp_path / "empty")) == 2


def test_a_disk_that_fills_up_costs_the_log_and_no_result(
    call, batch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, path, append = tmp_path / "out", tmp_path / "log.jsonl", log.append

    def filling(to: str, line: bytes) -> None:
        if path.exists() and path.stat().st_size > 500:
            raise OSError(28, "No space left on device")
        append(to, line)

    monkeypatch.setattr(log, "append", filling)
    done = call("run", batch / "a.fcs", "-t", batch / "small.yaml", "-o", out, "--quiet", "--log-json", path)
    assert done.exit_code == 0
    assert done.stderr == f"the log is not whole: No space left on device: {path}\n"
    assert (out / "run.json").is_file()
    assert lines(path)


def test_a_line_that_fits_only_in_part_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.jsonl"
    log.append(str(path), b'{"first": 1}\n')
    write = os.write
    monkeypatch.setattr("stromagate.log.os.write", lambda to, line: write(to, line[:5]))
    with pytest.raises(OSError, match="No space left"):
        log.append(str(path), b'{"second": 2}\n')
    assert path.read_bytes() == b'{"first": 1}\n'


def _many(path: str, who: int) -> None:
    for number in range(200):
        log.append(path, json.dumps({"who": who, "number": number, "filled": "x" * 3000}).encode() + b"\n")


@pytest.mark.skipif(sys.platform == "win32", reason="appends of several processes are whole on POSIX")
def test_lines_of_many_processes_are_never_torn(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    spawn = multiprocessing.get_context("fork" if sys.version_info < (3, 12) else "spawn")
    workers = [spawn.Process(target=_many, args=(str(path), who)) for who in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    told = lines(path)
    assert {(each["who"], each["number"]) for each in told} == {(who, n) for who in range(4) for n in range(200)}
    assert len(told) == 800


@pytest.mark.skipif(sys.platform == "win32", reason="locks of POSIX")
def test_somebody_who_holds_the_file_does_not_hold_up_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    monkeypatch.setattr(log, "_LOCK_TRIES", 3)
    path = tmp_path / "log.jsonl"
    with path.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        log.append(str(path), b"{}\n")
    assert path.read_bytes() == b"{}\n"


def test_other_words_under_our_name_are_not_written(tmp_path: Path) -> None:
    import logging

    to = log.log_file(tmp_path / "log.jsonl")
    with log.written(to):
        logging.getLogger("stromagate.plugin").error("read %s", "Mustermann")
        log.tell("fcs", "read", "fcs.read", "12 events")
    assert [each["code"] for each in lines(tmp_path / "log.jsonl")] == ["fcs.read"]
    assert log.current() is None


def test_from_python_nothing_is_printed_and_logging_hears_it(
    batch: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("INFO", logger="stromagate")
    tubes = collect_tubes([batch / "a.fcs"]).tubes
    run_batch(tubes, batch / "small.yaml", tmp_path / "out", options=BatchOptions())
    assert {record.name for record in caplog.records} >= {"stromagate.fcs", "stromagate.gating", "stromagate.qc"}
    assert capfd.readouterr().err == ""
