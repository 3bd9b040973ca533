"""A run that did not end: what is missing is written down, nothing is torn, and the same call ends the job."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from stromagate.errors import OutputError
from stromagate.pipeline import batch, bundle, one_tube
from stromagate.pipeline.job import Job, Outcome
from tests.cli.test_run import tree


@pytest.fixture
def broken_off(call, tubes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of three tubes, interrupted at the second."""
    one = batch.work_on

    def interrupted(job: Job) -> Outcome:
        if job.tube.sample_id == "b":
            raise KeyboardInterrupt
        return one(job)

    with monkeypatch.context() as patched:
        patched.setattr(batch, "work_on", interrupted)
        assert call("run", tubes, "-t", tubes / "small.yaml", "-o", tmp_path / "out").exit_code == 130
    return tmp_path / "out"


def test_it_is_written_down_what_is_missing(call, said, broken_off: Path, tubes: Path) -> None:
    listed = json.loads((broken_off / "unfinished.json").read_bytes())
    assert listed["format"] == "stromagate.unfinished/1"
    assert [(tube["sample_id"], tube["file"]) for tube in listed["samples"]] == [
        ("a", "a.fcs"),
        ("b", "b.FCS"),
        ("c", "deep/c.fcs"),
    ]
    assert [tube["status"] for tube in listed["samples"]][1:] == ["waiting", "waiting"]
    assert not (broken_off / "run.json").exists()
    refused = call("report", broken_off, "--json")
    assert refused.exit_code == 3
    error = said(refused)["error"]
    assert error["code"] == "run.unfinished"
    assert "of 3 tubes were still to do" in error["message"]
    assert "b, c)" in error["message"]
    assert "finished tubes are kept" in error["hint"]
    assert call("run", tubes, "-t", tubes / "small.yaml", "-o", broken_off).exit_code == 0
    assert not (broken_off / "unfinished.json").exists()


def test_only_tables_and_pages_were_missing(call, said, tubes: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("stromagate.pipeline.unfinished._EVERY_S", 0.0)
    with monkeypatch.context() as patched:
        patched.setattr(batch.bundle, "close_folder", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert call("run", tubes, "-t", tubes / "small.yaml", "-o", tmp_path).exit_code == 130
    assert "all 3 tubes were done" in said(call("report", tmp_path, "--json"))["error"]["message"]
    (tmp_path / "unfinished.json").write_bytes(b"{half of")
    assert said(call("report", tmp_path, "--json"))["error"]["message"] == "the run in this folder was not finished"


def test_what_killed_processes_were_writing_is_swept(call, tubes: Path, tmp_path: Path) -> None:
    words = ("run", tubes, "-t", tubes / "small.yaml", "-o", tmp_path, "--export", "parquet")
    assert call(*words).exit_code == 0
    before = tree(tmp_path, but=("run.json",))
    litter = [
        ".index.html.4711.tmp",
        "samples/a/.report.html.4711.tmp",
        "samples/b/.gated.fcs.4711.partial",
        "exports/.populations.parquet.4711.tmp",
        "assets/.plotly.min.js.4711.tmp",
        ".partial/c/result.json",
    ]
    for again in (words, ("report", tmp_path)):
        for name in litter:
            (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
            (tmp_path / name).write_bytes(b"half")
        (tmp_path / "samples/a/.notes").write_bytes(b"mine")
        assert call(*again).exit_code == 0
        (tmp_path / "samples/a/.notes").unlink()
        assert tree(tmp_path, but=("run.json",)) == before


def test_a_worker_that_was_killed_leaves_nothing_in_the_run_that_went_on(tmp_path: Path) -> None:
    with bundle.open_folder(tmp_path, ["a"], force=False):
        bundle.write_sample(tmp_path, "a", {"result.json": b"{}"})
        (tmp_path / "samples/a/.report.html.4711.tmp").write_bytes(b"half")
        bundle.close_folder(tmp_path, {"run.json": b"{}"})
    assert {*tree(tmp_path, but=())} == {".stromagate", "run.json", "samples/a/result.json"}


def test_a_full_disk_ends_the_run_and_spares_older_results(
    call, said, tubes: Path, tmp_path: Path, monkeypatch
) -> None:
    """It is no fault of a tube: none counts as failed, and none loses the result it had."""
    words = ("run", tubes, "-t", tubes / "small.yaml", "-o", tmp_path, "--json")
    assert call(*words).exit_code == 0
    before = tree(tmp_path)
    shutil.rmtree(tmp_path / "samples" / "c")

    def full(descriptor: int) -> None:
        if "report.html" in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        ended = call(*words, "--standalone")
    assert ended.exit_code == 3
    error = said(ended)["error"]
    assert (error["code"], error["message"]) == ("out.write", "cannot be written: No space left on device")
    assert error["where"] == str(tmp_path / "samples/a/report.html")
    assert "free space" in error["hint"]
    after = tree(tmp_path)
    assert {name: before[name] for name in after if name.startswith("samples/")} == {
        name: sha256 for name, sha256 in after.items() if name.startswith("samples/")
    }
    others = {name for name in after if not name.startswith(("samples/", "assets/"))}
    assert others == {".stromagate", ".stromagate.workers", "unfinished.json"}
    assert {name.split("/")[1] for name in after if name.startswith("samples/")} == {"a", "b"}
    assert call(*words).exit_code == 0
    assert tree(tmp_path) == before


def test_a_tube_keeps_its_older_folder_where_the_new_one_cannot_be_put_in_place(tmp_path: Path, monkeypatch) -> None:
    bundle.write_sample(tmp_path, "a", {"result.json": b"old"})
    rename = Path.rename

    def full(path: Path, target: Path) -> Path:
        if path.parent.name == ".partial" and not path.name.endswith(".old"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OutputError, match="No space left"):
        bundle.write_sample(tmp_path, "a", {"result.json": b"new"})
    assert (tmp_path / "samples/a/result.json").read_bytes() == b"old"
    assert {*tree(tmp_path, but=())} == {"samples/a/result.json"}


def test_memory_that_ran_out_is_not_called_our_fault(call, said, tubes: Path, tmp_path: Path, monkeypatch) -> None:
    def greedy(_job: Job) -> None:
        raise MemoryError

    monkeypatch.setattr(one_tube, "analyze_job", greedy)
    ended = call("run", tubes / "a.fcs", "-t", tubes / "small.yaml", "-o", tmp_path, "--json")
    assert ended.exit_code == 1
    assert said(ended)["error"]["code"] == "worker.memory"
    assert "--jobs" in said(ended)["error"]["hint"]
