"""A package of another party, installed beside the program: listed with its origin, and at work in a run."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stromagate.cli.app import app
from tests.tubes import TEMPLATE, write_template, write_tube

PROGENITORS = "gate: {method: fixed, axis: CD146, low: 0.45}"
PLUGINS = {
    "gating method": "brightest",
    "QC check": "progenitor_share",
    "check of a run": "tube_number",
    "report section": "for_the_ward",
    "exporter": "msc_lines",
}


def stromagate(example: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Call the command line where the example package is installed."""
    paths = os.pathsep.join(filter(None, [str(example), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-m", "stromagate", *map(str, arguments)]
    return subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def results(example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run whose template and exports are of the example package."""
    folder = tmp_path_factory.mktemp("run")
    write_tube(folder / "a.fcs")
    with_plugin = TEMPLATE.replace(PROGENITORS, "gate: {method: brightest, axis: CD146, per_mille: 500}")
    write_template(folder / "small.yaml", with_plugin)
    line = ("run", folder / "a.fcs", "-t", folder / "small.yaml", "-o", folder / "out", "--export", "msc_lines")
    done = stromagate(example, *line)
    assert done.returncode == 0, done.stderr
    return folder / "out"


def test_it_is_listed_with_its_version_and_origin(example: Path) -> None:
    done = stromagate(example, "plugins", "--json")
    assert done.returncode == 0, done.stdout
    listed = [each for each in json.loads(done.stdout)["plugins"] if each["package"] == "stromagate-example"]
    assert {each["kind"]: each["name"] for each in listed} == PLUGINS
    for each in listed:
        assert each["version"] == "1.2.0"
        assert each["origin"] == f"stromagate_example.{each['name']}"
        assert each["group"].endswith(".v1")
        assert each["error"] is None


def test_every_kind_of_plugin_is_at_work_in_a_run(results: Path) -> None:
    result = json.loads((results / "samples" / "a" / "result.json").read_text(encoding="utf-8"))
    (gate,) = [node for node in result["tree"]["nodes"] if node["name"] == "progenitors"]
    counts = {each["population"]: each["value"] for each in result["statistics"] if each["statistic"] == "count"}
    assert gate["method"] == "brightest"
    assert counts["progenitors"] == (counts["msc"] + 1) // 2
    with (results / "qc.csv").open(encoding="utf-8", newline="") as stream:
        rows = {row["check"]: row for row in csv.DictReader(stream)}
    assert (rows["progenitor_share"]["code"], rows["progenitor_share"]["status"]) == ("EX1", "warn")
    assert rows["tube_number"]["sentence"] == "The run holds 1 tube."
    assert (results / "exports" / "msc.lines").read_text(encoding="utf-8") == f"a|{counts['msc']:.0f}\n"
    page = (results / "samples" / "a" / "report.html").read_text(encoding="utf-8")
    assert f"a: {counts['msc']:.0f} mesenchymal stromal cells counted." in page


def test_the_result_says_which_package_had_a_part_in_it(results: Path) -> None:
    result = json.loads((results / "samples" / "a" / "result.json").read_text(encoding="utf-8"))
    assert result["record"]["libraries"]["stromagate-example"] == "1.2.0"


def test_without_the_package_the_template_names_the_method_it_lacks(results: Path) -> None:
    done = CliRunner().invoke(app, ["templates", "check", str(results.parent / "small.yaml")])
    assert done.exit_code == 4
    assert "no gating method is named 'brightest'" in done.stderr
