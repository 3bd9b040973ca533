"""How numbers are written in a report: three significant digits, separated thousands, never an exponent."""

from __future__ import annotations

import math
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

from stromagate.model.result import Statistic

NONE = "–"


def count_text(value: float | None) -> str:
    """Return a number of events, such as ``1,234,567``."""
    return NONE if value is None else f"{value:,.0f}"


def number_text(value: float | None, digits: int = 3) -> str:
    """Return a number with ``digits`` significant digits and no exponent, such as ``36.4`` or ``1,230``."""
    if value is None or not math.isfinite(value):
        return NONE
    if value == 0:
        return "0"
    exact = Decimal(repr(float(value)))
    rounded = exact.quantize(Decimal(1).scaleb(exact.adjusted() - digits + 1), rounding=ROUND_HALF_EVEN)
    # 9.996 becomes 10.00 at this point: one digit too many.
    if rounded.adjusted() > exact.adjusted():
        rounded = rounded.quantize(Decimal(1).scaleb(rounded.adjusted() - digits + 1))
    return format(Decimal(f"{rounded:f}"), ",f").replace("-", "−")


def percent_text(fraction: float | None) -> str:
    """Return a fraction as a percentage that rounds neither something to nothing nor almost all to all."""
    if fraction is None or not math.isfinite(fraction):
        return NONE
    if 0.995 <= fraction < 1:
        percent = (Decimal(repr(float(fraction))) * 100).quantize(Decimal("0.01"), rounding=ROUND_DOWN)
        return f"{percent} %"
    if fraction == 1:
        return "100 %"
    return f"{number_text(100 * fraction)} %"


def interval_text(low: float | None, high: float | None, *, percent: bool = False) -> str:
    """Return the two ends of an interval, such as ``24.9–51.4``; empty where there is none."""
    if low is None or high is None:
        return ""
    factor = 100 if percent else 1
    return f"{number_text(factor * low)}–{number_text(factor * high)}"


def estimate_text(row: Statistic | None) -> str:
    """Return a rate with its interval, such as ``36.4 (24.9–51.4)`` or ``33.9 % (22.3–47.0)``."""
    if row is None or row.value is None:
        return NONE
    percent = row.statistic == "fraction"
    head = percent_text(row.value) if percent else number_text(row.value)
    interval = interval_text(row.ci_low, row.ci_high, percent=percent)
    return f"{head} ({interval})" if interval else head


def bytes_text(n_bytes: int) -> str:
    """Return the size of a file in bytes, and in MB where that helps."""
    return f"{n_bytes:,} bytes" + (f" ({number_text(n_bytes / 1e6)} MB)" if n_bytes >= 1_000_000 else "")
