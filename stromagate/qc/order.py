"""Whether the events stand in the order they were acquired in, which checks over the run rely on."""

from __future__ import annotations

import numpy as np

from stromagate.qc.check import Evidence


def why_unordered(evidence: Evidence) -> str:
    """Return why the events cannot be taken to stand in the order of acquisition; empty where they can."""
    clock = next((channel for channel in evidence.sample.channels if channel.is_time), None)
    if clock is None:
        return "The file has no Time channel, so that the order of acquisition is not known."
    times = evidence.sample.events[:, clock.index]
    with np.errstate(invalid="ignore"):
        steps = np.diff(times)
    if not np.isfinite(steps).all() or (steps < 0).any():
        return f"{clock.pnn} runs backwards or holds no numbers, so that the order of acquisition is not known."
    return "" if steps.any() else f"{clock.pnn} stands still, so that the order of acquisition is not known."
