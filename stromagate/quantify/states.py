"""What may be said of a count."""

from __future__ import annotations

from collections.abc import Sequence

from stromagate.model.detection import CountState, DetectionLimits, ruled


def count_state(count: int | None, limits: DetectionLimits | None = None) -> CountState:
    """Return what may be said of a count.

    Parameters
    ----------
    count : int or None
        Events in the population; None where it could not be evaluated.
    limits : DetectionLimits, optional
        Of this population in this tube; the floors of 20 and 50 events alone by default. Blanks can only raise them.

    Returns
    -------
    str
        ``"not detected"`` up to the limit of blank and under 20 events, ``"detected, not quantifiable"`` under the
        limit of quantification, which is 50 events or more, ``"quantifiable"`` from there on, ``"not evaluable"`` where
        there is no count.
    """
    return "not evaluable" if count is None else ruled(count, limits).state


def rarest(states: Sequence[CountState]) -> CountState:
    """Return the state that says least: what several populations together allow to be said."""
    return min(states, key=("not evaluable", "not detected", "detected, not quantifiable", "quantifiable").index)
