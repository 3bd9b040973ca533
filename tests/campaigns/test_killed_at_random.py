"""``kill -9`` at random moments of real runs with two workers, of the run or of one worker, and a restart at once.

``python -m pytest -m soak -s tests/campaigns/test_killed_at_random.py`` prints how far each run had come. Moments are
drawn one from each part of the undisturbed run's duration, so that they cover it whole. After a kill the workers live
on for a moment: the restart meets them.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.campaigns.batches import TEMPLATE, simulated
from tests.campaigns.figures import tell
from tests.campaigns.folders import Contents, contents, left_lying, phase, torn
from tests.campaigns.processes import ended, kill, kill_a_worker, started

pytestmark = [pytest.mark.soak, pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="/proc")]

TRIALS = 50
FEWER = 10
EXPORTS = ("parquet", "multiqc", "membership", "gated_fcs", "ro_crate")


class Bench:
    """Eight simulated tubes of two donors, and the folder that an undisturbed run of them leaves."""

    def __init__(self, folder: Path) -> None:
        sheet = simulated(folder / "tubes", 2, events=5000, companion_events=3000)
        self.folder, self.out = folder, folder / "out"
        exports = [word for name in EXPORTS for word in ("--export", name)]
        self.run = ["run", "--sheet", sheet, "-t", TEMPLATE, "-o", self.out, "-j", 2, *exports]
        self.whole, self.run_s = self.undisturbed(self.run)
        self.finished = shutil.copytree(self.out, folder / "finished")

    def undisturbed(self, words: list[object]) -> tuple[Contents, float]:
        """Return what a command leaves, and how long it takes."""
        begin = time.monotonic()
        ended(*words)
        return contents(self.out), time.monotonic() - begin

    def fresh(self, *, finished: bool) -> None:
        """Begin without a folder, or with that of a finished run."""
        shutil.rmtree(self.out, ignore_errors=True)
        if finished:
            shutil.copytree(self.finished, self.out)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("random"))


class Figures:
    """What a campaign found."""

    def __init__(self) -> None:
        self.phases: Counter[str] = Counter()
        self.torn: list[str] = []
        self.unequal: list[str] = []
        self.left: list[str] = []
        self.workers = 0

    def note(self, trial: str, out: Path, whole: Contents) -> None:
        """Compare the folder of a trial with the undisturbed one."""
        after = contents(out)
        self.unequal += [f"{trial}: {name}" for name in {*after, *whole} if after.get(name) != whole.get(name)]
        self.left += [f"{trial}: {name}" for name in left_lying(out)]

    def told(self, what: str, n: int, seconds: float) -> None:
        """Print the figures, and fail where one is not nought."""
        far = ", ".join(f"{phase} {count}" for phase, count in sorted(self.phases.items()))
        tell(f"{what}: {n} kills ({self.workers} of a worker) in {seconds:.0f} s: {far}")
        tell(f"  torn {len(self.torn)}, unequal {len(self.unequal)}, left over {len(self.left)}")
        assert (self.torn, self.unequal, self.left) == ([], [], [])


def campaign(
    bench: Bench, what: str, words: list[object], n: int, *before: Contents, whole: Contents, duration_s: float
) -> None:
    """Kill a command ``n`` times at moments spread over its duration, restart it each time, and compare."""
    figures, begin, finished = Figures(), time.monotonic(), bool(before)
    for trial in range(n):
        moment = (trial + random.Random(f"{what}-{trial}").random()) / n * duration_s
        bench.fresh(finished=finished)
        process, name = started(*words), f"{what} {trial} at {moment:.2f} s"
        if what == "run" and trial % 3 == 2:
            figures.workers += kill_a_worker(process, moment, trial)
            _, said = process.communicate(timeout=600)
            if process.returncode:
                figures.unequal.append(f"{name}: ended with {process.returncode}: {said[-300:]}")
            figures.note(name, bench.out, whole)
            continue
        kill(process, moment)
        if bench.out.exists():
            figures.torn += [f"{name}: {torn_file}" for torn_file in torn(bench.out, whole, *before)]
        figures.phases[phase(bench.out)] += 1
        ended(*words)
        figures.note(name, bench.out, whole)
    figures.told(what, n, time.monotonic() - begin)


def test_a_run(bench: Bench) -> None:
    campaign(bench, "run", bench.run, TRIALS, whole=bench.whole, duration_s=bench.run_s)


def test_a_report(bench: Bench) -> None:
    words: list[object] = ["report", bench.out, "--standalone"]
    bench.fresh(finished=True)
    whole, duration_s = bench.undisturbed(words)
    campaign(bench, "report", words, FEWER, bench.whole, whole=whole, duration_s=duration_s)


def test_a_run_with_moved_boundaries(bench: Bench) -> None:
    bench.fresh(finished=True)
    words = [*bench.run, "--edits", _edits(bench)]
    whole, duration_s = bench.undisturbed(words)
    assert whole != bench.whole
    campaign(bench, "run --edits", words, FEWER, bench.whole, whole=whole, duration_s=duration_s)


def _edits(bench: Bench) -> Path:
    """Write a document that moves one boundary of every stained tube."""
    tubes = []
    for path in sorted(bench.out.glob("samples/*/result.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        if result["labels"]["role"] == "stained":
            node = next(node for node in result["tree"]["nodes"] if (node["geometry"] or {}).get("low") is not None)
            moved = {**node["geometry"], "low": node["geometry"]["low"] + 0.02}
            edit = {"population": node["name"], "geometry": moved, "who": "Reader B", "when": "2026-03-01T18:00:00Z",
                    "why": "debris"}  # fmt: skip
            sample = {"sample_id": result["sample_id"], "tree_sha256": result["fitted_tree_sha256"], "edits": [edit]}
            tubes.append(sample)
    written = bench.folder / "edits.json"
    written.write_text(json.dumps({"format": "stromagate.edits/1", "samples": tubes}), encoding="utf-8")
    return written


def test_two_that_begin_at_once(bench: Bench) -> None:
    """One wins and the other is told who; the folder is that of one run."""
    won = Counter[int]()
    for trial in range(FEWER):
        bench.fresh(finished=False)
        first = started(*bench.run)
        time.sleep(random.Random(trial).random() * 0.05)
        second = started(*bench.run)
        said = {each.pid: (each.communicate(timeout=600)[1], each.returncode) for each in (first, second)}
        codes = sorted(code for _, code in said.values())
        assert codes == [0, 2], said
        (loser,) = [text for text, code in said.values() if code]
        winner = next(pid for pid, (_, code) in said.items() if not code)
        assert f"process {winner} on {os.uname().nodename}, since 2" in loser
        assert contents(bench.out) == bench.whole
        won[winner == first.pid] += 1
    tell(f"two at once: {FEWER} times, the first won {won[1]}")
