"""The Snakemake workflow, run for real: a broken tube costs its own run, and the next call makes what is missing."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import yaml

from tests.reference_data import ROOT
from tests.tubes import write_tube

WORKFLOW = ROOT / "integrations" / "snakemake"


def configure(folder: Path, **changes: object) -> None:
    config = yaml.safe_load((WORKFLOW / "config.yaml").read_text(encoding="utf-8"))
    config |= {"template": "tubes/small.yaml", **changes}
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def snakemake(folder: Path, environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "snakemake", "--snakefile", str(WORKFLOW / "Snakefile"), "--cores", "1"]
    line += ["--scheduler", "greedy", *options]
    private = {**environment, "XDG_CACHE_HOME": str(folder / "cache"), "HOME": str(folder)}
    return subprocess.run(line, cwd=folder, env=private, capture_output=True, text=True, check=False)


def named(table: Path, column: str = "sample_id") -> set[str]:
    with table.open(newline="", encoding="utf-8") as stream:
        return {row[column] for row in csv.DictReader(stream)}


def test_a_broken_tube_costs_its_own_run_and_the_next_call_makes_the_rest(
    tubes: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    whole = write_tube(tubes / "late tube.fcs", 3, 1500).read_bytes()
    (tubes / "late tube.fcs").write_bytes(b"no FCS file")
    runs = {"sheet": {"sheet": "tubes/samples.csv"}, "late": {"tubes": ["tubes/late tube.fcs"]}}
    configure(tmp_path, runs=runs)
    out = tmp_path / "results"

    first = snakemake(tmp_path, environment, "--keep-going")
    assert first.returncode == 1, first.stderr
    assert named(out / "runs/sheet/populations.csv") == {"donor_a", "donor_b"}
    assert not (out / "runs/late").exists()
    # A changed tube, sheet or template makes its run again.
    (followed,) = re.findall(r"input: (.*tubes/samples\.csv.*)", first.stdout + first.stderr)
    assert set(followed.split(", ")) == {"tubes/samples.csv", "tubes/a.fcs", "tubes/b.fcs", "tubes/small.yaml"}
    assert not (out / "cohort").exists()
    answer = json.loads((out / "logs/late.json").read_text(encoding="utf-8"))
    assert not answer["ok"]
    assert answer["error"]["hint"]
    made = (out / "runs/sheet/run.json").stat().st_mtime_ns

    (tubes / "late tube.fcs").write_bytes(whole)
    second = snakemake(tmp_path, environment)
    assert second.returncode == 0, second.stderr
    assert (out / "runs/sheet/run.json").stat().st_mtime_ns == made
    late = named(out / "runs/late/populations.csv")
    assert len(late) == 1
    assert named(out / "cohort/cohort.csv", "tube") == {"donor_a", "donor_b"} | late
    assert json.loads((out / "logs/cohort.json").read_text(encoding="utf-8"))["cohorts"][0]["tubes"] == 3
    links = re.findall(r'href="([^"#]+report\.html)"', (out / "cohort/cohort.html").read_text(encoding="utf-8"))
    assert links
    assert all((out / "cohort" / link).is_file() for link in links)


def test_everything_wrong_in_the_configuration_is_said_at_once(tmp_path: Path, environment: dict[str, str]) -> None:
    configure(
        tmp_path, template="", runs={"x": {}, "../y": {"sheet": "s.csv"}, "z": {"sheet": "s.csv", "tubes": ["t"]}}
    )
    refused = snakemake(tmp_path, environment, "--dry-run")
    assert refused.returncode == 1
    assert re.findall(r"^config.yaml: (.*)$", refused.stdout + refused.stderr, re.MULTILINE) == [
        "template is needed: the name of a shipped one, or a YAML file",
        "run 'x' needs either a sheet or tubes",
        "run '../y': letters, digits, '_', '-' and '.' are allowed in its name",
        "run 'z' needs either a sheet or tubes",
    ]
