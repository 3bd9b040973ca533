"""Small tubes in memory for tests of this room."""

from __future__ import annotations

import numpy as np

from stromagate.model.panel import Binding, Panel
from stromagate.model.sample import ABSENT, Channel, Sample, SourceRef, Spillover

PNN = ("FSC-A", "PE-A", "APC-A", "FITC-A", "Time")
STAINS = ("", "CD146", "CD271", "CD45", "")


def tube(
    events: np.ndarray | None = None,
    *,
    spillover: Spillover = ABSENT,
    pnn: tuple[str, ...] = PNN,
    stains: tuple[str, ...] = STAINS,
    top: float = 262144.0,
    gain: float = 1.0,
) -> Sample:
    """Return a sample of five channels; 1,000 noisy events unless given."""
    if events is None:
        events = np.random.default_rng(1).normal(500, 400, (1000, len(pnn)))
    stored = np.asfortranarray(events, dtype=np.float32)
    stored.flags.writeable = False
    channels = tuple(
        Channel(i, name, stain, 32, top, gain, is_time=name == "Time")
        for i, (name, stain) in enumerate(zip(pnn, stains, strict=True))
    )
    source = SourceRef("tube.fcs", 1)
    return Sample(stored, channels, source, "3.1", {}, spillover, "repair", "apply")


def spill(matrix: np.ndarray, channels: tuple[str, ...] = ("PE-A", "APC-A", "FITC-A")) -> Spillover:
    """Return a spillover as a reader states it."""
    return Spillover("ok", "$SPILLOVER", channels, np.asarray(matrix, dtype=np.float64))


def panel(sample: Sample) -> Panel:
    """Bind every stain of `tube`, and its scatter and time."""
    return Panel(
        tuple(Binding(c.pns or c.pnn, c.index, c.pnn, c.pns, "$PnS" if c.pns else "scatter") for c in sample.channels)
    )


MATRIX = np.array([[1.0, 0.2, 0.05], [0.1, 1.0, 0.01], [0.0, 0.03, 1.0]])
