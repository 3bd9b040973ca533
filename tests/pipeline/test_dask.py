"""``--executor dask://...``: the bytes of a local run, what a dying worker costs, and what is refused before a tube."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import pytest

from stromagate.errors import InputError, UsageError
from stromagate.model.config import RunConfig
from stromagate.model.result import ControlUse
from stromagate.pipeline import bundle, elsewhere
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.environment import environment
from stromagate.pipeline.executor import dask, workers
from stromagate.pipeline.executor.choice import address_of
from stromagate.pipeline.executor.code import _digest, code, differences
from stromagate.pipeline.job import BatchOptions, Job
from stromagate.pipeline.one_tube import work_on
from stromagate.pipeline.template import load_template
from stromagate.pipeline.tubes import Tube, collect_tubes
from tests.pipeline.clusters import cluster, shout_or_die, wait_for
from tests.reference_data import ROOT
from tests.tubes import write_template, write_tube

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

FMO_TEMPLATE = "gate: {method: control, axis: CD146, keep: above, control: FMO, anchor: cells, otherwise: tail}"
SHEET = """\
file,sample_id,role,batch
in/a.fcs,a,stained,1
in/b.fcs,b,stained,1
in/torn.fcs,torn,stained,1
in/fmo.fcs,fmo,fmo:CD146,1
"""
MATRIX = "channel,FITC-A,PE-A,APC-A\nFITC-A,1,0.12,0\nPE-A,0.02,1,0.01\nAPC-A,0,0.03,1\n"


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with cluster(tmp_path_factory.mktemp("dask")) as address:
        yield address


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tubes with a control, one torn off, a template that asks for the control, and a matrix in a file."""
    folder = tmp_path_factory.mktemp("batch")
    (folder / "in").mkdir()
    for seed, name in enumerate(["a", "b", "fmo"]):
        write_tube(folder / "in" / f"{name}.fcs", seed)
    whole = (folder / "in" / "a.fcs").read_bytes()
    (folder / "in" / "torn.fcs").write_bytes(whole[: len(whole) // 2])
    (folder / "samples.csv").write_text(SHEET)
    (folder / "matrix.csv").write_text(MATRIX)
    text = write_template(folder / "t.yaml").read_text()
    write_template(folder / "t.yaml", text.replace("gate: {method: fixed, axis: CD146, low: 0.45}", FMO_TEMPLATE))
    return folder


def tree(out: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a run; of its index, without the key that holds times and the command."""
    run = json.loads((out / "run.json").read_text())
    assert set(run["times"]) == {"started", "ended", "command"}
    del run["times"]
    found = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    found["run.json"] = json.dumps(run).encode()
    return {name: hashlib.sha256(content).hexdigest() for name, content in sorted(found.items())}


def test_dask_writes_the_bytes_of_a_local_run(scheduler: str, batch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths, from a folder in which no Dask worker was started; controls and a file that cannot be read."""
    monkeypatch.chdir(batch)
    tubes = collect_tubes([], Path("samples.csv")).tubes
    written = {}
    for name, options in {
        "one": BatchOptions(jobs=1),
        "two": BatchOptions(jobs=2),
        "dask": BatchOptions(executor=scheduler),
    }.items():
        run = run_batch(tubes, "t.yaml", Path(name), RunConfig(compensation="matrix.csv"), options)
        written[name] = tree(Path(name))
        assert [entry.status for entry in run.samples] == ["ok", "ok", "failed", "ok"]
    assert len(written["one"]) > 20
    assert written["one"] == written["two"] == written["dask"]
    assert bundle.read_result(Path("dask"), "a").controls[0].gates == ("progenitors",)


@pytest.mark.soak
def test_the_sample_tubes_give_the_same_bytes_wherever_and_however_often(scheduler: str, tmp_path: Path) -> None:
    tubes = collect_tubes([], ROOT / "sample_fcs" / "samples.csv").tubes
    assert len(tubes) == 12
    ways = [BatchOptions(jobs=jobs) for jobs in (1, 1, 2, 8)] + [BatchOptions(executor=scheduler)] * 2
    written = []
    for number, options in enumerate(ways):
        assert run_batch(tubes, "bm_stroma_core", tmp_path / str(number), options=options).exit_code == 0
        written.append(tree(tmp_path / str(number)))
    assert len(written[0]) > 50
    assert all(each == written[0] for each in written)


def test_an_interrupted_run_leaves_the_workers_and_goes_on(scheduler: str, batch: Path, tmp_path: Path) -> None:
    tubes = collect_tubes([batch / "in"]).tubes
    out, options = tmp_path / "out", BatchOptions(executor=scheduler)

    def interrupt(_outcome: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_batch(tubes, batch / "t.yaml", out, options=options, on_done=interrupt)
    assert not (out / "run.json").exists()
    run = run_batch(tubes, batch / "t.yaml", out, options=options)
    assert [entry.status for entry in run.samples] == ["ok", "ok", "ok", "failed"]


def test_a_unit_that_kills_its_worker_costs_itself_only(scheduler: str) -> None:
    words = ["a", "b", "die", "c", "d"]
    with workers(scheduler) as found:
        answers = sorted(found.each(shout_or_die, words, lost="{} is lost".format))
    assert answers == ["A", "B", "C", "D", "die is lost"]


def test_work_that_is_given_up_is_taken_back(scheduler: str, tmp_path: Path) -> None:
    """Of four units one has ended, two are at work and one waits: that one must not begin when nobody wants it."""
    places = [str(tmp_path / name) for name in "abcd"]

    def begun() -> int:
        return len(list(tmp_path.glob("*.begun")))

    Path(places[0] + ".end").touch()
    with workers(scheduler) as found:
        answers = found.each(wait_for, places, lost=str)
        assert next(answers) == places[0]
        assert eventually(lambda: begun() == 3)
        answers.close()
        for place in places:
            Path(place + ".end").touch()
        assert sorted(found.each(shout_or_die, ["a", "b", "c", "d"], lost=str)) == ["A", "B", "C", "D"]
    assert begun() == 3


@pytest.mark.soak
def test_ctrl_c_says_one_line(scheduler: str, batch: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    many = [write_tube(tmp_path / f"{seed}.fcs", seed) for seed in range(12)]
    line = ["run", *many, "-t", batch / "t.yaml", "-o", out, "--executor", scheduler]
    run = subprocess.Popen(
        [sys.executable, "-m", "stromagate", *map(str, line)], stdout=-1, stderr=-1, text=True, start_new_session=True
    )
    assert eventually(lambda: any(out.glob("samples/*")) or run.poll() is not None)
    os.killpg(run.pid, signal.SIGINT)
    stdout, stderr = run.communicate(timeout=60)
    assert (run.returncode, stdout, stderr) == (130, "", "interrupted; what was finished is kept\n")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("local", None),
        ("dask://node7:8786", "tcp://node7:8786"),
        ("dask://10.0.0.7", "tcp://10.0.0.7:8786"),
        ("dask://[::1]:99/", "tcp://[::1]:99"),
    ],
)
def test_an_address_is_what_dask_prints(said: str, meant: str | None) -> None:
    assert address_of(said) == meant


@pytest.mark.parametrize(
    "said", ["", "dask", "dask://", "tcp://a:1", "ray://a:1", "dask://a:port", "dask://a:99999", "dask://[::1", "dask://u:p@a:1",
             "dask://a:1/b", "dask://a:1?b=c", "a:1"]
)  # fmt: skip
def test_other_words_are_refused(said: str) -> None:
    with pytest.raises(UsageError) as refused, workers(said):
        pass
    assert refused.value.code == "executor.unknown"
    assert "dask://HOST:PORT" in str(refused.value)


def test_where_nobody_answers_no_tube_is_touched(
    batch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dask, "_ANSWER_S", 0.5)
    tubes = collect_tubes([batch / "in"]).tubes
    with socket.socket() as nobody:  # bound and not listening: no other process gets the port meanwhile
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(UsageError) as refused:
            run_batch(tubes, batch / "t.yaml", tmp_path / "out", options=BatchOptions(executor=f"dask://{address}"))
    assert (refused.value.code, refused.value.where) == ("executor.unreachable", f"tcp://{address}")
    assert not (tmp_path / "out").exists()
    assert capfd.readouterr() == ("", "")  # nothing of Dask's own


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"needs Dask\n  pip install 'stromagate\[dask\]'"), workers("dask://a:1"):
        pass


def test_workers_with_other_libraries_are_refused(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = environment()
    other = {**real, "libraries": {**real["libraries"], "numpy": "0.0.1"}}
    monkeypatch.setattr("stromagate.pipeline.executor.code.environment", lambda: other)
    code.cache_clear()
    try:
        with pytest.raises(UsageError) as refused, workers(scheduler):
            pass
    finally:
        code.cache_clear()
    assert refused.value.code == "executor.other_program"
    assert f"it has numpy {real['libraries']['numpy']} (here 0.0.1)" in refused.value.message
    assert str(refused.value.where).startswith("tcp://127.0.0.1:")


def test_what_pages_and_exports_are_made_of_counts_too(tmp_path: Path) -> None:
    here = code()
    assert {"plotly", "jinja2", "pyarrow"} <= {*here}
    there = {name: said for name, said in here.items() if name != "plotly"}
    assert differences(there, here) == f"plotly missing (here {here['plotly']})"
    assert differences(here, there) == ""  # what is not here is asked of nobody
    (tmp_path / "a.py").write_text("A = 1\n")
    (tmp_path / "page.html.j2").write_text("one")
    before = _digest(tmp_path)
    (tmp_path / "page.html.j2").write_text("two")
    assert _digest(tmp_path) != before


def test_a_worker_that_comes_later_with_another_program_is_refused(scheduler: str) -> None:
    with workers(scheduler) as found:
        asked = found.client.submit(dask._work, {**code(), "its source": "another"}, str.upper, "a", pure=False)
        with pytest.raises(UsageError, match=rf"its source {code()['its source']} \(here another\)"):
            asked.result()


class _Client:
    """A cluster as the checks before a run see it."""

    def __init__(self, threads: dict[str, int], answers: dict[str, object] | None = None) -> None:
        self.threads, self.answers, self.status = threads, answers or {}, "running"

    def nthreads(self) -> dict[str, int]:
        return self.threads

    def run(self, function, *, on_error: str) -> dict[str, object]:
        assert on_error == "return"
        return {worker: self.answers.get(worker, function()) for worker in self.threads}

    def submit(self, *_arguments: object, **_options: object) -> Future[int]:
        return Future()


@pytest.mark.parametrize(
    ("client", "fault", "hint"),
    [
        (_Client({}), "executor.no_workers", "dask worker tcp://s:1 --nworkers N --nthreads 1"),
        (_Client({"tcp://w:1": 1, "tcp://w:2": 4}), "executor.threads", "--nthreads 1"),
        (
            _Client({"tcp://w:1": 1}, {"tcp://w:1": ModuleNotFoundError("No module named 'stromagate'")}),
            "executor.other_program",
            "install the same stromagate",
        ),
    ],
)
def test_clusters_that_do_not_fit_are_refused(
    client: _Client, fault: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask, "_FIRST_WORKER_S", 0.01)
    with pytest.raises(UsageError) as refused:
        dask._must_fit(client, "tcp://s:1")
    assert refused.value.code == fault
    assert hint in str(refused.value)


@pytest.mark.parametrize(("status", "said"), [("closed", "scheduler has gone"), ("running", "workers have gone")])
def test_a_cluster_that_goes_away_ends_the_wait(status: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask, "_LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(dask, "_ALL_GONE_S", 0.05)
    client = _Client({})
    client.status = status
    with pytest.raises(InputError, match=said):
        dask.Cluster(client, "tcp://s:1")._next(SimpleQueue())


class _Ended:
    """A unit that ended, and whose outcome is asked for."""

    def __init__(self, status: str, *faults: BaseException) -> None:
        self.status, self.faults = status, [*faults]

    def result(self, *, timeout: float) -> str:
        assert timeout > 0
        if self.faults:
            raise self.faults.pop(0)
        return "made again"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (TimeoutError(), "workers have gone"),
        (OSError("closed"), "scheduler has gone"),
        (CancelledError("lost"), "scheduler has gone"),
    ],
)
def test_an_outcome_that_nobody_can_give_any_more_ends_the_wait(fault: Exception, said: str) -> None:
    """Its worker died after the unit had ended: Dask makes it anew, and waits for ever where it cannot."""
    with pytest.raises(InputError, match=said):
        dask.Cluster(_Client({}), "tcp://s:1")._fetched(_Ended("pending", fault))
    with pytest.raises(type(fault)):  # of the unit itself, and none of the cluster
        dask.Cluster(_Client({}), "tcp://s:1")._fetched(_Ended("error", fault))


def test_an_outcome_that_is_made_anew_is_waited_for() -> None:
    cluster = dask.Cluster(_Client({"tcp://w:1": 1}), "tcp://s:1")
    assert cluster._fetched(_Ended("pending", TimeoutError(), TimeoutError())) == "made again"


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask, "_ANSWER_S", 0.01)
    ended = threading.Event()
    with pytest.raises(TimeoutError):
        dask._connected(lambda: ended.wait(30))
    ended.set()


@pytest.fixture
def job(batch: Path, tmp_path: Path) -> Iterator[Job]:
    """A tube of a run that is at work, as it is sent away."""
    tube = Tube(batch / "in" / "a.fcs", "a", "a.fcs")
    loaded = load_template(batch / "t.yaml")
    with bundle.open_folder(tmp_path / "out", ["a"], force=False) as claim:
        yield elsewhere.with_whole_paths(Job(tube, loaded, RunConfig(), tmp_path / "out", BatchOptions(), claim=claim))


def test_a_worker_that_does_not_see_the_file_says_so(job: Job) -> None:
    hidden = replace(job, tube=replace(job.tube, path=job.tube.path.with_name("elsewhere.fcs")))
    outcome = work_on(hidden)
    assert outcome.exit_code == 3
    assert outcome.entry.error is not None
    assert outcome.entry.error["code"] == "worker.file"
    assert outcome.entry.error["where"] == "a.fcs"
    assert "same paths" in str(outcome.entry.error["hint"])


def test_a_worker_that_does_not_see_a_control_says_so(job: Job) -> None:
    """Else the tube would have its numbers without their background, and nobody would know."""
    control = ControlUse(sample_id="c", role="unstained", sha256="0" * 64, n_events=0)
    alone = replace(job, paired=(control,), files={"c": job.tube.path.with_name("elsewhere.fcs")})
    outcome = work_on(alone)
    assert outcome.entry.error is not None
    assert outcome.entry.error["code"] == "worker.file"
    assert str(outcome.entry.error["where"]).endswith("elsewhere.fcs")
    refused = control.model_copy(update={"unused": "failed"})  # its own line says why
    assert work_on(replace(alone, paired=(refused,))).exit_code == 0


def test_a_worker_that_sees_another_folder_leaves_it_alone(job: Job, tmp_path: Path) -> None:
    """Such as its own disk under the same path, or none at all, or the folder of a run that began after this one."""
    bundle.write_sample(job.out, "a", {"result.json": b"another run's"})
    for unseen in (replace(job, claim="1 node7 2026-01-01T00:00:00Z 0123"), replace(job, out=tmp_path / "nowhere")):
        outcome = work_on(unseen)
        assert outcome.entry.error is not None
        assert outcome.entry.error["code"] == "worker.folder"
    assert not (tmp_path / "nowhere").exists()
    assert (job.out / "samples" / "a" / "result.json").read_bytes() == b"another run's"
    elsewhere.take_back(job.out, outcome)  # by the run itself, which does see it
    assert not (job.out / "samples" / "a").exists()


def test_results_are_waited_for_until_they_are_those_that_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network file system may show the older result for a while."""
    bundle.write_sample(tmp_path, "a", {"result.json": b"old"})
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        bundle.write_sample(tmp_path, "a", {"result.json": b"new"})

    monkeypatch.setattr(elsewhere.time, "sleep", sleep)
    elsewhere.wait_until_seen(tmp_path, {"a": hashlib.sha256(b"new").hexdigest(), "failed": ""})
    assert len(naps) == 1
    monkeypatch.setattr(elsewhere, "_SEEN_WITHIN_S", 0.0)
    with pytest.raises(InputError) as refused:
        elsewhere.wait_until_seen(tmp_path, {"missing": hashlib.sha256(b"").hexdigest()})
    assert refused.value.code == "worker.unseen"


def eventually(condition) -> bool:
    """Wait for a condition, at most a minute: a guard against hangs, no measure of speed."""
    for _ in range(1200):
        if condition():
            return True
        time.sleep(0.05)
    return False
