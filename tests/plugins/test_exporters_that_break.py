"""Exporters of another package that break: they cost their own files, which are named, and neither results nor runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import Result

from stromagate import registry
from stromagate.pipeline import bundle
from stromagate.pipeline.review.verify import verify
from tests.plugins.conftest import Call, Offer

MODULE = """
from pathlib import Path
from stromagate.errors import InputError
from stromagate.export.exporter import Exporter

def made(results, *_):
    if Path({flag!r}).exists():
        {broken}
    return b"lines\\n"

EXPORTER = Exporter(filename={file!r}, summary="lines", render=made, {how})
"""
BREAKS = {
    "of_a_tube": ("own.lines", "1 // 0", "asked=True, a_tube=True"),
    "of_a_run": ("run.lines", "return 'no bytes'", "asked=True"),
    "of_a_folder": (
        "files.lines",
        "raise InputError('lab.line', 'no line')",
        "asked=True, at_top=True, of_folder=lambda run, results, files: made(results)",
    ),
    "of_every_run": ("every.lines", "raise MemoryError", ""),
}
"""Exporters of each kind: their file, how they break, and what they declare."""
FILES = {"samples/a/own.lines", "exports/run.lines", "files.lines", "every.lines"}


@pytest.fixture
def flag(offer: Offer, tmp_path: Path) -> Path:
    """Install exporters of every kind, which break once this file is there."""
    path = tmp_path / "flag"
    texts = {
        name: MODULE.format(flag=str(path), file=file, broken=broken, how=how)
        for name, (file, broken, how) in BREAKS.items()
    }
    offer(texts, [("exporters", name, name) for name in texts])
    return path


def run(call: Call, tube: Path, out: Path, *options: str) -> Result:
    names = [name for name in BREAKS if name != "of_every_run"]
    asked = [word for name in (*names, "ro_crate") for word in ("--export", name)]
    return call("run", tube, "-t", tube.parent / "small.yaml", "-o", out, *asked, *options)


def there(out: Path) -> set[str]:
    return {path.relative_to(out).as_posix() for path in out.rglob("*.lines")}


def test_each_costs_its_own_file_and_no_result(call: Call, flag: Path, tube: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(call, tube, out).exit_code == 0
    assert there(out) == FILES
    numbers, page = (out / "samples/a/result.json").read_bytes(), (out / "index.html").read_bytes()
    flag.touch()
    done = run(call, tube, out, "--debug", "--log-json", str(tmp_path / "log.jsonl"))
    assert done.exit_code == 1
    assert "1 of 1 tubes analysed" in done.stderr
    assert "Traceback" in done.stderr
    assert done.stderr.count("not exported: ") == len(FILES)
    assert (
        "samples/a/own.lines: the exporter 'of_a_tube' of lab-gates 0.3 broke: "
        "ZeroDivisionError: integer division or modulo by zero (in the exporter of own.lines)"
    ) in done.stderr
    assert there(out) == set()
    assert (out / "samples/a/result.json").read_bytes() == numbers
    assert (out / "samples/a/gates.gatingml.xml").is_file()
    index = bundle.read_run(out)
    assert (index.exit_code, [entry.status for entry in index.samples]) == (1, ["ok"])
    assert {path: error["code"] for path, error in index.not_exported.items()} == {
        "samples/a/own.lines": "export.plugin",
        "exports/run.lines": "export.plugin",
        "files.lines": "lab.line",
        "every.lines": "worker.memory",
    }
    assert all(path in (out / "index.html").read_text() for path in FILES)
    crate = (out / "ro-crate-metadata.json").read_text()
    assert "result.json" in crate
    assert ".lines" not in crate
    logged = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert sum(line["message"].endswith(".lines not written") for line in logged) == len(FILES)

    again = call("report", out, "--json")
    assert again.exit_code == 1
    assert json.loads(again.stdout)["error"]["code"] in {error["code"] for error in index.not_exported.values()}
    assert again.stderr.count("not exported: ") == len(FILES)
    looked = verify(out)
    assert looked.differences == []
    assert f"exports that the run says it goes without: {', '.join(sorted(FILES))}" in looked.not_checked
    flag.unlink()
    assert call("report", out).exit_code == 0
    assert there(out) == FILES
    assert (bundle.read_run(out).not_exported, bundle.read_run(out).exit_code) == ({}, 0)
    assert (out / "index.html").read_bytes() == page


def test_report_and_verify_outlive_them(call: Call, flag: Path, tube: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(call, tube, out).exit_code == 0
    flag.touch()
    differences = {each.where: each.sentence for each in verify(out).differences}
    assert {where for where in differences if where.endswith(".lines")} == FILES
    assert differences["files.lines"] == "cannot be made once more: no line"
    done = call("report", out)
    assert done.exit_code == 1
    assert done.stderr.count("not exported: ") == len(FILES)
    assert there(out) == set()
    assert set(bundle.read_run(out).not_exported) == FILES
    assert verify(out).differences == []


def test_a_fresh_tube_has_its_result_as_well(call: Call, flag: Path, tube: Path, tmp_path: Path) -> None:
    flag.touch()
    assert run(call, tube, tmp_path / "out").exit_code == 1
    assert bundle.read_result(tmp_path / "out", "a").n_events == 1500


def test_of_a_package_that_is_gone_no_older_file_passes_for_new(
    call: Call, flag: Path, tube: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run(call, tube, out).exit_code == 0
    shutil.rmtree(next(tmp_path.glob("lab-gates/*.dist-info")))
    registry._points.cache_clear()
    done = call("report", out)
    assert done.exit_code == 4
    assert "not exported: of_a_run: no package that offers 'of_a_run' is there, or none that loads" in done.stderr
    assert "own.lines beside the results of tubes" in done.stderr
    assert not (out / "exports/run.lines").exists()
    index = bundle.read_run(out)
    assert set(index.not_exported) == {"of_a_folder", "of_a_run", "of_a_tube"}
    assert {error["code"] for error in index.not_exported.values()} == {"export.gone"}
    assert index.exit_code == 4
    looked = verify(out)
    assert looked.differences == []
    assert "exports that no package offers here: of_a_folder, of_a_run, of_a_tube" in looked.not_checked


def test_two_exporters_of_one_file_are_refused_before_any_tube(
    call: Call, offer: Offer, tube: Path, tmp_path: Path
) -> None:
    text = MODULE.format(flag="none", file="qc.csv", broken="pass", how="")
    offer({"mine": text}, [("exporters", "quality", "mine")])
    done = call("run", tube, "-t", tube.parent / "small.yaml", "-o", tmp_path / "out", "--json")
    assert done.exit_code == 4
    assert json.loads(done.stdout)["error"]["code"] == "plugin.twin"
    assert not (tmp_path / "out").exists()
