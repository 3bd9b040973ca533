"""From stored values to scale values: ``$PnE``, ``$PnG``, ``$TIMESTEP``, one column at a time in double precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Scaling:
    """What happens to a column: nothing, ``x / by``, ``x * by``, or ``at_zero * 10 ** (by * x)``."""

    kind: Literal["none", "divide", "times", "log"]
    by: float = 1.0
    at_zero: float = 1.0


LINEAR = Scaling("none")


def scale(values: NDArray[Any], scaling: Scaling) -> NDArray[Any]:
    """Return scale values of one column.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Stored values.
    scaling : Scaling
        What to do.

    Returns
    -------
    ndarray of float64, shape (n,)
        New values; the input itself where nothing is to be done.
    """
    if scaling.kind == "none":
        return values
    wide = values.astype(np.float64)
    if scaling.kind == "divide":
        wide /= scaling.by
    elif scaling.kind == "times":
        wide *= scaling.by
    else:
        wide *= scaling.by
        np.power(10.0, wide, out=wide)
        wide *= scaling.at_zero
    return wide
