"""A table exported from FlowJo's table editor: one sample a row, one statistic of one population a column.

Columns are named ``Lymphocytes/CD4 | Freq. of Parent``; the column of the samples is named ``Sample:``, or has no name.
Rows of means and standard deviations stand below the samples.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stromagate.errors import InputError, SpecificationError

Kind = Literal["count", "of parent", "of total"]

_MAX_BYTES = 20_000_000
_MAX_ROWS = 100_000
_SAMPLE_NAMES = frozenset({"sample", "samples", "sample name", "name", "file", "filename", "$fil"})
_SUMMARIES = frozenset({"mean", "sd", "stdev", "std dev", "std. dev.", "geo mean", "geo. mean", "median", "cv", "sum"})
_NOT_THERE = frozenset({"", "n/a", "na", "nan", "-", "--", "#n/a", "####"})
_HINT = "in FlowJo's table editor add Count of the populations, and save the table as CSV, text or Excel"


@dataclass(frozen=True, slots=True)
class FlowJoColumn:
    """One statistic of one population: its path as FlowJo has it, without the statistic; empty for all events."""

    path: str
    kind: Kind

    @property
    def last(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2].strip()


@dataclass(frozen=True, slots=True)
class FlowJoValue:
    """A number as the table has it (events, or per cent), and half of its last printed digit."""

    value: float
    half_digit: float


@dataclass(frozen=True, slots=True)
class FlowJoRow:
    """One sample, and its values by column; those that are empty or not applicable are not there."""

    line: int
    sample: str
    values: dict[FlowJoColumn, FlowJoValue]


@dataclass(frozen=True, slots=True)
class FlowJoTable:
    """The whole table; ``skipped`` are columns of other statistics, ``n_summaries`` rows of means and the like."""

    columns: tuple[FlowJoColumn, ...]
    rows: tuple[FlowJoRow, ...]
    skipped: tuple[str, ...]
    n_summaries: int


def read_flowjo_table(path: Path) -> FlowJoTable:
    """Read a table exported from FlowJo.

    Parameters
    ----------
    path : path
        ``.xlsx`` (first sheet); anything else as text with tab, semicolon or comma, in UTF-8, UTF-16 or Windows-1252.
        A decimal comma is understood where commas do not part the columns.

    Returns
    -------
    FlowJoTable

    Raises
    ------
    InputError
        It cannot be read, a number is none, or a sample stands twice.
    SpecificationError
        It is empty, or has no column of counts or frequencies.
    """
    lines, separator = _lines(path)
    if len(lines) < 2:
        raise SpecificationError("flowjo.empty", "the table has no row of a sample", where=str(path), hint=_HINT)
    (_, header), *body = lines
    names = next((i for i, cell in enumerate(header) if _plain(cell) in _SAMPLE_NAMES), 0)
    columns = {i: found for i, cell in enumerate(header) if i != names and (found := _column(cell)) is not None}
    if not columns:
        raise SpecificationError(
            "flowjo.columns", "no column is a count or a frequency of a population", where=str(path), hint=_HINT
        )
    _refuse_twice(path, [f"{column.path} | {column.kind}" for column in columns.values()], "column")
    samples = [(line, cells) for line, cells in body if _plain(_at(cells, names)) not in {"", *_SUMMARIES}]
    if not samples:
        raise SpecificationError("flowjo.empty", "the table has no row of a sample", where=str(path), hint=_HINT)
    _refuse_twice(path, [_at(cells, names) for _, cells in samples], "sample")
    comma = separator != "," and _has_decimal_comma([_at(cells, i) for _, cells in samples for i in columns])
    return FlowJoTable(
        columns=tuple(columns.values()),
        rows=tuple(_row(path, line, cells, names, columns, comma) for line, cells in samples),
        skipped=tuple(cell for i, cell in enumerate(header) if i != names and i not in columns and cell),
        n_summaries=len(body) - len(samples),
    )


def _row(
    path: Path, line: int, cells: Sequence[str], names: int, columns: dict[int, FlowJoColumn], comma: bool
) -> FlowJoRow:
    values = {}
    for i, column in columns.items():
        value = _value(path, line, column, _at(cells, i), comma=comma)
        if value is not None:
            values[column] = value
    return FlowJoRow(line, _at(cells, names), values)


def _value(path: Path, line: int, column: FlowJoColumn, text: str, *, comma: bool) -> FlowJoValue | None:
    """Read one cell; a sign for thousands is left out."""
    bare = re.sub(r"[\s\u00a0\u202f'%]", "", text)
    if bare.casefold() in _NOT_THERE:
        return None
    plain = bare.replace(".", "").replace(",", ".") if comma else bare.replace(",", "")
    if not re.fullmatch(r"\d+(\.\d*)?([eE][+-]?\d{1,3})?", plain):
        raise InputError(
            "flowjo.number",
            f"'{text}' is no count and no percentage",
            where=f"{path}, line {line}, {column.path or 'all events'}",
            hint="export the table again with plain numbers",
        )
    value, exponent = float(plain), plain.casefold().partition("e")[2]
    digits = max(0, len(plain.casefold().partition("e")[0].partition(".")[2]) - int(exponent or 0))
    top = 100.0 if column.kind != "count" else 1e12
    if value > top or (column.kind == "count" and not value.is_integer()):
        allowed = "a percentage lies between 0 and 100" if column.kind != "count" else "a count is a whole number"
        raise InputError(
            "flowjo.number",
            f"'{text}' cannot be: {allowed}",
            where=f"{path}, line {line}, {column.path or 'all events'}",
            hint="look which sign the table has for decimals, and export it again",
        )
    return FlowJoValue(value, 0.0 if column.kind == "count" else 0.5 * 10.0**-digits)


def _has_decimal_comma(cells: Sequence[str]) -> bool:
    """Say whether commas are for decimals: where one cannot part thousands, and no point does what a comma would."""
    bare = [re.sub(r"[\s\u00a0\u202f'%]", "", cell) for cell in cells]
    if any(re.fullmatch(r"\d+\.\d{1,2}|\d+\.\d{4,}|\d{4,}\.\d*|0\.\d+|[\d,]+,\d{3}\.\d+", cell) for cell in bare):
        return False
    return any(
        re.fullmatch(r"[\d.]*\d,\d{1,2}|\d+,\d{4,}|\d{4,},\d+|0\d*,\d+|[\d.]+\.\d{3},\d+", cell) for cell in bare
    )


def _column(cell: str) -> FlowJoColumn | None:
    """Return what a column is of; None for another statistic, such as a median, or a keyword."""
    path, bar, statistic = cell.rpartition("|")
    said = re.sub(r"\s*\(%\)$", "", (statistic if bar else cell).strip().casefold())
    kinds: dict[str, Kind] = {"count": "count", "freq. of parent": "of parent", "freq. of total": "of total"}
    kind = kinds.get(said)
    return None if kind is None else FlowJoColumn(path.strip().strip("/"), kind)


def _plain(cell: str) -> str:
    return cell.strip().rstrip(":").strip().casefold()


def _at(cells: Sequence[str], i: int) -> str:
    return cells[i].strip() if i < len(cells) else ""


def _refuse_twice(path: Path, names: Sequence[str], what: str) -> None:
    counts = Counter(names)
    twice = sorted(name for name, n in counts.items() if n > 1)
    if twice:
        raise InputError(
            "flowjo.twice",
            f"the {what} '{twice[0]}' stands {counts[twice[0]]} times",
            where=str(path),
            hint=f"leave one {what} of that name in the table",
        )


def _lines(path: Path) -> tuple[list[tuple[int, list[str]]], str]:
    """Return the lines that hold anything, and the sign between their cells (empty for a workbook)."""
    try:
        with path.open("rb") as opened:
            data = opened.read(_MAX_BYTES + 1)
    except OSError as cause:
        raise InputError(
            "flowjo.unreadable", f"the table cannot be read: {cause.strerror}", where=str(path), hint="check the path"
        ) from cause
    if len(data) > _MAX_BYTES:
        raise InputError("flowjo.size", f"the table is larger than {_MAX_BYTES:,} bytes", where=str(path), hint=_HINT)
    if data.startswith(b"PK\x03\x04"):
        return list(_workbook(path, data)), ""
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise InputError("flowjo.format", "this is an old Excel file", where=str(path), hint="save it as .xlsx or CSV")
    text = _text(path, data)
    if text.lstrip().startswith("<"):
        hint = "a FlowJo workspace holds no table: " + _HINT
        raise InputError("flowjo.format", "this is XML or HTML, and no table", where=str(path), hint=hint)
    try:
        separator = _separator(text)
    except csv.Error:  # a cell without an end: said with its line
        separator = ","
    return _split(path, text, separator), separator


def _text(path: Path, data: bytes) -> str:
    """Decode: by its mark where there is one, else as UTF-16 where half of the bytes are zero, UTF-8, Windows-1252."""
    codings = ["utf-8-sig", "cp1252"]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        codings = ["utf-16"]
    elif data[1:2] == b"\0" or data[:1] == b"\0":
        codings = ["utf-16-le" if data[1:2] == b"\0" else "utf-16-be"]
    for coding in codings:
        try:
            text = data.decode(coding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text.replace("\r\n", "\n").replace("\r", "\n")  # old Macs end lines with a carriage return alone
    raise InputError("flowjo.encoding", "the file is no text", where=str(path), hint="save the table as CSV UTF-8")


def _separator(text: str) -> str:
    """Return the sign under which all lines are as wide as the first; names of gates hold commas too."""
    best, most = ",", 1
    for sign in "\t;,":
        widths = [len(cells) for cells in csv.reader(io.StringIO(text, newline=""), delimiter=sign) if any(cells)]
        if widths and widths[0] > 1 and set(widths) == {widths[0]}:
            return sign
        if widths and widths[0] > most:
            best, most = sign, widths[0]
    return best


def _split(path: Path, text: str, separator: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as cause:
        raise InputError(
            "flowjo.csv",
            f"line {reader.line_num} of the table is not CSV: {cause}",
            where=str(path),
            hint="look for a stray quote",
        ) from cause
    return [(line, cells) for line, cells in lines if any(cells)]


def _workbook(path: Path, data: bytes) -> Iterator[tuple[int, list[str]]]:
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, ValueError) as cause:
        raise InputError(
            "flowjo.format", f"not an Excel workbook: {cause}", where=str(path), hint="save the table as CSV"
        ) from cause
    for line, cells in enumerate(book.worksheets[0].iter_rows(max_row=_MAX_ROWS, values_only=True), start=1):
        texts = ["" if cell is None else _as_text(cell).strip() for cell in cells]
        if any(texts):
            yield line, texts


def _as_text(cell: object) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
