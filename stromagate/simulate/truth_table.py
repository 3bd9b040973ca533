"""The truth of every event as a Parquet table: one row an event, in the order of the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stromagate.model.sample import F32
from stromagate.simulate.panel import ANTIGENS
from stromagate.simulate.truth import (
    BACKGROUND,
    BUBBLE,
    BY_CHANCE,
    CARRYOVER,
    CLOG,
    DEAD,
    DEAD_SECOND,
    NO_PARTICLE,
    STUCK,
    Truth,
    names_behind,
)

FLAGS = {
    "dead": DEAD,
    "dead_second": DEAD_SECOND,
    "stuck": STUCK,
    "by_chance": BY_CHANCE,
    "clog": CLOG,
    "bubble": BUBBLE,
    "carryover": CARRYOVER,
    "background": BACKGROUND,
}
"""Columns of yes and no, and the bit of ``Truth.flags`` behind each."""


def save_truth_table(
    path: Path, truth: Truth, signals: F32 | None = None, antigens: tuple[str, ...] = ANTIGENS
) -> None:
    """Write the truth of every event.

    Parameters
    ----------
    signals : ndarray of float32, shape (n_events, n_antigens), linear units, optional
        Antigen on the cells of every event before any light: written as ``signal_CD45`` and so on.
    antigens : tuple of str
        Their columns.

    Notes
    -----
    ``primary`` and ``secondary`` are names of populations, null where there is no such particle (or, for an event of a
    real background, nobody knows).
    """
    import pyarrow as pa
    from pyarrow import parquet

    names = names_behind(truth)
    columns: dict[str, pa.Array] = {
        "primary": _names(truth.primary, names),
        "secondary": _names(truth.secondary, names),
        **{name: pa.array(truth.flags & np.uint8(bit) > 0) for name, bit in FLAGS.items()},
    }
    if signals is not None:
        columns |= {f"signal_{antigen}": pa.array(signals[:, i]) for i, antigen in enumerate(antigens)}
    waiting = path.with_name(f"{path.name}.part")
    try:
        parquet.write_table(pa.table(columns), waiting, compression="zstd")
        waiting.replace(path)
    finally:
        waiting.unlink(missing_ok=True)


def _names(codes: NDArray[np.uint8], names: tuple[str, ...]) -> object:
    """Return names by their codes, as pyarrow keeps repeated words."""
    import pyarrow as pa

    there = codes != NO_PARTICLE
    indices = pa.array(np.where(there, codes, 0).astype(np.int8), mask=~there)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names))
