"""The first 58 bytes of a data set: its version and where its segments say they are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stromagate.errors import InputError
from stromagate.fcs.limits import HEADER_BYTES, MAX_TEXT_BYTES
from stromagate.fcs.numbers import BLANK, count, shortened
from stromagate.model.sample import Repair

VERSIONS = ("2.0", "3.0", "3.1", "3.2")
_FIELD = re.compile(r" *[0-9]{1,8} *| +")
# What is handed over as FCS and is not: first bytes, and what to call it.
_IMPOSTORS = (
    (b"\x1f\x8b", "a gzip archive", "unpack it first"),
    (b"PK\x03\x04", "a ZIP archive", "unpack it first"),
    (b"\x00\x05\x16\x07", "an AppleDouble companion (macOS resource fork)", "use the file without the leading '._'"),
    (b"\x00\x05\x16\x00", "an AppleSingle file (macOS)", "copy the data fork alone"),
    (b"BZh", "a bzip2 archive", "unpack it first"),
    (b"\xfd7zXZ", "an xz archive", "unpack it first"),
    (b"7z\xbc\xaf", "a 7-Zip archive", "unpack it first"),
    (b"%PDF", "a PDF document", "give the FCS file itself"),
    (b"version https://git-lfs", "a Git LFS pointer", "fetch the file itself with `git lfs pull`"),
)


@dataclass(frozen=True, slots=True)
class Stated:
    """An offset pair as a file states it.

    ``pair`` is None where it is not two whole numbers; ``silent`` marks pairs that say nothing: absent, blank, ``0,0``
    and ``0,-1``.
    """

    origin: str
    begin: str
    end: str
    pair: tuple[int, int] | None
    silent: bool

    def __str__(self) -> str:
        """Return ``HEADER 256..1023``."""
        return f"{self.origin} {shortened(self.begin, 20) or 'blank'}..{shortened(self.end, 20) or 'blank'}"


@dataclass(frozen=True, slots=True)
class Header:
    """One HEADER: version, TEXT's first and last byte within the data set, and what is said of DATA and ANALYSIS."""

    version: str
    text: tuple[int, int]
    data: Stated
    analysis: Stated
    repairs: tuple[Repair, ...] = ()


def parse_header(first: bytes, room: int) -> Header:
    """Parse a HEADER.

    Parameters
    ----------
    first : bytes
        The first bytes of the data set, 58 where there are that many.
    room : int, bytes
        Bytes from the start of the data set to the end of the file.

    Raises
    ------
    InputError
        No FCS file (``fcs.not_fcs``, naming what it is instead), another version (``fcs.version``), or a TEXT segment
        that cannot be where HEADER says (``fcs.header``, ``fcs.truncated``, ``fcs.limit``).
    """
    version = _version(first)
    fields = [first[at : at + 8].decode("latin-1") for at in range(10, HEADER_BYTES, 8)]
    repairs = []
    if first[6:10] != b"    ":
        repairs.append(
            Repair("header.reserved", "bytes 6 to 9 are not blank", "ignored", "HEADER keeps four bytes blank")
        )
    data = stated("HEADER", fields[2], fields[3], eight_digits=True)
    analysis = stated("HEADER", fields[4], fields[5], eight_digits=True)
    return Header(version, _text(fields[0], fields[1], room), data, analysis, tuple(repairs))


def stated(origin: str, begin: str, end: str, *, eight_digits: bool = False) -> Stated:
    """Read an offset pair by pattern.

    Parameters
    ----------
    origin : str
        Who states it, ``HEADER`` or ``TEXT``, for messages.
    begin, end : str
        The two fields or values as they stand.
    eight_digits : bool
        The fields are HEADER's, eight characters each, right-justified among blanks.
    """
    words = (begin.strip(BLANK), end.strip(BLANK))
    well_formed = not eight_digits or bool(_FIELD.fullmatch(begin) and _FIELD.fullmatch(end))
    silent = words[0].strip("0") == "" and (words[1].strip("0") == "" or words[1] == "-1")
    silent = silent and not set(begin + end) & set(BLANK[1:])
    low, high = count(begin), count(end)
    pair = (low, high) if well_formed and low is not None and high is not None and not silent else None
    return Stated(origin, words[0], words[1], pair, silent)


def _version(first: bytes) -> str:
    if not first:
        raise InputError("fcs.not_fcs", "the file is empty", hint="copy it again from the instrument")
    if first[:3] != b"FCS":
        _name_impostor(first)
    said = first[3:6].decode("latin-1")
    if said not in VERSIONS:
        raise InputError(
            "fcs.version", f"FCS version {shortened(said)!r} is not known", hint=f"known: {', '.join(VERSIONS)}"
        )
    if len(first) < HEADER_BYTES:
        raise InputError(
            "fcs.header", f"the file ends inside its HEADER, after {len(first)} of 58 bytes", hint="copy it again"
        )
    return said


def _name_impostor(first: bytes) -> None:
    for magic, name, hint in _IMPOSTORS:
        if first.startswith(magic):
            raise InputError("fcs.not_fcs", f"this is {name}, not an FCS file", hint=hint)
    folded = first.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if folded.startswith((b"<!doctype html", b"<html", b"<head", b"<!--")):
        raise InputError(
            "fcs.not_fcs", "this is an HTML page, not an FCS file", hint="download the file again, signed in"
        )
    if not first.strip(b"\x00"):
        raise InputError("fcs.not_fcs", "the file begins with zeros, not with 'FCS'", hint="copy it again")
    raise InputError(
        "fcs.not_fcs", "the file does not begin with 'FCS'", hint="give an FCS file as the instrument exported it"
    )


def _text(begin: str, end: str, room: int) -> tuple[int, int]:
    pair = stated("HEADER", begin, end, eight_digits=True).pair
    where = f"{begin.strip() or 'blank'}..{end.strip() or 'blank'}"
    if pair is None or pair[0] < HEADER_BYTES or pair[1] <= pair[0]:
        raise InputError(
            "fcs.header",
            f"HEADER puts the TEXT segment at {shortened(where)}, which is no place for it",
            hint="export it again",
        )
    if pair[1] >= room:
        raise InputError(
            "fcs.truncated",
            f"HEADER puts the TEXT segment at {shortened(where)}, but only {room:,} bytes are there",
            hint="the file was cut: copy or export it again",
        )
    if pair[1] - pair[0] + 1 > MAX_TEXT_BYTES:
        raise InputError(
            "fcs.limit",
            f"the TEXT segment has {pair[1] - pair[0] + 1:,} bytes; at most {MAX_TEXT_BYTES:,} are read",
            hint="export the file again without embedded documents",
        )
    return pair
