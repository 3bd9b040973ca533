"""Events as gates see them: quick values with a bound of their error, and exact ones where it matters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np

from stromagate.gating.geometry import Mask
from stromagate.model.sample import F32, F64, Rows


class Columns(Protocol):
    """Events as a gate sees them: quick values, how far these may be off, and exact values for a few."""

    @property
    def n(self) -> int:
        """Number of events."""
        ...

    def quick(self, axis: str) -> F32:
        """Scale values, shape (n,), within ``slack(axis)`` of the exact ones where they are finite."""
        ...

    def finite(self, axis: str) -> bool:
        """Whether every quick value is finite."""
        ...

    def slack(self, axis: str) -> float:
        """Bound of the error of the quick values, in scale values; 0 where they are exact."""
        ...

    def exact(self, axis: str, rows: Rows) -> F64:
        """Exact scale values of some events, shape (k,)."""
        ...


def finite_on(columns: Columns, axes: Iterable[str]) -> Mask:
    """Return which events have a finite exact value on every one of some axes, shape (n,)."""
    finite = np.ones(columns.n, dtype=np.bool_)
    for axis in axes:
        here = np.isfinite(columns.quick(axis))
        if columns.slack(axis) > 0 and not here.all():
            odd = np.flatnonzero(~here)
            here[odd] = np.isfinite(columns.exact(axis, odd))
        finite &= here
    return finite
