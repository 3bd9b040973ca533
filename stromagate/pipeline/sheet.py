"""The sample sheet: which files belong to a run, and what is known of each tube.

CSV or XLSX, one tube a row. ``file`` is needed (relative to the sheet); ``sample_id``, ``patient_id``, ``role``,
``panel``, ``batch``, ``controls``, ``replicate`` and the columns of ``model.specimen`` are understood where present,
and every further column travels to the results unchanged.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stromagate.errors import DocumentError, InputError, Problem, SpecificationError, nearest
from stromagate.model.specimen import NUMBER_COLUMNS, REPLICATE, WASHED, column_faults, replicate_group

ROLES = "stained, unstained, blank, fmo:MARKER, isotype:MARKER or comp:CHANNEL"
_ROLE = re.compile(r"(stained|unstained|blank|(fmo|isotype|comp):\s*\S.*)", re.IGNORECASE)
_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_KNOWN = ("file", "sample_id", "patient_id", "role", "panel", "batch", "controls", REPLICATE, WASHED, *NUMBER_COLUMNS)
_MAX_BYTES = 10_000_000
_MAX_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One tube of a sheet: its file, its name where the sheet gives one, and all further columns."""

    line: int
    file: Path
    sample_id: str | None
    labels: dict[str, str]

    @property
    def role(self) -> str:
        """What the tube is for; ``stained`` where the sheet does not say."""
        return self.labels.get("role") or "stained"


def read_sheet(path: str | Path) -> list[SheetRow]:
    """Read and check a whole sheet.

    Parameters
    ----------
    path : path
        ``.csv`` (comma, or semicolon or tab where the header line has no comma; UTF-8) or ``.xlsx`` (first sheet).

    Returns
    -------
    list of SheetRow
        In the sheet's order; files are resolved against the sheet's folder and not opened.

    Raises
    ------
    InputError
        The sheet is not there or cannot be read as what its name says.
    DocumentError
        Everything that is wrong in it, at once, with line numbers.
    """
    path = Path(path)
    lines = list(_lines(path))
    if not lines:
        raise SpecificationError("sheet.empty", "the sample sheet is empty", where=str(path), hint=_HEADER_HINT)
    (header_line, header), *body = lines
    header = header[: _n_used(header, [cells for _, cells in body])]
    columns = [cell.strip().casefold().replace(" ", "_") for cell in header]
    problems = list(_header_problems(header_line, columns))
    if problems:
        raise DocumentError("sheet.header", str(path), problems)
    rows = [_row(line, columns, cells, path.parent, problems) for line, cells in body if any(map(str.strip, cells))]
    problems += [*_duplicates(rows), *_replicates(rows)]
    if not rows and not problems:
        problems.append(Problem(header_line, "file", "the sheet names no tube", "add one row a tube"))
    if problems:
        raise DocumentError("sheet.invalid", str(path), sorted(problems, key=lambda problem: problem.line or 0))
    return rows


_HEADER_HINT = "the first line names the columns; `file` is needed, such as: file,sample_id,patient_id,role"


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise SpecificationError(
                "sheet.size", f"the sheet has {size:,} bytes", where=str(path), hint=f"at most {_MAX_BYTES:,} are read"
            )
        data = path.read_bytes()
    except OSError as cause:
        raise InputError("sheet.unreadable", f"the sheet cannot be read: {cause.strerror}", where=str(path)) from cause
    yield from _xlsx_lines(path, data) if path.suffix.casefold() == ".xlsx" else _csv_lines(path, data)


def _csv_lines(path: Path, data: bytes) -> Iterator[tuple[int, list[str]]]:
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InputError(
            "sheet.format", "this is a spreadsheet named as text", where=str(path), hint="name it .xlsx, or save as CSV"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        raise InputError(
            "sheet.encoding", f"byte {cause.start} is not UTF-8", where=str(path), hint="save it as CSV UTF-8"
        ) from cause
    head = text.partition("\n")[0]
    delimiter = "," if "," in head else ";" if ";" in head else "\t" if "\t" in head else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if reader.line_num > _MAX_ROWS:
                raise SpecificationError("sheet.rows", f"more than {_MAX_ROWS:,} rows", where=str(path))
            if cells:
                yield reader.line_num, cells
    except csv.Error as cause:
        raise InputError(
            "sheet.csv", f"line {reader.line_num} is not CSV: {cause}", where=str(path), hint="look for a stray quote"
        ) from cause


def _xlsx_lines(path: Path, data: bytes) -> Iterator[tuple[int, list[str]]]:
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, ValueError) as cause:
        raise InputError("sheet.format", f"not an XLSX workbook: {cause}", where=str(path)) from cause
    sheet = book.worksheets[0]
    for line, cells in enumerate(sheet.iter_rows(max_row=_MAX_ROWS, values_only=True), start=1):
        texts = ["" if cell is None else _as_text(cell) for cell in cells]
        if any(texts):
            yield line, texts


def _as_text(cell: object) -> str:
    """Spreadsheet numbers come as floats: 7.0 was typed as 7."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _n_used(header: list[str], body: list[list[str]]) -> int:
    """Return how many columns hold anything: spreadsheets save formatted but empty ones to the right."""
    used = (n for cells in [header, *body] for n, cell in enumerate(cells, start=1) if cell.strip())
    return min(len(header), max(used, default=0))


def _header_problems(line: int, columns: list[str]) -> Iterator[Problem]:
    if "file" not in columns:
        close = nearest("file", columns)
        hint = f"rename '{close}' to 'file'" if close else _HEADER_HINT
        yield Problem(line, "header", "there is no column `file`", hint)
    for name in sorted({name for name in columns if name and columns.count(name) > 1}):
        yield Problem(line, name, f"the column `{name}` stands {columns.count(name)} times")
    for position, name in enumerate(columns, start=1):
        close = nearest(name, _KNOWN) if name and name not in _KNOWN else None
        if close and close not in columns and name.replace("_", "") == close.replace("_", ""):
            yield Problem(line, name, f"unclear column `{name}`", f"did you mean `{close}`?")
        if not name and position <= len(columns):
            yield Problem(line, f"column {position}", "the column has no name")


def _row(line: int, columns: list[str], cells: list[str], folder: Path, problems: list[Problem]) -> SheetRow:
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        problems.append(Problem(line, "row", f"{len(cells)} cells under {len(columns)} columns", "quote commas"))
    values = {name: cell.strip() for name, cell in zip(columns, cells, strict=False)}
    file, sample_id = values.pop("file", ""), values.pop("sample_id", "")
    if not file or "\x00" in file:
        problems.append(Problem(line, "file", "no file is named"))
    if sample_id and not _SAFE_ID.fullmatch(sample_id):
        allowed = "letters, digits, dot, dash and underscore, at most 80, not starting with a dot or dash"
        problems.append(Problem(line, "sample_id", f"'{sample_id}' cannot name a folder", allowed))
    role = values.get("role", "")
    if role and not _ROLE.fullmatch(role):
        problems.append(Problem(line, "role", f"unknown role '{role}'", f"allowed: {ROLES}"))
    labels = {name: value for name, value in values.items() if value}
    problems += [Problem(line, name, message, hint) for name, message, hint in column_faults(labels)]
    return SheetRow(line, folder / file, sample_id or None, labels)


def _place(file: Path) -> str:
    """Return where a file really lies, by whatever path or link the sheet names it."""
    try:
        return os.path.realpath(file)
    except ValueError:  # a name that no file can have
        return str(file)


def _duplicates(rows: list[SheetRow]) -> list[Problem]:
    """One name for two tubes, and one file for two rows by whatever path, both also on file systems that fold case."""
    problems: list[Problem] = []
    for field in ("sample_id", "file"):
        first: dict[str, int] = {}
        for row in rows:
            value = getattr(row, field)
            key = (_place(row.file) if field == "file" else str(value)).casefold()
            if value is not None and first.setdefault(key, row.line) != row.line:
                shown = row.sample_id if field == "sample_id" else row.file.name
                problems.append(Problem(row.line, field, f"'{shown}' stands already on line {first[key]}"))
    return problems


def _replicates(rows: list[SheetRow]) -> Iterator[Problem]:
    """Two replicates of one number are two specimens, or one tube twice: neither may be added up."""
    first: dict[tuple[tuple[str, str], ...], int] = {}
    for row in rows:
        number, shared = row.labels.get(REPLICATE, ""), replicate_group(row.labels)
        if number and "patient_id" not in row.labels:
            yield Problem(row.line, REPLICATE, "a replicate without `patient_id`", "say whose specimen it is")
        if shared is not None:
            stands = first.setdefault((*shared.items(), (REPLICATE, number)), row.line)
            if stands != row.line:
                message = f"replicate {number} of {shared['patient_id']} stands already on line {stands}"
                hint = "number them 1, 2, 3; tell other specimens apart in `specimen`, `timepoint` or `pull`"
                yield Problem(row.line, REPLICATE, message, hint)
