"""Two hundred simulated tubes, five of them damaged: 195 results, and five failures that say what to do.

``python -m pytest -m soak -s tests/campaigns/test_many_tubes.py`` prints the five and the time.
"""

from __future__ import annotations

import csv
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from tests.campaigns.batches import DAMAGES, TEMPLATE, TUBES_A_DONOR, rows, simulated, write_rows
from tests.campaigns.figures import tell
from tests.campaigns.folders import contents, torn
from tests.campaigns.processes import ended

pytestmark = pytest.mark.soak

DONORS = 50
CODES = {
    "truncated": "fcs.",
    "garbage in the header": "fcs.",
    "zero bytes": "fcs.",
    "wrong panel": "panel.",
    "no FCS file": "fcs.",
}


class Batch:
    """The tubes, which of them are damaged and how, and the finished run."""

    def __init__(self, folder: Path) -> None:
        self.sheet = simulated(folder / "tubes", DONORS, events=5000, companion_events=3000)
        listed = rows(self.sheet)
        assert len(listed) == DONORS * TUBES_A_DONOR
        self.damaged = {kind: listed[number * 37 + 2] for number, kind in enumerate(DAMAGES)}
        for kind, row in self.damaged.items():
            DAMAGES[kind](self.sheet.parent / row["file"])
        before = {path.name: path.stat() for path in self.sheet.parent.glob("*.fcs")}
        self.out, begin = folder / "out", time.monotonic()
        self.said = ended("run", "--sheet", self.sheet, "-t", TEMPLATE, "-o", self.out, "-j", 2, code=4)
        self.seconds = time.monotonic() - begin
        after = {path.name: path.stat() for path in self.sheet.parent.glob("*.fcs")}
        assert {name: (each.st_mtime_ns, each.st_size) for name, each in before.items()} == {
            name: (each.st_mtime_ns, each.st_size) for name, each in after.items()
        }
        self.index = json.loads((self.out / "run.json").read_text(encoding="utf-8"))

    def entry(self, kind: str) -> dict[str, Any]:
        """Return the line of the index of a damaged tube."""
        (found,) = [each for each in self.index["samples"] if each["file"] == self.damaged[kind]["file"]]
        return found


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    return Batch(tmp_path_factory.mktemp("many"))


def test_195_results_and_5_failures(batch: Batch) -> None:
    statuses = [entry["status"] for entry in batch.index["samples"]]
    failed = {entry["sample_id"] for entry in batch.index["samples"] if entry["status"] == "failed"}
    names = {path.name for path in (batch.out / "samples").iterdir()}
    tell(f"{len(statuses)} tubes in {batch.seconds:.0f} s: {len(names)} results, {len(failed)} failures")
    assert (len(statuses), len(names), len(failed)) == (200, 195, 5)
    assert names | failed == {entry["sample_id"] for entry in batch.index["samples"]}
    with (batch.out / "populations.csv").open(encoding="utf-8") as table:
        assert {row["sample_id"] for row in csv.DictReader(table)} == names
    assert "195 of 200 tubes analysed" in batch.said


@pytest.mark.parametrize("kind", DAMAGES)
def test_each_failure_says_where_what_and_what_next(batch: Batch, kind: str) -> None:
    entry = batch.entry(kind)
    error = entry["error"]
    tell(f"{kind}: {error}")
    assert entry["status"] == "failed"
    assert error["code"].startswith(CODES[kind])
    assert batch.damaged[kind]["file"] in error["where"]
    page = (batch.out / "index.html").read_text(encoding="utf-8")
    for word in ("message", "hint"):
        assert len(error[word].split()) >= 3
        assert error[word].partition("'")[0] in page
        assert error[word] in batch.said
    assert entry["sample_id"] in page


def test_five_failures_are_told_apart(batch: Batch) -> None:
    assert len({batch.entry(kind)["error"]["message"] for kind in DAMAGES}) == 5


def test_other_donors_have_the_bytes_that_they_have_without_the_damaged(batch: Batch, tmp_path: Path) -> None:
    """Donors that lost no tube: their results know nothing of the five."""
    hurt = {row["patient_id"] for row in batch.damaged.values()}
    whole = [row for row in rows(batch.sheet) if row["patient_id"] not in hurt][: 8 * TUBES_A_DONOR]
    sheet = tmp_path / "samples.csv"
    for row in whole:
        shutil.copy(batch.sheet.parent / row["file"], tmp_path / row["file"])
    write_rows(sheet, whole)
    ended("run", "--sheet", sheet, "-t", TEMPLATE, "-o", tmp_path / "out")
    alone = {name: sha256 for name, sha256 in contents(tmp_path / "out").items() if name.startswith("samples/")}
    assert len({name.split("/")[1] for name in alone}) == len(whole)
    among = contents(batch.out)
    assert {name: among[name] for name in alone} == alone


def test_the_same_call_keeps_195_and_tries_five_again(batch: Batch) -> None:
    before, made = contents(batch.out), (batch.out / "samples").stat().st_mtime_ns
    ended("run", "--sheet", batch.sheet, "-t", TEMPLATE, "-o", batch.out, "-j", 2, code=4)
    assert contents(batch.out) == before
    assert torn(batch.out, before) == []
    assert (batch.out / "samples").stat().st_mtime_ns == made
