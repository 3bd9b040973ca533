"""What tubes are called: safe, unique, and never by a keyword of the file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.errors import SpecificationError, UsageError
from stromagate.pipeline.tubes import collect_tubes, printable, slug

NASTY = [
    "../../etc/passwd", "..", ".hidden", "-rf", "CON", "nul.txt", "a:b", "x" * 300, "naïve größe", "ＦＣＳ",
    "tab\there", "<img src=x onerror=alert(1)>", "=cmd|' /C calc'!A0", "\u202egnp.exe", "名前", "trailing. ", "a/b",
    "a\\b", "", " ",
]  # fmt: skip


@pytest.mark.parametrize("name", NASTY)
def test_nasty_names_become_safe_folders(name: str) -> None:
    safe = slug(name)
    assert 1 <= len(safe) <= 85
    assert set(safe) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
    assert safe[0] not in ".-"
    assert safe.split(".")[0].casefold() not in {"con", "nul"}


@given(st.text(max_size=100))
@settings(deadline=None, derandomize=True)
def test_every_text_has_a_stable_slug(name: str) -> None:
    assert slug(name) == slug(name)
    assert slug(slug(name)) == slug(name)


def test_same_names_in_sub_folders_stay_apart(tmp_path: Path) -> None:
    for folder, content in (("mon", b"1"), ("tue", b"2")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "Tube 1.fcs").write_bytes(content)
    (tmp_path / "mon" / "other.FCS").write_bytes(b"3")
    tubes = collect_tubes([tmp_path]).tubes
    assert [tube.shown for tube in tubes if tube.sample_id == "other"] == ["mon/other.FCS"]
    crowded = sorted(tube.sample_id for tube in tubes if tube.sample_id != "other")
    assert len(set(crowded)) == 2
    assert all(name.startswith("Tube_1-") and len(name) == len("Tube_1-") + 8 for name in crowded)


def test_the_same_bytes_twice_are_still_two_tubes(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "t.fcs").write_bytes(b"same")
    assert len({tube.sample_id for tube in collect_tubes([tmp_path]).tubes}) == 2


def test_the_sheet_names_tubes_and_leaves_compensation_out(tmp_path: Path) -> None:
    sheet = tmp_path / "s.csv"
    sheet.write_text("file,sample_id,role\na.fcs,A,stained\nb.fcs,,fmo:CD146\nc.fcs,C,comp:PE\nmissing.fcs,M,\n")
    found = collect_tubes([], sheet)
    assert [tube.sample_id for tube in found.tubes] == ["A", "b", "M"]
    assert found.n_compensation == 1
    assert found.tubes[0].labels == {"role": "stained"}


def test_a_sheet_of_compensation_controls_only_is_no_empty_success(tmp_path: Path) -> None:
    sheet = tmp_path / "s.csv"
    sheet.write_text("file,role\na.fcs,comp:PE\nb.fcs,Comp:APC\n")
    with pytest.raises(SpecificationError, match="all 2 rows"):
        collect_tubes([], sheet)


def test_inputs_or_a_sheet_but_not_both(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to run on"):
        collect_tubes([])
    with pytest.raises(UsageError, match="not both"):
        collect_tubes([tmp_path], tmp_path / "s.csv")


def test_bytes_that_are_no_text_are_spelled_out() -> None:
    assert printable(b"lat\xe9in.fcs".decode("utf-8", "surrogateescape")) == "lat\\xe9in.fcs"
    assert printable("größe 名前 😀") == "größe 名前 😀"
    printable("".join(map(chr, range(0xD800, 0xE000)))).encode("utf-8")


def test_a_name_is_the_same_whatever_the_language_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "Größe 名.fcs").write_bytes(b"1")
    script = (
        "import sys; from stromagate.pipeline.tubes import collect_tubes\n"
        "(tube,) = collect_tubes([sys.argv[1]]).tubes\n"
        "print(ascii((tube.sample_id, tube.shown)))"
    )
    heard = set()
    for language in ({"PYTHONUTF8": "1"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
        command = [sys.executable, "-c", script, str(tmp_path)]
        done = subprocess.run(command, env={**os.environ, **language}, capture_output=True, text=True, check=True)
        heard.add(done.stdout)
    assert heard == {ascii(("Groe", "Größe 名.fcs")) + "\n"}
