"""Small legal data sets to start from. Their values are chosen so that any slip of a byte, a bit or a column shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.fcs.make_fcs import Column, Spec

SIXTEEN = (
    Column("FSC-H", (1000, 2, 3, 1023, 5, 6, 777), 16, "1024"),
    Column("FL1-H", (258, 513, 770, 4, 65, 1, 0), 16, "1024", pns="CD271"),
    Column("FL2-H", (9, 18, 27, 36, 45, 54, 63), 16, "65536"),
    Column("Time", (1, 2, 3, 4, 5, 6, 7), 16, "65536"),
)

FLOATS = (
    Column("FSC-A", (1.5, -2.25, 3e5, 0.0, 262143.0), 32, "262144"),
    Column("FITC-A", (-1.0, 2.5, -0.125, 1e-3, 12345.678), 32, "262144", pns="CD146"),
    Column("Time", (0.5, 1.0, 1.5, 2.0, 2.5), 32, "262144"),
)


def integers(**changes: Any) -> Spec:
    """Return four 16-bit columns of seven events, big endian, as a Calibur writes them, but legal 3.1."""
    return replace(Spec(SIXTEEN), **changes)


def floats(**changes: Any) -> Spec:
    """Return three float columns of five events, as most instruments write them today."""
    return replace(Spec(FLOATS, datatype="F", byteord="1,2,3,4", delimiter="\x0c"), **changes)


def wide(width: int, byteord: str = "1,2,3,4", **changes: Any) -> Spec:
    """Return three integer columns of one width whose values need every byte, with ranges that need a mask."""
    full = (1 << width) - 1
    half = 1 << (width - 3)
    columns = (
        Column("A", (full, full // 3, 0x12, full - 0xAB, 1), width, str(full + 1)),
        Column("B", (full, full // 5, 0x34, full // 7, half), width, str(half)),
        Column("C", (1, 2, 3, full // 9, full), width, str(half - 3)),
    )
    return replace(Spec(columns, byteord=byteord), **changes)


def mixed(widths: tuple[int, ...] = (8, 16, 24, 32, 40, 48, 56, 64), **changes: Any) -> Spec:
    """Return one column of each width."""
    columns = tuple(
        Column(f"W{n}-{width}", tuple((0x0123456789ABCDEF >> n) * k % (1 << width) for k in (1, 3, 7, 11)), width)
        for n, width in enumerate(widths)
    )
    tops = tuple(replace(column, top=str(1 << (column.bits - n % 2))) for n, column in enumerate(columns))
    return replace(Spec(tops), **changes)


def doubles(**changes: Any) -> Spec:
    """Return two columns of doubles with a value that no single float can hold."""
    columns = (
        Column("FSC-A", (1.0 / 3.0, -2.5e300, 5e-324, 16777217.0), 64, "262144"),
        Column("FL1-A", (-0.0, 1e-9, 3.0, 4.0), 64, "1e9"),
    )
    return replace(Spec(columns, datatype="D", byteord="4,3,2,1"), **changes)


def of_every_kind(**changes: Any) -> Spec:
    """Return an FCS 3.2 data set whose columns differ in type."""
    columns = (
        Column("FSC-A", (1, 70000, 3), 32, "262144"),
        Column("FL1-A", (1.5, -2.5, 3.25), 32, "262144", kind="F"),
        Column("FL2-A", (1 / 3, -1e200, 7.0), 64, "1000000", kind="D"),
        Column("Index", (255, 0, 129), 8, "256", kind="I"),
    )
    extra = (("$CYT", "maker"),)
    return replace(Spec(columns, version="3.2", byteord="1,2,3,4", extra=extra[1:]), **changes)
