"""Where fitted boundaries lie, in units that mean the same in every tube.

Display units do not: the linear part of a logicle scale is as wide as the tube's own negatives ask for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from stromagate.model.gates import straight_edges
from stromagate.model.result import SampleResult
from stromagate.prepare.scales import inverse

COFACTOR = 150.0
"""Scale value below which decades turn linear, as is usual for conventional cytometers. Own choice."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One straight edge of a fitted gate.

    ``display`` is in the tube's own display units, ``raw`` in scale values, and ``place`` in decades (intensities) or
    in scale values (linear axes).
    """

    population: str
    axis: str
    side: Literal["from", "below"]
    display: float
    raw: float
    linear: bool

    @property
    def place(self) -> float:
        """Where it lies, in units that mean the same in every tube."""
        return self.raw if self.linear else decades(self.raw)


def decades(raw: float) -> float:
    """Return a scale value in decades that are linear around zero: ``asinh(raw / 150) / ln 10``."""
    return math.asinh(raw / COFACTOR) / math.log(10)


def from_decades(place: float) -> float:
    """Return the scale value at a place in decades."""
    return COFACTOR * math.sinh(place * math.log(10))


def fitted_edges(result: SampleResult) -> Iterator[Edge]:
    """Yield the straight edges that were fitted to the tube, gates in their order.

    Fixed and edited boundaries say nothing of the tube, and stretches of time differ from tube to tube.
    """
    for node in result.tree.nodes:
        if node.geometry is None or node.state not in {"fitted", "fallback"} or node.method in {"time", "fixed"}:
            continue
        for axis, side, at in straight_edges(node.geometry):
            raw = float(inverse(result.tree.axes[axis].scale, at)[0])
            if math.isfinite(raw):
                linear = result.tree.axes[axis].scale.kind == "linear"
                yield Edge(node.name, axis, side, at, raw, linear)
