"""What may be said of a count."""

from __future__ import annotations

from stromagate.model.detection import LLOQ_FLOOR_EVENTS, LOD_FLOOR_EVENTS, CountState


def count_state(count: int | None) -> CountState:
    """Return what may be said of a count, by the floors alone; blanks can only raise them.

    Parameters
    ----------
    count : int or None
        Events in the population; None where it could not be evaluated.

    Returns
    -------
    str
        ``"not detected"`` under 20 events, ``"detected, not quantifiable"`` under 50, ``"quantifiable"`` from 50 on,
        ``"not evaluable"`` where there is no count.
    """
    if count is None:
        return "not evaluable"
    if count < LOD_FLOOR_EVENTS:
        return "not detected"
    return "detected, not quantifiable" if count < LLOQ_FLOOR_EVENTS else "quantifiable"
