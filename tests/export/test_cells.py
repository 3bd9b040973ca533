"""Text that no spreadsheet runs, numbers that nothing touches."""

from __future__ import annotations

import csv
import io
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.export.cells import cell, number, text
from stromagate.export.table import table

PAYLOADS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\x00=1+1",
    "  =1+1",
    "\ufeff=1+1",
    "\u200b=1+1",
    "\xa0=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    '=HYPERLINK("http://x","y")',
    "-ve",
    "+CD34",
    "'quoted",
    "' =1",
]


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_no_text_begins_a_formula(payload: str) -> None:
    written = text(payload)
    assert written.startswith("'")
    flat = "".join(" " if character in "\t\r\n\x00" else character for character in payload)
    assert written[1:] == flat  # one apostrophe away, the text is back


@pytest.mark.parametrize("plain", ["", "CD271", "bm-001", "a=b", "3'", "µm", "detected, not", "1e5", "患者"])
def test_harmless_text_stays(plain: str) -> None:
    assert text(plain) == plain


def test_line_breaks_and_controls_become_spaces() -> None:
    assert text("a\r\nb\x00c\x1bd\u2028e\x85f") == "a  b c d e f"


def test_half_a_surrogate_pair_can_be_written() -> None:
    assert table(["name"], [["tube\udce4.fcs"]]) == b"name\ntube?.fcs\n"


@settings(derandomize=True)
@given(st.text())
def test_any_text_is_one_safe_line_and_reads_back(value: str) -> None:
    written = text(value)
    assert len(written.splitlines()) <= 1
    seen = written.lstrip().lstrip("\ufeff\u200b").lstrip()
    assert not seen.startswith(tuple("=+-@＝＋－＠"))
    back = written[1:] if written.startswith("'") else written
    assert len(back) == len(value)
    assert all(new == old or not old.isprintable() for new, old in zip(back, value, strict=True))
    assert list(csv.reader(io.StringIO(table(["x", "y"], [[value, 1]]).decode(), newline="")))[1] == [written, "1"]


@settings(derandomize=True)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_reads_back_exactly(value: float) -> None:
    written = number(value)
    assert float(written) == value
    assert set(written) <= set("0123456789.e+-")


@pytest.mark.parametrize(
    ("value", "written"),
    [(None, ""), (0, "0"), (-0.0, "0"), (62.0, "62"), (-1.5, "-1.5"), (1e300, "1e+300"), (0.1, "0.1"), (True, "true"),
     (False, "false"), (2.0**53, "9007199254740992.0")],
)  # fmt: skip
def test_cells(value: float | None, written: str) -> None:
    assert cell(value) == written


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_never_written_as_one(value: float) -> None:
    with pytest.raises(ValueError, match="cannot stand in a table"):
        number(value)


def test_quotes_only_where_needed_and_line_feeds_only() -> None:
    assert table(["a", "b"], [['x,"y"', "z"], [None, 2.5]]) == b'a,b\n"x,""y""",z\n,2.5\n'


def test_rows_are_as_long_as_the_header() -> None:
    with pytest.raises(ValueError, match="zip"):
        table(["a", "b"], [["x"]])
