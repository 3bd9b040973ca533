"""TEXT: delimiters, words, keywords, and the two readings of a doubled delimiter."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.errors import InputError
from stromagate.fcs.limits import MAX_KEYWORDS
from stromagate.fcs.numbers import count, decimal, long_count, shortened
from stromagate.fcs.text import parse_supplement, parse_text, split_escaped

NEEDED = (
    ("$PAR", "1"),
    ("$TOT", "5"),
    ("$DATATYPE", "I"),
    ("$BYTEORD", "1,2,3,4"),
    ("$MODE", "L"),
    ("$NEXTDATA", "0"),
    ("$P1B", "16"),
    ("$P1R", "1024"),
    ("$P1N", "FSC-H"),
    ("$P1E", "0,0"),
)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
DELIMITERS = st.sampled_from("/|\\!,.+?*([^$q\x0c\x1e\t\x01~")


def _segment(*pairs: tuple[str, str], delimiter: str = "/", end: str = "/") -> bytes:
    return (delimiter + delimiter.join(word for pair in pairs for word in pair) + end).encode()


def _codes(segment: bytes, version: str = "3.1") -> list[str]:
    return [repair.code for repair in parse_text(segment, version).repairs]


@given(pairs=st.dictionaries(WORDS, WORDS, min_size=1, max_size=6), delimiter=DELIMITERS)
@settings(derandomize=True, max_examples=300, deadline=None)
def test_words_come_back_as_they_were_written(pairs: dict[str, str], delimiter: str) -> None:
    """A word may hold the delimiter, doubled; it may not begin with it, and keywords stand in capitals."""
    words = [word.upper().strip() if n % 2 == 0 else word for pair in pairs.items() for n, word in enumerate(pair)]
    if any(not word or word.startswith(delimiter) or word.endswith(delimiter) for word in words):
        return
    body = delimiter.join(word.replace(delimiter, 2 * delimiter) for word in words).encode()
    assert [word.decode() for word in split_escaped(body, delimiter.encode())] == words


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"a/b", [b"a", b"b"]),
        (b"a//b", [b"a/b"]),
        (b"a///b", [b"a/", b"b"]),
        (b"a////b", [b"a//b"]),
        (b"a/////b", [b"a//", b"b"]),
        (b"a/b/", [b"a", b"b", b""]),
        (b"a/b//", [b"a", b"b/"]),
        (b"a//b//c/d", [b"a/b/c", b"d"]),
        (b"", [b""]),
    ],
)
def test_runs_of_delimiters_are_read_from_the_left(body: bytes, words: list[bytes]) -> None:
    assert split_escaped(body, b"/") == words


def test_keywords_are_folded_and_values_are_not() -> None:
    text = parse_text(_segment(*NEEDED, ("$cyt", "LsrII"), ("Tube Name", "a")), "3.1")
    assert text.keywords["$CYT"] == "LsrII"
    assert text.keywords["TUBE NAME"] == "a"
    assert not text.repairs
    assert text.closed


def test_a_private_keyword_never_stands_for_the_standard_one() -> None:
    text = parse_text(_segment(*NEEDED, ("TOT", "999"), ("P1R", "7")), "3.1")
    assert (text.keywords["$TOT"], text.keywords["TOT"]) == ("5", "999")
    assert (text.keywords["$P1R"], text.keywords["P1R"]) == ("1024", "7")


@pytest.mark.parametrize(
    ("end", "codes"),
    [
        ("/", []),
        ("//", ["text.extra_delimiter"]),
        ("/ ", ["text.junk"]),
        ("/\x00", ["text.junk"]),
        ("/\r\n", ["text.junk"]),
        ("/      ", ["text.junk"]),
        ("", ["text.no_final_delimiter"]),
        ("// ", ["text.junk", "text.extra_delimiter"]),
    ],
)
def test_the_end_of_text(end: str, codes: list[str]) -> None:
    segment = _segment(*NEEDED, ("$CYT", "maker"), end=end)
    assert _codes(segment) == codes
    assert parse_text(segment, "3.1").keywords["$CYT"] == "maker"


def test_a_value_that_ends_with_the_delimiter_is_legal() -> None:
    text = parse_text(_segment(*NEEDED, ("$COM", "path//")), "3.1")
    assert text.keywords["$COM"] == "path/"
    assert not text.repairs


@pytest.mark.parametrize("delimiter", ["/", "\\", "\x0c", "|"])
def test_an_empty_last_value_is_kept(delimiter: str) -> None:
    segment = _segment(*NEEDED, ("KEY", ""), delimiter=delimiter, end=delimiter)
    text = parse_text(segment, "3.1")
    assert text.keywords["KEY"] == ""
    assert [repair.code for repair in text.repairs] == ["text.empty_values"]


def test_empty_values_in_the_middle_are_told_by_what_is_required() -> None:
    text = parse_text(_segment(("$P1S", ""), *NEEDED, ("$OP", ""), ("$CYT", "x")), "3.1")
    assert (text.keywords["$P1S"], text.keywords["$OP"], text.keywords["$PAR"]) == ("", "", "1")
    assert [repair.code for repair in text.repairs] == ["text.empty_values"]


def test_an_empty_value_beside_a_doubled_delimiter_is_parted_from_its_neighbour() -> None:
    text = parse_text(_segment(*NEEDED, ("$P1G", ""), ("$P1S", "CD45//RA")), "3.1")
    assert (text.keywords["$P1G"], text.keywords["$P1S"]) == ("", "CD45/RA")
    assert [repair.code for repair in text.repairs] == ["text.empty_values"]


def test_two_readings_that_give_different_numbers_are_refused() -> None:
    """``$P1R`` is 1024 or 16 by whether the doubled delimiters are empty values."""
    head = [pair for pair in NEEDED if pair[0] != "$P1R"]
    segment = _segment(*head, ("A", "/$P1R/1024/B"), ("C", "D"), ("$P1R", "16"), ("E", "F"))
    with pytest.raises(InputError) as caught:
        parse_text(segment, "3.1")
    assert caught.value.code in {"fcs.text", "fcs.keyword.conflict"}


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        ((("$TOT", "6"),), "fcs.keyword.conflict"),
        ((("$p1r", "512"),), "fcs.keyword.conflict"),
        ((("$P1N", "SSC-H"),), "fcs.keyword.conflict"),
        ((("$TIMESTEP", "1"), ("$TIMESTEP", "2")), "fcs.keyword.conflict"),
    ],
)
def test_contradictions_that_decide_numbers_are_refused(pairs: tuple[tuple[str, str], ...], code: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_text(_segment(*NEEDED, *pairs), "3.1")
    assert caught.value.code == code


def test_other_repetitions_are_noted_without_the_value() -> None:
    """Values may name patients; keywords do not."""
    text = parse_text(_segment(*NEEDED, ("$SRC", "Jane Roe"), ("$SRC", "John Doe"), ("$TOT", " 5 ")), "3.1")
    (repair,) = text.repairs
    assert (repair.code, text.keywords["$SRC"]) == ("text.duplicate_keyword", "Jane Roe")
    assert "$SRC" in repair.before
    assert "Doe" not in str(repair)


def test_blanks_around_keywords_are_left_out() -> None:
    text = parse_text(_segment(*NEEDED, ("      $CYT", "x")), "3.1")
    assert text.keywords["$CYT"] == "x"
    assert [repair.code for repair in text.repairs] == ["text.padded_keyword"]


def test_bytes_beyond_utf8_are_kept() -> None:
    segment = _segment(*NEEDED) + "$P1S/µ-\xe9/".encode("latin-1")
    text = parse_text(segment, "3.1")
    assert text.keywords["$P1S"] == "µ-é"
    assert [repair.code for repair in text.repairs] == ["text.latin1"]
    assert parse_text(_segment(*NEEDED, ("$P1S", "µ-é")), "3.1").repairs == ()


@pytest.mark.parametrize(
    "segment",
    [b"\x00$PAR\x001\x00", b"\xff$PAR\xff1\xff", b"/", b"//", b"/$PAR/1/$TOT/", b"/$PAR", b"//1/$PAR/1/"],
)
def test_what_is_no_text_is_refused(segment: bytes) -> None:
    with pytest.raises(InputError) as caught:
        parse_text(segment, "3.1")
    assert caught.value.code == "fcs.text"


def test_too_many_keywords_are_refused_as_such() -> None:
    segment = b"/" + b"/".join(b"K%d/1" % n for n in range(MAX_KEYWORDS + 1)) + b"/"
    with pytest.raises(InputError, match="100,000") as caught:
        parse_text(segment, "3.1")
    assert caught.value.code == "fcs.limit"


@given(segment=st.binary(min_size=1, max_size=200))
@settings(derandomize=True, max_examples=500, deadline=None)
def test_random_bytes_raise_nothing_foreign(segment: bytes) -> None:
    try:
        text = parse_text(segment, "3.1")
    except InputError:
        return
    assert all(name.strip() for name in text.keywords)


@pytest.mark.parametrize(
    ("segment", "understood"),
    [
        (b"/$SPILLOVER/1,A,1/", True),
        (b"|$SPILLOVER|1,A,1|", False),
        (b"PK\x03\x04 zip", False),
        (b"/odd/", False),
        (b"/", False),
    ],
)
def test_supplemental_text_has_the_primary_delimiter(segment: bytes, understood: bool) -> None:
    assert (parse_supplement(segment, b"/") is not None) == understood


@pytest.mark.parametrize("text", ["+5", "-5", "1_000", "٣", "5.0", "1e3", "", " ", "5 5", "9" * 21, "0x10", None])
def test_whole_numbers_are_digits_and_nothing_else(text: str | None) -> None:
    assert count(text) is None


@pytest.mark.parametrize("text", ["1,5", "nan", "inf", "NA", "1e999", "1_0", "٣", "", "--1", "1e", "9" * 60, None])
def test_decimals_are_finite_and_have_a_point(text: str | None) -> None:
    assert decimal(text) is None


def test_numbers_between_blanks_are_read() -> None:
    assert count("  00042 ") == 42
    assert long_count("9" * 60) == int("9" * 60)
    assert long_count("9" * 65) is None
    assert (decimal(" 26.3432"), decimal("-.5"), decimal("1.E-3"), decimal("262144.0")) == (26.3432, -0.5, 1e-3, 262144)


def test_messages_quote_little_and_print_nothing_strange() -> None:
    assert shortened("a" * 500) == "a" * 60 + "..."
    assert re.fullmatch(r"a\ufffdb", shortened("a\x1bb"))
