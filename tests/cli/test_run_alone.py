"""Who holds a folder of results: one run at a time, said by name, and no worker of a run that is gone."""

from __future__ import annotations

import os
import platform
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from stromagate.errors import OutputError, UsageError
from stromagate.model.config import RunConfig
from stromagate.pipeline import bundle, claim, one_tube
from stromagate.pipeline.claim import at_work, claimed, no_workers_left, wait_for_workers
from stromagate.pipeline.job import BatchOptions, Job
from stromagate.pipeline.template import load_template
from stromagate.pipeline.tubes import collect_tubes
from tests.tubes import write_template, write_tube

pytest.importorskip("fcntl", reason="locks of POSIX")


def test_the_refused_one_is_told_who_holds_it_and_what_to_do(call, said, tubes: Path, tmp_path: Path) -> None:
    with bundle.hold(tmp_path):
        refused = call("run", tubes, "-t", tubes / "small.yaml", "-o", tmp_path, "--json")
        assert refused.exit_code == 2
        error = said(refused)["error"]
        assert (error["code"], error["where"]) == ("out.busy", str(tmp_path))
        assert f"process {os.getpid()} on {platform.node()}, since 2" in error["message"]
        assert "wait until it has ended" in error["hint"]
    assert not (tmp_path / ".stromagate.by").exists()
    assert call("run", tubes, "-t", tubes / "small.yaml", "-o", tmp_path).exit_code == 0


def test_of_those_that_begin_at_once_one_wins(tmp_path: Path) -> None:
    """The marker is made and never replaced: else two would hold one folder by two files of one name."""
    for trial in range(40):
        out = tmp_path / str(trial)
        out.mkdir()
        begin, tried = threading.Barrier(3, timeout=60), threading.Barrier(3, timeout=60)
        ended: list[str] = []

        threads = [threading.Thread(target=_try, args=(out, begin, tried, ended)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(ended) == ["out.busy", "out.busy", "won"]


def _try(out: Path, begin: threading.Barrier, tried: threading.Barrier, ended: list[str]) -> None:
    """Hold a folder until all have tried."""
    begin.wait()
    try:
        with bundle.hold(out):
            tried.wait()
            ended.append("won")
    except UsageError as error:
        tried.wait()
        ended.append(error.code)


def test_what_a_killed_run_said_of_itself_keeps_nobody_out(tmp_path: Path) -> None:
    (tmp_path / ".stromagate").write_bytes(b"")
    (tmp_path / ".stromagate.by").write_text("4711 elsewhere 2026-01-01T00:00:00Z word", encoding="utf-8")
    with bundle.hold(tmp_path) as mine:
        assert mine.startswith(f"{os.getpid()} ")
    assert {path.name for path in tmp_path.iterdir()} == {".stromagate"}
    assert (tmp_path / ".stromagate").read_bytes() == b"stromagate run\n"


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "marker").mkdir()
    with pytest.raises(OutputError, match="cannot be written"), claimed(tmp_path / "marker"):
        pass


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A worker's job of a run that has ended."""
    (tmp_path / "in").mkdir()
    write_tube(tmp_path / "in" / "a.fcs", 0, 600)
    (tube,) = collect_tubes([tmp_path / "in"]).tubes
    loaded = load_template(write_template(tmp_path / "small.yaml"))
    (tmp_path / "out").mkdir()
    return Job(tube, loaded, RunConfig(), tmp_path / "out", BatchOptions(), claim="1 here 2026-01-01T00:00:00Z gone")


def test_a_worker_writes_nothing_into_a_folder_that_another_run_has_taken_over(job: Job) -> None:
    with bundle.hold(job.out):
        for each in (job, replace(job, tube=replace(job.tube, path=job.out / "missing.fcs"))):
            bundle.write_sample(job.out, "a", {"result.json": b"of the new run"})
            with pytest.raises(OutputError, match=f"process {os.getpid()} ") as caught:
                one_tube.work_on(each)
            assert caught.value.code == "out.taken_over"
            assert [path.name for path in job.out.glob("samples/*/*")] == ["result.json"]
            assert (job.out / "samples/a/result.json").read_bytes() == b"of the new run"


def test_who_holds_the_folder_by_another_lock_is_in_nobodys_way(call, tubes: Path, tmp_path: Path) -> None:
    """``flock FOLDER stromagate run ...`` is how scripts wait for each other."""
    import fcntl

    held = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    for _ in range(2):
        assert call("run", tubes / "a.fcs", "-t", tubes / "small.yaml", "-o", tmp_path).exit_code == 0
    os.close(held)
    assert not list(tmp_path.glob(".stromagate.*"))


def test_a_new_run_waits_for_a_worker_that_is_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = tmp_path / ".stromagate"
    with claimed(marker) as mine, at_work(marker, mine):
        monkeypatch.setattr(claim, "WAIT_S", 0.0)
        with pytest.raises(UsageError, match="workers of a run that was ended") as caught:
            wait_for_workers(marker)
        assert caught.value.code == "out.busy"
    with claimed(marker):
        wait_for_workers(marker)


def test_what_a_run_takes_away_at_its_end_keeps_out_nobody_and_no_file_that_is_held_goes(tmp_path: Path) -> None:
    """A worker given up as lost may be writing when its run ends, or come between the end and the taking away."""
    marker, held = tmp_path / ".stromagate", tmp_path / ".stromagate.workers"
    with claimed(marker) as mine, at_work(marker, mine):
        no_workers_left(marker)
        assert held.exists()
    with claimed(marker):
        no_workers_left(marker)
        assert not held.exists()


def test_a_lock_on_a_file_that_is_gone_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    marker, held, lock = tmp_path / ".stromagate", tmp_path / ".stromagate.workers", fcntl.flock

    def late(descriptor: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        held.unlink()  # by a run that ended between the opening and the locking
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with at_work(marker, "mine"):
        assert held.exists()
        monkeypatch.setattr(claim, "WAIT_S", 0.0)
        with pytest.raises(UsageError, match="workers of a run that was ended"):
            wait_for_workers(marker)
