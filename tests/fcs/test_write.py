"""The writer: what it writes is read back bit for bit, twice the same bytes, and never half of it."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.errors import InputError, UsageError
from stromagate.fcs import read_fcs, read_raw, write_fcs
from stromagate.fcs.compose import compose

EVENTS = np.array([[1.5, -2.25, 0.0], [3e5, 1e-3, 0.01], [np.nan, np.inf, 0.02]], dtype=np.float32)
NAMES = ["FSC-A", "FITC-A", "Time"]


def _free_keywords(keywords: dict[str, str]) -> dict[str, str]:
    """Return what a writer does not decide itself, and so can be handed over again."""
    own = ("$BEGIN", "$END", "$BYTEORD", "$DATATYPE", "$MODE", "$NEXTDATA", "$PAR", "$TOT")
    channel = {f"$P{n}{letter}" for n in range(1, 9) for letter in "BNES"}
    return {name: value for name, value in keywords.items() if not name.startswith(own) and name not in channel}


def test_what_is_written_is_read_back_under_the_strict_policy(tmp_path: Path) -> None:
    path = tmp_path / "tube.fcs"
    write_fcs(path, EVENTS, NAMES, labels=["", "CD271", ""], keywords={"$TIMESTEP": "1", "$CYT": "made"})
    sample = read_fcs(path, policy="strict")
    assert (sample.version, sample.verdict, sample.pnn) == ("3.1", "ok", tuple(NAMES))
    assert [channel.pns for channel in sample.channels] == ["", "CD271", ""]
    assert sample.events.tobytes() == np.asfortranarray(EVENTS).tobytes()
    assert sample.non_finite == {"FSC-A": 1, "FITC-A": 1}
    assert sample.keywords["$CYT"] == "made"
    assert [column.tobytes() for column in read_raw(path).columns] == [column.tobytes() for column in EVENTS.T]


def test_the_same_input_gives_the_same_bytes_and_a_second_round_too(tmp_path: Path) -> None:
    first, second, third = (tmp_path / f"{n}.fcs" for n in range(3))
    arguments: dict[str, Any] = {
        "labels": ["", "CD271", ""],
        "keywords": {"$CYT": "made", "NOTE": "a/b", "$TIMESTEP": "1"},
    }
    write_fcs(first, EVENTS, NAMES, **arguments)
    write_fcs(second, np.asfortranarray(EVENTS), tuple(NAMES), **arguments)
    assert first.read_bytes() == second.read_bytes()
    sample = read_fcs(first)
    write_fcs(
        third,
        sample.events,
        sample.pnn,
        labels=[channel.pns for channel in sample.channels],
        keywords=_free_keywords(dict(sample.keywords)),
    )
    assert third.read_bytes() == first.read_bytes()


@given(
    shape=st.tuples(st.integers(0, 40), st.integers(1, 6)),
    words=st.dictionaries(
        st.text(
            st.characters(min_codepoint=33, max_codepoint=126, categories=["L", "N", "P", "S"]), min_size=1, max_size=9
        ),
        st.text(
            st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["Cc", "Cs", "Z"]),
            min_size=1,
            max_size=20,
        ),
        max_size=5,
    ),
    seed=st.integers(0, 2**31),
)
@settings(derandomize=True, max_examples=150, deadline=None)
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory, shape: tuple[int, int], words: dict[str, str], seed: int
) -> None:
    keywords = {f"X{name.upper()}": value for name, value in words.items()}
    bits = np.random.default_rng(seed).integers(0, 2**32, shape, dtype=np.uint32)
    events = bits.view(np.float32)
    path = tmp_path_factory.mktemp("round") / "a.fcs"
    names = [f"C{n}" for n in range(shape[1])]
    try:
        write_fcs(path, events, names, keywords=keywords)
    except UsageError as error:
        assert error.code == "fcs.write.keywords"  # noqa: PT017  (no delimiter may be left, and only that)
        return
    sample, raw = read_fcs(path, policy="strict"), read_raw(path)
    assert [column.view(np.uint32).tolist() for column in raw.columns] == bits.T.tolist()
    assert {name: sample.keywords[name] for name in keywords} == keywords


@pytest.mark.parametrize(
    "value", ["a/b", "/a", "a//b", "///", "|/\\", "ends/", "µ-é-中", "1,A,1", "a|b\\c!d~e\x1ef\x0cg/h"]
)
def test_delimiters_in_values_are_escaped(tmp_path: Path, value: str) -> None:
    path = tmp_path / "a.fcs"
    write_fcs(path, EVENTS, NAMES, keywords={"NOTE": value})
    assert read_fcs(path, policy="strict").keywords["NOTE"] == value


def test_a_delimiter_in_a_channel_name(tmp_path: Path) -> None:
    path = tmp_path / "a.fcs"
    write_fcs(path, EVENTS, ["Dump/CD123", "CD$4", "a|b"])
    assert read_fcs(path, policy="strict").pnn == ("Dump/CD123", "CD$4", "a|b")


@pytest.mark.parametrize("dtype", [np.float64, np.int32, np.uint16, np.bool_, ">f4"])
def test_other_types_become_float32(tmp_path: Path, dtype: Any) -> None:
    path = tmp_path / "a.fcs"
    events = np.arange(12).reshape(4, 3).astype(dtype)
    write_fcs(path, events, NAMES)
    np.testing.assert_array_equal(read_fcs(path).events, events.astype(np.float32))


def test_no_events(tmp_path: Path) -> None:
    path = tmp_path / "a.fcs"
    write_fcs(path, np.empty((0, 3), dtype=np.float32), NAMES)
    sample = read_fcs(path, policy="strict")
    assert (sample.n_events, sample.pnn) == (0, tuple(NAMES))


def test_ranges_hold_the_data(tmp_path: Path) -> None:
    path = tmp_path / "a.fcs"
    write_fcs(path, np.array([[1.0, 300_000.0, 5.0]]), NAMES, keywords={"$P3R": "1024"})
    assert [channel.range_top for channel in read_fcs(path).channels] == [262144, 524288, 1024]


def test_past_eight_digits_header_says_nothing() -> None:
    """100 MB need not be written to see where its offsets go."""
    values = {"$PAR": "1"}
    head, begin = compose("3.1", values, 100_000_000)
    assert head[26:42] == b"       0       0"
    assert f"$ENDDATA/{begin + 100_000_000 - 1}/".encode() in head
    head, begin = compose("3.1", values, 1000)
    assert head[26:42] == f"{begin:>8}{begin + 999:>8}".encode()
    assert len(head) == begin


@pytest.mark.parametrize(
    ("names", "labels", "keywords", "word"),
    [
        (["A", "B"], None, {}, "names"),
        (["A", "A", "B"], None, {}, "'A'"),
        (["A", "", "B"], None, {}, "''"),
        (["A", " B", "C"], None, {}, "' B'"),
        (["A", "B,C", "D"], None, {}, "'B,C'"),
        (["A", "B\n", "D"], None, {}, "called"),
        (NAMES, ["x"], {}, "labels"),
        (NAMES, None, {"$TOT": "7"}, "TOT"),
        (NAMES, None, {"$p1n": "x"}, "P1N"),
        (NAMES, None, {"NOTE": ""}, "NOTE"),
        (NAMES, None, {"": "x"}, "''"),
        (NAMES, None, {"Ä": "x"}, "Ä"),
        (NAMES, None, {"NOTE": "x", "note": "y"}, "twice"),
        (NAMES, None, {"NOTE": 7}, "NOTE"),
    ],
)
def test_what_a_file_cannot_hold_is_refused(
    tmp_path: Path, names: list[str], labels: list[str] | None, keywords: dict[str, Any], word: str
) -> None:
    with pytest.raises(UsageError, match=word) as caught:
        write_fcs(tmp_path / "a.fcs", EVENTS, names, labels=labels, keywords=keywords)
    assert caught.value.hint
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("events", [np.zeros(3), np.zeros((2, 3), dtype=complex), np.full((2, 3), "x")])
def test_what_are_no_events_is_refused(tmp_path: Path, events: Any) -> None:
    with pytest.raises(UsageError) as caught:
        write_fcs(tmp_path / "a.fcs", events, NAMES)
    assert caught.value.code == "fcs.write.events"


def test_an_old_file_survives_a_writer_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.fcs"
    write_fcs(path, EVENTS, NAMES)
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left") as caught:
        write_fcs(path, EVENTS * 2, NAMES)
    assert caught.value.code == "file.unwritable"
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        write_fcs(tmp_path / "nowhere" / "a.fcs", EVENTS, NAMES)
    assert (caught.value.code, caught.value.where) == ("file.unwritable", str(tmp_path / "nowhere" / "a.fcs"))


def test_writing_takes_little_memory(tmp_path: Path) -> None:
    """Twenty megabytes of doubles in column order are written without a second copy of them."""
    events = np.asfortranarray(np.ones((250_000, 10)))
    tracemalloc.start()
    write_fcs(tmp_path / "a.fcs", events, [f"C{n}" for n in range(10)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < events.nbytes / 4
