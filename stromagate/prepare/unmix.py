"""Taking spillover out: one set of weights, applied fast in float32 or exactly in float64.

``compensated = measured @ inverse(matrix)``: an axis is a weighted sum of the matrix' detectors. The fast form says how
far it may be from the exact one (`Unmix.slack`), so that events near a cut can be decided exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stromagate.errors import SpecificationError, did_you_mean
from stromagate.model.gates import Axis
from stromagate.model.panel import Compensation
from stromagate.model.sample import F32, F64

# A float32 rounds by at most 2**-24 of itself; a sum of n products in any order by (n + 2) such steps.
_ROUNDING = 2.0**-24


@dataclass(frozen=True, slots=True)
class Weights:
    """One axis as a weighted sum of columns: ``columns`` shape (k,), ``weights`` float64 shape (k,)."""

    columns: NDArray[np.intp]
    weights: F64

    @property
    def plain(self) -> bool:
        """Whether the axis is one column as it stands, so that nothing can be rounded."""
        return len(self.columns) == 1 and self.weights[0] == 1.0

    def exact(self, block: F32) -> F64:
        """Return the axis in float64, shape (n,), of events of shape (n, n_channels)."""
        if self.plain:
            return block[:, self.columns[0]].astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            # Row by row and not by BLAS, whose last bits depend on how many rows it is given: an event must have the
            # same value whether it comes alone, in a block or with its whole tube.
            parts = np.ascontiguousarray(block[:, self.columns], dtype=np.float64) * self.weights
            return np.asarray(parts.sum(axis=1), dtype=np.float64)

    def slack(self, largest: float) -> float:
        """Return the most that a float32 sum can differ from the exact one, where no value exceeds ``largest``."""
        if self.plain:
            return 0.0
        return (len(self.columns) + 2) * _ROUNDING * largest * float(np.abs(self.weights).sum())


class Unmix:
    """Weights of every axis of a tree or a panel on one file.

    Parameters
    ----------
    pnn : sequence of str
        ``$PnN`` of the file's columns.
    axes : mapping of str to Axis
        Channel of each axis, and whether it is compensated.
    compensation : Compensation, optional
        The matrix in use; needed where any axis is compensated.

    Raises
    ------
    SpecificationError
        An axis or the matrix names a channel the file does not have, or the matrix has no inverse.
    """

    def __init__(self, pnn: Sequence[str], axes: Mapping[str, Axis], compensation: Compensation | None) -> None:
        mixed = [name for name, axis in axes.items() if axis.compensated]
        if mixed and compensation is None:
            raise SpecificationError(
                "compensation.none",
                f"'{mixed[0]}' is compensated, but there is no matrix",
                hint="keep the matrix with the tree that was fitted with it",
            )
        detectors = _columns(pnn, compensation.channels) if compensation and mixed else np.empty(0, dtype=np.intp)
        inverse = _inverse(compensation) if compensation and mixed else np.empty((0, 0))
        self._weights: dict[str, Weights] = {}
        for name, axis in axes.items():
            if axis.compensated and compensation is not None:
                at = compensation.channels.index(axis.pnn) if axis.pnn in compensation.channels else -1
                if at < 0:
                    raise SpecificationError(
                        "compensation.channel",
                        f"'{name}' is compensated, but its channel {axis.pnn} is not in the matrix",
                        hint=f"channels of the matrix: {', '.join(compensation.channels)}",
                    )
                self._weights[name] = Weights(detectors, np.ascontiguousarray(inverse[:, at]))
            else:
                self._weights[name] = Weights(_columns(pnn, [axis.pnn]), np.ones(1))

    def __getitem__(self, axis: str) -> Weights:
        """Return the weights of an axis; KeyError where it is not one of this file's."""
        return self._weights[axis]

    @property
    def axes(self) -> tuple[str, ...]:
        """Every axis, in order."""
        return tuple(self._weights)

    def matrix(self, axes: Sequence[str]) -> tuple[slice, F32]:
        """Return the weights of several axes over one run of columns, for a single product a block.

        Parameters
        ----------
        axes : sequence of str
            Axes wanted.

        Returns
        -------
        columns : slice
            The run of columns that all of them need.
        weights : ndarray of float32, shape (len(axes), n_columns)
            ``weights @ block[:, columns].T`` has shape (len(axes), n).
        """
        wanted = [self._weights[axis] for axis in axes]
        used = np.concatenate([item.columns for item in wanted])
        first, last = int(used.min()), int(used.max()) + 1
        weights = np.zeros((len(wanted), last - first), dtype=np.float32)
        for row, item in zip(weights, wanted, strict=True):
            row[item.columns - first] = item.weights
        return slice(first, last), weights


def largest_magnitude(values: F32) -> float:
    """Return the largest magnitude among the finite values, of any shape; 0 where there are none."""
    if values.size == 0:
        return 0.0
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low + high):
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    return max(-low, high)


def _columns(pnn: Sequence[str], names: Sequence[str]) -> NDArray[np.intp]:
    position = {name: index for index, name in enumerate(pnn)}
    missing = [name for name in names if name not in position]
    if missing:
        raise SpecificationError(
            "channel.unknown",
            f"the file has no channel {', '.join(missing)}",
            hint=did_you_mean(missing[0], pnn),
        )
    return np.array([position[name] for name in names], dtype=np.intp)


def _inverse(compensation: Compensation) -> F64:
    matrix = np.array(compensation.matrix, dtype=np.float64)
    try:
        inverse = np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        inverse = np.full(matrix.shape, np.nan)
    if not np.isfinite(inverse).all() or np.linalg.cond(matrix) > 1e12:
        raise SpecificationError(
            "compensation.singular",
            f"the spillover matrix from {compensation.source} has no inverse",
            hint="two of its channels have the same row, or a row is zero; give a right one with --compensation",
        )
    return np.asarray(inverse, dtype=np.float64)
