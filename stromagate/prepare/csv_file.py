"""Small CSV files that people write by hand: UTF-8, comma or else semicolon or tab, each line with its number."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from stromagate.errors import InputError


def read_csv(path: Path, kind: str, called: str, *, max_bytes: int) -> list[tuple[int, list[str]]]:
    """Read all lines that hold anything.

    Parameters
    ----------
    path : path
        CSV; the separator is the first of comma, semicolon and tab that stands in the first line.
    kind : str
        First part of the error codes, such as ``"matrix"``.
    called : str
        What the file is called in messages, such as ``"the matrix"``.
    max_bytes : int
        Larger files are refused unread.

    Returns
    -------
    list of (int, list of str)
        Line numbers from 1, and the cells without the blanks around them.

    Raises
    ------
    InputError
        ``<kind>.unreadable``, ``<kind>.size``, ``<kind>.encoding`` or ``<kind>.csv``.
    """
    text = _text(path, kind, called, max_bytes)
    head = text.partition("\n")[0]
    separator = next((sign for sign in ",;\t" if sign in head), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as cause:
        raise InputError(
            f"{kind}.csv",
            f"line {reader.line_num} of {called} is not CSV: {cause}",
            where=str(path),
            hint="look for a stray quote",
        ) from cause
    return [(line, cells) for line, cells in lines if any(cells)]


def _text(path: Path, kind: str, called: str, max_bytes: int) -> str:
    try:
        with path.open("rb") as opened:
            data = opened.read(max_bytes + 1)
    except OSError as cause:
        raise InputError(
            f"{kind}.unreadable", f"{called} cannot be read: {cause.strerror}", where=str(path), hint="check the path"
        ) from cause
    if len(data) > max_bytes:
        raise InputError(
            f"{kind}.size",
            f"{called} is larger than {max_bytes:,} bytes",
            where=str(path),
            hint="check that it is the right file",
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        raise InputError(
            f"{kind}.encoding",
            f"byte {cause.start} of {called} is not UTF-8",
            where=str(path),
            hint="save it as CSV UTF-8",
        ) from cause
