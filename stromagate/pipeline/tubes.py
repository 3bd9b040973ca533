"""Which tubes a run has, and what each is called.

A tube's name comes from the sheet, else from its file's name as a safe slug. No keyword of a file ever becomes a name
or a path.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stromagate.errors import DocumentError, Problem, SpecificationError, StromagateError, UsageError, nearest
from stromagate.fcs import find_inputs, hash_file
from stromagate.pipeline.sheet import SheetRow, read_sheet

_BETWEEN = re.compile(r"[;,|\s]+")
_NO_CONTROL = "none"


@dataclass(frozen=True, slots=True)
class Tube:
    """One unit of work: a file, the name of its results, the path that is shown, and the sheet's columns.

    ``controls`` are the tubes that the sheet's column of that name lists; None where it leaves their choice to us.
    ``line`` and ``sheet`` say where the tube stands, for messages.
    """

    path: Path
    sample_id: str
    shown: str
    labels: dict[str, str] = field(default_factory=dict)
    controls: tuple[str, ...] | None = None
    line: int | None = None
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class TubeList:
    """The tubes of a run, in a stable order, and how many of the sheet were left out as compensation controls."""

    tubes: tuple[Tube, ...]
    n_compensation: int = 0


def collect_tubes(inputs: Sequence[str | Path], sheet: str | Path | None = None) -> TubeList:
    """Name every tube of a run.

    Parameters
    ----------
    inputs : sequence of paths
        Files and folders (searched recursively).
    sheet : path, optional
        Sample sheet; goes with no other input.

    Raises
    ------
    UsageError
        Neither inputs nor a sheet, or both.
    InputError
        A folder without FCS files, or an unreadable sheet.
    DocumentError
        A sheet with mistakes, all of them at once.
    SpecificationError
        A sheet of nothing but compensation controls.
    """
    if bool(inputs) == (sheet is not None):
        raise UsageError(
            "run.inputs",
            "give FCS files or folders, or a sample sheet, and not both" if inputs else "nothing to run on",
            hint="stromagate run FOLDER --template NAME --out DIR, or --sheet samples.csv",
        )
    return _from_sheet(Path(sheet)) if sheet is not None else _from_paths([Path(item) for item in inputs])


def _from_sheet(sheet: Path) -> TubeList:
    rows = read_sheet(sheet)
    kept = [row for row in rows if not row.role.casefold().startswith("comp:")]
    if not kept:
        raise SpecificationError(
            "sheet.no_tube",
            f"all {len(rows)} rows of the sheet are compensation controls: there is nothing to analyse",
            where=str(sheet),
            hint="add the stained tubes; compensation controls are not analysed",
        )
    named = {row.sample_id.casefold() for row in kept if row.sample_id}
    slugs = iter(unique_ids([row.file for row in kept if not row.sample_id], named))
    names = [row.sample_id or next(slugs) for row in kept]
    listed = _listed_controls(kept, names, sheet)
    tubes = tuple(
        Tube(row.file, name, _relative(row.file, sheet.parent), row.labels, controls, row.line, str(sheet))
        for row, name, controls in zip(kept, names, listed, strict=True)
    )
    return TubeList(tubes, len(rows) - len(kept))


def _listed_controls(rows: Sequence[SheetRow], names: Sequence[str], sheet: Path) -> list[tuple[str, ...] | None]:
    """Return the controls that each row lists, by the names of their tubes; None where a row lists nothing.

    The word ``none`` lists no control on purpose: the tube is gated without.
    """
    tubes = {name.casefold(): (name, row) for name, row in zip(names, rows, strict=True)}
    problems: list[Problem] = []
    listed = []
    for row in rows:
        words = [word for word in _BETWEEN.split(row.labels.get("controls", "")) if word]
        problems += _list_problems(row, words, tubes)
        found = tuple(dict.fromkeys(tubes[word.casefold()][0] for word in words if word.casefold() in tubes))
        listed.append(found if words else None)
    if problems:
        raise DocumentError("sheet.controls", str(sheet), problems)
    return listed


def _list_problems(row: SheetRow, words: Sequence[str], tubes: Mapping[str, tuple[str, SheetRow]]) -> Iterator[Problem]:
    for word in words:
        if word.casefold() == _NO_CONTROL and len(words) == 1 and _NO_CONTROL not in tubes:
            continue
        name, found = tubes.get(word.casefold(), ("", None))
        if found is None:
            close = nearest(word, [name for name, _ in tubes.values()])
            hint = f"did you mean '{close}'?" if close else "list the sample_id of controls, parted by ;"
            yield Problem(row.line, "controls", f"no tube of the sheet is called '{word}'", hint)
        elif found.role.casefold() == "stained":
            hint = "give that row its role, such as fmo:CD146"
            yield Problem(row.line, "controls", f"'{name}' is a stained tube and no control", hint)


def _from_paths(inputs: list[Path]) -> TubeList:
    paths = find_inputs(inputs)
    folders = [path for path in inputs if path.is_dir()]
    names = unique_ids(paths, set())
    tubes = [Tube(path, name, _shown(path, folders)) for path, name in zip(paths, names, strict=True)]
    return TubeList(tuple(sorted(tubes, key=lambda tube: tube.sample_id)))


def unique_ids(paths: Sequence[Path], taken: set[str]) -> list[str]:
    """Return a slug for each path; where two would collide, both carry eight digits of their content's hash."""
    slugs = [slug(printable(path.stem)) for path in paths]
    crowded = Counter(name.casefold() for name in slugs)
    names: list[str] = []
    used = set(taken)
    for path, name in zip(paths, slugs, strict=True):
        unique = f"{name}-{_fingerprint(path)}" if crowded[name.casefold()] > 1 or name.casefold() in taken else name
        while unique.casefold() in used:
            unique += "-again"
        used.add(unique.casefold())
        names.append(unique)
    return names


def slug(text: str) -> str:
    """Return ``text`` as a name that is safe as a folder on every system."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", plain).strip("._-")[:80]
    reserved = {"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)}
    if not safe:
        return "tube-" + hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:8]
    return f"tube-{safe}" if safe.partition(".")[0].casefold() in reserved else safe


def printable(text: str) -> str:
    """Return a path or a message so that any file can hold it: bytes that are no UTF-8 are spelled out.

    A path reads the same whatever language the system is set to.
    """
    try:
        return os.fsencode(text).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # no path, and characters that the system's encoding does not have
        return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _fingerprint(path: Path) -> str:
    try:
        return hash_file(path)[:8]
    except (StromagateError, OSError):
        return "unread"


def _shown(path: Path, folders: Sequence[Path]) -> str:
    """Return the path below the folder it was found in, so that results do not depend on where that folder lies."""
    for folder in folders:
        if path.is_relative_to(folder):
            return printable(path.relative_to(folder).as_posix())
    return printable(path.name)


def _relative(path: Path, folder: Path) -> str:
    return printable(path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name)
