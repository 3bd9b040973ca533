"""What an event looks like in bytes, from the keywords alone: accepted, noted or refused by name."""

from __future__ import annotations

import pytest

from stromagate.errors import InputError
from stromagate.fcs.layout import Layout, build_layout
from stromagate.fcs.repairs import Departures

PLAIN = {
    "$MODE": "L",
    "$PAR": "2",
    "$DATATYPE": "I",
    "$BYTEORD": "1,2,3,4",
    "$P1B": "16",
    "$P1R": "1024",
    "$P2B": "32",
    "$P2R": "262144",
}


def _build(version: str = "3.1", **changes: str) -> tuple[Layout, list[str]]:
    notes = Departures("repair", version)
    found = build_layout({**PLAIN, **{f"${name}": value for name, value in changes.items()}}, version, notes)
    return found, [repair.code for repair in notes.repairs]


def test_columns_stand_one_behind_the_other() -> None:
    layout, codes = _build()
    assert [(column.offset, column.width, column.mask) for column in layout.columns] == [(0, 2, 1023), (2, 4, 262143)]
    assert (layout.stride, layout.widened, codes) == (6, (), [])


@pytest.mark.parametrize(
    ("top", "mask"),
    [("1", 0), ("2", 1), ("3", 3), ("1000", 1023), ("1024", 1023), ("1025", 2047), ("65535", None), ("65536", None)],
)
def test_the_mask_is_the_next_power_of_two(top: str, mask: int | None) -> None:
    layout, codes = _build(P1R=top)
    assert (layout.columns[0].mask, codes) == (mask, [])


def test_a_range_beyond_the_bits_counts_all_of_them() -> None:
    layout, codes = _build(P1R="1" + "0" * 30)
    assert (layout.columns[0].mask, codes) == (None, ["pnr.full_mask"])


@pytest.mark.parametrize(
    ("order", "version", "orders"),
    [
        ("1,2,3,4", "3.1", [(0, 1), (0, 1, 2, 3)]),
        ("4,3,2,1", "3.1", [(1, 0), (3, 2, 1, 0)]),
        ("1,2", "2.0", [(0, 1), (0, 1, 2, 3)]),
        (" 2 , 1 ", "3.0", [(1, 0), (3, 2, 1, 0)]),
    ],
)
def test_ascending_is_little_and_descending_is_big(order: str, version: str, orders: list[tuple[int, ...]]) -> None:
    layout, _ = _build(version, BYTEORD=order)
    assert [column.order for column in layout.columns] == orders


def test_other_orders_belong_to_their_width_and_their_time() -> None:
    layout, _ = _build("3.0", BYTEORD="3,4,1,2", P1B="32")
    assert [column.order for column in layout.columns] == [(2, 3, 0, 1)] * 2
    for version, width in (("3.1", "32"), ("3.2", "32"), ("3.0", "16")):
        with pytest.raises(InputError) as caught:
            _build(version, BYTEORD="3,4,1,2", P1B=width)
        assert caught.value.code == "fcs.byteorder"


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"MODE": "C"}, "fcs.mode", "histogram"),
        ({"MODE": "u"}, "fcs.mode", "histogram"),
        ({"MODE": "x"}, "fcs.mode", "'x'"),
        ({"PAR": "0"}, "fcs.keyword.bad", "number of channels"),
        ({"PAR": "-2"}, "fcs.keyword.bad", "'-2'"),
        ({"PAR": "1000000000"}, "fcs.keyword.bad", "100,000"),
        ({"PAR": "4"}, "fcs.keyword.missing", r"\$P3B, \$P3R, \$P4B, \$P4R"),
        ({"PAR": "100000"}, "fcs.keyword.missing", "more"),
        ({"DATATYPE": "X"}, "fcs.datatype", "'X'"),
        ({"BYTEORD": "little"}, "fcs.byteorder", "'little'"),
        ({"BYTEORD": "1,1,2,2"}, "fcs.byteorder", "no byte order"),
        ({"BYTEORD": "1"}, "fcs.byteorder", "1 byte, but a value has 2"),
        ({"P1B": "12.0"}, "fcs.keyword.bad", r"\$P1B"),
        ({"P1B": "0"}, "fcs.keyword.bad", r"\$P1B"),
        ({"P1B": "72"}, "fcs.width", "72"),
        ({"P1B": "20"}, "fcs.width", "20"),
        ({"P1R": "0"}, "fcs.keyword.bad", r"\$P1R"),
        ({"P1R": "1024.0"}, "fcs.keyword.bad", r"\$P1R"),
        ({"P1R": "9" * 65}, "fcs.keyword.bad", r"\$P1R"),
        ({"DATATYPE": "A", "P1B": "*"}, "fcs.datatype", "ASCII"),
        ({"DATATYPE": "A", "P1B": "21"}, "fcs.width", "at most 20"),
        ({"P1DATATYPE": "A"}, "fcs.datatype", "mix"),
    ],
)
def test_what_cannot_be_decoded_is_refused_by_name(changes: dict[str, str], code: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        _build("3.2", **changes)
    assert caught.value.code == code
    assert caught.value.hint
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("version", "changes", "codes"),
    [
        ("3.1", {"DATATYPE": "i"}, ["datatype.case"]),
        ("3.1", {"MODE": "l"}, ["datatype.case"]),
        ("3.1", {"P3B": "8"}, ["par.extra"]),
        ("3.1", {"P2DATATYPE": "F"}, ["pndatatype.ignored"]),
        ("3.1", {"P2DATATYPE": "I"}, []),
        ("3.2", {"P2DATATYPE": "F"}, []),
        ("3.2", {"P2DATATYPE": "f"}, ["datatype.case"]),
    ],
)
def test_what_is_odd_is_noted(version: str, changes: dict[str, str], codes: list[str]) -> None:
    assert _build(version, **changes)[1] == codes


def test_a_type_of_its_own_changes_the_column_in_version_three_two_alone() -> None:
    assert [column.kind for column in _build("3.2", P2DATATYPE="F")[0].columns] == ["I", "F"]
    assert [column.kind for column in _build("3.1", P2DATATYPE="F")[0].columns] == ["I", "I"]


def test_widths_that_only_the_length_of_data_can_confirm_are_marked() -> None:
    assert _build(P1B="10")[0].widened == ("$P1B 10",)
    assert _build(DATATYPE="F", P1B="16")[0].widened == ("$P1B 16 with $DATATYPE F",)
    assert [column.width for column in _build(DATATYPE="D")[0].columns] == [8, 8]


def test_no_mode_is_noted_where_it_is_required() -> None:
    keywords = {name: value for name, value in PLAIN.items() if name != "$MODE"}
    for version, codes in (("3.1", ["mode.missing"]), ("3.2", [])):
        notes = Departures("repair", version)
        build_layout(keywords, version, notes)
        assert [repair.code for repair in notes.repairs] == codes
