"""Ctrl-C, a scheduler's end and a killed process: the right code, no torn file, and the next run ends the job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.test_run import tree
from tests.tubes import write_template, write_tube

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

# Two tubes that are done at once, and three that take the run a while longer than it takes to see that.
EVENTS = (3_000, 3_000, 50_000, 50_000, 50_000)
N_TUBES = len(EVENTS)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    for seed, n in enumerate(EVENTS):
        write_tube(folder / f"tube_{seed}.fcs", seed, n)
    write_template(folder / "small.yaml")
    return folder


@pytest.fixture(scope="module")
def undisturbed(many: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    finish(many, out)
    return tree(out)


def command(many: Path, out: Path, jobs: int) -> subprocess.Popen[str]:
    """Start a run in a process group of its own, as a shell does."""
    line = [sys.executable, "-m", "stromagate", "run", many, "-t", many / "small.yaml", "-o", out, "-j", str(jobs)]
    pipe = subprocess.PIPE
    return subprocess.Popen(list(map(str, line)), stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def finish(many: Path, out: Path) -> None:
    run = command(many, out, 1)
    _, stderr = run.communicate(timeout=120)
    assert run.returncode == 0, stderr


def stop(run: subprocess.Popen[str], out: Path, number: int) -> None:
    """Send a signal to the whole group, as a terminal does, when the first tube is done."""
    for _ in range(6000):
        if any(out.glob("samples/*")) or run.poll() is not None:
            break
        time.sleep(0.01)
    os.killpg(run.pid, number)


@pytest.mark.parametrize(
    ("jobs", "number"),
    [(1, signal.SIGINT), (2, signal.SIGTERM), pytest.param(2, signal.SIGINT, marks=pytest.mark.soak)],
)
def test_an_interrupted_run_says_so_and_goes_on_where_it_stood(
    many: Path, undisturbed: dict[str, str], tmp_path: Path, jobs: int, number: int
) -> None:
    out = tmp_path / "out"
    run = command(many, out, jobs)
    stop(run, out, number)
    stdout, stderr = run.communicate(timeout=60)
    assert run.returncode == 130
    assert not stdout
    assert stderr == "interrupted; what was finished is kept\n"
    assert not (out / "run.json").exists()
    assert 1 <= len(list(out.glob("samples/*"))) < N_TUBES
    for folder in out.glob("samples/*"):
        for path in folder.iterdir():
            assert tree(out)[path.relative_to(out).as_posix()] == undisturbed[path.relative_to(out).as_posix()]
    finish(many, out)
    assert tree(out) == undisturbed


def test_a_killed_run_goes_on_where_it_stood(many: Path, undisturbed: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    run = command(many, out, 2)
    stop(run, out, signal.SIGKILL)
    assert run.wait(60) == -signal.SIGKILL
    run.communicate()
    finish(many, out)
    assert tree(out) == undisturbed


def test_a_worker_killed_from_outside_costs_no_tube(many: Path, undisturbed: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    run = command(many, out, 2)
    workers: list[int] = []
    for _ in range(3000):  # a minute: a guard against hangs
        workers = [pid for pid in children(run.pid) if "popen_loky" in Path(f"/proc/{pid}/cmdline").read_text()]
        if workers or run.poll() is not None:
            break
        time.sleep(0.02)
    assert workers
    os.kill(workers[0], signal.SIGKILL)
    _, stderr = run.communicate(timeout=120)
    assert run.returncode == 0, stderr
    assert f"{N_TUBES} of {N_TUBES} tubes analysed" in stderr
    assert tree(out) == undisturbed


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task/{pid}/children")
    if not tasks.is_file():
        pytest.skip("children of a process are read from /proc")
    return [int(word) for word in tasks.read_text().split()]
