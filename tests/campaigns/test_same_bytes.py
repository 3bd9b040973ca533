"""The same bytes for any number of workers, language, time zone, hash seed, order and place; without any network.

``python -m pytest -m soak -s tests/campaigns/test_same_bytes.py``. ``make test`` holds the same for one such
surrounding, in ``tests/cli/test_promises.py``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaigns.batches import TEMPLATE, simulated
from tests.campaigns.folders import Contents, contents
from tests.campaigns.processes import ended

pytestmark = pytest.mark.soak

SURROUNDINGS: dict[str, tuple[int, dict[str, str]]] = {
    "two workers": (2, {}),
    "three workers": (3, {"PYTHONHASHSEED": "1"}),
    "eight workers": (8, {"PYTHONHASHSEED": "random"}),
    "no language": (2, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    "Turkish": (1, {"LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Kolkata"}),
    "German": (1, {"LC_ALL": "de_DE.UTF-8", "TZ": "America/St_Johns"}),
    "four BLAS threads": (1, dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "4")),
    "one processor": (2, {"taskset": "0"}),
    "older loops of numpy": (1, {"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3"}),
}


class Bench:
    """Eight simulated tubes, and the folder that one worker makes of them."""

    def __init__(self, folder: Path) -> None:
        self.sheet = simulated(folder / "tubes", 2, events=6000, companion_events=4000)
        ended(*self.run(self.sheet, folder / "out", 1))
        self.whole: Contents = contents(folder / "out")

    def run(self, sheet: Path, out: Path, jobs: int) -> list[object]:
        """Return the words of a run."""
        exports = ["--export", "membership", "--export", "gated_fcs", "--export", "parquet", "--export", "multiqc"]
        return ["run", "--sheet", sheet, "-t", TEMPLATE, "-o", out, "-j", jobs, *exports]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("same"))


def differing(found: Contents, whole: Contents) -> list[str]:
    """Return the names of files that are not alike."""
    return sorted(name for name in {*found, *whole} if found.get(name) != whole.get(name))


@pytest.mark.parametrize("what", SURROUNDINGS)
def test_surroundings(bench: Bench, tmp_path: Path, what: str) -> None:
    jobs, changed = SURROUNDINGS[what]
    environment = {**os.environ, **changed}
    processor = environment.pop("taskset", None)
    before = os.sched_getaffinity(0)
    if processor is not None:
        os.sched_setaffinity(0, {int(processor)})
    try:
        ended(*bench.run(bench.sheet, tmp_path / "out", jobs), env=environment)
    finally:
        os.sched_setaffinity(0, before)
    assert differing(contents(tmp_path / "out"), bench.whole) == []


def test_another_kind_of_processor(bench: Bench, tmp_path: Path) -> None:
    """BLAS multiplies in another order on another kind of processor: the last digits of boundaries may differ."""
    environment = {**os.environ, "OPENBLAS_CORETYPE": "Prescott"}
    ended(*bench.run(bench.sheet, tmp_path / "out", 1), env=environment)
    for path in sorted((tmp_path / "out" / "samples").glob("*/result.json")):
        ours = bench.sheet.parents[1] / "out" / "samples" / path.parent.name / path.name
        numbers = [list(_numbers(json.loads(each.read_text(encoding="utf-8")))) for each in (path, ours)]
        assert [place for place, _ in numbers[0]] == [place for place, _ in numbers[1]]
        for (place, one), (_, other) in zip(*numbers, strict=True):
            assert one == pytest.approx(other, rel=1e-9, abs=1e-12), (path.parent.name, place)


def _numbers(value: object, place: str = "") -> Iterator[tuple[str, float]]:
    """Yield every number of a document and where it stands."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _numbers(part, f"{place}.{key}")
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _numbers(part, f"{place}[{number}]")
    elif isinstance(value, int | float):
        yield place, float(value)


def test_another_place_and_another_order(bench: Bench, tmp_path: Path) -> None:
    """Results of tubes do not know where they lay nor after whom they came; the run's tables keep the sheet's order."""
    moved = shutil.copytree(bench.sheet.parent, tmp_path / "Müller & Söhne, 3rd floor")
    lines = (moved / "samples.csv").read_text(encoding="utf-8").splitlines()
    (moved / "samples.csv").write_text("\n".join([lines[0], *lines[:0:-1]]) + "\n", encoding="utf-8")
    ended(*bench.run(moved / "samples.csv", tmp_path / "out", 2))
    found = contents(tmp_path / "out")
    assert [name for name in differing(found, bench.whole) if name.startswith("samples/")] == []


def test_a_machine_without_a_network(bench: Bench, tmp_path: Path) -> None:
    """In a name space of its own a process has no interface, not even the machine's own."""
    line = [sys.executable, "-m", "stromagate", *map(str, bench.run(bench.sheet, tmp_path / "out", 2))]
    if subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode:
        pytest.skip("a name space without network may not be made")
    done = subprocess.run(["unshare", "--net", *line], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert differing(contents(tmp_path / "out"), bench.whole) == []
