"""The TEXT segment: delimiter, words, keywords. Both readings of a doubled delimiter are tried, doubt is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stromagate.errors import InputError
from stromagate.fcs.keywords import is_decisive, is_optional, missing
from stromagate.fcs.limits import MAX_KEYWORDS, MAX_VALUE_BYTES
from stromagate.fcs.numbers import BLANK, shortened
from stromagate.model.sample import Repair

_JUNK = b" \t\r\n\x00"


@dataclass(frozen=True, slots=True)
class Text:
    """One parsed TEXT segment.

    ``keywords`` has ASCII upper-case names with their ``$``; ``terminated`` says that a final delimiter was there,
    ``closed`` that nothing at all followed it.
    """

    delimiter: bytes
    keywords: dict[str, str]
    closed: bool = True
    terminated: bool = True
    repairs: tuple[Repair, ...] = ()


@dataclass(slots=True)
class _Reading:
    """One way to cut a segment into words, and what speaks against it."""

    keywords: dict[str, str] = field(default_factory=dict)
    repairs: list[Repair] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    problem: str = ""
    code: str = "fcs.text"


def parse_text(segment: bytes, version: str) -> Text:
    """Parse a primary TEXT segment.

    Parameters
    ----------
    segment : bytes
        From the first delimiter to the last byte HEADER names.
    version : str
        FCS version; decides which keywords a reading must yield to be believed.

    Raises
    ------
    InputError
        ``fcs.text`` where no reading yields pairs of words or two readings contradict, ``fcs.keyword.conflict`` where a
        keyword that decides the numbers has two values, ``fcs.limit``.
    """
    delimiter, body, repairs, terminated = _trim(segment)
    escaped = _read(split_escaped(body, delimiter), delimiter)
    chosen = escaped
    if delimiter * 2 in body or body.endswith(delimiter):
        literal = _read(body.split(delimiter), delimiter)
        chosen = _choose(escaped, literal, delimiter.decode("latin-1"), version)
    if chosen.problem:
        raise InputError(chosen.code, chosen.problem, hint="the keywords cannot be trusted: export the file again")
    if chosen.conflicts:
        names = ", ".join(shortened(name) for name in chosen.conflicts[:5])
        raise InputError(
            "fcs.keyword.conflict",
            f"a keyword that decides the numbers has two values: {names}",
            hint="export the file again; it cannot be known which value is meant",
        )
    return Text(delimiter, chosen.keywords, not repairs, terminated, (*repairs, *chosen.repairs))


def parse_supplement(segment: bytes, delimiter: bytes) -> Text | None:
    """Parse a supplemental TEXT segment by the delimiter of the primary one; None where it is no such text."""
    if not segment.startswith(delimiter) or len(segment) < 4:
        return None
    _, body, repairs, terminated = _trim(segment)
    readings = [_read(split_escaped(body, delimiter), delimiter), _read(body.split(delimiter), delimiter)]
    sound = [reading for reading in readings if not reading.problem and not reading.conflicts]
    if not sound:
        return None
    return Text(delimiter, sound[0].keywords, not repairs, terminated, (*repairs, *sound[0].repairs))


def split_escaped(body: bytes, delimiter: bytes) -> list[bytes]:
    """Split at single delimiters; two in a row are one of the word, read from the left in one pass."""
    parts = body.split(delimiter)
    if b"" not in parts[:-1]:
        return parts
    words: list[bytes] = []
    pieces: list[bytes] = [parts[0]]
    at, last = 1, len(parts) - 1
    while at <= last:
        if parts[at] == b"" and at < last:
            pieces += (delimiter, parts[at + 1])
            at += 2
        else:
            words.append(b"".join(pieces))
            pieces = [parts[at]]
            at += 1
    words.append(b"".join(pieces))
    return words


def _trim(segment: bytes) -> tuple[bytes, bytes, list[Repair], bool]:
    """Return the delimiter, what stands between the first and the final one, what was odd, whether it was closed."""
    delimiter = segment[:1]
    if not b"\x01" <= delimiter <= b"\x7e":
        raise InputError(
            "fcs.text",
            f"TEXT begins with byte {segment[0]:#04x}, which is no delimiter",
            hint="HEADER points to the wrong place, or the file is damaged: export it again",
        )
    stripped = segment.rstrip(_JUNK.replace(delimiter, b""))
    if len(stripped) > 1 and stripped.endswith(delimiter):
        junk = len(segment) - len(stripped)
        odd = [_repair_junk(junk)] if junk else []
        return delimiter, stripped[1:-1], odd, True
    missing_end = Repair(
        "text.no_final_delimiter",
        "TEXT does not end with its delimiter",
        "the last value ends with the segment",
        "the standard closes TEXT with a delimiter",
    )
    return delimiter, stripped[1:], [missing_end], False


def _repair_junk(n_bytes: int) -> Repair:
    return Repair(
        "text.junk",
        f"{n_bytes} byte{'s' if n_bytes > 1 else ''} of blanks behind the final delimiter",
        "left out",
        "nothing may follow the final delimiter inside TEXT",
    )


def _read(words: list[bytes], delimiter: bytes) -> _Reading:
    """Pair words to keywords."""
    reading = _Reading()
    if len(words) % 2 and words[-1] == b"" and len(words) > 1:
        words = words[:-1]
        reading.repairs.append(
            Repair("text.extra_delimiter", "two final delimiters", "one left out", "TEXT ends with one delimiter")
        )
    elif words[-1] == b"":
        reading.repairs.append(_repair_empty(1))
    if len(words) % 2:
        reading.problem = f"TEXT holds {len(words):,} words, which makes no pairs of keyword and value"
        return reading
    if len(words) > 2 * MAX_KEYWORDS or max(map(len, words)) > MAX_VALUE_BYTES:
        reading.code = "fcs.limit"
        reading.problem = f"TEXT holds more than {MAX_KEYWORDS:,} keywords or a value over {MAX_VALUE_BYTES:,} bytes"
        return reading
    texts, local = _decode(words)
    if local:
        reading.repairs.append(
            Repair(
                "text.latin1",
                f"{local} word{'s' if local > 1 else ''} of TEXT not in UTF-8",
                "read as Windows-1252",
                "TEXT is ASCII or UTF-8 by the standard",
            )
        )
    if any(b"\x00" in word for word in words):
        reading.repairs.append(
            Repair("text.nul", "zero bytes inside TEXT", "blanks around a word left out", "TEXT holds no zero bytes")
        )
    n_empty = _pair(texts, delimiter.decode("latin-1") + "$", reading)
    if n_empty:
        reading.repairs.append(_repair_empty(n_empty))
    return reading


def _decode(words: list[bytes]) -> tuple[list[str], int]:
    try:
        return [word.decode("utf-8") for word in words], 0
    except UnicodeDecodeError:
        pass
    texts, local = [], 0
    for word in words:
        try:
            texts.append(word.decode("utf-8"))
        except UnicodeDecodeError:
            local += 1
            try:
                texts.append(word.decode("cp1252"))
            except UnicodeDecodeError:
                texts.append(word.decode("latin-1"))
    return texts, local


def _pair(texts: list[str], swallowing: str, reading: _Reading) -> int:
    """Enter all pairs; return how many keywords had swallowed the next one because their own value was empty."""
    padded, same, other = [], [], []
    pairs: list[tuple[str, str]] = []
    for name, value in zip(texts[::2], texts[1::2], strict=True):
        first, *rest = name.split(swallowing)
        names = [first, *("$" + tail for tail in rest)]
        pairs += [(one, "") for one in names[:-1]]
        pairs.append((names[-1], value))
    for raw, value in pairs:
        name = fold(raw.strip(BLANK))
        if not name:
            reading.problem = reading.problem or "TEXT holds a value without a keyword"
        if len(name) != len(raw):
            padded.append(name)
        if name not in reading.keywords:
            reading.keywords[name] = value
        elif reading.keywords[name].strip(BLANK) == value.strip(BLANK):
            same.append(name)
        elif is_decisive(name):
            reading.conflicts.append(name)
        else:
            other.append(name)
    if padded:
        reading.repairs.append(
            Repair("text.padded_keyword", _listed(padded), "blanks left out", "a keyword stands between blanks")
        )
    if same or other:
        reading.repairs.append(
            Repair(
                "text.duplicate_keyword",
                _listed(same + other),
                "the first value counts",
                f"a keyword stands twice, {'with different values' if other else 'with the same value'}",
            )
        )
    return len(pairs) - len(texts) // 2


def fold(name: str) -> str:
    """Return the keyword in ASCII upper case; letters beyond ASCII keep their case."""
    return name.upper() if name.isascii() else "".join(c.upper() if c.isascii() else c for c in name)


def _choose(escaped: _Reading, literal: _Reading, delimiter: str, version: str) -> _Reading:
    """Settle a doubled delimiter: part of a word, or an empty value."""
    ranks = [_rank(reading, version) for reading in (escaped, literal)]
    if literal.problem or ranks[1][1]:
        return escaped
    literal.repairs.append(_repair_empty(sum(value == "" for value in literal.keywords.values())))
    if ranks[1] < ranks[0]:
        return literal
    if _decisive(escaped.keywords) != _decisive(literal.keywords):
        if ranks[0] < ranks[1]:
            return escaped
        escaped.problem = "a doubled delimiter can be read in two ways that give different numbers"
        return escaped
    swallowed = any(delimiter in name and name[0] == "$" for name in escaped.keywords)
    return literal if swallowed else escaped


def _rank(reading: _Reading, version: str) -> tuple[bool, int, int]:
    """Return what speaks against a reading, worst first."""
    needed, wanted = missing(reading.keywords, version)
    return bool(reading.problem), len(needed) + len(reading.conflicts), len(wanted)


def _decisive(keywords: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in keywords.items() if is_decisive(name) and not is_optional(name)}


def _repair_empty(n: int) -> Repair:
    return Repair(
        "text.empty_values",
        f"{n} empty value{'s' if n > 1 else ''}",
        "kept as empty",
        "a value may not be empty: two delimiters in a row stand for one inside a word",
    )


def _listed(names: list[str]) -> str:
    unique = list(dict.fromkeys(names))
    more = f" and {len(unique) - 5} more" if len(unique) > 5 else ""
    return ", ".join(shortened(name) for name in unique[:5]) + more
