"""The panel file: a CSV that says which channel carries which marker, over the names in the FCS file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stromagate.errors import DocumentError, Problem, nearest
from stromagate.prepare.csv_file import read_csv

_MAX_BYTES = 1_000_000
_NOTHING = {"", "na", "n/a", "none", "-"}
_HEADER_HINT = "the first line names the columns, such as: channel,marker"


@dataclass(frozen=True, slots=True)
class PanelRow:
    """One channel and the marker on it; an empty marker says that the channel carries none."""

    line: int
    channel: str
    marker: str


def read_panel_file(path: str | Path) -> tuple[PanelRow, ...]:
    """Read and check a panel file.

    Parameters
    ----------
    path : path
        CSV in UTF-8 with the columns ``channel`` ($PnN) and ``marker`` (empty or NA: none); further columns are left
        alone. Comma, or semicolon or tab where the header line has no comma.

    Raises
    ------
    InputError
        The file cannot be read as CSV.
    DocumentError
        Everything that is wrong in it, at once, with line numbers.
    """
    lines = read_csv(Path(path), "panel_file", "the panel file", max_bytes=_MAX_BYTES)
    problems: list[Problem] = []
    rows: list[PanelRow] = []
    first_line, header = lines[0] if lines else (1, [])
    columns = [cell.casefold() for cell in header]
    for name in ("channel", "marker"):
        if columns.count(name) != 1:
            close = nearest(name, columns)
            hint = f"rename '{close}'" if close and close != name else _HEADER_HINT
            times = "there is no column" if name not in columns else "more than one column is called"
            problems.append(Problem(first_line, "header", f"{times} `{name}`", hint))
    if not problems:
        at_channel, at_marker = columns.index("channel"), columns.index("marker")
        for line, cells in lines[1:]:
            filled = [*cells, *[""] * len(columns)]
            marker = filled[at_marker]
            rows.append(PanelRow(line, filled[at_channel], "" if marker.casefold() in _NOTHING else marker))
        problems += _row_problems(rows)
    if problems:
        raise DocumentError("panel_file.invalid", str(path), problems)
    return tuple(rows)


def unknown_channels(rows: Sequence[PanelRow], pnn: Sequence[str]) -> list[Problem]:
    """Return a problem for every row whose channel the tube does not have."""
    folded = {name.casefold() for name in pnn}
    problems = []
    for row in rows:
        if row.channel.casefold() not in folded:
            close = nearest(row.channel, pnn)
            hint = f"did you mean '{close}'?" if close else f"channels: {', '.join(pnn)}"
            problems.append(Problem(row.line, "channel", f"the tube has no channel '{row.channel}'", hint))
    return problems


def _row_problems(rows: list[PanelRow]) -> Iterator[Problem]:
    if not rows:
        yield Problem(1, "file", "no channel is named", "add one row a channel")
    first: dict[str, int] = {}
    for row in rows:
        if not row.channel:
            yield Problem(row.line, "channel", "no channel is named", "write its $PnN")
        elif first.setdefault(row.channel.casefold(), row.line) != row.line:
            yield Problem(
                row.line, "channel", f"'{row.channel}' stands already on line {first[row.channel.casefold()]}"
            )
