"""``calibrate``, and ``run`` and ``report`` with what it made."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from stromagate.pipeline.bundle import read_result
from stromagate.pipeline.calibrate import read_calibration
from tests.cli.test_run import tree
from tests.pattern.runs import donor, donors, write_run


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of 44 controls, one of them twice, an FMO tube and three leukaemias; and one of these alone."""
    folder = tmp_path_factory.mktemp("lab")
    patients = [donor(f"a{number}", *counts, labels={"group": "AML"}) for number, counts in enumerate(COUNTS)]
    write_run(folder / "patients", patients)
    fmo = donor("c00_fmo", 0, 0, labels={"role": "fmo:CD146"})
    again = donor("c00_again", 20, 40, labels={"patient_id": "of c00"})
    write_run(folder / "run", [*donors(44), fmo, again, *patients])
    return folder


COUNTS = ((90, 40), (20, 300), (20, 40))


def patterns(out: Path) -> dict[str, str]:
    rows = csv.DictReader((out / "patterns.csv").read_text(encoding="utf-8").splitlines())
    return {row["sample_id"]: row["pattern"] for row in rows if row["kind"] == "call"}


def test_from_controls_to_patterns(call, lab: Path, tmp_path: Path) -> None:
    out = tmp_path / "controls.json"
    made = call("calibrate", lab / "run", "--where", "group=control", "--name", "our controls", "--out", out)
    assert made.exit_code == 0, made.output
    lines = made.stdout.splitlines()
    assert lines[0].startswith("L1 “our controls”: 44 tubes, net of background; specimen aspirate, preparation whole")
    assert lines[1].startswith("  P per million nucleated: low below 16, high from 26")
    assert lines[2].startswith("  Q per million nucleated: low below 36, high from 46")
    assert lines[-1] == str(out)
    # Control tubes are no tubes of a calibration: of them nothing is said.
    assert made.stderr == "c00_again is left out: its patient is that of c00\n"
    again = call("report", lab / "patients", "--calibration", out, "--json")
    assert again.exit_code == 0, again.output
    assert patterns(lab / "patients") == {"a0": "progenitor-high", "a1": "MSC-high", "a2": "indeterminate"}
    seal = read_calibration(out).seal
    assert f"our controls ({seal[:12]})" in (lab / "patients" / "patterns.csv").read_text(encoding="utf-8")


def test_what_it_says_to_a_program(call, said, lab: Path, tmp_path: Path) -> None:
    out = tmp_path / "sub" / "cohort.json"
    command = ("calibrate", lab / "run", "--name", "all of 2026", "--cohort", "median", "--day", "2026-03-01")
    result = call(*command, "--denominators", "viable, nucleated", "--note", "first year", "--out", out, "--json")
    assert result.exit_code == 0, result.output
    answer = said(result)
    assert {"ok": True, "out": str(out), "name": "all of 2026", "level": "L2", "tubes": 47}.items() <= answer.items()
    assert answer["denominators"] == ["viable", "nucleated"]
    assert answer["strata"]["specimen"] == "aspirate"
    assert [(row["denominator"], row["index"]) for row in answer["cut_points"]] == [
        ("viable", "P"), ("viable", "Q"), ("nucleated", "P"), ("nucleated", "Q"),
    ]  # fmt: skip
    assert all(row["low"] == row["high"] for row in answer["cut_points"])
    assert answer["left_out"] == [
        {"sample_id": "c00_fmo", "why": "it is a control tube (fmo:CD146)"},
        {"sample_id": "c00_again", "why": "its patient is that of c00"},
    ]
    kept = read_calibration(out)
    assert (kept.seal, kept.made_on, kept.note) == (answer["seal"], "2026-03-01", "first year")


def test_few_controls_are_kept_and_call_nothing(call, said, lab: Path, tmp_path: Path) -> None:
    write_run(tmp_path / "few", donors(20))
    patient = write_run(tmp_path / "patient", [donor("a0", 22, 40)])
    out = tmp_path / "few.json"
    result = call("calibrate", tmp_path / "few", "--name", "few", "--out", out)
    assert result.exit_code == 0
    assert "too few tubes for a range: no pattern is called by it (40 are needed; percentiles from 20 on)" in (
        result.stdout
    )
    again = ("calibrate", tmp_path / "few", "--name", "few", "--out", out, "--json")
    before = out.read_bytes()
    refused = call(*again)
    assert (refused.exit_code, said(refused)["error"]["code"]) == (2, "calibrate.exists")
    assert out.read_bytes() == before
    assert said(call(*again, "--force"))["cut_points"] == []
    assert call("report", patient, "--calibration", out).exit_code == 0
    assert patterns(patient) == {"a0": "not assigned"}
    p = read_result(patient, "a0").pattern.indices[0]
    # P of the twenty are 16 to 26 once, and 16 to 24 again: twelve lie below 22, and two are 22.
    assert p.percentile == 13 / 20


def test_three_tubes_are_a_cohort_for_a_run(call, tubes: Path, tmp_path: Path) -> None:
    """From FCS files to patterns: run, calibrate, and run again, which keeps what it has counted."""
    out, anew, kept = tmp_path / "out", tmp_path / "anew", tmp_path / "cohort.json"
    command = ("run", tubes, "-t", tubes / "small.yaml", "-o", out)
    assert call(*command).exit_code == 0
    assert set(patterns(out).values()) == {"not assigned"}
    shutil.copytree(out, anew)
    made = call("calibrate", out, "--name", "three tubes", "--cohort", "median", "--out", kept)
    assert made.exit_code == 0, made.output
    assert "L2 “three tubes”: 3 tubes, raw of background" in made.stdout
    assert call(*command, "--calibration", kept).exit_code == 0
    made_by = [read_result(out, name).pattern.calibration for name in "abc"]
    assert [(each.name, each.level, each.n) for each in made_by if each] == [("three tubes", "L2", 3)] * 3
    assert call("report", anew, "--calibration", kept).exit_code == 0
    assert tree(anew) == tree(out)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["{run}", "--name", "x"], 2, "--out"),
        (["{run}", "--out", "{out}"], 2, "--name"),
        (["{run}", "--out", "{out}", "--name", ""], 2, "what reports call it by"),
        (["--out", "{out}", "--name", "x"], 2, "Missing argument"),
        (["{run}", "{run}", "--out", "{out}", "--name", "x"], 2, "named twice"),
        (["{run}", "--out", "{out}", "--name", "x", "--where", "group"], 2, "is not COLUMN=VALUE"),
        (["{run}", "--out", "{out}", "--name", "x", "--where", "group="], 2, "is not COLUMN=VALUE"),
        (["{run}", "--out", "{out}", "--name", "x", "--where", "group=MDS"], 2, "no tube has group=MDS"),
        (["{run}", "--out", "{out}", "--name", "x", "--cohort", "quartiles"], 2, "quartiles"),
        (["{run}", "--out", "{out}", "--name", "x", "--where", "patient_id=of a0"], 4, "1 tube can be taken"),
        (["{run}", "--out", "{out}", "--name", "x", "--denominators", "nuclear"], 4, "allowed: nucleated, viable"),
        (["{nowhere}", "--out", "{out}", "--name", "x"], 3, "no run"),
    ],
)
def test_mistakes_end_with_one_clear_error(
    call, lab: Path, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    places = {"run": lab / "run", "out": tmp_path / "made.json", "nowhere": tmp_path / "nowhere"}
    result = call("calibrate", *(argument.format(**places) for argument in arguments))
    assert result.exit_code == code, result.output
    assert words in result.stderr
    assert not result.stdout
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "made.json").exists()


def test_kinds_of_specimen_are_told_apart_by_the_sheet(call, tmp_path: Path) -> None:
    digests = [donor(f"d{number}", 90, 400, labels={"specimen": "digest"}) for number in range(3)]
    run = write_run(tmp_path / "run", [*donors(3), *digests])
    mixed = call("calibrate", run, "--name", "x", "--out", tmp_path / "x.json", "--json")
    assert mixed.exit_code == 4
    error = json.loads(mixed.stdout)["error"]
    assert (error["code"], error["message"]) == ("calibrate.strata", "the tubes differ in `specimen`: aspirate, digest")
    assert error["hint"] == "make one calibration of each, with --where specimen=..."
    apart = call("calibrate", run, "--where", "specimen=digest", "--name", "x", "--out", tmp_path / "x.json", "--json")
    assert json.loads(apart.stdout)["strata"]["specimen"] == "digest"


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [(None, 4, "not as it was made"), (b"low below 20", 4, "Invalid JSON"), (b"", 3, "cannot be read")],
    ids=["changed", "no calibration", "not there"],
)
def test_a_damaged_calibration_ends_before_any_tube_is_touched(
    call, said, lab: Path, tubes: Path, tmp_path: Path, content: bytes | None, code: int, words: str
) -> None:
    bad = tmp_path / "bad.json"
    if content is None:
        assert call("calibrate", lab / "run", "--name", "x", "--cohort", "median", "-o", bad).exit_code == 0
        bad.write_bytes(bad.read_bytes().replace(b'"cut": "median"', b'"cut": "tertiles"'))
    elif content:
        bad.write_bytes(content)
    before = tree(lab / "run", but=())
    for verb in (
        ("run", tubes, "-t", tubes / "small.yaml", "-o", tmp_path / "out", "--calibration", bad),
        ("report", lab / "run", "--calibration", bad),
    ):
        result = call(*verb, "--json")
        assert result.exit_code == code, result.output
        error = said(result)["error"]
        assert words in error["message"]
        assert error["where"] == str(bad)
        assert error["hint"]
    assert not (tmp_path / "out").exists()
    assert tree(lab / "run", but=()) == before
