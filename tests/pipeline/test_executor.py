"""Where work runs: a worker that dies costs one unit, and no worker outlives the process that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stromagate.pipeline.executor import begun, each
from tests.reference_data import ROOT

posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def shout(word: str) -> str:
    return word.upper()


def shout_or_die(word: str) -> str:
    if word == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return word.upper()


def die_beside_others(place: str) -> str:
    """Die the first time only, as a worker does when two large tubes do not fit into memory together."""
    path = Path(place)
    if not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def is_interrupt_blocked(_unit: int) -> bool:
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_every_unit_comes_back_once(jobs: int) -> None:
    words = ["a", "b", "c", "d", "e"]
    assert sorted(each(shout, words, jobs, lost=str)) == ["A", "B", "C", "D", "E"]


def _where(unit: int) -> str:
    return f"{unit} {Path.cwd()}"


def test_kept_workers_follow_to_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths are those of the place where a batch is started, not of the one before."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        there = set(each(_where, [1, 2, 3], 2, lost=str))
        assert there == {f"{unit} {tmp_path / name}" for unit in (1, 2, 3)}


def has_loaded(module: str) -> bool:
    return module in sys.modules


def test_workers_load_a_module_while_this_process_does() -> None:
    with begun(2, "wave"):  # of the standard library, and needed by nobody here
        pass
    assert list(each(has_loaded, ["wave"] * 2, 2, lost=bool)) == [True, True]


def test_a_module_that_cannot_be_loaded_is_told_where_it_is_needed() -> None:
    with begun(2, "no_such_module"), begun(1, "no_such_module_either"):
        pass
    assert list(each(shout, ["a"], 2, lost=str)) == ["A"]


def test_a_worker_that_dies_costs_its_own_unit_only() -> None:
    words = ["a", "b", "die", "c", "d", "e", "f"]
    assert sorted(each(shout_or_die, words, 2, lost="{} is lost".format)) == [
        "A",
        "B",
        "C",
        "D",
        "E",
        "F",
        "die is lost",
    ]


@posix
def test_a_unit_gets_a_second_try_on_its_own(tmp_path: Path) -> None:
    places = [str(tmp_path / name) for name in "ab"]
    assert list(each(die_beside_others, places[:1], 2, lost="{} is lost".format)) == ["done"]


@posix
def test_ctrl_c_is_the_parents_to_handle() -> None:
    # In a process of its own: the first workers of a process are those whose start is delicate.
    lines = run_script("print(all(each(is_interrupt_blocked, range(4), 2, lost=bool)), is_interrupt_blocked(0))")
    assert lines == ["True False"]


IMPORTS = """
import sys
from tests.pipeline.test_executor import is_interrupt_blocked, work_on
from stromagate.pipeline.executor import each
"""


def run_script(line: str) -> list[str]:
    command = [sys.executable, "-c", IMPORTS + line]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, check=True, timeout=120
    ).stdout.splitlines()


def work_on(place: str) -> str:
    Path(place, str(os.getpid())).touch()
    time.sleep(60)
    return ""


@posix
def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    script = IMPORTS + "list(each(work_on, [sys.argv[1]] * 2, 2, lost=str))"
    parent = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stderr=subprocess.DEVNULL, cwd=ROOT)
    try:
        assert eventually(lambda: len(list(tmp_path.iterdir())) == 2)
    finally:
        parent.kill()
        parent.wait()
    workers = [int(path.name) for path in tmp_path.iterdir()]
    assert eventually(lambda: not any(map(is_alive, workers)))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")  # a dead child that nobody has collected is dead
    return not state.is_file() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def eventually(condition) -> bool:
    """Wait for a condition, at most half a minute: a guard against hangs, no measure of speed."""
    for _ in range(300):
        if condition():
            return True
        time.sleep(0.1)
    return False
