"""``--export``: what is asked for is there and right, is made again with the pages, and is taken away with the run."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from pyarrow import parquet

from stromagate.cli.exports import Exports
from stromagate.export.asked import GROUPS
from stromagate.export.cells import cell
from stromagate.export.exporter import exporters
from stromagate.pipeline import bundle
from stromagate.pipeline.batch import BatchOptions, run_batch
from stromagate.pipeline.review.rerun import rerun
from stromagate.pipeline.review.verify import verify
from stromagate.pipeline.tubes import collect_tubes
from tests.pipeline.reviews import Folder
from tests.tubes import write_template, write_tube

ASKED = [name for name in exporters.names() if exporters.get(name).asked]
DOCUMENT = Path(__file__).parents[2] / "docs" / "exports.md"
TABLE = "exports/populations.parquet"


def names(out: Path) -> set[str]:
    return {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}


@pytest.fixture
def ran(call, tubes: Path, tmp_path: Path) -> Path:
    out = tmp_path / "out"
    assert call("run", tubes / "a.fcs", tubes / "b.FCS", "-t", tubes / "small.yaml", "-o", out).exit_code == 0
    return out


def test_nothing_is_exported_that_was_not_asked_for_but_boundaries(ran: Path) -> None:
    assert not (ran / "exports").exists()
    assert {path.name for path in (ran / "samples/a").iterdir()} == {
        "result.json",
        "report.html",
        "populations.csv",
        "gates.gatingml.xml",
    }
    assert "gates.gatingml.xml (its boundaries" in (ran / "README.txt").read_text()


def test_report_adds_an_export_and_keeps_it(call, ran: Path) -> None:
    before = names(ran)
    assert call("report", ran, "--export", "parquet", "--json").exit_code == 0
    assert names(ran) - before == {TABLE}
    assert bundle.read_run(ran).exports == ("parquet",)
    assert f"{TABLE}: the rows of populations.csv with their types" in (ran / "README.txt").read_text()
    (ran / TABLE).unlink()
    assert call("report", ran).exit_code == 0
    assert (ran / TABLE).is_file()


def test_the_table_holds_the_numbers_of_the_run(call, tubes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ("--export", "parquet", "--export", "parquet")
    assert call("run", tubes, "-t", tubes / "small.yaml", "-o", out, *asked).exit_code == 0
    with (out / "populations.csv").open(encoding="utf-8", newline="") as text:
        header, *lines = csv.reader(text)
    rows = parquet.read_table(out / TABLE).to_pylist()
    assert [[cell(row[name]) for name in header] for row in rows] == lines
    assert {row["sample_id"] for row in rows} == {"a", "b", "c"}


def test_a_group_is_all_its_formats(call, ran: Path) -> None:
    before = names(ran)
    assert call("report", ran, "--export", "multiqc").exit_code == 0
    files = {"stromagate_general_mqc.json", "stromagate_populations_mqc.json", "stromagate_checks_mqc.json"}
    assert names(ran) - before == {f"exports/{name}" for name in files}
    assert {*json.loads((ran / "exports/stromagate_checks_mqc.json").read_text())["data"]} == {"a", "b"}


def test_verify_looks_through_exports_and_boundaries(call, ran: Path) -> None:
    assert call("report", ran, "--export", "parquet").exit_code == 0
    assert verify(ran).differences == []
    for name in (TABLE, "samples/a/gates.gatingml.xml"):
        content = (ran / name).read_bytes()
        (ran / name).write_bytes(content + b" ")
        assert [each.where for each in verify(ran).differences] == [name]
        (ran / name).write_bytes(content)


def test_a_later_run_without_it_leaves_no_old_export(call, tubes: Path, ran: Path) -> None:
    assert call("report", ran, "--export", "parquet").exit_code == 0
    assert call("run", tubes / "a.fcs", tubes / "b.FCS", "-t", tubes / "small.yaml", "-o", ran).exit_code == 0
    assert not (ran / "exports").exists()
    assert bundle.read_run(ran).exports == ()


@pytest.mark.parametrize("verb", ["run", "report"])
def test_an_unknown_name_is_refused_before_anything_is_touched(call, said, verb, tubes: Path, ran: Path) -> None:
    before = {name: (ran / name).stat().st_mtime_ns for name in names(ran)}
    on = ("run", tubes / "a.fcs", "-t", tubes / "small.yaml", "-o", ran) if verb == "run" else ("report", ran)
    result = call(*on, "--export", "parket", "--json")
    assert result.exit_code == 4
    error = said(result)["error"]
    assert (error["code"], error["message"]) == ("export.unknown", "there is no export named 'parket'")
    assert error["hint"].startswith("did you mean 'parquet'? allowed: ")
    assert all(name in error["hint"] for name in [*exporters.names(), *GROUPS])
    assert {name: (ran / name).stat().st_mtime_ns for name in names(ran)} == before


def test_a_reviewers_rerun_exports_the_same_again(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    tubes = collect_tubes([write_tube(tmp_path / "in/a.fcs", n=1500)]).tubes
    options = BatchOptions(exports=("gated_fcs", "parquet"))
    run_batch(tubes, write_template(tmp_path / "small.yaml"), tmp_path / "out", options=options)
    (tmp_path / "out" / TABLE).unlink()
    finished = rerun(tmp_path / "out", Folder(tmp_path), who="Reader B")
    assert finished.exports == ("gated_fcs", "parquet")
    assert (tmp_path / "out" / TABLE).is_file()
    assert (tmp_path / "out/samples/a/gated.fcs").is_file()


def test_what_is_written_anyway_may_be_asked_for(tubes: Path, tmp_path: Path) -> None:
    options = BatchOptions(exports=("populations_csv", "gatingml"))
    run = run_batch(collect_tubes([tubes / "a.fcs"]).tubes, tubes / "small.yaml", tmp_path / "out", options=options)
    assert run.exports == ()
    assert not (tmp_path / "out/exports").exists()


def test_the_help_names_all_that_can_be_asked_for() -> None:
    (option,) = Exports.__metadata__
    listed = {*re.findall(r"[a-z0-9_]+", option.help.partition(":")[2].partition(".")[0])}
    grouped = {name for group in GROUPS.values() for name in group}
    assert listed == {*ASKED, *GROUPS} - grouped


def test_the_document_names_every_format_and_its_file() -> None:
    rows = [
        line.split("|")[1:3]
        for line in DOCUMENT.read_text(encoding="utf-8").splitlines()
        if re.match(r"\| `[a-z]", line)
    ]
    told = {name.strip(" `"): re.findall(r"[\w./-]+\.\w+", files) for name, files in rows}
    meant = {name: GROUPS.get(name, (name,)) for name in told}
    assert {each for several in meant.values() for each in several} == {*ASKED}
    for name, several in meant.items():
        files = {path.rpartition("/")[2] for path in told[name]}
        assert files == {exporters.get(each).filename for each in several}
