"""A copy of one data set without what may tell who it is of: all of DATA, of the keywords only what numbers need.

The copy is written anew from the kept keywords alone, so that nothing of the rest of a file can come along: no
supplemental TEXT, ANALYSIS or OTHER segment, no further data set, no byte between or behind the segments.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from stromagate.errors import InputError, OutputError, UsageError
from stromagate.fcs.compose import compose
from stromagate.fcs.identity import Suspicion, day_of, names_someone, seen_in, shown
from stromagate.fcs.kept_keywords import FREE_TEXT, is_kept
from stromagate.fcs.left_out import left_out
from stromagate.fcs.numbers import BLANK
from stromagate.fcs.opened import FcsFile, open_fcs
from stromagate.fcs.person_patterns import dates_in
from stromagate.fcs.surroundings import CRC_BYTES

_STRUCTURE: Final = re.compile(
    r"\$(?:BEGIN|END)(?:ANALYSIS|DATA|STEXT)|\$(?:BYTEORD|DATATYPE|MODE|NEXTDATA|PAR|TOT|FIL)|\$P\d+(?:[BREN]|DATATYPE)"
)
_CLOCKS: Final = ("$BTIM", "$ETIM")
_CLOCK: Final = re.compile(r"\d\d:\d\d:\d\d(?:[:.]\d{1,3})?")
_MOMENTS: Final = ("$BEGINDATETIME", "$ENDDATETIME")
_SHORTEST_FOUND_AGAIN = 4  # characters: shorter values of removed keywords stand in labels by chance


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a copy is to keep or lose beside the usual.

    Attributes
    ----------
    keep, drop : frozenset of str
        Keywords in capitals: kept as they are whatever they hold; removed though they are usually kept.
    shift_days : int, optional
        Days to add to the dates of the measurement; None removes them, and the times of day with them.
    """

    keep: frozenset[str] = frozenset()
    drop: frozenset[str] = frozenset()
    shift_days: int | None = None


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """What became of a file; keywords by name, never a value.

    ``suspects`` are keywords that were kept and still look like an identity. ``left_out`` says in words which parts of
    the file are not in the copy.
    """

    n_events: int
    data_sha256: str
    kept: tuple[str, ...]
    removed: tuple[str, ...]
    suspects: tuple[Suspicion, ...]
    left_out: tuple[str, ...]


@dataclass(slots=True)
class _Sorted:
    """The keywords of a copy, and the names of those that are not in it."""

    values: dict[str, str] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    suspects: list[Suspicion] = field(default_factory=list)


def scrub(source: Path, target: Path, wishes: Wishes | None = None, *, dataset: int | None = None) -> Scrubbed:
    """Write a scrubbed copy of one data set.

    Parameters
    ----------
    source : path
        FCS or LMD file.
    target : path
        Name of the copy, which becomes its ``$FIL``; nothing may be there.
    wishes : Wishes, optional
        What to keep or remove beside the usual.
    dataset : int, optional
        Which data set, from 0, of a file that holds several.

    Returns
    -------
    Scrubbed
        What was removed, and what should be looked at. DATA of the copy was read again and is that of the source.

    Raises
    ------
    InputError
        The source is refused, or changed meanwhile; ``scrub.unlike`` where the copy does not read as the source does
        (it is then taken away).
    OutputError
        ``file.unwritable``.
    UsageError
        ``scrub.exists``: there is a file of that name; ``scrub.structure``: a wish about a keyword that is no choice.
    """
    wishes = wishes or Wishes()
    check_wishes(wishes)
    if target.exists():
        raise UsageError("scrub.exists", "there is a file already", where=str(target), hint="name another folder")
    found = open_fcs(source, dataset=dataset)
    chosen = _sort(found, target.name, wishes)
    text, begin = compose(found.version, chosen.values, found.n_events * found.layout.stride)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        digest = _write(partial, text + b" " * (begin - len(text)), found)
        _require_alike(found, partial, digest)
        partial.replace(target)
    except OSError as cause:
        raise OutputError(
            "file.unwritable",
            f"the copy cannot be written: {cause.strerror or cause}",
            where=str(target),
            hint="free space or check the folder and its permissions, and give the command again",
        ) from cause
    finally:
        partial.unlink(missing_ok=True)
    return Scrubbed(
        n_events=found.n_events,
        data_sha256=digest,
        kept=tuple(chosen.values),
        removed=tuple(dict.fromkeys(shown(name) for name in chosen.removed)),
        suspects=tuple(chosen.suspects),
        left_out=tuple(left_out(found)),
    )


def check_wishes(wishes: Wishes) -> None:
    """Refuse wishes about keywords that the copy must have as it has them (UsageError ``scrub.structure``)."""
    for name in sorted(wishes.keep | wishes.drop):
        if _STRUCTURE.fullmatch(name):
            what = "gets the copy's own name" if name == "$FIL" else "says how the events are stored"
            raise UsageError(
                "scrub.structure", f"{name} can be neither kept nor dropped: it {what}", hint="leave it out"
            )
        if name in wishes.keep and name in wishes.drop:
            raise UsageError("scrub.structure", f"{name} is to be kept and to be dropped", hint="say one of them")


def _sort(found: FcsFile, name: str, wishes: Wishes) -> _Sorted:
    """Part the keywords into those of the copy and those that are left behind."""
    names = [channel.pnn for channel in found.channels]
    measured = day_of(found.keywords)
    made = _Sorted(_structure(found, name))
    for keyword, value in found.keywords.items():
        if _STRUCTURE.fullmatch(keyword):
            if keyword == "$FIL" or not (keyword in made.values or keyword.startswith(("$BEGIN", "$END"))):
                made.removed.append(keyword)
            continue
        kept = _kept(keyword, value.strip(BLANK), names, wishes)
        # The cytometer's name is of use to pairing only; a person's name in it is of use to nobody.
        if kept and keyword == "$CYT" and keyword not in wishes.keep and seen_in(keyword, kept, measured):
            kept = ""
        if kept:
            made.values[keyword] = kept
        elif value.strip(BLANK):
            made.removed.append(keyword)
    if made.values.get("$ORIGINALITY") is None and found.version in {"3.1", "3.2"}:
        made.values["$ORIGINALITY"] = "NonDataModified"
    gone = {key: found.keywords[key].strip(BLANK) for key in made.removed}
    made.suspects = list(_suspects(made.values, gone, wishes.keep, measured))
    return made


def _structure(found: FcsFile, name: str) -> dict[str, str]:
    """Return the keywords that say how the events are stored, as the reader understood them."""
    words, layout = found.keywords, found.layout
    names = [channel.pnn for channel in found.channels]
    values = {f"${end}{part}": "0" for part in ("ANALYSIS", "STEXT") for end in ("BEGIN", "END")}
    values |= {
        "$BYTEORD": "".join(words["$BYTEORD"].split()).strip(BLANK),
        "$DATATYPE": words["$DATATYPE"].strip(BLANK).upper(),
        "$MODE": "L",
        "$NEXTDATA": "0",
        "$PAR": str(len(layout.columns)),
        "$TOT": str(found.n_events),
        "$FIL": name,
    }
    for n, (column, channel) in enumerate(zip(layout.columns, found.channels, strict=True), start=1):
        values[f"$P{n}N"] = channel.pnn
        values[f"$P{n}B"] = str(column.width if column.kind == "A" else 8 * column.width)
        top, scale = words[f"$P{n}R"].strip(BLANK), "".join(words.get(f"$P{n}E", "").split()).strip(BLANK)
        # What is no number was read as saying nothing; the keyword itself is required.
        values[f"$P{n}R"] = top if top.isdecimal() or is_kept(f"$P{n}R", top, names) else "0"
        if scale:
            values[f"$P{n}E"] = scale if is_kept(f"$P{n}E", scale, names) else "0,0"
        if found.version == "3.2" and f"$P{n}DATATYPE" in words:
            values[f"$P{n}DATATYPE"] = column.kind
    return values


def _kept(keyword: str, said: str, names: list[str], wishes: Wishes) -> str:
    """Return a keyword's value in the copy; empty where it is not there."""
    if keyword in wishes.keep:
        return said
    if keyword in wishes.drop:
        return ""
    if wishes.shift_days is not None:
        shifted = _shifted(keyword, said, wishes.shift_days)
        if shifted:
            return shifted
    return said if is_kept(keyword, said, names) else ""


def _shifted(keyword: str, said: str, days: int) -> str:
    """Return a date of the measurement so many days later, or a time of day; empty for everything else."""
    if keyword in _CLOCKS:
        return said if _CLOCK.fullmatch(said) else ""
    try:
        if keyword in _MOMENTS:
            return (dt.datetime.fromisoformat(said) + dt.timedelta(days=days)).isoformat()
        if keyword == "$DATE" and len(said) <= len("15-January-2025") and (dates := dates_in(said)):
            moved = dates[0] + dt.timedelta(days=days)
            return f"{moved.day:02d}-{_MONTHS[moved.month - 1]}-{moved.year:04d}"
    except (ValueError, OverflowError):
        return ""
    return ""


_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def _suspects(
    values: Mapping[str, str], gone: Mapping[str, str], asked: Iterable[str], measured: dt.date | None
) -> Iterator[Suspicion]:
    """Yield what was kept and looks like an identity, or holds a value that was removed elsewhere."""
    people = {
        key: said.casefold()
        for key, said in gone.items()
        if len(said) >= _SHORTEST_FOUND_AGAIN and names_someone(key, said)
    }
    for keyword, value in values.items():
        if FREE_TEXT.fullmatch(keyword) or keyword in asked:
            seen = list(seen_in(keyword, value, measured))
            seen += [f"it holds the value of {shown(key)}" for key, said in people.items() if said in value.casefold()]
            if seen:
                yield Suspicion(shown(keyword), tuple(seen))


def _write(partial: Path, head: bytes, found: FcsFile) -> str:
    """Write the copy block by block; return the SHA-256 of its DATA."""
    digest = hashlib.sha256()
    with partial.open("xb") as stream:
        stream.write(head)
        for _, block in found.byte_blocks():
            digest.update(block.data)
            stream.write(block.data)
        stream.write(b"0" * CRC_BYTES)
        stream.flush()
        os.fsync(stream.fileno())
    return digest.hexdigest()


def _require_alike(found: FcsFile, copy: Path, digest: str) -> None:
    """Read the copy's header and DATA again, and refuse it where it is not the same measurement."""
    again = open_fcs(copy)
    same = (found.layout.columns, found.scalings, found.n_events, [channel.pnn for channel in found.channels])
    read = (again.layout.columns, again.scalings, again.n_events, [channel.pnn for channel in again.channels])
    seen = hashlib.sha256()
    for _, block in again.byte_blocks():
        seen.update(block.data)
    if same != read or seen.hexdigest() != digest:
        raise InputError(
            "scrub.unlike",
            "the copy does not read as the file does, so that it was not kept",
            where=found.source.path,
            hint="export the file again as FCS 3.1 with the software that made it, and scrub that",
        )
