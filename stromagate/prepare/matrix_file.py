"""A spillover matrix from a CSV file: a header of detectors, one row a fluorochrome, row names where there are any."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stromagate.errors import DocumentError, Problem, SpecificationError, nearest
from stromagate.model.panel import Compensation
from stromagate.prepare.csv_file import read_csv

DIAGONAL_TOLERANCE = 1e-3
"""How far from 1 the diagonal of a spillover matrix may lie by rounding."""

_MAX_BYTES = 10_000_000
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")


def read_matrix(path: str | Path, pnn: Sequence[str]) -> Compensation:
    """Read a matrix and match its channels to those of a file.

    Parameters
    ----------
    path : path
        CSV, comma, semicolon or tab; the header names the detectors (``PE-A``, or ``PE-A :: CD146`` as FlowJo writes);
        a first column of row names is taken as such. Values are shares (0.12), or percent where the diagonal is 100.
    pnn : sequence of str
        ``$PnN`` of the file.

    Returns
    -------
    Compensation
        Over the file's own channel names.

    Raises
    ------
    InputError
        The file is not there or not readable.
    DocumentError
        Everything wrong in it, at once, with lines.
    SpecificationError
        The values are not a spillover matrix.
    """
    path = Path(path)
    rows = read_csv(path, "matrix", "the matrix", max_bytes=_MAX_BYTES)
    if len(rows) < 2:
        raise SpecificationError("matrix.empty", "the matrix has no rows", where=str(path), hint="header, then numbers")
    (_, header), body = rows[0], rows[1:]
    named = not _is_number(body[0][1][0])
    names = header[1:] if named and len(header) == len(body[0][1]) else header
    problems: list[Problem] = []
    channels = [_channel(rows[0][0], name, pnn, problems) for name in names]
    values = [_values(line, cells[1:] if named else cells, len(names), problems) for line, cells in body]
    if len(body) != len(names):
        problems.append(Problem(None, "matrix", f"{len(body)} rows under {len(names)} channels", "it must be square"))
    if len(set(channels)) != len(channels):
        problems.append(Problem(rows[0][0], "header", "a channel stands twice"))
    if problems:
        raise DocumentError("matrix.invalid", str(path), problems)
    order = _row_order([cells[0] for _, cells in body], names) if named else range(len(names))
    return _judged(path, channels, np.array(values)[list(order)])


def _row_order(row_names: Sequence[str], names: Sequence[str]) -> Sequence[int]:
    """Return which row belongs to each column: by name where the names are the same, else as they stand."""
    return [row_names.index(name) for name in names] if sorted(row_names) == sorted(names) else range(len(names))


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _channel(line: int, name: str, pnn: Sequence[str], problems: list[Problem]) -> str:
    """Return the file's spelling of a header cell: exact, without the stain, or but for case."""
    folded = {channel.casefold(): channel for channel in pnn}
    for candidate in (name, name.partition("::")[0].strip(), name.rpartition("::")[2].strip()):
        if candidate.casefold() in folded:
            return candidate if candidate in pnn else folded[candidate.casefold()]
    close = nearest(name, pnn)
    hint = f"did you mean '{close}'? " if close else ""
    problems.append(Problem(line, "header", f"the file has no channel '{name}'", f"{hint}channels: {', '.join(pnn)}"))
    return name


def _values(line: int, cells: list[str], width: int, problems: list[Problem]) -> list[float]:
    if len(cells) != width:
        problems.append(Problem(line, "row", f"{len(cells)} values under {width} channels", "one value a channel"))
    wrong = next((cell for cell in cells if not _is_number(cell)), None)
    if wrong is not None:
        hint = "write decimal points, not commas" if "," in wrong else "every cell must be a number"
        problems.append(Problem(line, "row", f"'{wrong}' is not a number", hint))
        return []
    return [float(cell) for cell in cells]


def _judged(path: Path, channels: list[str], matrix: np.ndarray) -> Compensation:
    if np.allclose(np.diag(matrix), 100.0):
        matrix = matrix / 100.0
    if np.abs(np.diag(matrix) - 1.0).max() > DIAGONAL_TOLERANCE:
        worst = int(np.argmax(np.abs(np.diag(matrix) - 1.0)))
        raise SpecificationError(
            "matrix.diagonal",
            f"the diagonal of a spillover matrix is 1; {channels[worst]} has {matrix[worst, worst]:g}",
            where=str(path),
            hint="give the spillover matrix (row = fluorochrome, column = detector), not its inverse",
        )
    return Compensation(path.name, tuple(channels), tuple(tuple(float(x) for x in row) for row in matrix))
