"""What a CSV cell may hold: numbers as they are, text that no spreadsheet takes for a formula.

Spreadsheets run cells that begin with ``= + - @`` (CWE-1236), quoted or not. A text cell that would, or that begins
with an apostrophe itself, gets one apostrophe in front; taking one leading apostrophe away gives the text back. Numbers
are written by themselves and never touched, so that -1.5 stays a number. Control characters become spaces: that alone
cannot be undone, and ``result.json`` keeps the text as it was.
"""

from __future__ import annotations

import math
import unicodedata

Cell = str | float | bool | None

_FORMULA = frozenset("=+-@＝＋－＠﹣﹢﹦﹫−'")


def cell(value: Cell) -> str:
    """Return a value as a CSV cell, before quoting.

    Parameters
    ----------
    value : str, float, int, bool or None
        Text is made safe; a number is written with all its digits and a point, whatever the machine's language;
        truth is ``true`` or ``false``; None is empty.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        A number that is not finite: results do not hold any, so this would be a fault of the program.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return number(value)


def text(value: str) -> str:
    """Return text on one line that begins no formula; see the module for what is changed."""
    if value[:1].isalnum() and value.isascii() and value.isprintable():  # nearly all text is
        return value
    plain = value.encode("utf-8", errors="replace").decode("utf-8")  # half a surrogate pair is no character
    if not (plain.isascii() and plain.isprintable()):
        plain = "".join(" " if _is_control(character) else character for character in plain)
    shown = next((character for character in plain if not _is_invisible(character)), "")
    return f"'{plain}" if shown in _FORMULA and shown else plain


def number(value: float) -> str:
    """Return the shortest decimal that reads back as the same number; whole numbers without a point.

    Raises
    ------
    ValueError
        The number is not finite.
    """
    if not math.isfinite(value):
        message = f"{value} cannot stand in a table"
        raise ValueError(message)
    whole = int(value)
    return str(whole) if whole == value and abs(whole) < 2**53 else repr(float(value))


def _is_control(character: str) -> bool:
    """Whether it is a C0 or C1 control, or another line break."""
    return unicodedata.category(character) in {"Cc", "Zl", "Zp"}


def _is_invisible(character: str) -> bool:
    """Whether spreadsheets skip it before a formula: blanks, byte-order marks, zero-width characters."""
    return character.isspace() or unicodedata.category(character) == "Cf"
