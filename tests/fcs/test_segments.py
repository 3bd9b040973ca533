"""Where DATA is: the table of claims, row by row; the values are asked only where nothing else tells."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.errors import InputError
from stromagate.fcs.header import Stated, parse_header, stated
from stromagate.fcs.repairs import Departures
from stromagate.fcs.segments import Question, Span, locate
from stromagate.model.sample import Policy

ROOM, TEXT = 1000, (58, 399)
TRUE = (400, 499)


@dataclass
class Ground:
    """Bytes that answer as they are told to."""

    blank: set[int] = field(default_factory=lambda: {400})
    believable: bool = True
    winner: int | None = None
    asked: int = 0

    def blank_before(self, begin: int) -> bool:
        return begin in self.blank

    def settled(self, begin: int, n_bytes: int) -> bool:
        return self.believable and n_bytes >= 0 and begin > 0

    def judge(self, first: int, second: int, n_events: int) -> tuple[int | None, str]:
        self.asked += 1
        return self.winner, f"figures of {first} and {second} for {n_events}"


def _ask(
    header: tuple[object, object],
    text: tuple[object, object],
    *,
    policy: Policy = "repair",
    total: int | None = 10,
    version: str = "3.1",
    ground: Ground | None = None,
    room: int = ROOM,
) -> tuple[Span, list[str]]:
    notes = Departures(policy, version)
    question = Question(version, total, 10, room, TEXT, salvage=policy == "salvage")
    pairs = (_said("HEADER", header), _said("TEXT", text))
    span = locate(question, pairs, notes, ground or Ground())
    return span, [repair.code for repair in notes.repairs]


def _said(origin: str, pair: tuple[object, object]) -> Stated:
    return stated(origin, str(pair[0]), str(pair[1]))


@pytest.mark.parametrize(
    ("header", "text", "codes"),
    [
        (TRUE, TRUE, []),
        ((0, 0), TRUE, ["header.zero"]),
        (("", ""), TRUE, ["header.zero"]),
        (TRUE, ("", ""), ["text.offsets.missing"]),
        (TRUE, (0, 0), ["text.offsets.missing"]),
        (TRUE, (400, 777), ["offsets.text.wrong"]),
        (TRUE, ("x", "499"), ["offsets.text.wrong"]),
        ((400, 777), TRUE, ["offsets.header.wrong"]),
        ((400, 99999999), TRUE, ["header.overflow"]),
        ((400, 500), (400, 500), ["end.plus1"]),
        ((400, 500), TRUE, ["end.plus1"]),
        (TRUE, (400, 500), ["end.plus1"]),
        ((0, 0), (400, 500), ["header.zero", "end.plus1"]),
        # 46 bytes further also fits, but bytes that are not blank would lie before it.
        (TRUE, (446, 545), ["offsets.text.wrong"]),
        ((446, 545), TRUE, ["offsets.header.wrong"]),
        # One byte less overlaps TEXT.
        ((399, 498), TRUE, ["offsets.header.wrong"]),
    ],
)
def test_every_row_of_the_table(header: tuple[object, object], text: tuple[object, object], codes: list[str]) -> None:
    span, noted = _ask(header, text)
    assert (span.begin, span.n_events) == (400, 10)
    assert noted == codes
    if codes:
        with pytest.raises(InputError) as caught:
            _ask(header, text, policy="strict")
        assert caught.value.code in {f"strict.{code}" for code in codes}


@pytest.mark.parametrize(
    ("header", "text", "code"),
    [
        ((400, 489), (400, 489), "fcs.tot"),
        ((400, 509), (400, 509), "fcs.tot"),
        ((950, 1049), (950, 1049), "fcs.truncated"),
        ((0, 0), (0, 0), "fcs.offsets"),
        (("x", "y"), ("", ""), "fcs.offsets"),
        ((10, 109), (10, 109), "fcs.offsets"),
        ((300, 399), (300, 399), "fcs.offsets"),
        ((500, 400), (500, 400), "fcs.offsets"),
    ],
)
def test_what_fits_nowhere_is_refused_with_the_numbers(
    header: tuple[object, object], text: tuple[object, object], code: str
) -> None:
    with pytest.raises(InputError) as caught:
        _ask(header, text)
    assert caught.value.code == code
    assert "1,000" in caught.value.message
    assert "10 events of 10 bytes" in caught.value.message


def test_two_places_are_settled_by_the_values_only_when_the_gap_does_not_tell() -> None:
    told = Ground(blank={400})
    assert _ask(TRUE, (500, 599), ground=told)[0].begin == 400
    assert told.asked == 0
    for blank in (set(), {400, 500}):
        for winner, begin in ((0, 400), (1, 500)):
            assert _ask(TRUE, (500, 599), ground=Ground(blank=blank, winner=winner))[0].begin == begin
        with pytest.raises(InputError, match="figures of 400 and 500 for 10") as caught:
            _ask(TRUE, (500, 599), ground=Ground(blank=blank))
        assert caught.value.code == "fcs.offsets.ambiguous"


def test_one_voice_against_the_bytes_is_refused() -> None:
    for header, text in (((0, 0), TRUE), (TRUE, ("", "")), (TRUE, (410, 777)), ((410, 777), TRUE)):
        with pytest.raises(InputError) as caught:
            _ask(header, text, ground=Ground(believable=False))
        assert caught.value.code == "fcs.offsets.ambiguous"
    assert _ask(TRUE, ("", ""), version="2.0", ground=Ground(believable=False))[0].begin == 400


def test_past_the_reach_of_the_header_text_speaks_alone_by_right() -> None:
    begin = 99_999_990
    span, codes = _ask((0, 0), (begin, begin + 99), room=10**9, ground=Ground(believable=False))
    assert (span.begin, codes) == (begin, [])


@pytest.mark.parametrize(
    ("header", "text", "codes"),
    [
        ((400, 399), (400, 399), []),
        ((0, 0), (0, 0), ["zero.offsets"]),
        ((400, 400), (400, 400), ["zero.offsets"]),
        (("0", "-1"), ("0", "-1"), ["zero.offsets"]),
    ],
)
def test_no_events(header: tuple[object, object], text: tuple[object, object], codes: list[str]) -> None:
    span, noted = _ask(header, text, total=0)
    assert (span.n_events, noted) == (0, codes)


def test_no_events_but_data_is_a_crashed_acquisition() -> None:
    with pytest.raises(InputError) as caught:
        _ask(TRUE, TRUE, total=0)
    assert caught.value.code == "fcs.tot"
    span, codes = _ask(TRUE, TRUE, total=0, policy="salvage")
    assert (span, codes) == (Span(400, 10), ["salvage.tot"])


def test_version_two_counts_by_the_length_of_data() -> None:
    assert _ask(TRUE, ("", ""), total=None, version="2.0") == (Span(400, 10), [])
    assert _ask((400, 500), ("", ""), total=None, version="2.0")[1] == ["end.plus1"]
    with pytest.raises(InputError, match="no whole number of events"):
        _ask((400, 504), ("", ""), total=None, version="2.0")
    with pytest.raises(InputError) as caught:
        _ask(TRUE, TRUE, total=None)
    assert caught.value.code == "fcs.keyword.missing"


@pytest.mark.parametrize(
    ("pair", "total", "n_events", "code"),
    [
        ((950, 1049), 10, 5, "salvage.truncated"),
        ((950, 2000), None, 5, "salvage.truncated"),
        (TRUE, 9, 10, "salvage.tot"),
        (TRUE, 11, 10, "salvage.tot"),
        (TRUE, None, 10, "salvage.tot"),
        ((400, 504), 11, 10, "salvage.tot"),
    ],
)
def test_salvage_reads_whole_events(pair: tuple[int, int], total: int | None, n_events: int, code: str) -> None:
    span, codes = _ask(pair, pair, total=total, policy="salvage", ground=Ground(blank={pair[0]}))
    assert (span, codes) == (Span(pair[0], n_events), [code])


def test_salvage_does_not_choose_between_two_places() -> None:
    with pytest.raises(InputError):
        _ask((400, 777), (500, 888), policy="salvage", ground=Ground(blank={400, 500}))


@given(numbers=st.tuples(*[st.integers(-5, 1100)] * 4), total=st.none() | st.integers(0, 120), salvage=st.booleans())
@settings(derandomize=True, max_examples=600, deadline=None)
def test_an_answer_always_lies_inside(numbers: tuple[int, int, int, int], total: int | None, salvage: bool) -> None:
    policy: Policy = "salvage" if salvage else "repair"
    try:
        span, codes = _ask(numbers[:2], numbers[2:], total=total, policy=policy)
    except InputError:
        return
    assert span.n_events == 0 or TEXT[1] < span.begin or span.begin + span.n_events * 10 <= TEXT[0]
    assert span.n_events == 0 or span.begin + span.n_events * 10 <= ROOM
    assert salvage or span.n_events == total
    assert salvage or not any(code.startswith("salvage") for code in codes)


@pytest.mark.parametrize("field", ["+5", "-5", "1_0", "٣", "5 5", "0x1", "1e3", "\x005"])
def test_header_fields_are_digits_and_blanks(field: str) -> None:
    assert stated("HEADER", field.rjust(8), "     999", eight_digits=True).pair is None


@pytest.mark.parametrize(
    ("first", "code", "word"),
    [
        (b"", "fcs.not_fcs", "empty"),
        (b"\x1f\x8b\x08" + bytes(60), "fcs.not_fcs", "gzip"),
        (b"PK\x03\x04" + bytes(60), "fcs.not_fcs", "ZIP"),
        (b"\x00\x05\x16\x07" + bytes(60), "fcs.not_fcs", "AppleDouble"),
        (b"<!DOCTYPE html><html>" + bytes(60), "fcs.not_fcs", "HTML"),
        (b"\n <HTML>" + bytes(60), "fcs.not_fcs", "HTML"),
        (bytes(100), "fcs.not_fcs", "zeros"),
        (b"sample,count\n" + bytes(60), "fcs.not_fcs", "FCS"),
        (b"FCS4.0" + b" " * 60, "fcs.version", "4.0"),
        (b"FCS3.1", "fcs.header", "6 of 58"),
        (b"FCS3.1    " + b" " * 48, "fcs.header", "blank"),
        (b"FCS3.1    " + b"      58      20" + b"       0" * 4, "fcs.header", "58..20"),
        (b"FCS3.1    " + b"      58    9999" + b"       0" * 4, "fcs.truncated", "58..9999"),
    ],
)
def test_what_is_no_header_is_named(first: bytes, code: str, word: str) -> None:
    with pytest.raises(InputError, match=word) as caught:
        parse_header(first[:58], 1000)
    assert caught.value.code == code
    assert caught.value.hint
