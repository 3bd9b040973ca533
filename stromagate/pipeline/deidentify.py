"""Scrubbed copies of many files under neutral names, and the table that leads back, kept apart from them."""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from stromagate.errors import OutputError, StromagateError, UsageError
from stromagate.fcs import find_inputs, hash_file
from stromagate.fcs.identity import suspicions
from stromagate.fcs.scrub import Scrubbed, Wishes, check_wishes, scrub
from stromagate.pipeline.bundle import cannot_write, write_file
from stromagate.pipeline.guess import STAINED, guesser
from stromagate.pipeline.tubes import printable, slug

Dates = Literal["drop", "shift"]

MAP_COLUMNS = ("copy", "original", "sha256_of_original", "days_shifted")
# Long enough that the year may change, short enough that lots and instruments stay of their time; our own choice.
_FEWEST_DAYS, _MOST_DAYS = 30, 1_000


@dataclass(frozen=True, slots=True)
class Copy:
    """One file: the neutral name of its copy, and what became of it, or why there is none.

    ``original`` is a path and may itself tell who the patient is: it belongs in the map and before the eyes of those
    who hold the originals, and nowhere else.
    """

    name: str
    original: Path
    sha256: str
    made: Scrubbed | None = None
    error: StromagateError | None = field(default=None, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Return the plain object that ``deidentify --json`` prints for the file."""
        head = {"original": printable(str(self.original)), "copy": self.name}
        if self.made is None:
            return {**head, "error": self.error.as_json() if self.error else None}
        return {**head, **asdict(self.made)}


def deidentify(
    inputs: Sequence[Path],
    out: Path,
    *,
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
    dates: Dates = "drop",
    map_file: Path | None = None,
    dataset: int | None = None,
    on_done: Callable[[str], None] = lambda _: None,
) -> list[Copy]:
    """Write a scrubbed copy of every file into ``out``; one bad file does not stop the others.

    Copies are called ``tube_001.fcs`` and so on, with the role where the file's name tells one, in the order of their
    contents' SHA-256: neither a name nor its place in the alphabet comes along.

    Parameters
    ----------
    inputs : sequence of path
        FCS files, or folders of them.
    out : path
        Folder for the copies; nothing in it is written over.
    keep, drop : sequence of str
        Keywords to keep as they are, and to remove though they are usually kept, in any letter case.
    dates : {"drop", "shift"}
        Whether dates and times of day are removed, or dates are moved by one random number of days for all files.
    map_file : path, optional
        Table that leads from each copy back to its original. Refused inside ``out``.
    dataset : int, optional
        Which data set of files that hold several.
    on_done : callable, optional
        Called with the name of each copy.

    Returns
    -------
    list of Copy
        In the order of their names.

    Raises
    ------
    UsageError
        Something is there already, or a wish cannot be met; nothing was written then.
    InputError
        No file was found, or the folder or the map cannot be written.
    """
    wishes = Wishes(_folded(keep), _folded(drop), _days() if dates == "shift" else None)
    check_wishes(wishes)
    copies = _named(find_inputs(inputs))
    _spare(out, copies, map_file)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        raise cannot_write(out, cause) from cause
    done = []
    try:
        for copy in copies:
            done.append(_made(copy, out, wishes, dataset))
            on_done(copy.name)
    finally:  # what was written before an interruption must still be found again
        if map_file is not None:
            _write_map(map_file, done, wishes.shift_days)
    return done


def unseen(keep: Sequence[str], drop: Sequence[str], copies: Sequence[Copy]) -> list[str]:
    """Return the keywords asked for that no file has: as a rule a slip of the pen."""
    found = {name for copy in copies if copy.made for name in (*copy.made.kept, *copy.made.removed)}
    return sorted((_folded(keep) | _folded(drop)) - found)


def tells_in_name(copy: Copy) -> bool:
    """Say whether the name of the original looks like an identity."""
    return bool(suspicions({}, printable(copy.original.name)))


def _folded(names: Sequence[str]) -> frozenset[str]:
    return frozenset(name.strip().upper() for name in names if name.strip())


def _days() -> int:
    return -(_FEWEST_DAYS + secrets.randbelow(_MOST_DAYS - _FEWEST_DAYS + 1))


def _named(paths: Sequence[Path]) -> list[Copy]:
    """Give every file a neutral name; a file that cannot be hashed keeps its error and its place at the end."""
    hashed = []
    for path in paths:
        try:
            hashed.append(Copy("", path, hash_file(path)))
        except StromagateError as error:
            hashed.append(Copy("", path, "", error=error))
    hashed.sort(key=lambda copy: (not copy.sha256, copy.sha256))
    width = max(3, len(str(len(hashed))))
    take_apart = guesser()
    return [
        replace(copy, name=f"tube_{number:0{width}d}{_role(take_apart.guess(printable(copy.original.stem)).role)}.fcs")
        for number, copy in enumerate(hashed, start=1)
    ]


def _role(role: str) -> str:
    """Return a role as a part of a name: only words that are known, so that no word of the original comes along."""
    kind, _, marker = role.partition(":")
    if role == STAINED:
        return ""
    return f"_{kind}_{slug(marker)}" if kind in {"fmo", "isotype"} and marker != "?" else f"_{kind}"


def _spare(out: Path, copies: Sequence[Copy], map_file: Path | None) -> None:
    """Refuse everything that would be written over, before anything is written."""
    if out.exists() and not out.is_dir():
        raise UsageError("out.file", "the output is a file", where=str(out), hint="name a folder")
    there = [copy.name for copy in copies if (out / copy.name).exists()]
    if there:
        listed = ", ".join(there[:3]) + (" ..." if len(there) > 3 else "")
        raise UsageError(
            "scrub.exists",
            f"{len(there)} of the copies would be written over files that are there: {listed}",
            where=str(out),
            hint="name a new or an empty folder; nothing in it was touched",
        )
    if map_file is None:
        return
    if map_file.exists():
        raise UsageError("scrub.map", "there is a file already", where=str(map_file), hint="name another file")
    if map_file.resolve().is_relative_to(out.resolve()):
        raise UsageError(
            "scrub.map",
            "the map leads back to the originals and may not lie among the copies",
            where=str(map_file),
            hint="name a file outside of --out, where only those who may know the patients can read it",
        )


def _made(copy: Copy, out: Path, wishes: Wishes, dataset: int | None) -> Copy:
    if copy.error is not None:
        return copy
    try:
        return replace(copy, made=scrub(copy.original, out / copy.name, wishes, dataset=dataset))
    except UsageError:
        raise
    except StromagateError as error:
        return replace(copy, error=error)


def _write_map(path: Path, copies: Sequence[Copy], days: int | None) -> None:
    """Write the table so that nobody else on the machine can read it, whole or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(MAP_COLUMNS)
    writer.writerows(_map_rows(copies, days))
    try:
        write_file(path, text.getvalue().encode("utf-8"), private=True)
    except OutputError as cause:
        raise OutputError(
            cause.code,
            f"the map {cause.message}",
            where=str(path),
            hint="the copies are there; remove them and begin again, or keep note of which is which",
        ) from cause


def _map_rows(copies: Sequence[Copy], days: int | None) -> Iterator[tuple[str, str, str, str]]:
    for copy in copies:
        if copy.made is not None:
            yield copy.name, printable(str(copy.original)), copy.sha256, "" if days is None else str(days)
