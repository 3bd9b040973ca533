"""``kill -9`` and a full disk at every step of a command's work with the disk, and a restart after each.

``make test`` meets one of each kind; ``python -m pytest -m soak -s tests/campaigns/test_killed_at_steps.py``
meets all of them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.campaigns.figures import tell
from tests.campaigns.folders import Contents, contents, left_lying, torn
from tests.reference_data import ROOT
from tests.tubes import write_template, write_tube

pytestmark = pytest.mark.skipif(not hasattr(os, "fork") or not Path("/proc/self/fd").exists(), reason="forks, /proc")

EXPORTS = ("parquet", "multiqc", "membership", "gated_fcs", "ro_crate")
Deed = str


class Bench:
    """Small tubes, a server that calls the command line on them, and the folder that an undisturbed run leaves."""

    def __init__(self, folder: Path, server: subprocess.Popen[str], *, tubes: int, more: Sequence[str] = ()) -> None:
        self.folder, self.all, self._server = folder, folder / "made", server
        self.out, self.history = self.all / "out", self.all / "history"
        (folder / "in").mkdir()
        for seed in range(tubes):
            write_tube(folder / "in" / f"tube_{seed}.fcs", seed, 600)
        write_template(folder / "small.yaml")
        self.run = ["run", str(folder / "in"), "-t", str(folder / "small.yaml"), "-o", str(self.out), *more]
        self.run += ["--history", str(self.history)] if more else []
        self.n_steps = self.call(self.run)["steps"]
        self.whole = contents(self.all)
        self._finished = shutil.copytree(self.all, folder / "finished")

    def call(self, words: list[str], deed: Deed = "none", at: int = 0) -> dict[str, Any]:
        """Call the command line and hurt it."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        order = {"words": words, "watched": str(self.all), "deed": deed, "at": at}
        print(json.dumps(order), file=self._server.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._server.stdout.readline())
        if deed == "none":
            assert answer["code"] == 0, answer["said"]
        return answer

    def fresh(self, *, finished: bool) -> None:
        """Begin without a folder, or with that of a finished run."""
        shutil.rmtree(self.all, ignore_errors=True)
        if finished:
            shutil.copytree(self._finished, self.all)

    def hurt(self, words: list[str], deed: Deed, at: int, *before: Contents, whole: Contents | None = None) -> str:
        """Hurt a call at a step, restart it, and return what is wrong; nothing where all is right."""
        whole = whole or self.whole
        answer = self.call(words, deed, at)
        wrong = []
        if deed == "kill" and answer["code"] != -9:
            wrong.append(f"ended with {answer['code']}")
        if deed in {"full", "limit"} and answer["code"]:
            wrong += self._not_clear(answer, "No space left on device" if deed == "full" else "File too large")
        wrong += torn(self.all, whole, *([] if answer["code"] == 0 else before))  # whoever says 0 is done
        self.call(words)
        after = contents(self.all)
        wrong += sorted(name for name in {*after, *whole} if after.get(name) != whole.get(name))
        return f"{deed} at {at} of {words[0]}: {wrong}" if wrong else ""

    def _not_clear(self, answer: dict[str, Any], reason: str) -> list[str]:
        """Return what is wrong with the end of a command that could not write."""
        wrong, said = [], answer["said"]
        if answer["code"] != 3 or f"cannot be written: {reason}" not in said or "free space" not in said:
            wrong.append(f"ended with {answer['code']}: {said[-300:]}")
        if "Traceback" in said or said.count("error:") != 1:
            wrong.append(f"said {said[-300:]}")
        return wrong + left_lying(self.all)


@pytest.fixture(scope="module")
def server() -> Iterator[subprocess.Popen[str]]:
    with serving() as process:
        yield process


@contextmanager
def serving() -> Iterator[subprocess.Popen[str]]:
    """Start the server, and end it."""
    line = [sys.executable, "-m", "tests.campaigns.step_server"]
    pipe = subprocess.PIPE
    with subprocess.Popen(line, stdin=pipe, stdout=pipe, text=True, cwd=ROOT) as process:
        yield process


@pytest.fixture(scope="module")
def small(server: subprocess.Popen[str], tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("small"), server, tubes=1)


@pytest.fixture(scope="module")
def bench(server: subprocess.Popen[str], tmp_path_factory: pytest.TempPathFactory) -> Bench:
    exports = [word for name in EXPORTS for word in ("--export", name)]
    return Bench(tmp_path_factory.mktemp("steps"), server, tubes=2, more=exports)


def test_a_kill_while_the_folder_is_closed(small: Bench) -> None:
    assert small.n_steps > 50
    small.fresh(finished=False)
    assert small.hurt(small.run, "kill", small.n_steps - 9) == ""


def test_a_file_that_may_not_grow_ends_the_run_of_any_number_of_workers(small: Bench) -> None:
    small.fresh(finished=False)
    assert small.hurt([*small.run, "--jobs", "2"], "limit", 40_000) == ""
    assert not list(small.out.rglob("*.old"))


def report_of(bench: Bench) -> list[str]:
    """Return the words that make the pages of a finished run otherwise."""
    return ["report", str(bench.out), "--standalone"]


def edited_run_of(bench: Bench) -> list[str]:
    """Return the words of the run with a boundary of one tube moved."""
    result = json.loads((bench.out / "samples/tube_0/result.json").read_text(encoding="utf-8"))
    edit = {"population": "msc", "geometry": {"kind": "interval", "axis": "CD271", "low": 0.5, "high": None},
            "who": "Reader B", "when": "2026-03-01T18:00:00Z", "why": "debris"}  # fmt: skip
    tube = {"sample_id": "tube_0", "tree_sha256": result["fitted_tree_sha256"], "edits": [edit]}
    path = bench.folder / "edits.json"
    path.write_text(json.dumps({"format": "stromagate.edits/1", "samples": [tube]}), encoding="utf-8")
    return [*bench.run, "--edits", str(path)]


def cohort_of(bench: Bench) -> list[str]:
    """Return the words that put the tubes of a finished run side by side."""
    return ["cohort", str(bench.out), "--out", str(bench.all / "cohort")]


CAMPAIGNS = {
    "run": None,
    "run of a finished run": None,
    "report": report_of,
    "run --edits": edited_run_of,
    "cohort": cohort_of,
}


@pytest.mark.soak
@pytest.mark.parametrize("what", CAMPAIGNS)
@pytest.mark.parametrize("deed", ["kill", "full"])
def test_every_step(bench: Bench, deed: Deed, what: str) -> None:
    finished = what != "run"
    bench.fresh(finished=finished)
    made = CAMPAIGNS[what]
    words = bench.run if made is None else made(bench)
    n_steps, after = bench.call(words)["steps"], contents(bench.all)
    wrong = []
    for at in range(1, n_steps + 1):
        bench.fresh(finished=finished)
        wrong.append(bench.hurt(words, deed, at, bench.whole, whole=after))
    faults = [fault for fault in wrong if fault]
    tell(f"{what}: {deed} at each of {n_steps} steps, {len(faults)} wrong")
    assert faults == []
