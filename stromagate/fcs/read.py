"""Read a file whole: scale values for work, or stored values exactly."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stromagate.fcs.decode import common_type, count_masked, native_type, scale_values, stored_column, stored_matrix
from stromagate.fcs.opened import FcsFile, open_fcs
from stromagate.model.sample import F32, GainConvention, Policy, RawEvents, Sample

# A block and its share of the result stay in the cache together; measured best between 512 and 32,768 rows.
_ROWS = 8_192


def read_fcs(
    path: str | os.PathLike[str],
    *,
    policy: Policy = "repair",
    dataset: int | None = None,
    gain: GainConvention = "apply",
) -> Sample:
    """Read one data set of an FCS file.

    Parameters
    ----------
    path : path
        FCS or LMD file.
    policy : {"strict", "repair", "salvage"}
        See ``open_fcs``.
    dataset : int, optional
        Which data set, from 0, of a file that holds several.
    gain : {"apply", "ignore"}
        Whether linear columns are divided by ``$PnG`` (never Time).

    Returns
    -------
    Sample
        ``events`` holds scale values as float32, shape (n_events, n_channels), Fortran order, read-only. Whole numbers
        above 2**24 and double precision are rounded to the nearest float32; ``read_raw`` is exact.

    Raises
    ------
    InputError
        The file is refused; code, reason and what to do.
    """
    found = open_fcs(path, policy=policy, dataset=dataset, gain=gain)
    events: F32 = np.empty((found.n_events, len(found.channels)), dtype=np.float32, order="F")
    non_finite, masked = (np.zeros(len(found.channels), dtype=np.int64) for _ in range(2))
    for first, block in found.byte_blocks(_ROWS):
        part = events[first : first + len(block) // found.layout.stride]
        count_masked(found.layout, block, masked)
        scale_values(found.layout, found.scalings, block, part)
        _count_non_finite(part, non_finite)
    events.flags.writeable = False
    return Sample(
        events=events,
        channels=found.channels,
        source=found.source,
        version=found.version,
        keywords=found.keywords,
        spillover=found.spillover,
        policy=policy,
        gain=gain,
        repairs=found.repairs,
        verdict=found.verdict,
        timestep_s=found.timestep_s,
        non_finite=_by_name(found, non_finite),
        masked=_by_name(found, masked),
    )


def read_raw(path: str | os.PathLike[str], *, policy: Policy = "repair", dataset: int | None = None) -> RawEvents:
    """Read stored values exactly: after byte order and bit mask, before gain, log and timestep.

    Parameters, raises: see ``read_fcs``.

    Returns
    -------
    RawEvents
        One column a channel, in the narrowest native type.
    """
    found = open_fcs(path, policy=policy, dataset=dataset)
    columns = tuple(np.empty(found.n_events, dtype=native_type(column)) for column in found.layout.columns)
    for first, block in found.byte_blocks():
        for column, values in zip(columns, _stored(found, block), strict=True):
            column[first : first + len(values)] = values
    for column in columns:
        column.flags.writeable = False
    return RawEvents(tuple(channel.pnn for channel in found.channels), columns, found.repairs)


def _stored(found: FcsFile, block: NDArray[np.uint8]) -> list[NDArray[Any]]:
    common = common_type(found.layout)
    if common is not None:
        return list(stored_matrix(found.layout, common, block).T)
    rows = block.reshape(-1, found.layout.stride)
    return [stored_column(rows, column) for column in found.layout.columns]


def _by_name(found: FcsFile, counts: NDArray[np.int64]) -> dict[str, int]:
    return {channel.pnn: int(n) for channel, n in zip(found.channels, counts, strict=True) if n}


def _count_non_finite(part: F32, counts: NDArray[np.int64]) -> None:
    # A column times itself is one fast sum that no NaN or infinity ever leaves; overflow merely asks in vain.
    with np.errstate(over="ignore", invalid="ignore"):
        for index in range(part.shape[1]):
            column = part[:, index]
            if not math.isfinite(np.dot(column, column)):
                counts[index] += np.count_nonzero(~np.isfinite(column))
