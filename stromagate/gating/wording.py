"""Words and numbers of the sentences that fits hand to the report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from stromagate.gating.method import PopulationView


def number(value: float) -> str:
    """Return a number with as many digits as a reader can use, such as ``0.412`` or ``11,000``."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def listed(words: Iterable[str], last: str) -> str:
    """Return ``a, b and c``."""
    items = list(words)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"


def share(fraction: float) -> str:
    """Return a fraction as a percentage that rounds neither something to nothing nor almost all to all."""
    percent = 100 * fraction
    if 0 < percent < 0.01:
        return "under 0.01 %"
    if 99.5 <= percent < 100:
        return f"{min(percent, 99.9):.1f} %"
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.2g} %"


def place(parent: PopulationView, axis: str, display: float) -> str:
    """Return a position in display units with its value in linear units, such as ``0.412 (about 820 units)``."""
    if parent.scale(axis).kind == "linear":
        return number(display)
    linear = linear_of(parent, axis, display)
    return f"{display:.3f}" if linear is None else f"{display:.3f} (about {number(float(f'{linear:.2g}'))} units)"


def linear_of(parent: PopulationView, axis: str, display: float) -> float | None:
    """Return the linear value shown at ``display``, to one part in a million; None where it lies off every range."""
    low, high = -10.0 * parent.scale(axis).top, 10.0 * parent.scale(axis).top
    if not parent.to_display(axis, low) <= display <= parent.to_display(axis, high):
        return None
    # Bisection asks the view alone, so that the scale's own functions stay in one room.
    for _ in range(80):
        middle = (low + high) / 2
        if parent.to_display(axis, middle) < display:
            low = middle
        else:
            high = middle
        if math.isclose(low, high, rel_tol=1e-6, abs_tol=1e-3):
            break
    return (low + high) / 2


def called(name: str, labels: Mapping[str, str]) -> str:
    """Return what sentences call a population: its label, as the report does."""
    return f"“{labels.get(name, name)}”"


def parent_not_there(parent: str) -> str:
    """Return why a gate was not tried whose parent, as it is called, could not be evaluated."""
    return f"its parent {parent} could not be evaluated"


def parent_empty(parent: str) -> str:
    """Return why a gate was not tried whose parent, as it is called, holds nothing."""
    return f"its parent {parent} holds no events"


def looked_up_in_vain(name: str, why: str = "was not evaluated on this tube") -> str:
    """Return why a gate could not be placed that looks at another population, as that is called."""
    return f"it looks at {name}, which {why}"
