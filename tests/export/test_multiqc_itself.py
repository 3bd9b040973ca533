"""MultiQC itself over a real folder of results: what it found, and the numbers that it took.

It is not among the libraries of the tests, because it brings more than a gigabyte: ``make multiqc`` gives it an
environment of its own and runs this. Where none is at hand, the keys and numbers of the files are still checked
(``test_multiqc.py``).
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from stromagate.cli.app import app
from stromagate.model.result import RESEARCH_USE
from tests.reference_data import ROOT

pytestmark = pytest.mark.soak

TUBES = ("healthy_01_stained", "aml_progenitor_high_01_stained")
ROLES = {"healthy_01_fmo_CD146": "fmo:CD146", **dict.fromkeys(TUBES, "stained")}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    rows = [f"{ROOT / 'sample_fcs' / name}.fcs,{name},{role}" for name, role in ROLES.items()]
    (folder / "samples.csv").write_text("\n".join(["file,sample_id,role", *rows]), encoding="utf-8")
    line = ["run", "--sheet", folder / "samples.csv", "-t", "bm_stroma_core", "-o", folder / "results"]
    done = CliRunner().invoke(app, [str(word) for word in (*line, "--export", "multiqc", "--jobs", 2)])
    assert done.exit_code == 0, done.output
    return folder / "results"


@pytest.fixture(scope="module")
def made(results: Path) -> Path:
    """Return the folder that MultiQC wrote, having found nothing to warn of."""
    multiqc = shutil.which("multiqc") or shutil.which(ROOT / ".multiqc" / "bin" / "multiqc")
    if multiqc is None:
        pytest.skip("no MultiQC on this machine; make multiqc installs it")
    out = results.parent / "multiqc"
    line = [multiqc, results, "--outdir", out, "--no-version-check", "--strict", "--no-ansi"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert re.search(r"stromagate_general: Found \d+ General Statistics columns", said)
    assert "stromagate_populations: Found 3 samples (PlotType.TABLE)" in said
    assert "stromagate_checks: Found" in said
    own = [line for line in said.splitlines() if "Strict mode specified" not in line]
    assert not re.search(r"warn|error|deprecat", " ".join(own), re.IGNORECASE), said
    return out


def table(made: Path, name: str) -> dict[str, dict[str, str]]:
    with (made / "multiqc_data" / f"multiqc_{name}.txt").open(encoding="utf-8", newline="") as stream:
        return {row.pop("Sample"): row for row in csv.DictReader(stream, delimiter="\t")}


def numbers(results: Path) -> dict[tuple[str, str, str, str], dict[str, str]]:
    with (results / "populations.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {(row["sample_id"], row["population"], row["statistic"], row["denominator"]): row for row in rows}


def test_its_tables_hold_the_numbers_of_populations_csv(made: Path, results: Path) -> None:
    told, shown = numbers(results), table(made, "stromagate_populations_table")
    assert set(shown) == set(ROLES)
    n_compared = 0
    for tube, row in shown.items():
        assert row["role"] == ROLES[tube]
        for column, value in row.items():
            match = re.fullmatch(r"(\w+)_per_million_(\w+?)(?:_(ci_low|ci_high))?", column)
            if match and value:
                population, below, end = match.groups()
                row_of = told[tube, population, "per_million", below]
                assert float(value) == pytest.approx(float(row_of[end or "value"]))
                n_compared += 1
    assert n_compared > 50


def test_its_general_statistics_show_rates_of_samples_and_no_background(made: Path, results: Path) -> None:
    told, shown = numbers(results), table(made, "general_stats")
    assert set(shown) == set(ROLES)
    for tube, row in shown.items():
        rates = {column: value for column, value in row.items() if "per_million" in column and value}
        for column, value in rates.items():
            population, _, below = column.partition("stromagate-")[2].partition("_per_million_")
            assert float(value) == pytest.approx(float(told[tube, population, "per_million", below]["value"]))
        assert bool(rates) == (tube in TUBES)


def test_the_page_has_every_section_and_says_what_it_is_for(made: Path) -> None:
    page = (made / "multiqc_report.html").read_text(encoding="utf-8")
    assert page.count(RESEARCH_USE) >= 3
    assert "Viable CD235a-negative" in page
    data: dict[str, Any] = json.loads((made / "multiqc_data" / "multiqc_data.json").read_text(encoding="utf-8"))
    assert {"stromagate_populations_table", "stromagate_checks_bars"} <= set(data["report_plot_data"])
