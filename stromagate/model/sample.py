"""What a reader hands on: one tube's events, their channels, and every departure from the plain case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Rows = NDArray[np.intp]
"""Numbers of events in a sample, ascending."""

Policy = Literal["strict", "repair", "salvage"]
Verdict = Literal["ok", "repaired", "salvaged"]
GainConvention = Literal["apply", "ignore"]


@dataclass(frozen=True, slots=True)
class Repair:
    """One departure from the plain case and what was done about it."""

    code: str
    before: str
    after: str
    why: str


@dataclass(frozen=True, slots=True)
class SourceRef:
    """Identity of a tube: its path and, once computed, the SHA-256 of its content.

    ``$FIL`` and other keywords are labels, never identities.
    """

    path: str
    n_bytes: int
    dataset: int = 0
    n_datasets: int = 1
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """One column of the events.

    ``log_decades`` and ``log_offset`` are ``$PnE`` as it was applied (None: linear); ``gain`` is ``$PnG`` as the file
    states it (1.0 where absent or zero); ``range_top`` is ``$PnR`` in stored units (0.0: not stated).
    """

    index: int
    pnn: str
    pns: str
    bits: int
    range_top: float
    gain: float = 1.0
    log_decades: float | None = None
    log_offset: float | None = None
    is_time: bool = False

    @property
    def label(self) -> str:
        """``$PnS`` where the file has one, else ``$PnN``."""
        return self.pns or self.pnn


@dataclass(frozen=True, slots=True)
class Spillover:
    """The spillover matrix as the file states it, parsed but never judged.

    ``matrix[i, j]`` is the share of fluorochrome i seen in detector j, shape (n, n), and
    ``compensated = measured @ inv(matrix)``. ``malformed`` keeps the reason and the text, and becomes an error only
    where a gate needs compensation.
    """

    status: Literal["ok", "unit", "absent", "malformed"]
    keyword: str | None = None
    channels: tuple[str, ...] = ()
    matrix: F64 | None = None
    text: str = ""
    reason: str = ""


ABSENT = Spillover("absent")


@dataclass(frozen=True, slots=True)
class Sample:
    """One data set of one file, decoded.

    Attributes
    ----------
    events : ndarray of float32, shape (n_events, n_channels), Fortran order, read-only
        Scale values: bit masks, ``$PnE`` logs and ``$TIMESTEP`` (seconds) applied; ``$PnG`` as ``gain`` says.
    non_finite, masked : mapping of str to int
        By ``$PnN``, how many values are no finite numbers, and how many had bits set beyond the mask of ``$PnR``.
    """

    events: F32
    channels: tuple[Channel, ...]
    source: SourceRef
    version: str
    keywords: Mapping[str, str]
    spillover: Spillover
    policy: Policy
    gain: GainConvention
    repairs: tuple[Repair, ...] = ()
    verdict: Verdict = "ok"
    timestep_s: float | None = None
    non_finite: Mapping[str, int] = field(default_factory=dict)
    masked: Mapping[str, int] = field(default_factory=dict)

    @property
    def n_events(self) -> int:
        """Number of events."""
        return int(self.events.shape[0])

    @property
    def pnn(self) -> tuple[str, ...]:
        """``$PnN`` of every column."""
        return tuple(channel.pnn for channel in self.channels)


@dataclass(frozen=True, slots=True)
class RawEvents:
    """Stored values, exact: after byte order and bit mask, before gain, log and timestep.

    ``columns[i]`` has shape (n_events,) and the narrowest native type that holds the stored values of ``names[i]``.
    """

    names: tuple[str, ...]
    columns: tuple[NDArray[np.generic], ...]
    repairs: tuple[Repair, ...] = ()
