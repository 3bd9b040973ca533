"""Numbers and lists as sentences show them."""

from __future__ import annotations

from collections.abc import Iterable

_LISTED = 6


def events(n: int) -> str:
    """Return ``1 event`` or ``1,234 events``."""
    return f"{n:,} event{'' if n == 1 else 's'}"


def percent(value_pct: float) -> str:
    """Return a percentage with three significant digits, never rounded to nothing or to everything."""
    if value_pct in {0, 100}:
        return f"{value_pct:.0f} %"
    if 0 < value_pct < 0.001:
        return "< 0.001 %"
    if 99.95 < value_pct < 100:
        return "> 99.9 %"
    digits = 3 if value_pct < 0.1 else 2 if value_pct < 1 else 1
    return f"{value_pct:.{digits}f} %"


def listed(names: Iterable[str]) -> str:
    """Return the names in one clause, the rest counted where there are many."""
    every = list(names)
    shown = ", ".join(every[:_LISTED])
    return f"{shown} and {len(every) - _LISTED} more" if len(every) > _LISTED else shown


def control_kind(role: str) -> str:
    """Return what a control of a role is called: ``FMO-CD146 control``, ``unstained control``."""
    kind, _, marker = role.partition(":")
    word = {"fmo": "FMO", "comp": "compensation"}.get(kind.casefold(), kind)
    return f"{word}-{marker} control" if marker else f"{word} control"
