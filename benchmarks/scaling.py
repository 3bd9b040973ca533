"""What a second worker brings: the whole command with ``--jobs 1`` against ``--jobs 2``: part of ``make bench``.

A batch of simulated marrows is run as from a shell, start of the program, tables and pages included. Every pair is two
whole runs into new folders, in turn one or the other first. Read the ratio, not the seconds; a machine that has less
than two processors to itself shows less.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from stromagate.pipeline.executor import each
from stromagate.simulate import TubeOrder, scenario, simulate_tube, write_tube

TEMPLATE = "bm_stroma_core"
SCENARIO = "healthy"
GOAL = 1.8


def main() -> None:
    """Simulate the batch, run it in pairs, print the ratio."""
    options = _options()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "tubes").mkdir()
        orders = [(folder / "tubes", options.events, seed) for seed in range(options.tubes)]
        list(each(_simulate, orders, os.cpu_count() or 1, lost=_lost))
        pairs = [_pair(folder, first=1 + number % 2) for number in range(options.repeat)]
        apart = [_apart(folder) for _ in range(options.repeat)]
    alone, two = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratios = sorted(one / both for one, both in pairs)
    print(
        f"{options.tubes} tubes of {options.events:,} events, {SCENARIO} marrow, template {TEMPLATE}, {options.repeat} "
        f"pairs on {os.cpu_count()} processors: the whole command with --jobs 1 against --jobs 2, same bytes"
    )
    print(f"  one {alone:.1f} s   two {two:.1f} s   ratio {statistics.median(ratios):.2f}", end="")
    print(f" (pairs {ratios[0]:.2f} to {ratios[-1]:.2f}; goal {GOAL})")
    print(
        f"  two whole programs at once, half of the tubes each: {alone / statistics.median(apart):.2f}, which is what"
    )
    print("  machine has to give, for its processors share memory and caches")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tubes", type=int, default=24)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--repeat", type=int, default=3)
    return parser.parse_args()


def _simulate(order: tuple[Path, int, int]) -> str:
    folder, n_events, seed = order
    name = f"tube_{seed:02}"
    tube = TubeOrder(scenario=scenario(SCENARIO), sample_id=name, donor=name, n_events=n_events, seed=seed)
    write_tube(simulate_tube(tube), folder / f"{name}.fcs")
    return name


def _lost(order: tuple[Path, int, int]) -> str:
    raise SystemExit(f"no memory to simulate tubes of {order[1]:,} events")


def _pair(folder: Path, *, first: int) -> tuple[float, float]:
    """Return the seconds of a run with one process and of one with two, both into new folders, and compare these."""
    taken: dict[int, float] = {}
    written = {}
    for jobs in (first, 3 - first):
        out = folder / f"results_{jobs}"
        taken[jobs] = _seconds(folder / "tubes", out, jobs)
        written[jobs] = _tree(out)
        shutil.rmtree(out)
    if written[1] != written[2]:
        raise SystemExit("the two runs wrote different bytes")
    return taken[1], taken[2]


def _apart(folder: Path) -> float:
    """Return the seconds until two programs are done that know nothing of each other, each with half of the tubes."""
    tubes = sorted((folder / "tubes").iterdir())
    halves = [tubes[::2], tubes[1::2]]
    begin = time.perf_counter()
    running = [_started(half, folder / f"half_{number}", 1) for number, half in enumerate(halves)]
    if any(process.wait() for process in running):
        raise SystemExit("a run of half of the tubes failed")
    taken = time.perf_counter() - begin
    for number in range(len(halves)):
        shutil.rmtree(folder / f"half_{number}")
    return taken


def _seconds(tubes: Path, out: Path, jobs: int) -> float:
    begin = time.perf_counter()
    if _started([tubes], out, jobs).wait():
        raise SystemExit(f"the run with --jobs {jobs} failed")
    return time.perf_counter() - begin


def _started(inputs: list[Path], out: Path, jobs: int) -> subprocess.Popen[bytes]:
    command = ["-m", "stromagate", "run", *inputs, "--template", TEMPLATE, "--out", out, "--jobs", jobs, "--quiet"]
    return subprocess.Popen([sys.executable, *map(str, command)], stdout=subprocess.DEVNULL)


def _tree(out: Path) -> dict[str, str]:
    files = (path for path in out.rglob("*") if path.is_file() and path.name != "run.json")  # it holds the times
    return {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


if __name__ == "__main__":
    main()
