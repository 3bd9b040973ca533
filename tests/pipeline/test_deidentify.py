"""Many files at once: neutral names, nothing written over, and a map that is kept apart."""

from __future__ import annotations

import csv
import stat
import sys
from pathlib import Path

import pytest

from stromagate.errors import InputError, UsageError
from stromagate.fcs import read_header
from stromagate.pipeline.deidentify import MAP_COLUMNS, deidentify, tells_in_name, unseen
from tests.fcs.make_fcs import make
from tests.fcs.specimens import floats

NAMES = ("Mustermann, Erika stained", "Mustermann, Erika FMO CD146", "Huber_Karl_comp_Huber", "Huber_Karl_FMO_what")


@pytest.fixture
def originals(tmp_path: Path) -> Path:
    folder = tmp_path / "originals"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        extra = (("$SRC", name), ("$DATE", f"1{number}-JAN-2025"))
        make(floats(extra=extra)).write(folder / f"{name}.fcs")
    return folder


def test_names_are_neutral_and_keep_the_role(originals: Path, tmp_path: Path) -> None:
    copies = deidentify([originals], tmp_path / "out")
    by_original = {copy.original.stem: copy.name for copy in copies}
    assert sorted(copy.name for copy in copies) == [copy.name for copy in copies]
    assert {name.split(".")[0][8:] for name in by_original.values()} == {"", "_fmo_CD146", "_comp", "_fmo"}
    assert by_original[NAMES[1]].endswith("_fmo_CD146.fcs")
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == sorted(by_original.values())
    for path in (tmp_path / "out").iterdir():
        whole = path.name.encode() + path.read_bytes()
        assert not [word for word in (b"Mustermann", b"Erika", b"Huber", b"Karl", b"what", b"2025") if word in whole]


def test_the_numbers_do_not_follow_the_alphabet(originals: Path, tmp_path: Path) -> None:
    copies = deidentify([originals], tmp_path / "out")
    assert [copy.sha256 for copy in copies] == sorted(copy.sha256 for copy in copies)
    again = deidentify([originals], tmp_path / "again")
    assert [copy.name for copy in again] == [copy.name for copy in copies]


def test_the_map_leads_back_and_is_for_the_owner_alone(originals: Path, tmp_path: Path) -> None:
    table = tmp_path / "safe" / "map.csv"
    copies = deidentify([originals], tmp_path / "out", dates="shift", map_file=table)
    with table.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == MAP_COLUMNS
    assert [(row["copy"], row["original"]) for row in rows] == [(copy.name, str(copy.original)) for copy in copies]
    days = {int(row["days_shifted"]) for row in rows}
    assert len(days) == 1
    assert -1_000 <= days.pop() <= -30
    dates = {read_header(tmp_path / "out" / row["copy"]).keywords["$DATE"] for row in rows}
    assert len(dates) == 4
    if sys.platform != "win32":
        assert stat.S_IMODE(table.stat().st_mode) == 0o600


def test_two_calls_shift_differently(originals: Path, tmp_path: Path) -> None:
    shifts = set()
    for number in range(4):
        table = tmp_path / f"map_{number}.csv"
        deidentify([originals], tmp_path / f"out_{number}", dates="shift", map_file=table)
        shifts.add(table.read_text(encoding="utf-8").splitlines()[1].rpartition(",")[2])
    assert len(shifts) > 1


def test_nothing_is_written_over(originals: Path, tmp_path: Path) -> None:
    out, table = tmp_path / "out", tmp_path / "map.csv"
    deidentify([originals], out)
    before = {path: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(UsageError, match="4 of the copies would be written over"):
        deidentify([originals], out, map_file=table)
    assert not table.exists()
    assert {path: path.read_bytes() for path in out.iterdir()} == before
    table.write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="already"):
        deidentify([originals], tmp_path / "other", map_file=table)
    with pytest.raises(UsageError, match="may not lie among the copies"):
        deidentify([originals], tmp_path / "other", map_file=tmp_path / "other" / "sub" / "map.csv")
    with pytest.raises(UsageError, match="is a file"):
        deidentify([originals], table)
    assert not (tmp_path / "other").exists()
    assert table.read_text(encoding="utf-8") == "mine"


def test_one_bad_file_does_not_stop_the_others(originals: Path, tmp_path: Path) -> None:
    bad = originals / "Mustermann bad.fcs"
    bad.write_bytes(b"no FCS")
    table = tmp_path / "map.csv"
    copies = deidentify([originals], tmp_path / "out", map_file=table)
    (refused,) = [copy for copy in copies if copy.made is None]
    assert refused.original == bad
    assert isinstance(refused.error, InputError)
    assert len(list((tmp_path / "out").iterdir())) == 4
    assert bad.name not in table.read_text(encoding="utf-8")
    with pytest.raises(InputError, match="no such file"):
        deidentify([tmp_path / "nowhere"], tmp_path / "out2")


def test_wishes_are_folded_and_slips_are_found(originals: Path, tmp_path: Path) -> None:
    copies = deidentify([originals], tmp_path / "out", keep=[" $src ", "$SCR"], drop=["$p2s"])
    assert unseen(["$src", "$SCR"], ["$p2s"], copies) == ["$SCR"]
    header = read_header(tmp_path / "out" / copies[0].name)
    assert header.keywords["$SRC"] == copies[0].original.stem
    assert "$P2S" not in header.keywords
    assert {suspect.keyword for copy in copies if copy.made for suspect in copy.made.suspects} == {"$SRC"}
    with pytest.raises(UsageError, match="neither kept nor dropped"):
        deidentify([originals], tmp_path / "none", keep=["$fil"])
    assert not (tmp_path / "none").exists()


def test_names_of_originals_are_looked_at(originals: Path, tmp_path: Path) -> None:
    copies = deidentify([originals], tmp_path / "out")
    assert {copy.original.stem for copy in copies if tells_in_name(copy)} == {NAMES[0], NAMES[1]}
