"""Foreign text: cleaned for pages, and made harmless for drawings."""

from __future__ import annotations

import re
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.report.text import MAX_PLOT_TEXT, page_text, plot_text

ANY_TEXT = st.text(st.characters(codec=None), max_size=300)


def test_plain_names_stay_as_they_are() -> None:
    for name in ("CD271 (PE-A)", "CD3 + CD19", "µm², 10³", "Ä-Röhrchen", "CD45−"):
        assert page_text(name) == name
        assert plot_text(name) == name


def test_direction_marks_and_controls_are_gone() -> None:
    assert page_text("abc\u202egnp.exe\u2066\x00\x1b[31m\x9bx\ufeff") == "abcgnp.exe[31mx"


def test_undecodable_bytes_of_a_file_name_become_a_sign() -> None:
    assert page_text("tube\udcff.fcs") == "tube\ufffd.fcs"


def test_line_ends_are_kept_on_a_page_and_not_in_a_drawing() -> None:
    assert page_text("one\ntwo") == "one\ntwo"
    assert plot_text("one\n\ttwo") == "one two"


def test_a_drawing_never_sees_a_tag_or_a_live_entity() -> None:
    assert plot_text('<b>x</b><a href="https://x.test">y</a>') == '‹b›x‹/b›‹a href="https://x.test"›y‹/a›'
    assert plot_text("&lt;b&gt;") == "&amp;lt;b&amp;gt;"


def test_long_names_are_cut_before_they_are_made_harmless() -> None:
    cut = plot_text("&" * 500)
    assert cut == "&amp;" * (MAX_PLOT_TEXT - 1) + "…"


@settings(derandomize=True, max_examples=300)
@given(ANY_TEXT)
def test_any_text_can_be_written_and_is_clean(text: str) -> None:
    shown = page_text(text)
    shown.encode("utf-8")
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\t"]
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", shown)
    assert unicodedata.is_normalized("NFC", shown)


@settings(derandomize=True, max_examples=300)
@given(ANY_TEXT)
def test_any_text_in_a_drawing_is_without_brackets_and_entities(text: str) -> None:
    shown = plot_text(text)
    assert "<" not in shown
    assert ">" not in shown
    assert all(rest.startswith("amp;") for rest in shown.split("&")[1:])
