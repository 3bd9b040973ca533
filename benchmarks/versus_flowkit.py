"""Time and peak memory against FlowKit, as ratios of one run on one machine: ``make bench``.

Each contestant is a fresh process that uses public tools only, on the same generated file, in turn within each
repetition. Read the ratios, not the seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TASKS = ("read", "gates")
CONTESTANTS = ("flowkit", "stromagate")


def main() -> None:
    """Generate the file, run every task with every contestant, print the table."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.fcs"
        _contest("generate", str(path), str(options.events))
        print(
            f"{options.events:,} events x 20 float32 ({path.stat().st_size / 1e6:.0f} MB), {options.repeat} repetitions"
        )
        runs = {(task, who): [] for task in TASKS for who in CONTESTANTS}
        for _ in range(options.repeat):
            for task in TASKS:
                for who in CONTESTANTS:
                    runs[task, who].append(_contest(task, who, str(path)))
        for task in TASKS:
            _report(task, *(runs[task, who] for who in CONTESTANTS))
        _whole_run(Path(folder), options.repeat)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=5)
    return parser.parse_args()


def _contest(*arguments: str) -> dict[str, Any]:
    """Run one contestant in a process of its own and add the wall time and peak memory of that process."""
    return _process([sys.executable, str(HERE / "contestants.py"), *arguments])


def _process(command: list[str]) -> dict[str, Any]:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryFile() as said:
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=said, env=environment)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{' '.join(command)} failed")
        said.seek(0)
        answer = json.loads(said.read() or "{}")
    return {**answer, "process_s": wall, "peak_mb": used.ru_maxrss / 1024}


def _report(task: str, theirs: list[dict[str, float]], ours: list[dict[str, float]]) -> None:
    if theirs[0]["answer"] != ours[0]["answer"]:
        sys.exit(f"{task}: the answers differ: {theirs[0]['answer']} and {ours[0]['answer']}")
    titles = {"read": "read", "gates": "read + compensate + 8 nested logicle gates + counts"}
    print(f"\n{titles[task]}: equal answers")
    for key, unit, scale in (("process_s", "s", 1), ("work_s", "s", 1), ("peak_mb", "MB", 1), ("grown_mb", "MB", 1)):
        a, b = (statistics.median(run[key] for run in runs) * scale for runs in (theirs, ours))
        names = {
            "process_s": "whole process",
            "work_s": "without interpreter and imports",
            "peak_mb": "peak memory",
            "grown_mb": "memory above imports",
        }
        print(f"  {names[key]:<32} FlowKit {a:9.3f} {unit:<2}  stromagate {b:9.3f} {unit:<2}  ratio {a / b:6.1f}")


def _whole_run(folder: Path, repeat: int) -> None:
    """Time ``stromagate run`` on one simulated tube: gating, statistics, QC, report and all tables."""
    made = _contest("tube", str(folder / "tube"))
    runs = [_contest("run", str(folder / "tube"), str(folder / f"out{position}")) for position in range(repeat)]
    wall = statistics.median(run["process_s"] for run in runs)
    peak = statistics.median(run["peak_mb"] for run in runs)
    size = made["mb"]
    print(
        f"\nwhole run on one simulated tube of {made['events']:,.0f} events ({size:.0f} MB), report and tables written"
    )
    print(f"  whole process {wall:.2f} s, peak memory {peak:.0f} MB ({peak / size:.1f} x the file)")


if __name__ == "__main__":
    main()
