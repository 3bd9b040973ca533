"""``docs/tutorial.md`` and ``docs/api.md``: their commands and code run, and what they show is the program's."""

from __future__ import annotations

import csv
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from stromagate.cli.app import app
from tests.cli.test_low_event_tube import BLOCK, _plain, _tidy
from tests.reference_data import ROOT
from tests.sample_run import SampleRun

TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
TUBE = "aml_progenitor_high_01_stained"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Work in a folder that holds ``sample_fcs/``, as the reader does."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "sample_fcs").symlink_to(ROOT / "sample_fcs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def results(folder: Path, sample_run: SampleRun) -> dict[str, str]:
    """Run every command of the tutorial; the review answers one address, in place of waiting for a browser.

    The tubes are those of the demonstration, whose results are kept as any finished ones are.
    """
    shutil.copytree(sample_run.results, folder / "results")
    printed = []
    for line in re.findall(r"^stromagate (.*)$", TUTORIAL, flags=re.MULTILINE):
        words = [*shlex.split(line), *(["--get", "/grid.json"] if line.startswith("review") else [])]
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output
        printed.append(result.stdout + result.stderr)
    pages = {
        name: _whole(_plain((folder / "results" / path).read_text(encoding="utf-8")))
        for name, path in {"index": "index.html", "tube": f"samples/{TUBE}/report.html"}.items()
    }
    return {"printed": _tidy("\n".join(printed)), **pages}


def _whole(text: str) -> str:
    """Return the text of a page without the places at which a browser may break a long name."""
    return _tidy(text).replace("_ ", "_").replace(" ,", ",")


def test_every_quoted_line_is_what_the_program_writes(results: dict[str, str]) -> None:
    quoted = [line for kind, block in BLOCK.findall(TUTORIAL) if kind == "text" for line in block.splitlines()]
    assert len(quoted) > 12
    strange = [line for line in quoted if not any(_tidy(line) in source for source in results.values())]
    assert strange == []


def test_numbers_in_the_text_are_those_of_the_tubes(results: dict[str, str]) -> None:
    with (ROOT / "sample_fcs" / "truth.csv").open(encoding="utf-8") as lines:
        truth = {(row["sample_id"], row["population"]): row["viable_singlets"] for row in csv.DictReader(lines)}
    assert f"says that {truth[TUBE, 'msc']} single living MSC are in the tube" in " ".join(TUTORIAL.split())
    assert "3,130 (2,670–3,630)" in results["tube"]
    assert "44 tubes" in results["index"]


def test_files_that_the_tutorial_names_are_there(results: dict[str, str], folder: Path) -> None:
    assert results
    for name in ("index.html", "populations.csv", "thresholds.csv", "qc.csv"):
        assert name in TUTORIAL
        assert (folder / "results" / name).is_file()
    assert (folder / "proposed.csv").is_file()


def test_code_for_a_notebook_gives_a_table_a_figure_and_a_page(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = [block for kind, block in BLOCK.findall(API) if kind == "python"]
    assert len([line for line in cells[0].splitlines() if line]) == 5
    names: dict[str, Any] = {}
    shown = [_cell(cell, names) for cell in cells]
    counts, findings, plot, figure = shown[:4]
    row = counts.set_index("population").loc["msc"]
    assert (row["value"], row["state"]) == (101, "quantifiable")
    assert row["ci_low"] < 101 < row["ci_high"]
    assert set(findings["status"]) == {"warn"}
    assert plot.alt in plot._repr_html_()
    assert figure.data[0].type == "heatmap"
    assert "healthy_01_stained" in (folder / "report.html").read_text(encoding="utf-8")
    assert capsys.readouterr().out == "101 32\n"
    assert "prints 101 and 32" in API


def _cell(text: str, names: dict[str, Any]) -> Any:
    """Run a cell of a notebook; return what its last line shows."""
    *lines, last = text.strip().splitlines()
    exec("\n".join(lines), names)
    if re.match(r"[\w.]+[\[(]", last) and not last.startswith(("print", "Path")):
        return eval(last, names)
    exec(last, names)
    return None
