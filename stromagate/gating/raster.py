"""A polygon as a grid of cells: certainly outside, certainly inside, or too near an edge to tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stromagate.model.gates import Point
from stromagate.model.sample import F32, F64

OUT, IN, ASK = 0, 1, 2

_CELLS = 256
# Cells between the polygon's box and the border of the grid, where everything further out is put.
_MARGIN = 2
# Coordinates are float32 and the cell number is made in one float32 sum: this much of a cell may be lost.
_ARITHMETIC_CELLS = 0.02
_WIDEST_CELLS = 0.5


@dataclass(frozen=True, slots=True)
class Raster:
    """Cells over the box of a polygon, good for coordinates that are off by at most ``tolerance`` (x, y)."""

    cells: NDArray[np.uint8]
    start: tuple[np.float32, np.float32]
    per_unit: tuple[np.float32, np.float32]
    tolerance: Point

    def classify(self, x: F32, y: F32) -> NDArray[np.uint8]:
        """Return OUT, IN or ASK for each event, shape (n,); what is not finite is OUT."""
        column, row = self._position(x, 0), self._position(y, 1)
        np.floor(row, out=row)
        row *= np.float32(_CELLS)
        row += column
        return np.take(self.cells, row.astype(np.intp))

    def _position(self, values: F32, side: int) -> F32:
        # Not finite is no error here: fmin and fmax put NaN where infinity goes, on the empty border of the grid.
        with np.errstate(invalid="ignore", over="ignore"):
            position = values - self.start[side]
            position *= self.per_unit[side]
            np.fmin(position, np.float32(_CELLS - 1), out=position)
            np.fmax(position, np.float32(0), out=position)
        return position


def build(vertices: Sequence[Point], tolerance: Point) -> Raster | None:
    """Draw a polygon on a grid.

    Parameters
    ----------
    vertices : sequence of (float, float)
        Corners, in the units of the coordinates that will be classified.
    tolerance : (float, float)
        How far a coordinate may be off, in the same units.

    Returns
    -------
    Raster or None
        None where the tolerance is too large for cells of this size to tell anything.
    """
    corners = np.array(vertices, dtype=np.float64)
    low, high = corners.min(axis=0), corners.max(axis=0)
    # Too large or too small for float32 is no error here: there is no grid then.
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        per_unit = (_CELLS - 2 * _MARGIN) / (high - low)
        # The float32 numbers that classify() will use are the true ones from here on.
        start32, per_unit32 = (low - _MARGIN / per_unit).astype(np.float32), per_unit.astype(np.float32)
        start, per_unit = start32.astype(np.float64), per_unit32.astype(np.float64)
        rounding = np.maximum(np.abs(low), np.abs(high)) * 2.0**-22
        reach = (np.array(tolerance) + rounding) * per_unit + _ARITHMETIC_CELLS
    if not (np.isfinite(per_unit).all() and np.isfinite(start).all() and (reach < _WIDEST_CELLS).all()):
        return None
    from_, to = (corners - start) * per_unit, (np.roll(corners, -1, axis=0) - start) * per_unit
    cells = np.where(_parity(from_, to), IN, OUT).astype(np.uint8)
    cells[_touched(from_, to, reach)] = ASK
    return Raster(cells.ravel(), (start32[0], start32[1]), (per_unit32[0], per_unit32[1]), (tolerance[0], tolerance[1]))


def _parity(from_: F64, to: F64) -> NDArray[np.bool_]:
    """Return for each cell's centre whether an odd number of sides lies to its right, shape (rows, columns)."""
    centre = np.arange(_CELLS) + 0.5
    low, high = np.minimum(from_[:, 1], to[:, 1]), np.maximum(from_[:, 1], to[:, 1])
    side, row = np.nonzero((low[:, None] <= centre) & (centre < high[:, None]))
    share = (centre[row] - from_[side, 1]) / (to[side, 1] - from_[side, 1])
    crossing = from_[side, 0] + share * (to[side, 0] - from_[side, 0])
    passed = np.clip(np.ceil(crossing - 0.5), 0, _CELLS).astype(np.intp)
    toggles = np.zeros((_CELLS, _CELLS + 1), dtype=np.int32)
    np.add.at(toggles, (row, passed), 1)
    to_the_right = toggles[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
    return np.asarray(to_the_right % 2 == 1)


def _touched(from_: F64, to: F64, reach: F64) -> NDArray[np.bool_]:
    """Return the cells that a side passes through or comes within reach of, shape (rows, columns)."""
    steps = np.zeros((_CELLS + 1, _CELLS), dtype=np.int32)
    for (ax, ay), (bx, by) in zip(from_, to, strict=True):
        left, right = min(ax, bx), max(ax, bx)
        columns = np.arange(int(left - reach[0]), int(right + reach[0]) + 1)
        # The piece of the side over each widened column, and the rows that this piece spans.
        near, far = (np.clip(columns + shift, left, right) for shift in (-reach[0], 1 + reach[0]))
        if right > left:
            near, far = (ay + (at - ax) / (bx - ax) * (by - ay) for at in (near, far))
        else:
            near, far = (np.full(len(columns), value) for value in (ay, by))
        first = np.floor(np.minimum(near, far) - reach[1]).astype(np.intp)
        last = np.floor(np.maximum(near, far) + reach[1]).astype(np.intp)
        np.add.at(steps, (first, columns), 1)
        np.add.at(steps, (last + 1, columns), -1)
    return np.asarray(steps[:-1].cumsum(axis=0) > 0)
