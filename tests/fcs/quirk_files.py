"""The quirks that instruments and exporters are known to write: one row each, with what a reader must do about it."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from tests.fcs.make_fcs import Column, Keyword, Offsets, Spec
from tests.fcs.specimens import FLOATS, SIXTEEN, floats, integers

Outcome = Literal["read", "refuse", "either"]


@dataclass(frozen=True)
class Quirk:
    """One row: the file, and what strict and tolerant reading must come to.

    ``codes`` are repairs that must be named, ``error`` and ``words`` what a refusal must be called and must mention.
    ``salvage`` is the range of whole events that salvage may bring back; None: it behaves as the tolerant reading does.
    """

    name: str
    spec: Spec
    strict: Outcome
    tolerant: Outcome
    codes: frozenset[str] = frozenset()
    error: str = "fcs."
    words: str = ""
    names: tuple[str, ...] | None = None
    damage: Callable[[bytes], bytes] = bytes
    salvage: tuple[int, int] | None = None
    keywords: tuple[Keyword, ...] = ()


def shifted(begin: int, end: int) -> Offsets:
    """Return offsets that are off by so many bytes."""
    return lambda first, last: (first + begin, last + end)


def always(begin: int | str, end: int | str) -> Offsets:
    """Return offsets that are always these."""
    return lambda _first, _last: (begin, end)


def repaired(name: str, spec: Spec, code: str, **more: Any) -> Quirk:
    """Return a row that strict reading refuses and tolerant reading repairs under a code."""
    return Quirk(name, spec, "refuse", "read", frozenset({code}), **more)


def refused(name: str, spec: Spec, error: str, words: str, **more: Any) -> Quirk:
    """Return a row that must be refused under either policy."""
    return Quirk(name, spec, "refuse", "refuse", error=error, words=words, **more)


def legal(name: str, spec: Spec, **more: Any) -> Quirk:
    """Return a row that is read under either policy, without a repair in the tolerant one."""
    return Quirk(name, spec, "read", "read", **more)


def all_quirks() -> Iterator[Quirk]:
    """Yield every row of the table."""
    yield from offsets()
    yield from text()
    yield from parameters()
    yield from names_and_keywords()
    yield from widths_and_types()
    yield from sizes()
    yield from empty_sets()
    yield from foreign_files()


def offsets() -> Iterator[Quirk]:
    """Yield what goes wrong with the offsets of DATA and ANALYSIS."""
    plus1 = {"header_data": shifted(0, 1), "text_data": shifted(0, 1)}
    yield repaired("end_one_past_last_byte", integers(**plus1, tail=b"00000000"), "end.plus1")
    yield repaired("end_one_past_end_of_file_partec_accuri", integers(**plus1), "end.plus1")
    cyan = integers(text_data=shifted(46, 46), tail=bytes(range(64)))
    yield repaired("text_offsets_shifted_header_right_cyan", cyan, "offsets.text.wrong")
    flowjo = floats(header_data=shifted(-1, -1))
    yield repaired("header_offsets_one_less_flowjo_export", flowjo, "offsets.header.wrong")
    yield repaired("header_data_zero_in_small_file", floats(header_data=always(0, 0)), "header.zero")
    yield repaired("header_data_blank", floats(header_data=always("", "")), "header.zero")
    large = floats(header_data=lambda begin, _: (begin, 99999999))
    yield repaired("header_end_99999999_flowjo_large", large, "header.overflow")
    absent = floats(change={"$BEGINDATA": None, "$ENDDATA": None})
    yield repaired("text_data_offsets_missing_flowjo", absent, "text.offsets.missing")
    yield legal("header_analysis_blank", integers(header_analysis=always("", "")))
    yield repaired("header_analysis_0_minus1", integers(header_analysis=always(0, -1)), "analysis.offsets")


def text() -> Iterator[Quirk]:
    """Yield what goes wrong in the TEXT segments."""
    yield repaired("no_final_delimiter_aurora", floats(text_end=b""), "text.no_final_delimiter")
    for name, junk in {"space_macsquant": b" ", "nul_lsr": b"\0", "crlf": b"\r\n", "spaces_attune": b" " * 37}.items():
        yield repaired(f"text_junk_{name}", integers(text_end=b"/" + junk), "text.junk")
    yield repaired("two_final_delimiters_calibur", integers(text_end=b"//"), "text.extra_delimiter")
    accuri = integers(change={"$BEGINSTEXT": "58", "$ENDSTEXT": "400"})
    yield repaired("stext_duplicates_text_accuri", _stext_is_text(accuri), "stext.ignored")
    cube = integers(stext_bytes=b"PK\x03\x04\x14\x00\x00\x00\x08\x00cube.xsd" + bytes(range(60)))
    yield repaired("stext_points_to_a_zip_cyflow_cube", cube, "stext.ignored")
    partec = integers(rename=lambda key: " " * 100 + key if key == "$DATATYPE" else key)
    yield repaired("keyword_padded_with_spaces_partec", partec, "text.padded_keyword")
    last = integers(extra=(("OPERATOR", ""),))
    yield repaired("empty_value_at_end", last, "text.empty_values")
    # Read by the rule of doubled delimiters, the keyword after the empty value, $P1N, would be swallowed.
    middle = integers(change={"$CYT": ""})
    yield Quirk("empty_value_in_the_middle", middle, "refuse", "either", frozenset({"text.empty_values"}))
    yield repaired("nextdata_missing", integers(change={"$NEXTDATA": None}), "nextdata.missing")
    optional = ("$BEGINSTEXT", "$ENDSTEXT", "$BEGINANALYSIS", "$ENDANALYSIS")
    bare = integers(change=dict.fromkeys(optional), version="3.0")
    yield repaired("stext_and_analysis_keywords_missing", bare, "stext.missing")
    navios = integers(extra=(("$TIMESTEP", " "),))
    yield repaired("timestep_blank_navios", navios, "timestep.blank")


def parameters() -> Iterator[Quirk]:
    """Yield odd numbers in the keywords of the parameters."""
    padded = tuple(replace(column, top=f"  {column.top} ") for column in SIXTEEN)
    spaced = integers(columns=padded, change={"$TOT": "    7   ", "$PAR": " 4"})
    yield legal("numbers_padded_with_spaces", spaced)
    tops = ("26.3432", "262144.0", "340282366920938463463374607431768211456")
    yield legal("float_ranges_macsquant", floats(columns=_with("top", tops, FLOATS)))
    aria = floats(columns=_with("pne", (None,) * 3, FLOATS), version="3.0")
    yield repaired("pne_missing_aria_v20_style", aria, "pne.missing")
    logs = floats(columns=_with("pne", ("4,1", "0,0", "0,0"), FLOATS))
    yield repaired("pne_log_on_float_data", logs, "pne.on_float")
    calibur = integers(columns=_with("pne", ("0,0", "4,0", "4.0,0.00", "0,0"), SIXTEEN))
    yield repaired("pne_decades_zero_offset_bd", calibur, "pne.offset_zero")


def names_and_keywords() -> Iterator[Quirk]:
    """Yield names that are not unique or not there, and keywords said twice."""
    twice = floats(columns=_with("name", ("FL1-A", "FL1-A", "Time"), FLOATS))
    yield repaired("duplicate_names", twice, "names.duplicate", names=("FL1-A", "FL1-A-2", "Time"))
    missing = integers(columns=_with("name", ("FSC-H", None, "FL2-H", "Time"), SIXTEEN))
    yield repaired("one_name_missing", missing, "names.missing", names=("FSC-H", "P2", "FL2-H", "Time"))
    latin = integers(columns=_with("name", ("FSC-H", "FL1-µ", "FL2-H", "Time"), SIXTEEN), encoding="latin-1")
    yield repaired("latin1_bytes_in_value", latin, "text.latin1")
    other = integers(extra=(("$VOL", "10"), ("$VOL", "20")))
    volume = (("$VOL", "10"),)
    code = "text.duplicate_keyword"
    yield repaired("duplicate_unimportant_keyword_accuri_macsquant", other, code, keywords=volume)
    same = integers(extra=(("$P2R", "1024"), ("$TOT", "7")))
    yield repaired("duplicate_keyword_same_value", same, code)
    conflict = integers(extra=(("$P2R", "512"),))
    yield refused("duplicate_keyword_other_value", conflict, "fcs.keyword.conflict", r"\$P2R")


def widths_and_types() -> Iterator[Quirk]:
    """Yield widths, types, modes and orders that do not fit the data."""
    ten = {f"$P{n}B": "10" for n in range(1, 5)}
    cxp = Quirk("pnb_10_but_16_stored_fc500_cxp", integers(change=ten), "refuse", "either")
    yield replace(cxp, codes=frozenset({"pnb.storage"}), words=r"\$P\dB|width|10")
    huge = integers(columns=_with("top", ("1024", "1024", "9" * 19, "65536"), SIXTEEN))
    yield repaired("pnr_absurdly_large_int", huge, "pnr.full_mask")
    packed = integers(data_bytes=bytes(range(42)), change={f"$P{n}B": "12" for n in range(1, 5)})
    yield refused("bit_packed_12_bits", packed, "fcs.width", r"12")
    ascii_set = Spec((Column("A", (1, 22, 333), 4), Column("B", (4, 50, 9), 4)), datatype="A", version="3.0")
    for name, said in {"fixed_width": "4", "free_format": "*"}.items():
        free = {} if said == "4" else {"data_bytes": b"1 4\r\n22,50\t\t333  9"}
        spec = replace(ascii_set, change={"$P1B": said, "$P2B": said}, **free)
        yield Quirk(f"ascii_{name}", spec, "either", "either", error="fcs.datatype", words=r"ASCII|\$DATATYPE")
    for mode in "CU":
        yield refused(f"histogram_mode_{mode}", integers(mode=mode, version="3.0"), "fcs.mode", "histogram")
    sixteen = Quirk("pnb_16_in_float_data", floats(change={"$P2B": "16"}), "refuse", "either")
    yield replace(sixteen, codes=frozenset({"pnb.storage"}), words=r"\$P2B|16")
    yield refused("datatype_d_with_32_bits", floats(change={"$DATATYPE": "D"}), "fcs.", r"32|\$P1B|\$DATATYPE")
    yield refused("byteord_nonsense", integers(change={"$BYTEORD": "1,3,2,7"}), "fcs.byteord", r"\$BYTEORD|byte order")


def sizes() -> Iterator[Quirk]:
    """Yield counts that contradict the data, and files that were cut."""
    plain = integers()
    for name, tot in {"tot_one_less_than_data": "6", "tot_zero_with_data_crashed_acquisition": "0"}.items():
        spec = replace(plain, change={"$TOT": tot})
        yield refused(name, spec, "fcs.", r"\$TOT", salvage=(6 if tot == "6" else 7, 7))
    more = replace(plain, change={"$TOT": "8"})
    yield refused("tot_one_more_than_data", more, "fcs.", r"\$TOT", salvage=(7, 7))
    missing = replace(plain, change={"$TOT": None}, version="3.0")
    yield refused("tot_missing_v30", missing, "fcs.keyword.missing", r"\$TOT", salvage=(7, 7))
    cut = {"truncated_last_event": 6, "truncated_half_of_data": 30}
    for name, lost in cut.items():
        whole = (56 - lost) // 8
        truncated = {"damage": _cut(lost), "salvage": (whole, whole)}
        yield refused(name, plain, "fcs.truncated", "trunc|cut|short|end of the file|incomplete", **truncated)
    half = refused("truncated_inside_text", plain, "fcs.", "TEXT|trunc|cut|short|HEADER|file")
    yield replace(half, damage=lambda data: data[:200])


def empty_sets() -> Iterator[Quirk]:
    """Yield the three ways in which files without events say so."""
    none = tuple(replace(column, values=()) for column in FLOATS)
    yield legal("zero_events_end_before_begin", floats(columns=none))
    zero = floats(columns=none, header_data=always(0, 0), text_data=always(0, 0))
    yield replace(legal("zero_events_zero_zero", zero), codes=frozenset({"zero.offsets"}))
    equal = {"header_data": shifted(0, 1), "text_data": shifted(0, 1)}
    yield repaired("zero_events_end_equals_begin", floats(columns=none, **equal, tail=b"00000000"), "zero.offsets")


def foreign_files() -> Iterator[Quirk]:
    """Yield files of another kind under the name of an FCS file."""
    plain = integers()
    packed = refused("gzip_named_fcs", plain, "fcs.not_fcs", "gzip")
    yield replace(packed, damage=lambda data: gzip.compress(data, mtime=0))
    page = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>"
    yield replace(refused("html_named_fcs", plain, "fcs.not_fcs", "HTML"), damage=lambda _: page)
    fork = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(64)
    apple = refused("mac_resource_fork", plain, "fcs.not_fcs", "AppleDouble|resource fork|macOS")
    yield replace(apple, damage=lambda _: fork)


def _with(attribute: str, values: tuple[Any, ...], columns: tuple[Column, ...]) -> tuple[Column, ...]:
    return tuple(
        replace(column, **{attribute: value})  # type: ignore[arg-type]  # the attribute is chosen by name
        for column, value in zip(columns, values, strict=True)
    )


def _cut(n_bytes: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:-n_bytes]


def _stext_is_text(spec: Spec) -> Spec:
    """Let the supplemental segment be said to be where TEXT is."""
    from tests.fcs.make_fcs import make

    begin, end = 58, 0
    while True:
        told = replace(spec, change={"$BEGINSTEXT": str(begin), "$ENDSTEXT": f"{end:05d}"})
        found = make(told).begin - 1
        if found == end:
            return told
        end = found
