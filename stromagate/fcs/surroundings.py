"""What stands around DATA: supplemental TEXT, ANALYSIS, gaps, the bytes at the end and their checksum."""

from __future__ import annotations

from dataclasses import dataclass

from stromagate.errors import InputError
from stromagate.fcs.checksum import matches, stated_checksum
from stromagate.fcs.datasets import DataSet
from stromagate.fcs.header import Stated, stated
from stromagate.fcs.limits import HEADER_BYTES, MAX_TEXT_BYTES
from stromagate.fcs.numbers import BLANK, shortened
from stromagate.fcs.repairs import Departures
from stromagate.fcs.segments import Span
from stromagate.fcs.source import ByteSource
from stromagate.fcs.text import Text, parse_supplement

_LONGEST_GAP_BYTES = 2**20
_LOOKED_AT_TAIL_BYTES = 2**16
CRC_BYTES = 8


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The segments beside DATA that lie inside the data set, as first and last byte within it."""

    text: tuple[int, int]
    supplement: tuple[int, int] | None
    analysis: tuple[int, int] | None

    def blank_before(self, source: ByteSource, base: int, begin: int) -> bool:
        """Say whether only ASCII 32, which fills unused space by the standard, stands between ``begin`` and before."""
        segments = [(0, HEADER_BYTES - 1), self.text, self.supplement, self.analysis]
        floor = max(segment[1] + 1 for segment in segments if segment and segment[1] < begin)
        if begin - floor > _LONGEST_GAP_BYTES:
            return False
        return not source.at(base + floor, begin - floor).strip(b" ")

    def last_byte(self, data_end: int) -> int:
        """Return the last byte that belongs to any segment."""
        others = (self.text, self.supplement, self.analysis)
        return max(data_end, *(segment[1] for segment in others if segment))


def survey(chosen: DataSet, departures: Departures) -> Surroundings:
    """Find the segments beside DATA; what points nowhere is ignored and noted."""
    keywords, version = chosen.text.keywords, chosen.header.version
    wanted = ("$BEGINSTEXT", "$ENDSTEXT", "$BEGINANALYSIS", "$ENDANALYSIS")
    default = "" if version in {"3.0", "3.1"} else "0"
    absent = [name for name in wanted if not keywords.get(name, default).strip(BLANK)]
    if absent:
        departures.add("stext.missing", "no " + ", ".join(absent), "taken as none", "a required keyword is missing")
    extra = stated("TEXT", keywords.get(wanted[0], ""), keywords.get(wanted[1], ""))
    analysis = [chosen.header.analysis, stated("TEXT", keywords.get(wanted[2], ""), keywords.get(wanted[3], ""))]
    bad = [one for one in analysis if _points_nowhere(one, chosen.room)]
    if bad:
        departures.add(
            "analysis.offsets",
            "; ".join(map(str, bad)),
            "ANALYSIS ignored",
            "the ANALYSIS segment is not where the file says",
        )
    good = [one.pair for one in analysis if one.pair and one not in bad and one.pair[0] <= one.pair[1]]
    return Surroundings(chosen.header.text, _supplement_pair(extra, chosen, departures), good[0] if good else None)


def supplement(source: ByteSource, chosen: DataSet, around: Surroundings, departures: Departures) -> Text | None:
    """Return the supplemental TEXT; None where there is none or what stands there is no such text."""
    if around.supplement is None:
        return None
    begin, end = around.supplement
    extra = parse_supplement(source.at(chosen.base + begin, end - begin + 1), chosen.text.delimiter)
    if extra is None:
        _ignore(f"{begin}..{end}", "what stands there is no text with the same delimiter", departures)
    return extra


def check_tail(
    source: ByteSource, chosen: DataSet, around: Surroundings, data: tuple[Span, int], departures: Departures
) -> None:
    """Look at what is left behind the last segment; ``data`` is where DATA is and the bytes of one event.

    Raises
    ------
    InputError
        ``fcs.offsets`` where TEXT's end and the file's end both show that TEXT was edited and DATA moved.
    """
    span, stride = data
    data_end = span.begin + span.n_events * stride - 1
    _note_overlaps(around, (span.begin, data_end), departures)
    last = around.last_byte(data_end)
    trailing = chosen.room - last - 1
    tail = source.at(chosen.base + last + 1, min(trailing, _LOOKED_AT_TAIL_BYTES))
    moved = (trailing if trailing < CRC_BYTES else trailing - CRC_BYTES) if tail.strip(b" 0") else 0
    # Blanks behind TEXT are common, so that only a small shift speaks against them; an open TEXT is rare by itself.
    odd = moved > 0 and (not chosen.text.terminated or (not chosen.text.closed and moved < CRC_BYTES))
    if odd and span.exact and span.n_events and data_end == last:
        raise InputError(
            "fcs.offsets",
            f"TEXT does not end where HEADER says and {trailing} bytes are left behind DATA: TEXT was changed after "
            "the offsets were written, so that DATA has moved",
            hint="export the file again with the software that made it",
        )
    if trailing == CRC_BYTES:
        _check_sum(source, chosen, last, departures)
    elif trailing > CRC_BYTES and tail.strip(b" \x00\r\n0"):
        departures.add(
            "tail.bytes", f"{trailing:,} bytes behind the last segment", "ignored", "nothing should be there"
        )


def _note_overlaps(around: Surroundings, data: tuple[int, int], departures: Departures) -> None:
    """Neither segment beside DATA decides the events, but a file whose segments overlap deserves a word."""
    others = {"TEXT": around.text, "DATA": data, "supplemental TEXT": around.supplement}
    for name, segment in others.items():
        if around.analysis and segment and _overlap(around.analysis, segment):
            departures.add("analysis.offsets", f"ANALYSIS over {name}", "ANALYSIS ignored", "two segments overlap")
    if around.supplement and _overlap(around.supplement, data):
        departures.add("stext.overlap", "supplemental TEXT over DATA", "both read", "two segments overlap")


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return max(one[0], other[0]) <= min(one[1], other[1])


def _check_sum(source: ByteSource, chosen: DataSet, last: int, departures: Departures) -> None:
    said = source.at(chosen.base + last + 1, CRC_BYTES)
    if stated_checksum(said) and not matches(source, chosen.base, last + 1, said):
        departures.add(
            "crc.mismatch",
            f"checksum {shortened(said.decode('latin-1'))}",
            "ignored",
            "the checksum of the data set does not fit: the file may have been edited or damaged",
        )


def _points_nowhere(one: Stated, room: int) -> bool:
    if one.silent:
        return one.end == "-1"
    # An end just before its begin is how some write an empty segment.
    return one.pair is None or one.pair[0] < HEADER_BYTES or not one.pair[0] - 1 <= one.pair[1] < room


def _supplement_pair(extra: Stated, chosen: DataSet, departures: Departures) -> tuple[int, int] | None:
    if extra.silent and extra.end != "-1":
        return None
    text = chosen.header.text
    if extra.pair is None or extra.pair[1] < extra.pair[0] or extra.pair[1] >= chosen.room:
        _ignore(str(extra), "it lies outside the file", departures)
    elif extra.pair[0] <= text[1] and extra.pair[1] >= text[0]:
        _ignore(str(extra), "it repeats the place of the primary TEXT", departures)
    elif extra.pair[1] - extra.pair[0] + 1 > MAX_TEXT_BYTES:
        _ignore(str(extra), f"it is longer than {MAX_TEXT_BYTES:,} bytes", departures)
    else:
        if chosen.header.version == "2.0":
            departures.add("stext.unexpected", str(extra), "read", "FCS 2.0 knows no supplemental TEXT")
        return extra.pair
    return None


def _ignore(before: str, why: str, departures: Departures) -> None:
    departures.add("stext.ignored", f"supplemental TEXT at {before}", "ignored", f"supplemental TEXT: {why}")
