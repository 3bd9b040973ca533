"""A hostile or broken file costs neither time nor memory, and raises nothing but our own errors."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stromagate.errors import InputError
from stromagate.fcs import open_fcs, read_fcs, read_header, read_raw
from tests.fcs.bombs import Bomb, all_bombs
from tests.fcs.make_fcs import Spec, make
from tests.fcs.readings import Reading, assert_exact, read
from tests.fcs.specimens import SIXTEEN, integers
from tests.reference_data import ROOT

LIMIT_S = 5.0
LIMIT_BYTES = 100 << 20

Reader = Callable[..., object]


BOMBS = all_bombs()
each_bomb = pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)


@pytest.fixture(scope="module", autouse=True)
def _warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Load what the reader loads on first use, so that it is not counted against a bomb."""
    path = tmp_path_factory.mktemp("warm") / "plain.fcs"
    path.write_bytes(make(integers()).data)
    read(path)


def _try(reader: Reader, path: Path, policy: str) -> object:
    try:
        return reader(path, policy=policy)
    except InputError as error:
        return error


def _cost_s(reader: Reader, path: Path, policy: str) -> float:
    start = time.process_time()
    _try(reader, path, policy)
    return time.process_time() - start


def test_there_are_enough() -> None:
    assert len(BOMBS) >= 34


@each_bomb
def test_bomb_is_defused(bomb: Bomb, tmp_path: Path) -> None:
    """Time is the process's own, so that a busy machine fails no test; what waits for ever is tested further down."""
    path, _ = bomb.put(tmp_path)
    for policy in ("strict", "repair", "salvage"):
        for reader in (read_header, open_fcs, read_raw, read_fcs) if policy == "repair" else (read_fcs,):
            start = time.process_time()
            result = _try(reader, path, policy)
            if time.process_time() - start > LIMIT_S:  # a busy neighbour on the same core is no fault of the reader's
                assert min(_cost_s(reader, path, policy) for _ in range(3)) < LIMIT_S, (reader.__name__, policy)
            if isinstance(result, InputError):
                assert result.message
                assert len(str(result)) < 2000, "the message carries the bomb"


@each_bomb
def test_bomb_is_judged_rightly(bomb: Bomb, tmp_path: Path) -> None:
    path, made = bomb.put(tmp_path)
    try:
        reading: Reading | InputError = read(path)
    except InputError as error:
        reading = error
    if isinstance(reading, InputError):
        assert bomb.outcome != "read", str(reading)
        assert not bomb.codes or reading.code.startswith(bomb.codes), str(reading)
    else:
        assert bomb.outcome != "refuse", f"returned events, repairs {reading.codes}"
        assert made is not None
        assert_exact(reading, made)


@each_bomb
def test_bomb_takes_no_memory(bomb: Bomb, tmp_path: Path) -> None:
    path, _ = bomb.put(tmp_path)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        _try(read_fcs, path, "repair")
        assert tracemalloc.get_traced_memory()[1] - before < LIMIT_BYTES
    finally:
        tracemalloc.stop()


def test_all_bombs_together_take_no_memory(tmp_path: Path) -> None:
    """Resident memory of a process that reads them all, maps of files included."""
    paths = []
    for index, bomb in enumerate(BOMBS.values()):
        folder = tmp_path / str(index)
        folder.mkdir()
        paths.append(str(bomb.put(folder)[0]))
    script = "import sys, json; from tests.fcs.test_bombs import measure; measure(json.load(sys.stdin))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(paths),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        cwd=ROOT,
    )
    grown = json.loads(done.stdout)
    assert len(grown) == len(BOMBS)
    worst = max(zip(grown, BOMBS, strict=True))
    assert worst[0] < LIMIT_BYTES, worst


def measure(paths: list[str]) -> None:
    """Read each path and print by how many bytes the peak of resident memory grew meanwhile."""
    print(json.dumps(list(_growths(paths))))  # noqa: T201  (the answer of the child process)


def _growths(paths: list[str]) -> Iterator[int]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for path in paths:
        for policy in ("repair", "salvage"):
            _try(read_fcs, Path(path), policy)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        yield (after - peak) * 1024
        peak = after


def test_reading_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    """A pipe without a writer would block an open for ever; the child process is the guard against that."""
    path, _ = BOMBS["fifo"].put(tmp_path)
    script = f"from stromagate.fcs import read_fcs; read_fcs({str(path)!r})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert "InputError" in done.stderr


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["keywords", "delimiters", "value", "parameters"])
def test_twice_the_text_takes_twice_the_time(kind: str, tmp_path: Path) -> None:
    """Reading grows with the text, not with its square; the best of several turns stands for each size."""
    paths = [make(_text_of(kind, scale)).write(tmp_path / f"{scale}.fcs") for scale in (1, 2)]
    turns = [[_cost_s(read_fcs, path, "repair") for path in paths] for _ in range(9)]
    short, long = (min(turn[index] for turn in turns) for index in (0, 1))
    assert long / short < 2.5, (short, long)


def _text_of(kind: str, scale: int) -> Spec:
    if kind == "keywords":
        return integers(extra=tuple((f"K{n}", "v") for n in range(30_000 * scale)))
    if kind == "delimiters":
        return integers(extra=(("COMMENT", "x" + "/" * 1_000_000 * scale),))
    if kind == "value":
        return integers(extra=(("COMMENT", "x" * 3_000_000 * scale),))
    return integers(columns=tuple(replace(SIXTEEN[n % 3], name=f"C{n}") for n in range(1500 * scale)))
