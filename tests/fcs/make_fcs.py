"""A maker of FCS bytes from a declaration, with the truth beside them; it shares nothing with the reader.

Every field of a file can be told a lie on its own: HEADER and TEXT take their offsets from separate rules, any keyword
can be replaced, dropped or repeated, and any segment can be moved, padded or cut.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.fcs.words import Number, crc16, decode, encode

Keyword = tuple[str, str]
Offsets = Callable[[int, int], tuple[int | str, int | str]]

HEADER_BYTES = 58
OTHER_FIELDS = ("$BEGINSTEXT", "$ENDSTEXT", "$BEGINANALYSIS", "$ENDANALYSIS", "$BEGINDATA", "$ENDDATA", "$NEXTDATA")


def true_offsets(begin: int, end: int) -> tuple[int | str, int | str]:
    """Say where the segment is."""
    return begin, end


def true_or_zero(begin: int, end: int) -> tuple[int | str, int | str]:
    """Say where the segment is, or 0,0 where eight digits cannot (the standard's own rule)."""
    return (begin, end) if end <= 99_999_999 else (0, 0)


@dataclass(frozen=True)
class Column:
    """One parameter: how it is declared and what is stored. Floats may be given as bit patterns (int)."""

    name: str | None
    values: tuple[Number, ...]
    bits: int = 16
    top: str = "1024"
    kind: str | None = None
    pns: str | None = None
    pne: str | None = "0,0"
    png: str | None = None


@dataclass(frozen=True)
class Spec:
    """One data set. What is not said is legal."""

    columns: tuple[Column, ...]
    version: str = "3.1"
    datatype: str = "I"
    byteord: str = "4,3,2,1"
    delimiter: str = "/"
    mode: str | None = "L"
    extra: tuple[Keyword, ...] = ()
    change: Mapping[str, str | None] = field(default_factory=dict)
    rename: Callable[[str], str] = str
    stext: tuple[Keyword, ...] | None = None
    stext_bytes: bytes | None = None
    analysis: bytes | None = None
    order: tuple[str, ...] = ("text", "stext", "data", "analysis")
    gap: int = 0  # blanks before DATA
    front: bytes = b""  # stands between HEADER and the first segment
    text_end: bytes | None = None
    encoding: str = "utf-8"
    header_text: Offsets = true_offsets
    header_data: Offsets = true_or_zero
    header_analysis: Offsets = true_or_zero
    text_data: Offsets = true_offsets
    data_bytes: bytes | None = None
    tail: bytes = b""
    crc: int | None = None  # added to the right checksum: 0 is right, 1 is wrong


@dataclass(frozen=True)
class Made:
    """The bytes of a data set and what a reader must find in it."""

    pieces: tuple[tuple[int, bytes], ...]
    size: int
    names: tuple[str, ...]
    columns: tuple[tuple[int, ...], ...]
    spec: Spec
    begin: int
    end: int

    @property
    def data(self) -> bytes:
        """The whole data set, blanks between its segments."""
        whole = bytearray(b" " * self.size)
        for start, piece in self.pieces:
            whole[start : start + len(piece)] = piece
        return bytes(whole)

    def write(self, path: Path) -> Path:
        """Write the file; long gaps stay holes, so that a huge file costs nothing."""
        with path.open("wb") as handle:
            if self.size < 1 << 24:
                handle.write(self.data)
                return path
            for start, piece in self.pieces:
                handle.seek(start)
                handle.write(piece)
            handle.truncate(self.size)
        return path


def make(spec: Spec) -> Made:
    """Return the bytes of one data set and the truth about it."""
    data = spec.data_bytes if spec.data_bytes is not None else data_segment(spec)
    widths: dict[str, int] = {}
    starts: dict[str, tuple[int, int]] = {}
    while True:
        segments = _segments(spec, data, starts, widths)
        found = _place(spec, segments)
        if found == starts:
            break
        starts = found
    return _finish(spec, segments, starts)


def chain(first: Spec, second: Spec) -> tuple[bytes, Made, Made]:
    """Return a file of two data sets, the first pointing to the second, and both truths."""
    digits = 0
    while True:
        one = make(replace(first, change={**first.change, "$NEXTDATA": f"{digits:08d}"}))
        if one.size == digits:
            return one.data + make(second).data, one, make(second)
        digits = one.size


def data_segment(spec: Spec) -> bytes:
    """Return the stored events, row after row."""
    rows = zip(*(column.values for column in spec.columns), strict=True)
    return b"".join(
        encode(value, column.kind or spec.datatype, column.bits, spec.byteord)
        for row in rows
        for column, value in zip(spec.columns, row, strict=True)
    )


def stored(spec: Spec) -> tuple[tuple[int, ...], ...]:
    """Return the truth: per column the masked integers, or the bit patterns of the floats."""
    return tuple(tuple(_as_read(value, column, spec) for value in column.values) for column in spec.columns)


def keywords(spec: Spec) -> list[Keyword]:
    """Return all keywords but the offsets, in the order in which instruments write them."""
    n_events = len(spec.columns[0].values) if spec.columns else 0
    pairs: list[tuple[str, str | None]] = [
        ("$BYTEORD", spec.byteord),
        ("$DATATYPE", spec.datatype),
        ("$MODE", spec.mode),
        ("$PAR", str(len(spec.columns))),
        ("$TOT", str(n_events)),
        ("$CYT", "maker"),
    ]
    for n, column in enumerate(spec.columns, start=1):
        pairs += [(f"$P{n}N", column.name), (f"$P{n}B", str(column.bits)), (f"$P{n}R", column.top)]
        pairs += [(f"$P{n}E", column.pne), (f"$P{n}G", column.png), (f"$P{n}S", column.pns)]
        pairs += [(f"$P{n}DATATYPE", column.kind)]
    return [(key, value) for key, value in pairs if value is not None] + list(spec.extra)


def text_bytes(pairs: Sequence[Keyword], delimiter: str, encoding: str = "utf-8") -> bytes:
    """Return a TEXT segment: delimiters within words doubled, one at the end."""
    words = (word.replace(delimiter, 2 * delimiter) for pair in pairs for word in pair)
    return (delimiter + delimiter.join(words) + delimiter).encode(encoding)


def _segments(
    spec: Spec, data: bytes, starts: Mapping[str, tuple[int, int]], widths: dict[str, int]
) -> dict[str, bytes]:
    segments = {"data": data}
    if spec.stext is not None or spec.stext_bytes is not None:
        raw = spec.stext_bytes
        segments["stext"] = raw if raw is not None else text_bytes(spec.stext or (), spec.delimiter, spec.encoding)
    if spec.analysis is not None:
        segments["analysis"] = spec.analysis
    said = _offset_keywords(spec, starts, widths)
    pairs = [pair for key, value in [*said, *keywords(spec)] if (pair := _changed(spec, key, value)) is not None]
    text = text_bytes(pairs, spec.delimiter, spec.encoding)
    segments["text"] = text if spec.text_end is None else text[: -len(spec.delimiter.encode())] + spec.text_end
    return segments


def _changed(spec: Spec, key: str, value: str) -> Keyword | None:
    told = spec.change.get(key, value)
    return None if told is None else (spec.rename(key), told)


def _offset_keywords(
    spec: Spec, starts: Mapping[str, tuple[int, int]], widths: dict[str, int]
) -> list[tuple[str, str]]:
    if spec.version == "2.0":
        return [("$NEXTDATA", "0")]
    values: list[int | str] = [*starts.get("stext", (0, 0)), *starts.get("analysis", (0, 0))]
    values += [*spec.text_data(*starts.get("data", (0, 0))), 0]
    said = []
    for key, value in zip(OTHER_FIELDS, values, strict=True):
        # Digits never shrink again, so that the search for the fixed point ends.
        widths[key] = max(widths.get(key, 0), len(str(value)))
        said.append((key, value if isinstance(value, str) else str(value).zfill(widths[key])))
    return said


def _place(spec: Spec, segments: Mapping[str, bytes]) -> dict[str, tuple[int, int]]:
    starts: dict[str, tuple[int, int]] = {}
    position = HEADER_BYTES + len(spec.front)
    for name in spec.order:
        if name not in segments:
            continue
        position += spec.gap if name == "data" else 0
        starts[name] = (position, position + len(segments[name]) - 1)
        position += len(segments[name])
    return starts


def _finish(spec: Spec, segments: Mapping[str, bytes], starts: Mapping[str, tuple[int, int]]) -> Made:
    header = _header(spec, starts) + spec.front
    end = max(stop for _, stop in starts.values()) + 1
    pieces = [(0, header), *((starts[name][0], segments[name]) for name in spec.order if name in segments)]
    made = Made(
        tuple(pieces),
        end,
        tuple(column.name or f"P{n}" for n, column in enumerate(spec.columns, start=1)),
        stored(spec),
        spec,
        *starts["data"],
    )
    tail = spec.tail if spec.crc is None else f"{(crc16(made.data) + spec.crc) % 65536:08d}".encode()
    return replace(made, pieces=(*made.pieces, (end, tail)), size=end + len(tail))


def _header(spec: Spec, starts: Mapping[str, tuple[int, int]]) -> bytes:
    fields = [
        *spec.header_text(*starts["text"]),
        *spec.header_data(*starts["data"]),
        *spec.header_analysis(*starts.get("analysis", (0, 0))),
    ]
    return f"FCS{spec.version}    ".encode() + b"".join(str(value).rjust(8).encode() for value in fields)


def _as_read(value: Number, column: Column, spec: Spec) -> int:
    kind = column.kind or spec.datatype
    word = encode(value, kind, column.bits, spec.byteord)
    return decode(word, kind, spec.byteord, int(column.top) if kind == "I" else 0)
