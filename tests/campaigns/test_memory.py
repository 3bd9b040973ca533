"""Memory of a run stays below workers x (8 x largest file + 300 MB), and does not grow from tube to tube.

``python -m pytest -m soak -s tests/campaigns/test_memory.py`` prints the figures.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from tests.campaigns.figures import tell
from tests.campaigns.processes import started, workers
from tests.tubes import write_template, write_tube

pytestmark = [pytest.mark.soak, pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="/proc")]

MB = 1_000_000
ALLOWED_TIMES_FILE, ALLOWED_MB = 8, 300


def peak_bytes(pid: int) -> int:
    """Return the largest resident size that a process has had; 0 where it is over."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return 0
    found = [line.split()[1] for line in text.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) * 1024 if found else 0


def peaks(process: subprocess.Popen[str]) -> dict[int, int]:
    """Watch a run to its end and return the peak of each of its processes."""
    found: dict[int, int] = {}
    while process.poll() is None:
        for pid in (process.pid, *workers(process)):
            found[pid] = max(found.get(pid, 0), peak_bytes(pid))
        time.sleep(0.02)
    process.communicate()
    return found


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("n_events", [5_000, 1_500_000])
def test_peak(tmp_path: Path, n_events: int, jobs: int) -> None:
    (tmp_path / "in").mkdir()
    for seed in range(2):
        write_tube(tmp_path / "in" / f"tube_{seed}.fcs", seed, n_events)
    largest = max(path.stat().st_size for path in (tmp_path / "in").iterdir())
    template = write_template(tmp_path / "small.yaml")
    process = started("run", tmp_path / "in", "-t", template, "-o", tmp_path / "out", "-j", jobs)
    found = peaks(process)
    assert process.returncode == 0
    allowed = jobs * (ALLOWED_TIMES_FILE * largest + ALLOWED_MB * MB)
    most = sum(sorted(found.values(), reverse=True)[:jobs])
    tell(f"{jobs} workers, files of {largest / MB:.1f} MB: {most / MB:.0f} MB of {allowed / MB:.0f} MB allowed")
    assert most <= allowed


def test_no_growth_from_tube_to_tube(tmp_path: Path) -> None:
    """The peak after sixty tubes is that after twenty, within a megabyte a tube."""
    template = write_template(tmp_path / "small.yaml")
    most = {}
    for n in (20, 60):
        folder = tmp_path / f"in_{n}"
        folder.mkdir()
        for seed in range(n):
            write_tube(folder / f"tube_{seed}.fcs", seed, 20_000)
        process = started("run", folder, "-t", template, "-o", tmp_path / f"out_{n}")
        most[n] = max(peaks(process).values())
        assert process.returncode == 0
        assert len(list((tmp_path / f"out_{n}" / "samples").iterdir())) == n
    grown = (most[60] - most[20]) / 40
    tell(f"peak {most[20] / MB:.0f} MB after 20 tubes, {most[60] / MB:.0f} MB after 60: {grown / MB:.2f} MB a tube")
    assert grown < MB
