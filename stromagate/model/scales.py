"""How values are displayed: the parameters only; the functions live in ``prepare.scales``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

ScaleKind = Literal["linear", "logicle", "asinh"]


@dataclass(frozen=True, slots=True)
class Scale:
    """One monotone map from scale values to display units.

    Logicle and asinh follow Gating-ML 2.0: ``top`` (T) maps to 1.0, and ``decades`` (M), ``width_decades`` (W, logicle)
    and ``negative_decades`` (A) shape the rest. A linear scale is the identity; its ``top`` only sets plot limits.
    """

    kind: ScaleKind = "linear"
    top: float = 262144.0
    width_decades: float = 0.5
    decades: float = 4.5
    negative_decades: float = 0.0


def same_map(one: Scale, other: Scale) -> bool:
    """Say whether two scales show every value in the same place."""
    if one.kind == other.kind == "linear":  # the top sets plot limits only
        return True
    width = other.width_decades if one.kind == "asinh" else one.width_decades  # which has none
    return replace(one, width_decades=width) == other
