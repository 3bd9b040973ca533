"""``deidentify`` on the command line, and that no verb's output holds what keywords say of a patient."""

from __future__ import annotations

import base64
import html
import json
import re
import urllib.parse
from pathlib import Path

import pytest

from stromagate.fcs import read_fcs, write_fcs
from tests.tubes import write_template, write_tube

KEYWORDS = (
    "$SRC", "$PROJ", "$OP", "$SMNO", "$CELLS", "$COM", "$FIL", "$DATE", "$BTIM", "$ETIM", "$INST", "$EXP", "$SYS",
    "$CYTSN", "$LAST_MODIFIER", "$LAST_MODIFIED", "$WELLID", "$PLATEID", "$PLATENAME", "PATIENT ID", "PATIENT NAME",
    "SAMPLE ID", "DOB", "MRN", "EXPERIMENT NAME", "TUBE NAME", "EXPORT USER NAME", "LOGIN NAME", "GUID", "@SAMPLEID1",
    "&10PATIENT ID", "CST BEADS LOT ID", "CYTOMETER CONFIG NAME", "FILENAME", "CREATOR", "ANYTHING ELSE",
)  # fmt: skip
STEM = "ZQXJKV"
SECRETS = {name: f"{STEM}{number:02d}QZ" for number, name in enumerate(KEYWORDS)}
DAYS = {"tube": "07-NOV-1931", "comp": "08-DEC-1932"}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tube whose every keyword of a person, a day or a place holds a word of its own, and a control of it."""
    folder = tmp_path_factory.mktemp("planted")
    write_template(folder / "small.yaml")
    for seed, name in enumerate(("tube", "comp")):
        sample = read_fcs(write_tube(folder / "plain.fcs", seed, 1500))
        words = {"$SPILLOVER": sample.keywords["$SPILLOVER"], "$TIMESTEP": "1", "$CYT": f"Roe, Jane {SECRETS['$OP']}"}
        words |= SECRETS | {"TUBE NAME": f"comp {SECRETS['TUBE NAME']}", "$DATE": f"{DAYS[name]} {SECRETS['$DATE']}"}
        words["$CYTSN"] += name  # so that checks of the run find other days and cytometers, and speak of them
        labels = [channel.pns for channel in sample.channels]
        write_fcs(folder / f"{name}.fcs", sample.events, sample.pnn, labels=labels, keywords=words)
        (folder / "plain.fcs").unlink()
    return folder


def _forms(secret: str) -> set[bytes]:
    """Return a word as outputs may spell it; base64 in its three positions, without what the neighbours change."""
    raw = secret.encode()
    shifted = {base64.b64encode(b"\0" * n + raw)[(0, 2, 3)[n] : -4] for n in range(3)}
    spelled = {urllib.parse.quote(secret), html.escape(secret), json.dumps(secret)[1:-1]}
    return {raw, raw.lower(), raw.hex().encode(), secret.encode("utf-16-le"), *shifted, *(s.encode() for s in spelled)}


def _found(content: bytes) -> list[str]:
    folded = content.lower()
    days = [day for day in DAYS.values() if day.lower().encode() in folded]
    if not any(form in content for form in _forms(STEM)):  # what all have in common: megabytes are searched once
        return days
    return days + [name for name, secret in SECRETS.items() if any(form in content for form in _forms(secret))]


def _everything(folder: Path) -> bytes:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    assert files
    return b"\n".join(str(path.relative_to(folder)).encode() + path.read_bytes() for path in files)


def test_the_plant_would_be_found(planted: Path) -> None:
    assert len(_found((planted / "tube.fcs").read_bytes())) == len(SECRETS) + 1
    assert _found(b"xx" + base64.b64encode(b"a" + SECRETS["$SRC"].encode() + b"b")) == ["$SRC"]


def test_a_run_writes_and_says_nothing_of_it(call, planted: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    inputs = ("run", planted, "-t", planted / "small.yaml", "-o", out)
    history = ("--history", tmp_path / "history")
    for more in (history, ("--json", "--force", "--standalone")):
        result = call(*inputs, *more)
        assert result.exit_code == 0
        assert _found(_everything(tmp_path) + result.stdout.encode() + result.stderr.encode()) == []
    found = json.loads((out / "samples" / "tube" / "result.json").read_text(encoding="utf-8"))
    (finding,) = [item for item in found["findings"] if item["check"] == "identity"]
    assert finding["status"] == "warn"
    assert "PATIENT NAME" in finding["sentence"]
    assert "$CYT" not in found["instrument"]
    assert "PATIENT NAME (made to hold it)" in (out / "samples" / "tube" / "report.html").read_text(encoding="utf-8")


def test_results_may_keep_no_keyword_at_all(call, planted: Path, tmp_path: Path) -> None:
    write_tube(tmp_path / "tube.fcs", 0, 500)
    for option in ((), ("--keywords", "none")):
        assert (
            call("run", tmp_path / "tube.fcs", "-t", planted / "small.yaml", "-o", tmp_path / "o", *option).exit_code
            == 0
        )
        found = json.loads((tmp_path / "o" / "samples" / "tube" / "result.json").read_text(encoding="utf-8"))
        kept = {"FCS version"} if option else {"FCS version", "$CYT", "$DATATYPE", "$BYTEORD", "$MODE"}
        assert set(found["instrument"]) == kept
        assert (b"Test cytometer" in _everything(tmp_path / "o")) is not bool(option)


@pytest.mark.parametrize(
    "arguments",
    [
        ("inspect", "tube.fcs", "--witness"),
        ("inspect", "tube.fcs", "--witness", "--json"),
        ("inspect", "tube.fcs", "--policy", "strict"),
        ("sheet", "tube.fcs", "comp.fcs"),
        ("sheet", "tube.fcs", "comp.fcs", "--json"),
        ("run", "tube.fcs", "-t", "bm_stroma_core", "-o", "OUT", "--json"),
        ("run", "tube.fcs", "-t", "small.yaml", "-o", "OUT", "--dataset", "7"),
        ("templates", "new", "tube.fcs", "--out", "OUT/new.yaml"),
        ("simulate", "--background", "tube.fcs", "--out", "OUT", "--events", "2000"),
    ],
    ids=" ".join,
)
def test_no_verb_says_it_whether_it_does_its_work_or_refuses(
    arguments: tuple[str, ...], call, planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(planted)
    (tmp_path / "out").mkdir()
    result = call(*(word.replace("OUT", str(tmp_path / "out")) for word in arguments))
    assert result.exit_code in {0, 2, 3, 4}
    assert result.stdout or result.stderr
    said = result.stdout.encode() + result.stderr.encode()
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert _found(said + written) == []


def test_messages_about_broken_text_quote_no_person(call, planted: Path, tmp_path: Path) -> None:
    """Where keywords are damaged, values can stand in the place of names and of numbers."""
    whole = (planted / "tube.fcs").read_bytes()
    damages = [
        (b"$TOT/1500", b"$TOT/Doe,"),
        (b"/$BTIM/", b"/$DATE/"),
        (b"/$CELLS/", b"/$CELLS "),
    ]
    delimiter = whole[58:59]
    for before, after in damages:
        old, new = before.replace(b"/", delimiter), after.replace(b"/", delimiter)
        assert old in whole
        assert len(old) == len(new)
        (tmp_path / "bad.fcs").write_bytes(whole.replace(old, new, 1))
        result = call("inspect", tmp_path / "bad.fcs")
        assert _found(result.stdout.encode()) == []
    (tmp_path / "bad.fcs").write_bytes(whole.replace(b"$TIMESTEP" + delimiter + b"1", b"$TIMESTEP" + delimiter + b"?"))
    assert call("inspect", tmp_path / "bad.fcs").exit_code == 0


def test_inspect_names_the_keywords(call, said, planted: Path) -> None:
    page = call("inspect", planted / "tube.fcs").stdout
    assert "  identity   PATIENT NAME (made to hold it)" in page
    assert "stromagate deidentify FILE --out DIR" in page
    (item,) = said(call("inspect", planted / "tube.fcs", "--json"))["files"]
    assert {"keyword": "DOB", "why": ["made to hold it"]} in item["identity"]


def test_copies_hold_nothing_and_run_as_the_originals(call, said, planted: Path, tmp_path: Path) -> None:
    out, table = tmp_path / "copies", tmp_path / "map.csv"
    result = call("deidentify", planted / "tube.fcs", "--out", out, "--map", table)
    assert result.exit_code == 0, result.output
    assert _found(_everything(out) + result.stdout.encode() + result.stderr.encode()) == []
    assert "  copy       tube_001.fcs" in result.stdout
    assert re.search(r"  events     1,500, DATA unchanged \(SHA-256 [0-9a-f]{64}\)", result.stdout)
    assert "PATIENT NAME" in result.stdout
    assert "nobody can recognise every name" in result.stderr
    assert table.read_text(encoding="utf-8").startswith("copy,original,sha256_of_original,days_shifted\ntube_001.fcs,")
    counts = []
    for path in (planted / "tube.fcs", out / "tube_001.fcs"):
        folder = tmp_path / path.stem
        assert call("run", path, "-t", planted / "small.yaml", "-o", folder).exit_code == 0
        (rows,) = [found.read_text(encoding="utf-8") for found in folder.glob("populations.csv")]
        counts.append(rows.replace(path.stem, "TUBE"))
    assert counts[0] == counts[1]
    answer = said(call("inspect", out / "tube_001.fcs", "--json"))["files"][0]
    assert (answer["verdict"], answer["identity"]) == ("ok", [])


def test_json_and_exit_codes(call, said, planted: Path, tmp_path: Path) -> None:
    answer = said(call("deidentify", planted / "tube.fcs", "--out", tmp_path / "a", "--keep", "$PROJ", "--json"))
    assert (answer["ok"], answer["format"], answer["map"]) == (True, "stromagate.deidentified/1", None)
    (item,) = answer["files"]
    assert item["copy"] == "tube_001.fcs"
    assert "$PROJ" in item["kept"]
    assert "$SRC" in item["removed"]
    again = call("deidentify", planted / "tube.fcs", "--out", tmp_path / "a", "--json")
    assert (again.exit_code, said(again)["error"]["code"]) == (2, "scrub.exists")
    (tmp_path / "bad.fcs").write_bytes(b"FCS")
    refused = call("deidentify", tmp_path / "bad.fcs", planted / "tube.fcs", "--out", tmp_path / "b", "--json")
    assert refused.exit_code == 3
    assert said(refused)["ok"] is False
    assert [bool(item.get("error")) for item in said(refused)["files"]].count(True) == 1
    assert len(list((tmp_path / "b").iterdir())) == 1
    text = call("deidentify", tmp_path / "bad.fcs", "--out", tmp_path / "c")
    assert (text.exit_code, "none: refused" in text.stdout) == (3, True)
    assert call("deidentify", planted / "tube.fcs", "--out", tmp_path / "d", "--keep", "$TOT").exit_code == 2
    slip = call("deidentify", planted / "tube.fcs", "--out", tmp_path / "d", "--keep", "$SCR")
    assert "no file has the keyword $SCR" in slip.stderr


def test_labels_to_look_at_are_shown_with_the_way_out(call, tmp_path: Path) -> None:
    write_tube(tmp_path / "tube.fcs", 0, 500, stains=["", "", "", "Mustermann, Erika", "", "", ""])
    result = call("deidentify", tmp_path / "tube.fcs", "--out", tmp_path / "a")
    assert "look at    $P4S (a name): still in the copy; --drop '$P4S' removes it" in result.stdout
    result = call("deidentify", tmp_path / "tube.fcs", "--out", tmp_path / "b", "--drop", "$P4S")
    assert "look at" not in result.stdout
    assert b"Mustermann" not in (tmp_path / "b" / "tube_001.fcs").read_bytes()
