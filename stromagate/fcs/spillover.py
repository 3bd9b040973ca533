"""The spillover keywords of all versions and vendors, parsed into one typed value and never judged."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from stromagate.fcs.numbers import BLANK, count, decimal, shortened
from stromagate.model.sample import ABSENT, F64, Spillover

_KEYWORDS = ("$SPILLOVER", "SPILL", "$SPILL", "SPILLOVER")
_DETAIL = re.compile(r"\$DFC([0-9]{1,3})TO([0-9]{1,3})")
_LONGEST_TEXT = 2000
_LARGEST = 1000


def parse_spillover(keywords: Mapping[str, str], names: Sequence[str]) -> Spillover:
    """Return the matrix the file states, from the most trusted keyword it has.

    Parameters
    ----------
    keywords : mapping
        By upper-case name.
    names : sequence of str
        ``$PnN`` of all columns, as read.

    Returns
    -------
    Spillover
        ``absent`` where the file states none; ``malformed`` with the reason where it cannot be understood.
    """
    for keyword in _KEYWORDS:
        text = keywords.get(keyword, "").strip(BLANK)
        if text:
            return _named(keyword, text, names)
    for keyword in ("$COMP", "COMP"):
        text = keywords.get(keyword, "").strip(BLANK)
        if text:
            return _whole(keyword, text, names)
    return _pairwise(keywords, names)


def _named(keyword: str, text: str, names: Sequence[str]) -> Spillover:
    """``n,name1..namen,m11..mnn``."""
    words = [word.strip(BLANK) for word in text.split(",")]
    n = count(words[0])
    if n is None or not 1 <= n <= _LARGEST:
        return _malformed(keyword, text, f"it does not begin with a number of channels from 1 to {_LARGEST}")
    given = words[1 : 1 + n]
    numbers = words[1 + n :]
    # Some vendors and FlowJo exports close the list with a comma.
    while len(numbers) > n * n and numbers[-1] == "":
        numbers = numbers[:-1]
    if len(numbers) == 2 * n * n and n * n > 0:
        numbers = [f"{whole}.{part}" for whole, part in zip(numbers[::2], numbers[1::2], strict=True)]
        if not all(re.fullmatch(r"-?[0-9]+\.[0-9]+", number) for number in numbers):
            return _malformed(keyword, text, f"it holds twice the {n * n} numbers of {n} channels")
    if len(numbers) != n * n:
        return _malformed(keyword, text, f"{n} channels need {n * n} numbers, but {len(numbers)} are given")
    channels = _resolve(given, names)
    unknown = [word for word, name in zip(given, channels, strict=True) if name is None]
    if unknown:
        listed = ", ".join(shortened(word, 30) or "(blank)" for word in unknown[:4])
        return _malformed(keyword, text, f"it names channels the file does not have: {listed}")
    return _matrix(keyword, text, [name for name in channels if name is not None], numbers)


def _resolve(given: Sequence[str], names: Sequence[str]) -> list[str | None]:
    """Names as they are, else all of them as 1-based places."""
    known = set(names)
    if all(word in known for word in given):
        return list(given)
    places = [count(word) for word in given]
    if all(place is not None and 1 <= place <= len(names) for place in places):
        return [names[place - 1] for place in places if place is not None]
    folded: dict[str, str | None] = {}
    for name in names:
        folded[name.casefold()] = None if name.casefold() in folded else name
    return [word if word in known else folded.get(word.casefold()) for word in given]


def _whole(keyword: str, text: str, names: Sequence[str]) -> Spillover:
    """FCS 3.0's ``n,m11..mnn`` over all channels."""
    words = [word.strip(BLANK) for word in text.split(",")]
    n = count(words[0])
    if n is None or n != len(names):
        return _malformed(keyword, text, f"it is not for all {len(names)} channels")
    if len(words) != 1 + n * n:
        return _malformed(keyword, text, f"{n} channels need {n * n} numbers, but {len(words) - 1} are given")
    return _matrix(keyword, text, names, words[1:])


def _pairwise(keywords: Mapping[str, str], names: Sequence[str]) -> Spillover:
    """FCS 2.0's ``$DFCnTOm``: percent of fluorochrome n in detector m, counted over the channels themselves."""
    found = {}
    for name, value in keywords.items():
        match = _DETAIL.fullmatch(name)
        if match:
            found[int(match[1]), int(match[2])] = value
    if not found:
        return ABSENT
    text = "; ".join(
        f"$DFC{source}TO{target} {value.strip(BLANK)}" for (source, target), value in sorted(found.items())
    )
    places = sorted({place for pair in found for place in pair})
    shares = {pair: decimal(value) for pair, value in found.items()}
    if places[0] < 1 or places[-1] > len(names):
        return _malformed("$DFCnTOm", text, f"it counts channels from {places[0]} to {places[-1]} of {len(names)}")
    if any(share is None for share in shares.values()):
        return _malformed("$DFCnTOm", text, "a share is no number")
    matrix = np.eye(len(places))
    for (source, target), share in shares.items():
        if source != target:
            matrix[places.index(source), places.index(target)] = (share or 0.0) / 100.0
    return _judged("$DFCnTOm", text, [names[place - 1] for place in places], matrix)


def _matrix(keyword: str, text: str, channels: Sequence[str], numbers: Sequence[str]) -> Spillover:
    values = [decimal(number) for number in numbers]
    if any(value is None for value in values):
        bad = numbers[values.index(None)]
        return _malformed(keyword, text, f"{shortened(bad, 30)!r} is no number")
    if len(set(channels)) != len(channels):
        return _malformed(keyword, text, "it names a channel twice")
    matrix = np.array(values, dtype=np.float64).reshape(len(channels), len(channels))
    return _judged(keyword, text, channels, matrix)


def _judged(keyword: str, text: str, channels: Sequence[str], matrix: F64) -> Spillover:
    matrix.flags.writeable = False
    return Spillover(
        "unit" if np.array_equal(matrix, np.eye(len(channels))) else "ok",
        keyword=keyword,
        channels=tuple(channels),
        matrix=matrix,
        text=text[:_LONGEST_TEXT],
    )


def _malformed(keyword: str, text: str, reason: str) -> Spillover:
    return Spillover("malformed", keyword=keyword, text=text[:_LONGEST_TEXT], reason=reason)
