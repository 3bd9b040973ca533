"""A marrow of plain arrays for gates set on controls: an anchor, rare cells that glow, an antibody that sticks.

Linear units. The anchor's autofluorescence is log-normal around 60 units under noise of 25; the rare cells glow eight
times as bright; the antibody adds 16 units to everything it is put on, spread over a third of a decade, as it does to
cells without the antigen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stromagate.gating.controls import distribution
from stromagate.gating.method import Outside
from stromagate.model.controls import ControlTube
from stromagate.model.sample import F32, F64
from tests.gating.methods.populations import ASINH, FakePopulation

GLOW, NOISE, GLOW_DECADES, TIMES = 60.0, 25.0, 0.2, 8.0
STICKS, STICKS_DECADES = 16.0, 0.35


def cells(n: int, rng: np.random.Generator, *, stained: bool, times: float = 1.0, antigen: float = 0.0) -> F32:
    """Return one marker on ``n`` cells that glow ``times`` as bright as the anchor."""
    values: F64 = GLOW * times * 10 ** (GLOW_DECADES * rng.standard_normal(n)) + NOISE * rng.standard_normal(n)
    if stained:
        values += STICKS * 10 ** (STICKS_DECADES * rng.standard_normal(n))
        values += antigen * 10 ** (0.25 * rng.standard_normal(n))
    return values.astype(np.float32)


def control(seed: int, anchor: int = 20_000, target: int = 60, times: float = TIMES) -> ControlTube:
    """Return a tube without the antibody."""
    rng = np.random.default_rng(seed)
    rare = cells(target, rng, stained=False, times=times)
    wide = np.concatenate([cells(anchor, rng, stained=False), rare])
    shown = {("stroma", "CD146"): distribution(wide), ("msc", "CD146"): distribution(rare)}
    return ControlTube(f"c{seed}", "fmo:CD146", f"{seed:064x}", 500_000, shown)


def tube(
    seed: int,
    controls: Sequence[ControlTube],
    *,
    anchor: int = 20_000,
    low: int = 70,
    high: int = 30,
    gain: float = 1.0,
) -> FakePopulation:
    """Return the rare cells of a stained tube, first those without CD146, with the anchor above them."""
    rng = np.random.default_rng([seed, 7])
    rare = np.concatenate(
        [cells(low, rng, stained=True, times=TIMES), cells(high, rng, stained=True, times=TIMES, antigen=6000.0)]
    )
    wide = np.concatenate([cells(anchor, rng, stained=True), rare])
    scales = {"CD146": ASINH}
    above = population(gain * wide, "stroma", Outside(tuple(controls)))
    return FakePopulation({"CD146": display(gain * rare)}, "msc", scales, {"stroma": above}, Outside(tuple(controls)))


def population(values: F32, name: str, outside: Outside | None = None) -> FakePopulation:
    return FakePopulation({"CD146": display(values)}, name, {"CD146": ASINH}, {}, outside or Outside())


def display(linear: F32) -> F32:
    return (np.arcsinh(linear / 100) / 10).astype(np.float32)
