"""Puts the parts of a file together, with true offsets or with whatever the caller says instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.fcs.make_fcs import HEADER_BYTES, OTHER_FIELDS, Keyword, text_bytes
from tests.fcs.strict_decoder import Parts
from tests.fcs.words import crc16


@dataclass(frozen=True)
class Plan:
    """How to lay a file out; offsets are written with eight digits, so that nothing moves when they are filled in."""

    version: str
    delimiter: str
    text: tuple[Keyword, ...]
    data: bytes
    stext: tuple[Keyword, ...] = ()
    order: tuple[str, ...] = ("text", "stext", "data", "analysis")
    gap: int = 0
    analysis: bytes = b""
    tail: bytes = b""
    crc: bool = False
    lies: Mapping[str, str] = field(default_factory=dict)


def plan_of(parts: Parts) -> Plan:
    """Return the plan of a file that was taken apart, without the offsets in its TEXT."""
    text = tuple(pair for pair in parts.text if pair[0].upper() not in OTHER_FIELDS)
    return Plan(parts.version, parts.delimiter, text, parts.data, parts.stext)


def assemble(plan: Plan) -> bytes:
    """Return the file."""
    segments = {"text": _text(plan, {}), "data": plan.data, "analysis": plan.analysis}
    segments["stext"] = text_bytes(plan.stext, plan.delimiter) if plan.stext else b""
    starts, position = {}, HEADER_BYTES
    for name in plan.order:
        position += plan.gap if name == "data" else 0
        if segments[name] or name == "data":
            starts[name] = (position, position + len(segments[name]) - 1)
        position += len(segments[name])
    segments["text"] = _text(plan, starts)
    whole = bytearray(b" " * position)
    whole[:HEADER_BYTES] = _header(plan.version, [starts["text"], starts["data"], starts.get("analysis", (0, 0))])
    for name, (begin, end) in starts.items():
        whole[begin : end + 1] = segments[name]
    return bytes(whole) + (f"{crc16(whole):08d}".encode() if plan.crc else plan.tail)


def _header(version: str, spans: Sequence[tuple[int, int]]) -> bytes:
    return f"FCS{version}    ".encode() + b"".join(str(place).rjust(8).encode() for span in spans for place in span)


def _text(plan: Plan, starts: Mapping[str, tuple[int, int]]) -> bytes:
    places = [*starts.get("stext", (0, 0)), *starts.get("analysis", (0, 0)), *starts.get("data", (0, 0)), 0]
    said = {key: f"{place:08d}" for key, place in zip(OTHER_FIELDS, places, strict=True)}
    if plan.version == "2.0":
        said = {"$NEXTDATA": said["$NEXTDATA"]}
    pairs = [(key, plan.lies.get(key, value)) for key, value in said.items()]
    return text_bytes([*pairs, *plan.text], plan.delimiter)
