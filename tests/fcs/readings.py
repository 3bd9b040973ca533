"""How a reading is held against the truth of the maker: names, and every stored value bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stromagate.fcs import read_fcs, read_raw
from stromagate.model.sample import Policy, RawEvents, Sample
from tests.fcs.make_fcs import Made

Columns = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Reading:
    """What both doors of the reader said about one file."""

    raw: RawEvents
    sample: Sample

    @property
    def codes(self) -> set[str]:
        """Codes of all repairs."""
        return {repair.code for repair in self.sample.repairs}


def read(path: Path, policy: Policy = "repair", dataset: int | None = None) -> Reading:
    """Read a file by both doors and check that they agree with each other."""
    raw = read_raw(path, policy=policy, dataset=dataset)
    sample = read_fcs(path, policy=policy, dataset=dataset)
    assert raw.names == sample.pnn
    assert len(raw.columns) == len(sample.channels) == sample.events.shape[1]
    assert all(column.shape == (sample.n_events,) for column in raw.columns)
    assert (sample.verdict == "ok") == (not sample.repairs)
    assert {repair.code for repair in raw.repairs} <= {repair.code for repair in sample.repairs}
    assert sample.events.dtype == np.float32
    assert sample.events.flags.f_contiguous
    assert not sample.events.flags.writeable
    return Reading(raw, sample)


def bits(column: NDArray[np.generic]) -> tuple[int, ...]:
    """Return integers as they are and floats as their bit patterns."""
    if column.dtype.kind == "f":
        native = column.astype(column.dtype.newbyteorder("="))
        return tuple(native.view(f"u{column.dtype.itemsize}").tolist())
    assert column.dtype.kind == "u", column.dtype
    return tuple(column.tolist())


def assert_exact(reading: Reading, made: Made, *, names: tuple[str, ...] | None = None) -> None:
    """Check the names and every stored value."""
    assert reading.raw.names == (names if names is not None else made.names)
    assert tuple(bits(column) for column in reading.raw.columns) == made.columns
