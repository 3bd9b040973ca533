"""Numbers as FCS writes them, read by pattern: ``int()`` and ``float()`` accept far too much to see raw text."""

from __future__ import annotations

import re

_COUNT = re.compile(r"[0-9]{1,20}")
_LONG_COUNT = re.compile(r"[0-9]{1,64}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")
BLANK = " \t\r\n\x00"


def count(text: str | None) -> int | None:
    """Return a non-negative whole number of at most 20 digits; None for anything else."""
    stripped = (text or "").strip(BLANK)
    return int(stripped) if _COUNT.fullmatch(stripped) else None


def long_count(text: str | None) -> int | None:
    """Return a non-negative whole number of at most 64 digits, as absurd ranges have; None for anything else."""
    stripped = (text or "").strip(BLANK)
    return int(stripped) if _LONG_COUNT.fullmatch(stripped) else None


def decimal(text: str | None) -> float | None:
    """Return a finite decimal number with a point; None for anything else."""
    stripped = (text or "").strip(BLANK)
    if not _DECIMAL.fullmatch(stripped):
        return None
    value = float(stripped)
    return value if abs(value) <= 1.7e308 else None


def shortened(text: str, longest: int = 60) -> str:
    """Return printable text of bounded length, for messages; what looks like a person's identity is not repeated."""
    from stromagate.fcs.person_patterns import reasons  # here, so that counting a sound file does not pay for it

    if not text.isdecimal() and reasons(text):
        return "(it looks like a person's identity)"
    cut = text[:longest] + ("..." if len(text) > longest else "")
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in cut)
