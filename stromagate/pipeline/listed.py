"""The column ``controls`` of a sample sheet: which tubes set a tube's boundaries, where a person says so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from stromagate.errors import DocumentError, Problem, nearest
from stromagate.pipeline.sheet import SheetRow

_BETWEEN = re.compile(r"[;,|\s]+")
_NONE = "none"


def listed_controls(rows: Sequence[SheetRow], names: Sequence[str], sheet: Path) -> list[tuple[str, ...] | None]:
    """Return the controls that each row lists, by the names of their tubes; None where a row lists nothing.

    The word ``none`` lists no control on purpose: the tube is gated without.

    Parameters
    ----------
    rows : sequence of SheetRow
        The tubes of the run.
    names : sequence of str
        Their names.
    sheet : path
        For messages.

    Raises
    ------
    DocumentError
        Names that are no tube, or no control, of the sheet: all at once, with lines.
    """
    tubes = {name.casefold(): (name, row) for name, row in zip(names, rows, strict=True)}
    problems: list[Problem] = []
    listed = []
    for row in rows:
        words = [word for word in _BETWEEN.split(row.labels.get("controls", "")) if word]
        problems += _problems(row, words, tubes)
        found = tuple(dict.fromkeys(tubes[word.casefold()][0] for word in words if word.casefold() in tubes))
        listed.append(found if words else None)
    if problems:
        raise DocumentError("sheet.controls", str(sheet), problems)
    return listed


def _problems(row: SheetRow, words: Sequence[str], tubes: Mapping[str, tuple[str, SheetRow]]) -> Iterator[Problem]:
    for word in words:
        if word.casefold() == _NONE and len(words) == 1 and _NONE not in tubes:
            continue
        name, found = tubes.get(word.casefold(), ("", None))
        if found is None:
            close = nearest(word, [name for name, _ in tubes.values()])
            hint = f"did you mean '{close}'?" if close else "list the sample_id of controls, parted by ;"
            yield Problem(row.line, "controls", f"no tube of the sheet is called '{word}'", hint)
        elif found.role.casefold() == "stained":
            hint = "give that row its role, such as fmo:CD146"
            yield Problem(row.line, "controls", f"'{name}' is a stained tube and no control", hint)
