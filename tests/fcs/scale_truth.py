"""Scale values by the formulas of the standard, one value at a time, in doubles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stromagate.model.sample import GainConvention
from tests.fcs.strict_decoder import NotStrictError, Parts, number, whole_number
from tests.fcs.words import Number, float_of


def scale_value(
    stored: Number, top: float, log: tuple[float, float], gain: float = 1.0, step: float | None = None
) -> float:
    """Return one scale value: a log where there is one, else seconds for time, else the gain taken out."""
    decades, offset = log
    if decades:
        try:
            return float(10.0 ** (decades * stored / top) * offset)
        except OverflowError:
            return float("inf")
    if step is not None:
        return float(stored * step)
    return float(stored / (gain or 1.0))


def scaled(parts: Parts, is_time: Sequence[bool], convention: GainConvention = "apply") -> NDArray[np.float32]:
    """Return the scale values of a file that was taken apart.

    Raises
    ------
    NotStrictError
        A gain or the time step is no number, or the file does not say the type of a column.
    """
    found = {key.upper(): value for key, value in (*parts.text, *parts.stext)}
    step = number(found["$TIMESTEP"]) if "$TIMESTEP" in found else 1.0
    columns = []
    for n, (patterns, time) in enumerate(zip(parts.columns, is_time, strict=True), start=1):
        kind = found.get(f"$P{n}DATATYPE" if parts.version == "3.2" else "", found["$DATATYPE"]).strip()
        bits = whole_number(found[f"$P{n}B"])
        values: list[Any] = [value if kind == "I" else float_of(value, bits) for value in patterns]
        decades, offset = (number(part) for part in found.get(f"$P{n}E", "0,0").split(","))
        gain = number(found.get(f"$P{n}G", "1"))
        if gain < 0 or step <= 0:
            raise NotStrictError("gains and time steps are positive")
        top = number(found[f"$P{n}R"]) if decades else 1.0
        seconds = step if time else None
        used = gain if convention == "apply" else 1.0
        columns.append([scale_value(value, top, (decades, offset), used, seconds) for value in values])
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array(columns, dtype=np.float64).T.astype(np.float32)


def same_scale(seen: NDArray[np.float32], expected: NDArray[np.float32]) -> bool:
    """Tell whether two sets of scale values agree to the precision of a single float."""
    return seen.shape == expected.shape and bool(np.allclose(seen, expected, rtol=1e-6, atol=0, equal_nan=True))
