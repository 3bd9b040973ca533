"""``demo``: the whole job in one command, on the tubes of the checkout."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.reference_data import ROOT
from tests.sample_run import SampleRun


def test_the_demonstration_runs_and_its_counts_are_near_the_truth(sample_run: SampleRun) -> None:
    page = Path(sample_run.stdout.strip())
    assert page.name == "index.html"
    assert page.is_file()
    text = (page.parent / "populations.csv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(text.splitlines()) if row["population"] == "msc"]
    counted = {row["sample_id"]: int(float(row["value"])) for row in rows if row["statistic"] == "count"}
    truth = true_counts("msc")
    stained = {name: n for name, n in truth.items() if name.endswith("stained")}
    assert len(stained) == 4
    for name, n in stained.items():
        assert 0.6 * n <= counted[name] <= 1.4 * n, (name, n, counted[name])


def true_counts(population: str) -> dict[str, int]:
    """Return the true number of viable singlets of a population by tube."""
    text = (ROOT / "sample_fcs" / "truth.csv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(text.splitlines()) if row["population"] == population]
    return {row["sample_id"]: int(row["viable_singlets"]) for row in rows}
