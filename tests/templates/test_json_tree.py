"""JSON that Python's reader takes in silence, or breaks on, is a fault with a place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stromagate.templates.json_tree import read_json

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN, st.booleans())
def test_what_was_written_is_read(value: Any, marked: bool) -> None:
    text = json.dumps(value, allow_nan=False)
    assert read_json(text.encode("utf-8-sig" if marked else "utf-8")) == (value, [])


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_a_fault(data: bytes) -> None:
    _, faults = read_json(data)
    assert all(str(fault) for fault in faults)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "line 1, document: it is not JSON: Expecting value (look at column 1)"),
        (b'{"a": 1,\n b}', "line 2, document: it is not JSON"),
        (b"[" * 100_000, "document: it is nested too deep"),
        (b'{"a": "\xff"}', "document: byte 7 is not UTF-8 (save the file as UTF-8)"),
        (b"9" * 5_000, "document: a number in it is too long"),
        (b'{"low": NaN}', "document: NaN in it is not a number (write null where there is no value)"),
        (b"[-Infinity]", "document: -Infinity in it is not a number"),
        (b'{"b": {"a": 1, "a": 2}}', "a: the key `a` stands twice in one object"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(data: bytes, said: str) -> None:
    _, (fault,) = read_json(data)
    assert str(fault).startswith(said)


def test_all_faults_come_at_once() -> None:
    _, faults = read_json(b'{"x": NaN, "a": 1, "a": Infinity, "a": 3}')
    assert [fault.path for fault in faults] == ["document", "document", "a"]
