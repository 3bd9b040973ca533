"""A disk that is full before a run of two workers has ended: one clear error, nothing torn, and on once there is room.

``python -m pytest -m soak -s tests/campaigns/test_full_disk.py``; the disk is a small one in memory (tmpfs), which root
may mount. What fills up at each single step is met in ``test_killed_at_steps``.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.campaigns.batches import TEMPLATE, simulated
from tests.campaigns.figures import tell
from tests.campaigns.folders import Contents, contents, left_lying, phase, torn
from tests.campaigns.processes import ended

pytestmark = pytest.mark.soak

PARTS = (0.02, 0.1, 0.3, 0.5, 0.7, 0.85, 0.95, 0.99)


class Bench:
    """Eight simulated tubes, and the folder and the room that an undisturbed run of them takes."""

    def __init__(self, folder: Path) -> None:
        self.sheet = simulated(folder / "tubes", 2, events=6000, companion_events=4000)
        ended(*self.run(folder / "out"))
        self.whole: Contents = contents(folder / "out")
        self.n_bytes = sum(-(-path.stat().st_size // 4096) * 4096 for path in (folder / "out").rglob("*"))

    def run(self, out: Path) -> list[object]:
        """Return the words of a run."""
        exports = ["--export", "membership", "--export", "gated_fcs", "--export", "parquet"]
        return ["run", "--sheet", self.sheet, "-t", TEMPLATE, "-o", out, "-j", 2, *exports]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("full"))


@contextmanager
def disk(place: Path, n_bytes: int) -> Iterator[Path]:
    """Mount a small disk."""
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={n_bytes}", "tmpfs", str(place)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount")
    if done.returncode:
        pytest.skip(f"a disk in memory may not be mounted: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("part", PARTS)
def test_a_run_on_a_disk_that_is_too_small(bench: Bench, tmp_path: Path, part: float) -> None:
    with disk(tmp_path / "disk", int(bench.n_bytes * part)) as place:
        out = place / "out"
        said = ended(*bench.run(out), code=3)
        tell(f"{part:.0%} of the room: {phase(out)}; {said.strip().splitlines()[-2:]}")
        assert "No space left on device" in said
        assert said.count("error:") <= 1  # none where it was an export alone that did not fit
        assert "Traceback" not in said
        assert torn(out, bench.whole) == []
        assert left_lying(out) == []
        subprocess.run(["mount", "-o", f"remount,size={bench.n_bytes * 2}", str(place)], check=True)
        ended(*bench.run(out))
        assert contents(out) == bench.whole


def test_a_disk_that_fills_up_spares_the_results_that_are_there(bench: Bench, tmp_path: Path) -> None:
    """A finished run asked for longer pages: what is there is whole before and after."""
    with disk(tmp_path / "disk", int(bench.n_bytes * 1.05)) as place:
        out = place / "out"
        ended(*bench.run(out))
        assert contents(out) == bench.whole
        said = ended(*bench.run(out), "--standalone", code=3)
        assert "No space left on device" in said
        there = {path.parent.name for path in out.glob("samples/*/result.json")}
        assert len(there) == 8
        subprocess.run(["mount", "-o", f"remount,size={bench.n_bytes * 9}", str(place)], check=True)
        ended(*bench.run(out))
        assert contents(out) == bench.whole
