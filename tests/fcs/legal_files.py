"""Every kind of file that the standard allows and somebody's reader fails on, by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.fcs.make_fcs import Column, Keyword, Spec
from tests.fcs.specimens import FLOATS, SIXTEEN, doubles, floats, integers, mixed, of_every_kind, wide

BIG, LITTLE, PDP = "4,3,2,1", "1,2,3,4", "3,4,1,2"
DELIMITERS = "+?([.^|\\*/!,)]{};:~q-#\x0c\x1e\x01\t\n\r"

COLLISIONS: tuple[Keyword, ...] = (
    ("TOT", "3"),
    ("PAR", "2"),
    ("P1R", "16"),
    ("P1N", "Wrong"),
    ("P1B", "8"),
    ("P1E", "4,1"),
    ("BYTEORD", "1,2,3,4"),
    ("DATATYPE", "F"),
    ("MODE", "C"),
    ("BEGINDATA", "60"),
    ("ENDDATA", "61"),
    ("NEXTDATA", "58"),
    ("TIMESTEP", "7"),
    ("$TOTAL", "9"),
)


def all_legal() -> dict[str, Spec]:
    """Return every legal variant by name."""
    found: dict[str, Spec] = {}
    for source in (versions(), orders(), widths(), masks(), delimiters(), texts(), layouts()):
        for name, spec in source:
            assert name not in found
            found[name] = spec
    return found


def versions() -> Iterator[tuple[str, Spec]]:
    """Yield each version with each type of number."""
    makers = {"i16": integers, "f32": floats, "f64": doubles}
    for version in ("2.0", "3.0", "3.1", "3.2"):
        for kind, maker in makers.items():
            yield f"v{version}_{kind}", maker(version=version)
    yield "v2.0_without_tot", integers(version="2.0", change={"$TOT": None})
    yield "v3.2_mixed_IFD", of_every_kind()
    yield "v3.2_mixed_IFD_big_endian", of_every_kind(byteord=BIG)
    yield "v3.2_without_mode", of_every_kind(mode=None)


def orders() -> Iterator[tuple[str, Spec]]:
    """Yield each byte order."""
    for name, maker in {"i16": integers, "f32": floats, "f64": doubles}.items():
        for order in (BIG, LITTLE):
            yield f"{name}_order_{order[0]}", maker(byteord=order)
    yield "i16_order_1,2", integers(version="3.0", byteord="1,2")
    yield "i16_order_2,1", integers(version="2.0", byteord="2,1")
    yield "i8_order_1", wide(8, "1", version="3.0")
    yield "i32_pdp_3412", wide(32, PDP, version="3.0")
    yield "i32_order_2143", wide(32, "2,1,4,3", version="2.0")
    yield "f32_pdp_3412", floats(byteord=PDP, version="3.0")
    yield "i64_order_of_eight", wide(64, "8,7,6,5,4,3,2,1", version="3.0")
    yield "f64_order_of_eight", doubles(byteord="1,2,3,4,5,6,7,8", version="3.0")


def widths() -> Iterator[tuple[str, Spec]]:
    """Yield each width of integers, alone and mixed."""
    for width in (8, 16, 24, 32, 40, 48, 56, 64):
        for order in (BIG, LITTLE):
            yield f"i{width}_{order[0]}", wide(width, order)
    for order in (BIG, LITTLE):
        yield f"mixed_all_widths_{order[0]}", mixed(byteord=order)
        yield f"mixed_16_32_stratedigm_{order[0]}", mixed((16, 32, 16, 32), byteord=order, version="3.0")
        yield f"mixed_8_16_32_cyflow_{order[0]}", mixed((8, 16, 32, 8), byteord=order, version="3.0")


def masks() -> Iterator[tuple[str, Spec]]:
    """Yield ranges that leave bits out, and ranges that do not."""
    for top in ("1", "2", "1000", "1024", "1025", "32768", "65536"):
        columns = (Column("A", (65535, 1024, 1000, 513, 0), 16, top), Column("B", (1, 2, 3, 4, 65535), 16, "65536"))
        yield f"mask_of_{top}", Spec(columns)
    accuri = Column("FL1-H", (16777216, 16777215, 33554431, 5, 0xFFFFFFFF), 32, "16777216")
    yield "mask_wraps_accuri", Spec((accuri,))
    yield "full_32_bits", Spec((replace(accuri, top="4294967296"),))
    yield "full_64_bits", Spec((Column("A", ((1 << 64) - 1, 1 << 63, 5), 64, str(1 << 64)),), byteord=LITTLE)
    strange = (0x7FC00001, 0xFF800000, 0x7F800000, 0x00000001, 0x80000000)
    yield "floats_of_every_kind", floats(columns=(Column("A", strange, 32, "1"), *FLOATS))
    yield "range_below_the_floats_cytof", floats(columns=tuple(replace(column, top="1") for column in FLOATS))


def delimiters() -> Iterator[tuple[str, Spec]]:
    """Yield delimiters, which also stand in names and values, doubled."""
    for mark in DELIMITERS:
        columns = (replace(SIXTEEN[0], name=f"FSC{mark}H"), *SIXTEEN[1:])
        extra = (("COMMENT", f"a{mark}b{mark}{mark}c"), (f"KEY{mark}2", "x"))
        # Version 3.0, because 3.1 forbids the comma in names.
        yield f"delimiter_{ord(mark):#04x}", integers(delimiter=mark, columns=columns, extra=extra, version="3.0")


def texts() -> Iterator[tuple[str, Spec]]:
    """Yield what TEXT may hold."""
    for pair in COLLISIONS:
        yield f"private_{pair[0].replace('$', 'standard_')}", integers(extra=(pair,))
    yield "all_private_keywords_at_once", integers(extra=COLLISIONS)
    named = [replace(SIXTEEN[0], name="CD$4"), replace(SIXTEEN[1], name="$P1N", pns="$"), *SIXTEEN[2:]]
    yield "dollar_signs_in_names", integers(columns=tuple(named))
    yield "lower_case_keywords", integers(rename=str.lower)
    yield "keywords_in_any_case", floats(rename=str.title)
    slashed = (replace(SIXTEEN[0], name="A//B", pns="Dump/CD123/"), *SIXTEEN[1:])
    yield "doubled_delimiters", integers(columns=slashed, extra=(("PATH", "a/b//c/"), ("LAST", "x/")))
    greek = (replace(FLOATS[0], name="β-actin", pns="CD146 µ 中"), *FLOATS[1:])
    yield "utf8_names", floats(columns=greek, extra=(("COMMENT", "größe"),))
    blanks = (replace(FLOATS[0], name="FSC-A lin"), *FLOATS[1:])
    yield "blanks_in_names", floats(columns=blanks)
    matrix = "2,FL1-H,FL2-H,1,0.1,0.25,1"
    yield "spillover_in_stext", integers(stext=(("$SPILLOVER", matrix), ("$P3S", "CD45")))
    yield "unused_keywords_in_stext", integers(stext=(("NOTE", "a/b"), ("$COM", "none")))
    many = tuple((f"KEY{n}", f"value {n}") for n in range(2000))
    yield "two_thousand_keywords", integers(extra=many)
    yield "long_value", integers(extra=(("COMMENT", "x" * 200_000),))
    yield "line_ends_in_a_value", integers(extra=(("COMMENT", "a\r\nb\tc"),))


def layouts() -> Iterator[tuple[str, Spec]]:
    """Yield where segments may stand and how many events there may be."""
    yield "text_after_data", integers(order=("data", "text"))
    yield (
        "everything_the_other_way_round",
        integers(order=("analysis", "data", "stext", "text"), analysis=b"/GATE/1/", stext=(("NOTE", "x"),)),
    )
    yield "blanks_before_data", floats(gap=777)
    yield "blanks_after_header", floats(front=b" " * 198)
    yield "other_segment_offsets", floats(front=b"     256     299" + b" " * 240)
    yield "analysis_of_xml_millipore", floats(analysis=b"<?xml version='1.0'?><a>\n\x00\xff</a>")
    yield "offsets_zero_padded_attune", floats(change={"$BEGINSTEXT": "000000000000", "$NEXTDATA": "00000000"})
    yield "crc_right", floats(crc=0)
    yield "crc_unused", floats(tail=b"00000000")
    yield "crc_blank", integers(tail=b" " * 8)
    yield "zero_events", floats(columns=tuple(replace(column, values=()) for column in FLOATS))
    yield "one_event", integers(columns=tuple(replace(column, values=column.values[:1]) for column in SIXTEEN))
    yield "one_column", floats(columns=FLOATS[:1])
    hundred = tuple(Column(f"P-{n}", (n, 2 * n, 3 * n), 16, "65536") for n in range(100))
    yield "hundred_columns", integers(columns=hundred)
    tall = (Column("A", tuple(range(40_000)), 16, "65536"), Column("B", tuple(range(40_000, 0, -1)), 32, "65536"))
    yield "forty_thousand_events", integers(columns=tall)
    yield "forty_thousand_events_equal_widths", integers(columns=(tall[0], replace(tall[1], bits=16)))
