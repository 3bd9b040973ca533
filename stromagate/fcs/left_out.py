"""What of a file is in none of the segments that a copy of one data set holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from stromagate.fcs.datasets import choose
from stromagate.fcs.limits import HEADER_BYTES
from stromagate.fcs.numbers import count
from stromagate.fcs.opened import FcsFile
from stromagate.fcs.repairs import Departures
from stromagate.fcs.source import ByteSource, opened
from stromagate.fcs.surroundings import CRC_BYTES, survey

# Where OTHER segments are stands behind HEADER's own 58 bytes, two times eight digits each.
_OTHER: Final = re.compile(rb"(?= *[1-9])[ 0-9]{16}")
_LOOKED_AT_BYTES = 2**16
_NOTHING = b" \x00\r\n0"


def left_out(found: FcsFile) -> Iterator[str]:
    """Say in words which parts of a file are not in a copy of one data set's HEADER, TEXT and DATA.

    Raises
    ------
    InputError
        The file cannot be read any more.
    """
    with opened(found.source.path) as source:
        chosen, n_datasets, _ = choose(source, found.source.dataset, found.policy)
        around = survey(chosen, Departures(found.policy, found.version))
        if n_datasets > 1:
            yield f"{n_datasets - 1} other data set{'s' if n_datasets > 2 else ''}"
        if around.supplement:
            yield "the supplemental TEXT (its keywords were treated as all others)"
        if around.analysis and around.analysis[1] > around.analysis[0]:
            yield "the ANALYSIS segment"
        data = (found.begin - chosen.base, found.begin - chosen.base + found.n_events * found.layout.stride - 1)
        parts = [(0, HEADER_BYTES - 1), around.text, data, *filter(None, (around.supplement, around.analysis))]
        gaps = list(_gaps(parts, chosen.room))
        if _other(source, chosen.base, gaps, around.supplement):
            yield "OTHER segments"
        looked_at = (source.at(chosen.base + first, min(n, _LOOKED_AT_BYTES)) for first, n in gaps)
        filled = sum(n for (_, n), there in zip(gaps, looked_at, strict=True) if there.strip(_NOTHING))
        if filled:
            yield f"{filled:,} bytes outside of the segments"


def _gaps(parts: Iterable[tuple[int, int]], room: int) -> Iterator[tuple[int, int]]:
    """Yield begin and length of what no segment covers, but for the place of the checksum at the end."""
    at = 0
    for first, last in sorted(parts):
        if first > at:
            yield at, first - at
        at = max(at, last + 1)
    if room - at > CRC_BYTES:
        yield at, room - at


def _other(source: ByteSource, base: int, gaps: list[tuple[int, int]], supplement: tuple[int, int] | None) -> bool:
    """Say whether HEADER names further segments; some writers name the supplemental TEXT there."""
    if not any(first == HEADER_BYTES and n >= 16 for first, n in gaps):
        return False
    offsets = source.at(base + HEADER_BYTES, 16)
    if not _OTHER.fullmatch(offsets):
        return False
    return (count(offsets[:8].decode("ascii")), count(offsets[8:].decode("ascii"))) != supplement
