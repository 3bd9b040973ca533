"""How numbers are written in a report: three significant digits, separated thousands, never an exponent."""

from __future__ import annotations

import math
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

from stromagate.model.result import Statistic

NONE = "–"
LLOQ_MARK = "<LLOQ"
"""Stands beside every number of fewer events than make a quantity: the lower limit of quantification."""
_BELOW_LLOQ = ("not detected", "detected, not quantifiable")
_MAX_DIGITS = 9
_ONE_TO_BELOW = 0.01
"""Ratios below this are written as 1 to so many: 1 : 5,240 is read more easily than 0.000191. Own choice."""
FEW = 100
"""Fewer events than this are named beside a share of them, which then has no decimals. Own choice."""


def within(text: str) -> str:
    """Return a name as it stands in a sentence: ``viable cells``; ``MSC`` and ``CD34+ cells`` keep their capitals."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


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


def percent_text(fraction: float | None, digits: int = 3) -> str:
    """Return a fraction as a percentage that rounds neither something to nothing nor almost all to all."""
    if fraction is None or not math.isfinite(fraction):
        return NONE
    if 0.995 <= fraction < 1:
        # As many decimals as an end of its interval has: else 99.9988 reads as less than its own lower end of 99.9974.
        step = Decimal(1).scaleb(-max(2, digits - 2))
        percent = (Decimal(repr(float(fraction))) * 100).quantize(step, rounding=ROUND_DOWN)
        return f"{percent} %"
    return "100 %" if fraction == 1 else f"{number_text(100 * fraction, digits)} %"


def below_lloq(row: Statistic | None) -> str:
    """Return the mark of a number below the limit of quantification, or nothing; what is no number has none."""
    return LLOQ_MARK if row is not None and row.value is not None and row.state in _BELOW_LLOQ else ""


def marked(text: str, row: Statistic | None) -> str:
    """Return a number as it is written, with the mark behind it where it is below the limit of quantification."""
    return f"{text} {below_lloq(row)}".rstrip()


def estimate_text(row: Statistic | None, digits: int = 3) -> str:
    """Return a number with its interval: ``36.4 (24.9–51.4)``, ``33.9 % (22.3–47.0)``, ``1,310 (1,240–1,383)``.

    As many digits are written as it takes to tell the ends of the interval from the number; a number below the limit of
    quantification is marked: ``8.3 (3.1–19.4) <LLOQ``. A small ratio is ``1 : 5,240 (1 : 12,100 to 1 : 2,640)``.
    """
    if row is None or row.value is None:
        return NONE
    ends = [] if row.ci_low is None or row.ci_high is None else [row.ci_low, row.ci_high]
    if row.statistic == "ratio" and 0 < (row.value or max(ends, default=0.0)) < _ONE_TO_BELOW:
        head, *texts = (_one_to(value) for value in (row.value, *ends))
        return marked(f"{head} ({texts[0]} to {texts[1]})" if texts else head, row)
    head, texts = _texts(row, ends, digits)
    return marked(f"{head} ({texts[0]}–{texts[1]})" if texts else head, row)


def _one_to(ratio: float) -> str:
    return "0" if ratio == 0 else f"1 : {number_text(1 / ratio)}"


def share_text(row: Statistic | None, total: int | None) -> str:
    """Return a share with its interval, one of few events with their number: ``6 of 21 (29 %, 11–52 %)``.

    Parameters
    ----------
    row : Statistic or None
        A ``fraction``.
    total : int or None
        Events it is a share of.
    """
    if row is None or row.value is None or row.n is None or total is None or total >= FEW:
        return estimate_text(row)
    share = f"{_whole_percent(row.value)} %"
    if row.ci_low is not None and row.ci_high is not None:
        share += f", {_whole_percent(row.ci_low)}–{_whole_percent(row.ci_high)} %"
    return marked(f"{count_text(row.n)} of {count_text(total)} ({share})", row)


def _whole_percent(share: float) -> str:
    """Return a share in percent without decimals, but as many as it takes to keep it from none and from all."""
    if share in (0.0, 1.0):
        return f"{100 * share:.0f}"
    if share < 0.01:
        return number_text(100 * share, 1)
    if share > 0.99:
        missing = Decimal(repr(100 * (1 - share)))
        return str(Decimal(100) - missing.quantize(Decimal(1).scaleb(missing.adjusted()), rounding=ROUND_HALF_EVEN))
    return f"{100 * share:.0f}"


def range_text(row: Statistic, low: float | None, high: float | None, digits: int = 3) -> str:
    """Return other limits of a number in the words of its interval: ``24.9–51.4``; with one end open ``from 24.9``."""
    if row.value is None or low is None:
        return NONE
    _, texts = _texts(row, [low] if high is None else [low, high], digits)
    return "–".join(texts) if high is not None else f"from {texts[0]}"


def _texts(row: Statistic, ends: list[float], digits: int) -> tuple[str, list[str]]:
    """Return a number and limits of it as they are written beside each other."""
    assert row.value is not None
    factor = 100 if row.statistic == "fraction" else 1
    if row.statistic == "count":
        return count_text(row.value), [count_text(end) if end >= 100 else number_text(end) for end in ends]
    ends = [factor * end for end in ends]
    enough = _enough_digits([factor * row.value, *ends], digits)
    head = percent_text(row.value, enough) if factor == 100 else number_text(row.value, enough)
    return head, [number_text(end, enough) for end in ends]


def _enough_digits(values: list[float], at_least: int) -> int:
    """Return the fewest digits at which no two values that differ read the same."""
    for digits in range(at_least, _MAX_DIGITS):
        if len({number_text(value, digits) for value in values}) == len(set(values)):
            return digits
    return _MAX_DIGITS


def bytes_text(n_bytes: int) -> str:
    """Return the size of a file in bytes, and in MB where that helps."""
    return f"{n_bytes:,} bytes" + (f" ({number_text(n_bytes / 1e6)} MB)" if n_bytes >= 1_000_000 else "")
