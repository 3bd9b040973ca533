"""Scrubbed copies: the same events in every legal form, and not one byte of what was removed."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stromagate.errors import InputError, UsageError
from stromagate.fcs import open_fcs, read_fcs, read_raw, witness, write_fcs
from stromagate.fcs.kept_keywords import is_kept
from stromagate.fcs.scrub import Scrubbed, Wishes, scrub
from tests.fcs.legal_files import all_legal
from tests.fcs.make_fcs import chain, make
from tests.fcs.specimens import floats, integers, wide
from tests.reference_data import DATA, needs_reference_data

PLANTED = (
    "$SRC", "$PROJ", "$OP", "$SMNO", "$CELLS", "$COM", "$FIL", "$DATE", "$BTIM", "$ETIM", "$INST", "$EXP", "$SYS",
    "$CYTSN", "$LAST_MODIFIER", "$LAST_MODIFIED", "$WELLID", "$PLATEID", "$PLATENAME", "$CARRIERID", "$RUNNUMBER",
    "$UNICODE", "$ORIGINALITY", "$TR", "$VOL", "$TIMESTEP", "$P1F", "$P1T", "$P1V", "$P1TAG", "$P1ANALYTE",
    "$SPILLOVER",
    "PATIENT ID", "PATIENT NAME", "SAMPLE ID", "DOB", "MRN", "EXPERIMENT NAME", "TUBE NAME", "EXPORT USER NAME", "GUID",
    "LOGIN NAME", "@SAMPLEID1", "&10PATIENT ID", "CST BEADS LOT ID", "CYTOMETER CONFIG NAME", "FILENAME", "THRESHOLD",
    "LASER1NAME", "P1DISPLAY", "STROMAGATE_SIMULATED", "STROMAGATE_PREPARATION", "ANYTHING ELSE", "Ünïcode",
)  # fmt: skip


def _secret(number: int) -> str:
    return f"ZQX{number:02d}QZ"


SECRETS = tuple(_secret(number) for number in range(len(PLANTED) + 5))
STEXT, ANALYSIS, OTHER, TAIL, SECOND = range(len(PLANTED), len(PLANTED) + 5)


def _planted(**changes):
    extra = tuple((name, _secret(number)) for number, name in enumerate(PLANTED))
    other = b"     600     700" + _secret(OTHER).encode()
    return floats(
        extra=extra,
        stext=(("$SRC2", _secret(STEXT)), ("NOTE", "x")),
        analysis=b"/note/" + _secret(ANALYSIS).encode() + b"/",
        front=other,
        tail=_secret(TAIL).encode() * 3,
        **changes,
    )


def _copied(tmp_path: Path, spec, wishes: Wishes | None = None) -> tuple[Path, Path, Scrubbed]:
    source, target = make(spec).write(tmp_path / "source.fcs"), tmp_path / "tube_001.fcs"
    return source, target, scrub(source, target, wishes)


def _same(source: Path, target: Path, dataset: int | None = None) -> None:
    ours, theirs = read_raw(source, dataset=dataset), read_raw(target)
    assert ours.names == theirs.names
    for one, other in zip(ours.columns, theirs.columns, strict=True):
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()
    before, after = read_fcs(source, dataset=dataset), read_fcs(target)
    np.testing.assert_array_equal(before.events, after.events)
    assert [(c.pnn, c.pns, c.gain, c.log_decades) for c in before.channels] == [
        (c.pnn, c.pns, c.gain, c.log_decades) for c in after.channels
    ]


@pytest.mark.parametrize("name", all_legal())
def test_every_legal_file_keeps_its_events(name: str, tmp_path: Path) -> None:
    source, target, made = _copied(tmp_path, all_legal()[name])
    _same(source, target)
    found = open_fcs(target, policy="strict")
    assert (found.n_events, found.keywords["$FIL"], found.version) == (
        made.n_events,
        "tube_001.fcs",
        open_fcs(source).version,
    )


def test_nothing_planted_anywhere_comes_along(tmp_path: Path) -> None:
    source, target, made = _copied(tmp_path, _planted())
    whole = target.read_bytes()
    assert sum(secret.encode() in source.read_bytes() for secret in SECRETS) == len(SECRETS) - 1
    assert [secret for secret in SECRETS if secret.encode() in whole] == []
    assert [secret for secret in SECRETS if secret.encode("utf-16-le") in whole] == []
    assert [secret for secret in SECRETS if secret in repr(made)] == []
    _same(source, target)
    assert {"$SRC", "PATIENT NAME", "DOB", "$DATE", "$FIL", "ANYTHING ELSE", "$SRC2", "$P1V"} <= set(made.removed)
    assert "the ANALYSIS segment" in made.left_out
    assert "OTHER segments" in made.left_out
    assert any("supplemental TEXT" in part for part in made.left_out)
    assert any("bytes outside" in part for part in made.left_out)


def test_other_readers_read_the_copy(tmp_path: Path) -> None:
    _, target, _ = _copied(tmp_path, _planted())
    assert [report.verdict for report in witness.compare(target)] == ["agrees", "agrees"]
    integer = tmp_path / "integers"
    integer.mkdir()
    _, target, _ = _copied(integer, integers(extra=(("$SRC", "x"),)))
    assert witness.compare(target)[0].verdict == "agrees"


def test_one_data_set_of_several(tmp_path: Path) -> None:
    second = integers(extra=(("$SRC", _secret(SECOND)),))
    whole, *_ = chain(floats(), second)
    (tmp_path / "two.fcs").write_bytes(whole)
    with pytest.raises(InputError, match="2 data sets"):
        scrub(tmp_path / "two.fcs", tmp_path / "copy.fcs")
    assert not (tmp_path / "copy.fcs").exists()
    for dataset in (0, 1):
        target = tmp_path / f"copy_{dataset}.fcs"
        made = scrub(tmp_path / "two.fcs", target, dataset=dataset)
        assert made.left_out == ("1 other data set",)
        _same(tmp_path / "two.fcs", target, dataset)
        assert _secret(SECOND).encode() not in target.read_bytes()


def test_what_numbers_need_is_kept(tmp_path: Path) -> None:
    extra = (
        ("$TIMESTEP", "0.01"), ("$P1V", "450"), ("$SPILLOVER", "2,FSC-A,FITC-A,1,0.1,0,1"), ("$P2F", "530/30"),
        ("P2DISPLAY", "LOG"), ("APPLY COMPENSATION", "TRUE"), ("THRESHOLD", "FSC,5000"),
        ("STROMAGATE_SIMULATED", "yes"),
    )  # fmt: skip
    source, target, made = _copied(tmp_path, floats(extra=extra))
    keywords = open_fcs(target).keywords
    assert {name: keywords[name] for name, _ in extra} == dict(extra)
    assert keywords["$CYT"] == "maker"
    assert made.removed == ()
    assert read_fcs(target).spillover.status == read_fcs(source).spillover.status == "ok"


def test_a_shape_that_is_not_the_keywords_own_is_removed() -> None:
    names = ["FITC-A", "PE-A"]
    assert is_kept("$P1V", "450", names)
    assert not is_kept("$P1V", "450 Mustermann", names)
    assert not is_kept("$P3V", "450", names)
    assert is_kept("$SPILLOVER", "2,FITC-A,PE-A,1,0,0,1", names)
    assert not is_kept("$SPILLOVER", "2,Muster,Mann,1,0,0,1", names)
    assert not is_kept("$SRC", "A1", names)
    assert not is_kept("$TIMESTEP", "", names)


def test_wishes(tmp_path: Path) -> None:
    spec = floats(extra=(("$SRC", "study-7"), ("$DATE", "15-JAN-2025"), ("$BTIM", "10:00:00"), ("$CYT2", "x")))
    wishes = Wishes(keep=frozenset({"$SRC"}), drop=frozenset({"$P2S", "$CYT"}))
    _, target, made = _copied(tmp_path, spec, wishes)
    keywords = open_fcs(target).keywords
    assert keywords["$SRC"] == "study-7"
    assert not {"$P2S", "$CYT", "$DATE", "$BTIM", "$CYT2"} & set(keywords)
    assert made.suspects == ()
    assert set(made.removed) == {"$P2S", "$CYT", "$DATE", "$BTIM", "$CYT2"}


NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)


@settings(max_examples=10, deadline=None)
@given(st.dictionaries(NAMES, st.text(st.characters(exclude_categories=("C",)), min_size=1, max_size=30), max_size=8))
def test_whatever_keywords_a_file_has_only_listed_ones_come_along(words: dict[str, str]) -> None:
    folded = {name.upper(): value for name, value in words.items() if value.strip() and not name.startswith("$")}
    events = np.arange(6, dtype=np.float32).reshape(3, 2)
    with TemporaryDirectory() as folder, patch("os.fsync"):
        source, target = Path(folder, "source.fcs"), Path(folder, "copy.fcs")
        try:
            write_fcs(source, events, ["A", "B"], keywords={"$SRC": "somebody", **folded})
        except UsageError:  # no delimiter is left
            assume(False)
        made = scrub(source, target)
        _same(source, target)
        keywords = open_fcs(target).keywords
    for name, value in folded.items():
        assert (name in keywords) == is_kept(name, value, ["A", "B"])
    assert "$SRC" in made.removed


@pytest.mark.parametrize("name", ["$FIL", "$TOT", "$P1R", "$P2N", "$ENDDATA", "$BYTEORD"])
def test_what_is_no_choice_is_refused_before_anything_is_written(name: str, tmp_path: Path) -> None:
    for wishes in (Wishes(keep=frozenset({name})), Wishes(drop=frozenset({name}))):
        with pytest.raises(UsageError, match="neither kept nor dropped"):
            _copied(tmp_path, floats(), wishes)
    with pytest.raises(UsageError, match="to be kept and to be dropped"):
        _copied(tmp_path, floats(), Wishes(frozenset({"$SRC"}), frozenset({"$SRC"})))
    assert [path.name for path in tmp_path.iterdir()] == ["source.fcs"]


def test_dates_move_together(tmp_path: Path) -> None:
    extra = (
        ("$DATE", "15-Jan-2025"), ("$BTIM", "10:00:00.12"), ("$ETIM", "noon"), ("EXPORT TIME", "15-JAN-2025"),
        ("$BEGINDATETIME", "2025-01-15T10:00:00+01:00"), ("$ENDDATETIME", "soon"),
    )  # fmt: skip
    _, target, made = _copied(tmp_path, floats(extra=extra), Wishes(shift_days=-20))
    keywords = open_fcs(target).keywords
    assert keywords["$DATE"] == "26-DEC-2024"
    assert keywords["$BTIM"] == "10:00:00.12"
    assert keywords["$BEGINDATETIME"] == "2024-12-26T10:00:00+01:00"
    assert set(made.removed) == {"$ETIM", "EXPORT TIME", "$ENDDATETIME"}
    assert b"2025" not in target.read_bytes()


def test_labels_that_look_like_a_person_are_kept_and_named(tmp_path: Path) -> None:
    spec = floats(
        change={"$P2S": "CD146 Mustermann", "$CYT": "Roe, Jane"},
        extra=(("$SRC", "Mustermann"), ("$P1S", "Doe, John"), ("$P3S", "CD34, CD38")),
    )
    _, target, made = _copied(tmp_path, spec)
    said = {suspect.keyword: suspect.why for suspect in made.suspects}
    assert said == {"$P2S": ("it holds the value of $SRC",), "$P1S": ("a name",)}
    assert open_fcs(target).keywords["$P2S"] == "CD146 Mustermann"
    assert "$CYT" in made.removed


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "tube_001.fcs").write_text("mine")
    with pytest.raises(UsageError, match="already"):
        _copied(tmp_path, floats())
    assert (tmp_path / "tube_001.fcs").read_text() == "mine"


def test_a_refused_file_leaves_nothing(tmp_path: Path) -> None:
    source = make(floats()).write(tmp_path / "source.fcs")
    source.write_bytes(source.read_bytes()[:-7])
    with pytest.raises(InputError):
        scrub(source, tmp_path / "copy.fcs")
    with pytest.raises(InputError, match="no such file"):
        scrub(tmp_path / "none.fcs", tmp_path / "copy.fcs")
    whole = make(floats()).write(tmp_path / "whole.fcs")
    with pytest.raises(InputError, match="cannot be written"):
        scrub(whole, tmp_path / "no folder" / "copy.fcs")
    assert {path.name for path in tmp_path.iterdir()} == {"source.fcs", "whole.fcs"}


def test_a_copy_that_reads_otherwise_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stromagate.fcs import scrub as module

    real = module._write

    def flipped(partial: Path, head: bytes, found) -> str:
        digest = real(partial, head, found)
        whole = bytearray(partial.read_bytes())
        whole[len(head)] ^= 1
        partial.write_bytes(whole)
        return digest

    monkeypatch.setattr(module, "_write", flipped)
    with pytest.raises(InputError, match="does not read as the file does"):
        _copied(tmp_path, floats())
    assert [path.name for path in tmp_path.iterdir()] == ["source.fcs"]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    n = 1_500_000
    spec = wide(32)
    rows = make(spec).spec
    data = np.zeros((n, len(rows.columns)), dtype="<u4").tobytes()
    source = make(wide(32, data_bytes=data, change={"$TOT": str(n)})).write(tmp_path / "large.fcs")
    tracemalloc.start()
    scrub(source, tmp_path / "copy.fcs")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(data) / 4
    assert (tmp_path / "copy.fcs").stat().st_size > len(data)


@needs_reference_data
@pytest.mark.parametrize("name", ["coulter.lmd", "data1.fcs", "100715.fcs", "cyflow_cube_8.fcs", "fake_large_fcs.fcs"])
def test_real_files(name: str, tmp_path: Path) -> None:
    source = next(iter(sorted(DATA.rglob(name))))
    scrub(source, tmp_path / "copy.fcs")
    _same(source, tmp_path / "copy.fcs")
