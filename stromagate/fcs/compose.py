"""HEADER and TEXT of one data set from its keywords: a delimiter that fits, and offsets that agree with themselves."""

from __future__ import annotations

from collections.abc import Mapping

from stromagate.errors import UsageError
from stromagate.fcs.limits import HEADER_BYTES, LAST_HEADER_BYTE

_DELIMITERS = ("/", "|", "\\", "!", "~", "\x1e", "\x0c")


def compose(version: str, values: Mapping[str, str], n_bytes: int) -> tuple[bytes, int]:
    """Return HEADER with TEXT, and where DATA begins: the offsets' own digits move it, so settle until they do not.

    Parameters
    ----------
    version : str
        FCS version, such as ``"3.1"``.
    values : mapping
        All keywords but ``$BEGINDATA`` and ``$ENDDATA``, in the order in which they are written.
    n_bytes : int
        Length of DATA.

    Returns
    -------
    tuple of bytes and int
        The first bytes of the file; between them and the first byte of DATA stand blanks.

    Raises
    ------
    UsageError
        ``fcs.write.keywords``: the keywords are too long, or hold every delimiter.
    """
    delimiter = _delimiter(values)
    begin = 0
    while True:
        end = begin + n_bytes - 1
        # An empty DATA segment is written as nowhere.
        offsets = {"$BEGINDATA": str(begin if n_bytes else 0), "$ENDDATA": str(end if n_bytes else 0)}
        text = _text({**offsets, **values}, delimiter)
        if HEADER_BYTES + len(text) <= begin:
            break
        begin = HEADER_BYTES + len(text)
    text_end = HEADER_BYTES + len(text) - 1
    if text_end > LAST_HEADER_BYTE:
        raise UsageError("fcs.write.keywords", "the keywords are too long for one TEXT segment", hint="shorten them")
    in_header = (begin, end) if n_bytes and end <= LAST_HEADER_BYTE else (0, 0)
    header = f"FCS{version}    " + "".join(f"{place:>8}" for place in (HEADER_BYTES, text_end, *in_header, 0, 0))
    return header.encode("ascii") + text, begin


def _text(values: Mapping[str, str], delimiter: str) -> bytes:
    words = [word.replace(delimiter, delimiter * 2) for pair in values.items() for word in pair]
    return f"{delimiter}{delimiter.join(words)}{delimiter}".encode()


def _delimiter(values: Mapping[str, str]) -> str:
    """Return a delimiter that no word holds; else one that no word begins or ends with, to be doubled inside."""
    words = [word for pair in values.items() for word in pair]
    everything = "".join(words)
    for candidate in _DELIMITERS:
        if candidate not in everything:
            return candidate
    for candidate in _DELIMITERS:
        if not any(word.startswith(candidate) or word.endswith(candidate) for word in words):
            return candidate
    raise UsageError(
        "fcs.write.keywords", "no delimiter is left that no word begins or ends with", hint="change the values"
    )
