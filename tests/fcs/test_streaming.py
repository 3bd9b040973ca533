"""Blocks are the same events as the whole, at any size; a file that changes meanwhile is an error and not a crash."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stromagate.errors import InputError, StromagateError
from stromagate.fcs import open_fcs, read_fcs, read_raw
from tests.fcs.make_fcs import Column, Spec, data_segment, make
from tests.fcs.specimens import doubles, floats, integers, mixed, of_every_kind, wide

SPECIMENS = {
    "f32": floats(),
    "f32_big": floats(byteord="4,3,2,1"),
    "f32_time": floats(extra=(("$TIMESTEP", "0.01"),)),
    "f64": doubles(),
    "i16": integers(),
    "i24": wide(24),
    "i64": wide(64),
    "mixed": mixed(),
    "ifd": of_every_kind(),
    "text_last": floats(order=("data", "text")),
}


def _lengthened(spec: Spec, n_events: int) -> Spec:
    """Repeat the stored events up to a number of them."""
    few, stride = data_segment(spec), sum(column.bits for column in spec.columns) // 8
    size = n_events * stride
    return replace(spec, data_bytes=(few * (size // len(few) + 1))[:size], change={"$TOT": str(n_events)})


@pytest.mark.parametrize("name", SPECIMENS)
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 7, 100])
def test_blocks_of_any_size_are_the_whole(name: str, rows: int, tmp_path: Path) -> None:
    path = make(_lengthened(SPECIMENS[name], 11)).write(tmp_path / "file.fcs")
    opened = open_fcs(path)
    whole = read_fcs(path).events
    blocks = [block.copy() for block in opened.blocks(rows=rows)]
    assert all(block.dtype == np.float32 and block.flags.c_contiguous for block in blocks)
    assert [len(block) for block in blocks] == [rows] * (11 // rows) + ([11 % rows] if 11 % rows else [])
    np.testing.assert_array_equal(np.concatenate(blocks), whole)
    again = np.concatenate([block.copy() for block in opened.blocks(rows=rows)])
    np.testing.assert_array_equal(again, whole)


@pytest.mark.parametrize("n_events", [32_767, 32_768, 32_769, 65_537])
@pytest.mark.parametrize("name", ["f32", "f32_big", "i24", "mixed"])
def test_no_event_is_lost_at_the_edge_of_a_block(name: str, n_events: int, tmp_path: Path) -> None:
    spec = _lengthened(SPECIMENS[name], n_events)
    path = make(spec).write(tmp_path / "file.fcs")
    few = read_raw(make(SPECIMENS[name]).write(tmp_path / "few.fcs"))
    raw = read_raw(path)
    for column, pattern in zip(raw.columns, few.columns, strict=True):
        expected = np.resize(pattern, n_events)
        np.testing.assert_array_equal(column, expected)
    sample = read_fcs(path)
    streamed = np.concatenate([block.copy() for block in open_fcs(path).blocks()])
    np.testing.assert_array_equal(streamed, sample.events)


def test_no_events_give_no_blocks(tmp_path: Path) -> None:
    none = tuple(replace(column, values=()) for column in floats().columns)
    opened = open_fcs(make(floats(columns=none)).write(tmp_path / "empty.fcs"))
    assert opened.n_events == 0
    assert [len(block) for block in opened.blocks() if len(block)] == []
    assert read_fcs(tmp_path / "empty.fcs").events.shape == (0, 3)


@pytest.mark.parametrize("rows", [0, -1])
def test_blocks_of_no_rows_are_refused(rows: int, tmp_path: Path) -> None:
    opened = open_fcs(make(floats()).write(tmp_path / "file.fcs"))
    with pytest.raises((StromagateError, ValueError)):
        list(opened.blocks(rows=rows))


CHANGES = {
    "truncated": "os.truncate(path, os.path.getsize(path) // 2)",
    "emptied": "os.truncate(path, 0)",
    "grown": "handle = open(path, 'ab'); handle.write(bytes(4096)); handle.close()",
    "rewritten": "data = bytearray(open(path, 'rb').read()); data[-9] ^= 255; open(path, 'wb').write(data)",
}

SCRIPT = """
import os, sys
from stromagate.errors import InputError
from stromagate.fcs import open_fcs
path = sys.argv[1]
opened = open_fcs(path)
try:
    for number, block in enumerate(opened.blocks(rows=1000)):
        float(block.sum())
        if number == 3:
            {change}
except InputError as error:
    print(error.code)
else:
    print("read to the end")
"""


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("order", ["1,2,3,4", "4,3,2,1"])
def test_a_file_that_changes_while_it_is_streamed(change: str, order: str, tmp_path: Path) -> None:
    """In a process of its own, because a map of a file that was cut kills the reader with a signal."""
    columns = tuple(Column(f"C{n}", tuple(float(k) for k in range(20_000)), 32, "262144") for n in range(4))
    path = make(Spec(columns, datatype="F", byteord=order)).write(tmp_path / "file.fcs")
    script = SCRIPT.format(change=CHANGES[change])
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in ("file.changed", "fcs.truncated")


def test_a_file_that_was_replaced_after_it_was_opened(tmp_path: Path) -> None:
    path = make(_lengthened(floats(), 5000)).write(tmp_path / "file.fcs")
    opened = open_fcs(path)
    other = make(_lengthened(integers(), 900)).write(tmp_path / "other.fcs")
    before = read_fcs(path).events
    other.replace(path)
    try:
        events = np.concatenate([block.copy() for block in opened.blocks()])
    except InputError as error:
        assert error.code in ("file.changed", "fcs.truncated")  # noqa: PT017  (reading the old file is right, too)
    else:
        np.testing.assert_array_equal(events, before)
