"""A decoder that forgives nothing: the judge of mutated files, and a second opinion on the maker's own.

It reads value by value, knows no repair, and raises `NotStrictError` at the first departure from the standard. What it
returns is therefore the one reading that the bytes allow.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tests.fcs.make_fcs import HEADER_BYTES, Keyword
from tests.fcs.words import decode

BITS = {"F": {32}, "D": {64}, "I": set(range(8, 65, 8))}


class NotStrictError(Exception):
    """The file departs from the standard."""


@dataclass(frozen=True)
class Parts:
    """A file taken apart: what is needed to put it together again, and what a reader must find in it."""

    version: str
    delimiter: str
    text: tuple[Keyword, ...]
    stext: tuple[Keyword, ...]
    data: bytes
    names: tuple[str, ...]
    columns: tuple[tuple[int, ...], ...]


def take_apart(whole: bytes) -> Parts:
    """Decode a file of one data set.

    Raises
    ------
    NotStrictError
        Anything in it is not as the standard says.
    """
    version, spans = _header(whole)
    text_span = spans[0]
    _need(HEADER_BYTES <= text_span[0] <= text_span[1] < len(whole), "TEXT lies within the file")
    delimiter = chr(whole[text_span[0]])
    _need(1 <= ord(delimiter) <= 126, "the delimiter is ASCII")
    text = _words(whole[text_span[0] : text_span[1] + 1], delimiter, version)
    found = _index(text)
    stext = _supplement(whole, found, delimiter, version)
    required = re.compile(r"\$(TOT|PAR|P\d+[BRNE])")
    _need(not any(required.fullmatch(key) for key in _index(stext)), "required keywords stand in TEXT")
    found = _index((*text, *stext))
    begin, end = _data_span(version, spans, found, len(whole))
    supplement = tuple(whole_number(found.get(f"${side}STEXT", "0")) for side in ("BEGIN", "END"))
    for first, last in (text_span, spans[2], supplement):
        _need((first, last) == (0, 0) or first <= last + 1 <= len(whole), "segments lie within the file")
        _need(end < begin or last < first or last == 0 or end < first or begin > last, "segments lie apart")
    _need(whole_number(found.get("$NEXTDATA", "x")) == 0, "one data set")
    data = whole[begin : end + 1]
    names, columns = _decode(data, found, version)
    return Parts(version, delimiter, text, stext, data, names, columns)


def whole_number(text: str | None) -> int:
    """Return a number of up to twenty digits; blanks around it are allowed."""
    plain = re.fullmatch(r"[ \t\r\n]*([0-9]{1,20})[ \t\r\n]*", text or "")
    if plain is None:
        message = f"a whole number: {text!r:.40}"
        raise NotStrictError(message)
    return int(plain[1])


def number(text: str) -> float:
    """Return a finite decimal number."""
    _need(re.fullmatch(r" *[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)? *", text) is not None, "a number")
    _need(math.isfinite(float(text)), "a finite number")
    return float(text)


def _need(condition: bool, what: str) -> None:
    if not condition:
        raise NotStrictError(what)


def _header(whole: bytes) -> tuple[str, list[tuple[int, int]]]:
    match = re.match(rb"FCS([23]\.[0-9])    ", whole)
    _need(match is not None and len(whole) >= HEADER_BYTES, "HEADER")
    version = whole[3:6].decode()
    _need(version in ("2.0", "3.0", "3.1", "3.2"), "a known version")
    fields = [whole[at : at + 8].decode("latin-1") for at in range(10, 58, 8)]
    _need(all(re.fullmatch(r" *[0-9]* *", field) for field in fields), "HEADER holds digits and spaces")
    numbers = [0 if n >= 4 and not field.strip(" ") else whole_number(field) for n, field in enumerate(fields)]
    return version, list(zip(numbers[::2], numbers[1::2], strict=True))


def _words(segment: bytes, delimiter: str, version: str) -> tuple[Keyword, ...]:
    try:
        text = segment.decode("utf-8")
    except UnicodeDecodeError:
        _need(version in ("2.0", "3.0"), "TEXT is UTF-8")
        text = segment.decode("latin-1")  # before 3.1 nothing was said about bytes beyond ASCII
    _need(len(text) > 1 and text[0] == delimiter, "the segment begins with the delimiter")
    _need("\0" not in text, "no zero bytes in TEXT")
    words, position, word = [], 1, ""
    while position < len(text):
        stop = text.find(delimiter, position)
        _need(stop >= 0, "TEXT ends with the delimiter")
        word += text[position:stop]
        if text[stop + 1 : stop + 2] == delimiter:
            word, position = word + delimiter, stop + 2
            continue
        _need(bool(word) and not word.startswith(delimiter), "no word is empty")
        words.append(word)
        word, position = "", stop + 1
    _need(not word and len(words) % 2 == 0, "keywords and values come in pairs")
    _need(not any(delimiter in key and "$" in key for key in words[::2]), "no keyword may have swallowed another")
    return tuple(zip(words[::2], words[1::2], strict=True))


def _index(pairs: tuple[Keyword, ...]) -> dict[str, str]:
    found = {key.upper(): value for key, value in pairs}
    _need(len(found) == len(pairs), "no keyword comes twice")
    _need(all(key.isascii() and key == key.strip(" \t\r\n") for key in found), "keywords are ASCII and not padded")
    return found


def _supplement(whole: bytes, found: Mapping[str, str], delimiter: str, version: str) -> tuple[Keyword, ...]:
    begin, end = whole_number(found.get("$BEGINSTEXT", "0")), whole_number(found.get("$ENDSTEXT", "0"))
    if begin == end == 0:
        return ()
    _need(HEADER_BYTES <= begin <= end < len(whole), "STEXT lies within the file")
    return _words(whole[begin : end + 1], delimiter, version)


def _data_span(version: str, spans: list[tuple[int, int]], found: Mapping[str, str], size: int) -> tuple[int, int]:
    begin, end = spans[1]
    if version != "2.0":
        said = whole_number(found.get("$BEGINDATA")), whole_number(found.get("$ENDDATA"))
        _need((begin, end) in (said, (0, 0)) and (begin or said[1] > 99_999_999), "HEADER and TEXT agree")
        begin, end = said
    _need(HEADER_BYTES <= begin <= end + 1 <= size, "DATA lies within the file")
    return begin, end


def _decode(data: bytes, found: Mapping[str, str], version: str) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    _need(found.get("$MODE", "L" if version == "3.2" else "").strip(" ") == "L", "list mode")
    kind, n_columns = found.get("$DATATYPE", "").strip(" "), whole_number(found.get("$PAR"))
    _need(kind in BITS, "a known type")
    _need(1 <= n_columns <= 2000, "a number of parameters")
    kinds = [_kind(found, n, kind, version) for n in range(1, n_columns + 1)]
    widths = [whole_number(found.get(f"$P{n}B")) for n in range(1, n_columns + 1)]
    _need(all(width in BITS[own] for own, width in zip(kinds, widths, strict=True)), "widths fit types")
    tops = [_top(found.get(f"$P{n}R"), kinds[n - 1]) for n in range(1, n_columns + 1)]
    order = _byte_order(found.get("$BYTEORD", "").strip(" "), widths, version)
    for n in range(1, n_columns + 1):
        _check_scale(found, n, kinds[n - 1], version)
    stride = sum(widths) // 8
    if version != "2.0" or "$TOT" in found:
        _need(whole_number(found.get("$TOT")) * stride == len(data), "$TOT fits DATA")
    _need(len(data) % stride == 0, "whole events")
    columns = []
    for n, (own, width, top) in enumerate(zip(kinds, widths, tops, strict=True)):
        at, size = sum(widths[:n]) // 8, width // 8
        starts = range(at, len(data), stride)
        columns.append(tuple(decode(data[start : start + size], own, order, top) for start in starts))
    return _names(found, n_columns, version), tuple(columns)


def _kind(found: Mapping[str, str], n: int, default: str, version: str) -> str:
    kind = found.get(f"$P{n}DATATYPE", default) if version == "3.2" else default
    _need(kind in BITS, "a known type of the parameter")
    return kind


def _top(text: str | None, kind: str) -> int:
    if kind != "I":
        _need(number(text or "") > 0, "a positive range")
        return 0
    top = whole_number(text)
    _need(top > 0, "a positive range")
    return top


def _byte_order(text: str, widths: list[int], version: str) -> str:
    """Two digits or more in order say a direction, whatever the width of the words."""
    digits = text.split(",")
    _need(sorted(digits) == [str(n) for n in range(1, len(digits) + 1)], "a byte order")
    if len(digits) == 1 or digits not in (sorted(digits), sorted(digits, reverse=True)):
        _need(set(widths) == {8 * len(digits)}, "the order fits the words")
    _need(version in ("2.0", "3.0") or digits in (sorted(digits), sorted(digits, reverse=True)), "one of two orders")
    return text


def _check_scale(found: Mapping[str, str], n: int, kind: str, version: str) -> None:
    scale = found.get(f"$P{n}E")
    _need(scale is not None or version == "2.0", "$PnE")
    parts = [number(part) for part in (scale or "0,0").split(",")]
    _need(len(parts) == 2, "two numbers in $PnE")
    _need(parts == [0, 0] or (min(parts) > 0 and kind == "I"), "$PnE")


def _names(found: Mapping[str, str], n_columns: int, version: str) -> tuple[str, ...]:
    said = [found.get(f"$P{n}N") for n in range(1, n_columns + 1)]
    _need(version in ("2.0", "3.0") or None not in said, "$PnN")
    # Blanks around a name carry no meaning.
    names = tuple(name.strip() if name is not None else f"P{n}" for n, name in enumerate(said, start=1))
    _need("" not in names, "a name is not blank")
    _need(len(set(names)) == len(names), "names are unique")
    return names
