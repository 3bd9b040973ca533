"""What one event looks like in bytes: type, width, order and mask of every column, from the keywords alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from stromagate.errors import InputError
from stromagate.fcs.limits import MAX_CHANNELS
from stromagate.fcs.numbers import BLANK, count, long_count, shortened
from stromagate.fcs.repairs import Departures

Kind = Literal["I", "F", "D", "A"]
_FLOAT_BYTES: dict[str, int] = {"F": 4, "D": 8}
_ORDER = re.compile(r"[1-8](?:,[1-8]){0,7}")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an event.

    ``order[i]`` is the significance of byte i, 0 the least; ``mask`` is None where every stored bit counts.
    """

    kind: Kind
    offset: int
    width: int
    order: tuple[int, ...]
    mask: int | None = None

    @property
    def little(self) -> bool:
        """Whether the least significant byte comes first."""
        return self.order == tuple(range(self.width))

    @property
    def big(self) -> bool:
        """Whether the most significant byte comes first."""
        return self.order == tuple(reversed(range(self.width)))


@dataclass(frozen=True, slots=True)
class Layout:
    """All columns, the bytes of one event, and the columns whose ``$PnB`` does not say what is stored."""

    columns: tuple[Column, ...]
    stride: int
    widened: tuple[str, ...] = ()


def build_layout(keywords: Mapping[str, str], version: str, departures: Departures) -> Layout:
    """Derive the layout of an event.

    Raises
    ------
    InputError
        ``fcs.mode``, ``fcs.keyword.missing``, ``fcs.keyword.bad``, ``fcs.datatype``, ``fcs.byteorder``, ``fcs.width``.
    """
    _require_list_mode(keywords, version, departures)
    n_channels = _channels(keywords, departures)
    default = _letter(keywords, "$DATATYPE", departures)
    order = _byte_order(keywords, version)
    columns: list[Column] = []
    widened: list[str] = []
    offset = 0
    for n in range(1, n_channels + 1):
        kind = _kind(keywords, n, default, version, departures)
        width = _width(keywords, n, kind, widened)
        mask = _mask(keywords, n, width, departures) if kind == "I" else None
        columns.append(Column(kind, offset, width, _significance(order, width, kind), mask))
        offset += width
    return Layout(tuple(columns), offset, tuple(widened))


def _require_list_mode(keywords: Mapping[str, str], version: str, departures: Departures) -> None:
    if "$MODE" not in keywords:
        if version != "3.2":
            departures.add("mode.missing", "no $MODE", "read as list mode", "$MODE is required")
        return
    mode = keywords["$MODE"].strip(BLANK)
    if mode in {"L", "l"}:
        if mode == "l":
            departures.add("datatype.case", "$MODE l", "read as L", "$MODE is a capital letter")
        return
    if mode.upper() in {"C", "U"}:
        raise InputError(
            "fcs.mode",
            f"this is a histogram data set ($MODE {mode.upper()}), without single events",
            hint="export the list-mode data of the tube",
        )
    raise InputError("fcs.mode", f"$MODE {shortened(mode)!r} is not known", hint="only L (list mode) can be read")


def _channels(keywords: Mapping[str, str], departures: Departures) -> int:
    n_channels = count(require(keywords, "$PAR"))
    if n_channels is None or not 1 <= n_channels <= MAX_CHANNELS:
        raise InputError(
            "fcs.keyword.bad",
            f"$PAR is {shortened(keywords['$PAR'])!r}, not a number of channels from 1 to {MAX_CHANNELS:,}",
            hint="export the file again",
        )
    absent = [f"$P{n}{letter}" for n in range(1, n_channels + 1) for letter in "BR" if f"$P{n}{letter}" not in keywords]
    if absent:
        more = f" and {len(absent) - 4:,} more" if len(absent) > 4 else ""
        raise InputError(
            "fcs.keyword.missing",
            f"required keywords are missing: {', '.join(absent[:4])}{more}",
            hint=f"$PAR says {n_channels:,} channels; each needs $PnB and $PnR",
        )
    beyond = f"$P{n_channels + 1}B"
    if beyond in keywords:
        departures.add("par.extra", f"{beyond} with $PAR {n_channels}", "ignored", "more channels described than $PAR")
    return n_channels


def require(keywords: Mapping[str, str], name: str) -> str:
    """Return the keyword's value; InputError ``fcs.keyword.missing`` where it is absent."""
    if name not in keywords:
        raise InputError("fcs.keyword.missing", f"the required keyword {name} is missing", hint="export the file again")
    return keywords[name]


def _letter(keywords: Mapping[str, str], name: str, departures: Departures) -> Kind:
    said = require(keywords, name).strip(BLANK)
    for kind in ("I", "F", "D", "A"):
        if said.upper() == kind:
            if said != kind:
                departures.add("datatype.case", f"{name} {said}", f"read as {kind}", f"{name} is a capital letter")
            return kind
    raise InputError("fcs.datatype", f"{name} {shortened(said)!r} is not known", hint="known: I, F, D, A")


def _kind(keywords: Mapping[str, str], n: int, default: Kind, version: str, departures: Departures) -> Kind:
    own = f"$P{n}DATATYPE"
    if own not in keywords:
        return default
    if version != "3.2":
        if keywords[own].strip(BLANK) != default:
            departures.add(
                "pndatatype.ignored",
                f"{own} in FCS {version}",
                f"read as {default}",
                f"only FCS 3.2 knows {own[:2]}nDATATYPE",
            )
        return default
    kind = _letter(keywords, own, departures)
    if "A" in {kind, default}:
        raise InputError("fcs.datatype", f"{own} cannot mix ASCII and binary columns", hint="export the file again")
    return kind


def _byte_order(keywords: Mapping[str, str], version: str) -> tuple[int, ...]:
    said = require(keywords, "$BYTEORD").strip(BLANK)
    packed = said.replace(" ", "")
    order = tuple(int(digit) for digit in packed.split(",")) if _ORDER.fullmatch(packed) else ()
    ends = {tuple(range(1, len(order) + 1)), tuple(range(len(order), 0, -1))}
    usual = order in ends
    if sorted(order) != list(range(1, len(order) + 1)) or not order or (version in {"3.1", "3.2"} and not usual):
        raise InputError(
            "fcs.byteorder",
            f"$BYTEORD {shortened(said)!r} is no byte order",
            hint="known: 1,2,3,4 (little endian), 4,3,2,1 (big endian); in FCS 2.0 and 3.0 other orders of all bytes",
        )
    return order


def _significance(order: tuple[int, ...], width: int, kind: Kind) -> tuple[int, ...]:
    if width <= 1 or kind == "A":
        return tuple(range(width))
    if len(order) > 1 and order == tuple(range(1, len(order) + 1)):
        return tuple(range(width))
    if len(order) > 1 and order == tuple(range(len(order), 0, -1)):
        return tuple(reversed(range(width)))
    if len(order) == 1 or len(order) != width:
        raise InputError(
            "fcs.byteorder",
            f"$BYTEORD names {len(order)} byte{'s' if len(order) > 1 else ''}, but a value has {width}",
            hint="export the file again",
        )
    return tuple(significance - 1 for significance in order)


def _width(keywords: Mapping[str, str], n: int, kind: Kind, widened: list[str]) -> int:
    """Return stored bytes of column n; note it in ``widened`` where only DATA's length can confirm them."""
    said = keywords[f"$P{n}B"].strip(BLANK)
    if kind == "A" and said == "*":
        raise InputError(
            "fcs.datatype",
            f"the values are ASCII text of free width ($DATATYPE A, $P{n}B *), which is not read",
            hint="export the file again as binary data",
        )
    bits = count(said)
    if bits is None or not 1 <= bits <= 2**31:
        raise InputError(
            "fcs.keyword.bad", f"$P{n}B is {shortened(said)!r}, not a number of bits", hint="export the file again"
        )
    if kind == "A":
        return _characters(n, bits)
    if kind in _FLOAT_BYTES:
        if bits != 8 * _FLOAT_BYTES[kind]:
            widened.append(f"$P{n}B {bits} with $DATATYPE {kind}")
        return _FLOAT_BYTES[kind]
    if bits % 8 == 0 and bits <= 64:
        return bits // 8
    if 8 < bits < 16:
        widened.append(f"$P{n}B {bits}")
        return 2
    raise InputError(
        "fcs.width",
        f"$P{n}B is {bits}: whole numbers of 8 to 64 bits in steps of 8 can be read",
        hint="export the file again with 16 or 32 bits a value, or as floating point",
    )


def _characters(n: int, characters: int) -> int:
    if characters > 20:
        raise InputError("fcs.width", f"$P{n}B is {characters} characters", hint="at most 20 can be read")
    return characters


def _mask(keywords: Mapping[str, str], n: int, width: int, departures: Departures) -> int | None:
    """Return the bits below the next power of two at or above ``$PnR``; None where that is all of them."""
    said = keywords[f"$P{n}R"]
    top = long_count(said)
    if top is None or top < 1:
        raise InputError(
            "fcs.keyword.bad",
            f"$P{n}R is {shortened(said)!r}; whole-number data need a whole number from 1",
            hint="$PnR decides which bits of a value count: export the file again",
        )
    if top > 2 ** (8 * width):
        departures.add(
            "pnr.full_mask",
            f"$P{n}R {top} with {8 * width} bits",
            "all bits count",
            "$PnR is larger than the bits of a value can be",
        )
    bits = (top - 1).bit_length()
    return None if bits >= 8 * width else (1 << bits) - 1
