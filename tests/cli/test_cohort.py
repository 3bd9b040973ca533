"""``cohort`` on finished runs: what it writes, what it leaves out, and what it refuses."""

from __future__ import annotations

import csv
import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from stromagate.model.cohort import Cohort
from stromagate.model.result import SampleResult
from stromagate.pipeline.calibrate import calibration_bytes
from tests.cli.conftest import Call
from tests.pattern.tubes import cohort as median_of_cohort
from tests.pattern.tubes import controls, fitted
from tests.report.cohorts import cohort_tube, many, write_run

Said = Callable[[Result], dict[str, Any]]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def fmo(name: str, patient: str) -> SampleResult:
    return cohort_tube(name, 1, 1).model_copy(update={"labels": {"patient_id": patient, "role": "fmo:CD146"}})


@pytest.fixture
def two_runs(tmp_path: Path) -> tuple[Path, Path]:
    first = [
        cohort_tube("a", 60, 160, patient="P1", labels={"timepoint": "diagnosis", "diagnosis": "AML"}),
        cohort_tube("b", 9, 90, patient="P2", labels={"diagnosis": "MDS"}),
        fmo("a-fmo", "P1"),
    ]
    second = [cohort_tube("c", 150, 150, patient="P1", labels={"timepoint": "day 28", "diagnosis": "AML"})]
    return write_run(tmp_path / "run1", first), write_run(tmp_path / "run2", second)


def test_two_runs_become_a_page_two_tables_and_a_document(
    call: Call, said: Said, two_runs: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = call("cohort", *two_runs, "--out", out, "--group", "diagnosis", "--json")
    assert result.exit_code == 0, result.output
    answer = said(result)
    assert answer["ok"]
    assert answer["controls"] == 1
    assert answer["cohorts"][0]["tubes"] == 3
    assert answer["cohorts"][0]["patients"] == 2
    assert {path.name for path in out.iterdir()} == {
        "cohort.html",
        "cohort.csv",
        "cohort_wide.csv",
        "cohort.json",
        "README.txt",
        "assets",
        "patients",
        ".stromagate_cohort",
    }
    assert [path.name for path in (out / "patients").iterdir()] == ["P1.html"]
    document = Cohort.model_validate_json((out / "cohort.json").read_bytes())
    assert [tube.name for tube in document.tubes] == ["a", "b", "c"]
    assert (out / "README.txt").read_text().startswith("For Research Use Only. Not for use in diagnostic procedures.\n")
    page = (out / "cohort.html").read_text()
    assert 'href="../run1/samples/a/report.html"' in page
    assert 'href="patients/P1.html"' in page
    assert 'href="../../run2/samples/c/report.html"' in (out / "patients" / "P1.html").read_text()
    assert (out / "assets" / "plotly.min.js").is_file()


def test_the_tidy_table_names_the_denominator_of_every_number(
    call: Call, two_runs: tuple[Path, Path], tmp_path: Path
) -> None:
    assert call("cohort", *two_runs, "--out", tmp_path / "out").exit_code == 0
    table = rows(tmp_path / "out" / "cohort.csv")
    assert all(row["denominator"] or row["unit"] == "fraction" for row in table)
    found = {(row["tube"], row["quantity"], row["denominator"]): float(row["value"]) for row in table}
    assert found["a", "P", "nucleated"] == 60
    assert found["a", "P", "singlets"] == 30
    assert found["a", "lymphocytes", "singlets"] == 100_000
    assert found["c", "P/MSC", ""] == 0.5
    assert len(found) == len(table)


def test_the_wide_table_has_a_row_a_tube_and_the_denominator_in_its_columns(
    call: Call, two_runs: tuple[Path, Path], tmp_path: Path
) -> None:
    assert call("cohort", *two_runs, "--out", tmp_path / "out", "--group", "diagnosis").exit_code == 0
    table = rows(tmp_path / "out" / "cohort_wide.csv")
    assert [row["tube"] for row in table] == ["a", "b", "c"]
    a = table[0]
    assert (a["progenitors_per_million_nucleated"], a["msc_per_million_singlets"]) == ("60", "110")
    assert (
        float(a["progenitors_per_million_nucleated_ci_low"])
        < 60
        < float(a["progenitors_net_per_million_nucleated_ci_high"])
    )
    assert (a["progenitors_events"], a["progenitors_state"], a["group"]) == ("60", "quantifiable", "AML")
    assert (a["specimen"], a["pull"], a["pattern"], a["worst_finding"]) == ("aspirate", "not said", "not assigned", "")
    assert a["progenitors_fraction_of_msc"].startswith("0.2727")


def test_the_same_runs_give_the_same_bytes_and_replace_an_older_cohort(
    call: Call, two_runs: tuple[Path, Path], tmp_path: Path
) -> None:
    outs = tmp_path / "one", tmp_path / "two"
    for out in outs:
        assert call("cohort", *two_runs, "--out", out).exit_code == 0
    first, second = (
        {path.relative_to(out): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()} for out in outs
    )
    assert first == second
    assert call("cohort", two_runs[1], "--out", outs[0]).exit_code == 0
    assert not (outs[0] / "patients").exists()
    assert len(rows(outs[0] / "cohort_wide.csv")) == 1


def test_a_calibration_calls_every_tube_again(call: Call, two_runs: tuple[Path, Path], tmp_path: Path) -> None:
    file = tmp_path / "median.json"
    file.write_bytes(calibration_bytes(median_of_cohort()))
    assert call("cohort", *two_runs, "--out", tmp_path / "out", "--calibration", file).exit_code == 0
    document = Cohort.model_validate_json((tmp_path / "out" / "cohort.json").read_bytes())
    assert document.calibration is not None
    assert document.calibration.level == "L2"
    assert document.offset_ppm == {"nucleated": 5.0, "singlets": 5.0}
    assert set(document.cuts) == {"nucleated"}
    assert {tube.level for tube in document.tubes} == {"L2"}
    assert document.tubes[0].pattern == "both-high"


def test_cut_points_fitted_on_outcomes_never_come_without_their_nested_figure(
    call: Call, two_runs: tuple[Path, Path], tmp_path: Path
) -> None:
    file = tmp_path / "fitted.json"
    file.write_bytes(calibration_bytes(fitted()))
    assert call("cohort", *two_runs, "--out", tmp_path / "out", "--calibration", file).exit_code == 0
    page = (tmp_path / "out" / "cohort.html").read_text()
    assert "Cut-points fitted on 60 patients" in page
    assert "Balanced accuracy 0.44 by nested cross-validation, 0.71 apparent." in page


def test_tubes_with_the_same_bytes_are_taken_once(call: Call, two_runs: tuple[Path, Path], tmp_path: Path) -> None:
    again = cohort_tube("a", 60, 160, patient="P1", labels={"timepoint": "diagnosis"})
    twin = write_run(tmp_path / "run3", [again, cohort_tube("d", 9, 90, patient="P3")])
    result = call("cohort", *two_runs, twin, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "run3: a is left out: it holds the same bytes as a" in result.output
    assert [row["tube"] for row in rows(tmp_path / "out" / "cohort_wide.csv")] == ["a", "b", "c", "d"]


def test_blood_beside_marrow_is_left_out_and_named(call: Call, tmp_path: Path) -> None:
    blood = cohort_tube("pb", 0, 0, patient="P1", labels={"specimen": "blood"})
    run = write_run(tmp_path / "run", [cohort_tube("bm", 60, 160, patient="P1"), blood])
    result = call("cohort", run, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "run: pb is left out: it is blood, and the others are not" in result.output
    alone = call("cohort", write_run(tmp_path / "alone", [blood]), "--out", tmp_path / "of-blood")
    assert alone.exit_code == 0, alone.output


def test_two_tubes_of_one_name_are_told_apart_by_their_runs(call: Call, tmp_path: Path) -> None:
    for i in (1, 2):
        result = cohort_tube("a", 60, 160)
        source = replace(result.source, sha256=f"{i:064x}")
        write_run(tmp_path / f"day{i}" / "run", [result.model_copy(update={"source": source})])
    folders = tmp_path / "day1" / "run", tmp_path / "day2" / "run"
    assert call("cohort", *folders, "--out", tmp_path / "out").exit_code == 0
    assert [row["tube"] for row in rows(tmp_path / "out" / "cohort_wide.csv")] == ["a", "a (run (2))"]


def test_a_failed_tube_is_named(call: Call, tmp_path: Path) -> None:
    error: dict[str, str | None] = {"code": "fcs.empty", "message": "empty", "where": None, "hint": None}
    folder = write_run(tmp_path / "run", [cohort_tube("a", 60, 160)], error)
    result = call("cohort", folder, "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert "failed-0 is left out: it could not be analysed" in result.output


def test_one_tube_without_a_patient_is_a_cohort(call: Call, tmp_path: Path) -> None:
    bare = cohort_tube("a", 60, 160).model_copy(update={"labels": {}})
    result = call("cohort", write_run(tmp_path / "run", [bare]), "--out", tmp_path / "out", "--standalone")
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "out" / "patients").exists()
    assert not (tmp_path / "out" / "assets").exists()
    page = (tmp_path / "out" / "cohort.html").read_text()
    assert len(page) > 3_000_000
    assert "report.html" not in page  # what is mailed leads nowhere


def refused(result: Result, exit_code: int, code: str) -> dict[str, str]:
    assert result.exit_code == exit_code, result.output
    answer = json.loads(result.stdout)
    assert answer["ok"] is False
    assert answer["error"]["code"] == code
    assert answer["error"]["hint"]
    return dict(answer["error"])


def test_two_templates_are_refused_by_one_clear_error(call: Call, tmp_path: Path) -> None:
    other = cohort_tube("b", 60, 160)
    other = other.model_copy(update={"template": other.template.model_copy(update={"sha256": "0c" * 32})})
    runs = write_run(tmp_path / "r1", [cohort_tube("a", 60, 160)]), write_run(tmp_path / "r2", [other])
    error = refused(call("cohort", *runs, "--out", tmp_path / "out", "--json"), 4, "cohort.mixed")
    assert error["message"] == (
        "these tubes cannot be compared with each other: templates: bm_test 1.2.3 (7a7a7a7a) in 1 tube, "
        "bm_test 1.2.3 (0c0c0c0c) in 1 tube"
    )
    assert "--by-stratum" in error["hint"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"specimen": "trephine"}, "specimen: aspirate in 1 tube, trephine in 1 tube"),
        ({"specimen": ""}, "specimen: aspirate in 1 tube, not said in 1 tube"),
        ({"preparation": "cd45_depleted"}, "preparation: whole in 1 tube, cd45 depleted in 1 tube"),
        ({"pull": "second"}, "pull: not said in 1 tube, second in 1 tube"),
        (
            {"storage": "Frozen", "pull": "2"},
            "pull: not said in 1 tube, 2 in 1 tube; storage: not said in 1 tube, frozen in 1 tube",
        ),
    ],
)
def test_mixed_kinds_of_specimen_are_refused(call: Call, tmp_path: Path, labels: dict[str, str], said: str) -> None:
    run = write_run(tmp_path / "run", [cohort_tube("a", 60, 160), cohort_tube("b", 60, 160, labels=labels)])
    error = refused(call("cohort", run, "--out", tmp_path / "out", "--json"), 4, "cohort.mixed")
    assert said in error["message"]


def test_by_stratum_there_is_a_cohort_of_each_kind_and_patients_across_them(
    call: Call, said: Said, tmp_path: Path
) -> None:
    results = [
        cohort_tube("a", 60, 160, patient="P1"),
        cohort_tube("b", 90, 160, patient="P1", labels={"specimen": "trephine"}),
        cohort_tube("c", 90, 160, patient="P2", labels={"specimen": "trephine"}),
    ]
    run, out = write_run(tmp_path / "run", results), tmp_path / "out"
    result = call("cohort", run, "--out", out, "--by-stratum", "--json")
    assert result.exit_code == 0, result.output
    assert [(each["name"], each["tubes"]) for each in said(result)["cohorts"]] == [
        ("aspirate_whole", 1), ("trephine_whole", 2),
    ]  # fmt: skip
    page = (out / "trephine_whole" / "cohort.html").read_text()
    assert 'src="../assets/plotly.min.js"' in page
    assert 'href="../patients/P1.html"' in page
    assert 'href="../../run/samples/b/report.html"' in page
    patient = (out / "patients" / "P1.html").read_text()
    assert "not compared: specimen: trephine and aspirate" in patient
    assert 'href="../aspirate_whole/cohort.html"' in patient
    # Another cohort in its place leaves nothing of it behind.
    alone = write_run(tmp_path / "alone", [cohort_tube("a", 60, 160)])
    assert call("cohort", alone, "--out", out).exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == [
        ".stromagate_cohort", "README.txt", "assets", "cohort.csv", "cohort.html", "cohort.json", "cohort_wide.csv",
    ]  # fmt: skip


def test_patterns_of_different_calibrations_are_refused(call: Call, tmp_path: Path) -> None:
    from stromagate.pattern import call_pattern

    a, b = cohort_tube("a", 60, 160), cohort_tube("b", 60, 160)
    called = a.model_copy(update={"pattern": call_pattern(a, controls(), draws=200)})
    run = write_run(tmp_path / "run", [called, b])
    error = refused(call("cohort", run, "--out", tmp_path / "out", "--json"), 4, "cohort.calibrations")
    assert "L1 “made controls”" in error["message"]
    assert "no calibration in 1 tube" in error["message"]


def test_no_stained_tube_is_no_cohort(call: Call, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [fmo("f", "P1")])
    refused(call("cohort", run, "--out", tmp_path / "out", "--json"), 4, "cohort.none")


def test_a_damaged_result_stops_everything_and_names_its_file(call: Call, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", many(2))
    file = run / "samples" / "t01" / "result.json"
    file.write_bytes(file.read_bytes().replace(b'"n_events": 1200000', b'"n_events": 1200001'))
    error = refused(call("cohort", run, "--out", tmp_path / "out", "--json"), 3, "result.changed")
    assert "t01" in error["where"]
    file.write_text("{")
    refused(call("cohort", run, "--out", tmp_path / "out", "--json"), 3, "result.damaged")
    file.unlink()
    refused(call("cohort", run, "--out", tmp_path / "out", "--json"), 3, "result.unreadable")
    assert not (tmp_path / "out").exists()


def test_wrong_usage_is_said_with_what_is_right(call: Call, two_runs: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    refused(call("cohort", "--out", out, "--json"), 2, "cohort.no_run")
    refused(call("cohort", two_runs[0], "--json"), 2, "cohort.options")
    refused(call("cohort", two_runs[0], two_runs[0], "--out", out, "--json"), 2, "cohort.twice")
    refused(call("cohort", tmp_path / "nothing", "--out", out, "--json"), 3, "run.none")
    error = refused(call("cohort", two_runs[0], "--out", out, "--group", "arm", "--json"), 2, "cohort.group")
    assert "diagnosis" in error["hint"]
    assert not out.exists()
    refused(call("cohort", two_runs[0], "--out", two_runs[0], "--json"), 2, "cohort.out_foreign")
    file = tmp_path / "file"
    file.write_text("x")
    refused(call("cohort", two_runs[0], "--out", file, "--json"), 2, "cohort.out_file")


def test_a_calibration_that_is_none_is_refused_before_anything_is_read(call: Call, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text("{}")
    result = call("cohort", tmp_path / "none", "--out", tmp_path / "o", "--calibration", tmp_path / "c.json", "--json")
    refused(result, 4, "calibration.invalid")


def test_a_place_that_cannot_be_written_is_said(call: Call, two_runs: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    refused(call("cohort", *two_runs, "--out", tmp_path / "file" / "out", "--json"), 3, "out.write")


def test_a_disk_that_is_full_is_not_called_our_fault(
    call: Call, two_runs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_text

    def full(path: Path, *said: str, **how: str) -> int:
        if path.name == ".stromagate_cohort":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, *said, **how)

    monkeypatch.setattr(Path, "write_text", full)
    error = refused(call("cohort", *two_runs, "--out", tmp_path / "out", "--json"), 3, "out.write")
    assert error["message"] == "cannot be written: No space left on device"


def test_a_printer_that_is_not_there_is_said_before_anything_is_read(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STROMAGATE_CHROMIUM", str(tmp_path / "no-such-program"))
    refused(call("cohort", tmp_path / "none", "--out", tmp_path / "out", "--pdf", "--json"), 2, "pdf.program")
    refused(call("cohort", tmp_path / "none", "--out", tmp_path / "out", "--paper", "a4", "--json"), 2, "pdf.paper")


def test_help_loads_nothing_heavy() -> None:
    script = "import sys; sys.argv = ['stromagate', 'cohort', '--help']\nfrom stromagate.cli.app import main\n"
    script += "import atexit; atexit.register(lambda: print('LOADED', *sys.modules, file=sys.stderr)); main()\n"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"numpy", "scipy", "jinja2"} & set(done.stderr.split())
