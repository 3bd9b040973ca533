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

from contestants import DYES, GATES, TOP, A, M, W

HERE = Path(__file__).resolve().parent
TASKS = ("read", "gates")
CONTESTANTS = ("flowkit", "stromagate")


def main() -> None:
    """Generate the file, run every task with every contestant, print the table."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.fcs"
        _compile_into(Path(folder) / "compiled")
        _contest("generate", str(path), str(options.events))
        print(
            f"{options.events:,} events x 20 float32 ({path.stat().st_size / 1e6:.0f} MB), {options.repeat} repetitions"
        )
        for who in CONTESTANTS:
            _contest("gates", who, str(path))  # not counted: what is compiled once is compiled here
        runs = {(task, who): [] for task in TASKS for who in CONTESTANTS}
        for _ in range(options.repeat):
            for task in TASKS:
                for who in CONTESTANTS:
                    runs[task, who].append(_contest(task, who, str(path)))
        for task in TASKS:
            _report(task, *(runs[task, who] for who in CONTESTANTS))
        _whole_run(path, runs["gates", "flowkit"], options.repeat)


def _compile_into(folder: Path) -> None:
    """Let the contestants keep their compiled modules, as installed programs do, whatever this machine is set to."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder)


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


MEASURES = (
    ("process_s", "whole process", "s"),
    ("work_s", "without interpreter and imports", "s"),
    ("peak_mb", "peak memory", "MB"),
    ("grown_mb", "memory above imports", "MB"),
)
TITLES = {"read": "read", "gates": "read + compensate + 8 nested logicle gates + counts"}


def _report(task: str, theirs: list[dict[str, Any]], ours: list[dict[str, Any]]) -> None:
    if theirs[0]["answer"] != ours[0]["answer"]:
        sys.exit(f"{task}: the answers differ: {theirs[0]['answer']} and {ours[0]['answer']}")
    print(f"\n{TITLES[task]}: equal answers {ours[0]['answer']}")
    for key, title, unit in MEASURES:
        _line(title, _median(theirs, key), _median(ours, key), unit)


def _line(title: str, theirs: float, ours: float, unit: str) -> None:
    print(
        f"  {title:<32} FlowKit {theirs:8.3f} {unit:<2}  stromagate {ours:8.3f} {unit:<2}  ratio {theirs / ours:6.1f}"
    )


def _median(runs: list[dict[str, Any]], key: str) -> float:
    return statistics.median(run[key] for run in runs)


def _whole_run(path: Path, theirs: list[dict[str, Any]], repeat: int) -> None:
    """Time ``stromagate run`` with the same gates as a template: statistics, QC, plots, report and tables written."""
    template = path.with_name("bench.yaml")
    template.write_text(_template(), encoding="utf-8")
    command = [str(Path(sys.executable).with_name("stromagate")), "run", str(path), "--template", str(template)]
    ours = [_process([*command, "--out", str(path.with_name(f"out{i}")), "--quiet", "--json"]) for i in range(repeat)]
    print(
        "\nwhole `stromagate run` (with statistics, QC, plots, report, tables) against FlowKit's bare gates and counts"
    )
    for key, title, unit in (MEASURES[0], MEASURES[2]):
        _line(title, _median(theirs, key), _median(ours, key), unit)


def _template() -> str:
    """Write the contestants' gates as a template (JSON is YAML)."""
    document = {
        "format": "stromagate.template/1",
        "name": "bench",
        "version": "1.0.0",
        "status": "local",
        "title": "The benchmark's gates",
        "panel": {"required": list(DYES)},
        "scales": {"default": {"transform": "logicle", "top": TOP, "width": W, "decades": M, "negative_decades": A}},
        "populations": [
            {"name": name, "parent": parent or "all", "gate": _gate(kind, axes, numbers)}
            for name, parent, kind, axes, numbers in GATES
        ],
    }
    return json.dumps(document, indent=1)


def _gate(kind: str, axes: tuple[str, ...], numbers: Any) -> dict[str, Any]:
    if kind == "polygon":
        return {"method": "polygon", "axes": axes, "vertices": numbers}
    if kind == "rectangle":
        return {"method": "fixed", "axes": axes, "low": numbers[0], "high": numbers[1]}
    return {"method": "fixed", "axes": axes, ("low" if kind == "above" else "high"): [numbers]}


if __name__ == "__main__":
    main()
