"""Columns of a whole tube kept from one question to the next, and any part of them as gates see events."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

import numpy as np

from stromagate.model.sample import F32, F64, Rows
from stromagate.prepare.scales import display

if TYPE_CHECKING:
    from stromagate.prepare.prepared import Prepared

MOST_BYTES = 400_000_000
"""Columns of a tube take no more memory than this: a hundred of a million events each (own choice)."""

# Of a column that is not there, fewer values than this share of the tube's are made by themselves.
_FEW_FRAC = 0.125


class KeptColumns:
    """Compensated and displayed columns of a tube, made once and kept while there is room.

    Parameters
    ----------
    prepared : Prepared
        The tube.
    most_bytes : int
        What columns may take; the one asked for longest ago makes room.
    """

    def __init__(self, prepared: Prepared, most_bytes: int = MOST_BYTES) -> None:
        self.prepared, self._most = prepared, most_bytes
        self._kept: OrderedDict[Hashable, F32] = OrderedDict()
        self._finite: dict[str, bool] = {}
        self._lock = threading.RLock()

    def quick(self, axis: str) -> F32:
        """Return compensated scale values of all events, shape (n,), read-only."""
        if self.prepared.unmix[axis].plain:
            return self.prepared.linear(axis)
        return self.made(("quick", axis), lambda: self.prepared.linear(axis))

    def shown(self, axis: str) -> F32:
        """Return values of all events in display units, shape (n,), read-only."""
        scale = self.prepared.scale(axis)
        if scale.kind == "linear":
            return self.quick(axis)
        return self.made(("shown", axis), lambda: display(scale, self.quick(axis)))

    def finite(self, axis: str) -> bool:
        """Return whether every quick value of the tube is finite."""
        if axis not in self._finite:
            self._finite[axis] = bool(np.isfinite(self.quick(axis)).all())
        return self._finite[axis]

    def part(self, axis: str, rows: Rows) -> F32:
        """Return compensated scale values of some events, shape (k,)."""
        there = self.prepared.unmix[axis].plain or ("quick", axis) in self._kept
        if there or len(rows) > _FEW_FRAC * self.prepared.n:
            return self.quick(axis)[rows]
        return self.prepared.linear(axis, rows)

    def made(self, key: Hashable, make: Callable[[], F32]) -> F32:
        """Return a column of any other meaning, shape (n,), read-only: the one kept under a key, or else a new one."""
        with self._lock:
            if key not in self._kept:
                values = make()
                values.flags.writeable = False
                self._kept[key] = values
                while sum(each.nbytes for each in self._kept.values()) > self._most and len(self._kept) > 1:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]


class Part:
    """Some events of a tube (``columns.Columns``), or all of them.

    Parameters
    ----------
    kept : KeptColumns
        The tube's columns.
    rows : ndarray of intp, shape (n,), or None
        The events, ascending; None for all.
    """

    def __init__(self, kept: KeptColumns, rows: Rows | None = None) -> None:
        self._kept, self._rows = kept, rows
        self._values: dict[str, F32] = {}

    @property
    def n(self) -> int:
        """Number of events."""
        return self._kept.prepared.n if self._rows is None else len(self._rows)

    def quick(self, axis: str) -> F32:
        """Return scale values, shape (n,), within ``slack(axis)`` of the exact ones where they are finite."""
        if self._rows is None:
            return self._kept.quick(axis)
        if axis not in self._values:
            self._values[axis] = self._kept.part(axis, self._rows)
        return self._values[axis]

    def finite(self, axis: str) -> bool:
        """Return whether every quick value is finite."""
        return self._kept.finite(axis) if self._rows is None else bool(np.isfinite(self.quick(axis)).all())

    def slack(self, axis: str) -> float:
        """Return how far quick values may be off, in scale values."""
        return self._kept.prepared.slack(axis)

    def exact(self, axis: str, rows: Rows) -> F64:
        """Return exact scale values, shape (k,), of the events at these positions in this part."""
        return self._kept.prepared.exact(axis, rows if self._rows is None else self._rows[rows])
