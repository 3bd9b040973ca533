"""Replicates, counting beads and blood counts from a sample sheet to the files of a run."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from stromagate.fcs import read_fcs, write_fcs
from tests.tubes import NAMES, SPILLOVER, STAINS, TEMPLATE, write_template, write_tube

BEADS = """\
populations:
  - {name: beads, parent: all, gate: {method: fixed, axes: [CD45, CD146], low: [0.85, 0.85]}}
  - {name: no_beads, parent: all, gate: {method: boolean, operation: none, of: [beads]}}
"""
BEADY = TEMPLATE.replace("populations:\n", BEADS).replace(
    "{name: cells, parent: all,", "{name: cells, parent: no_beads,"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four tubes of one kind, one of them with 2,000 beads that come evenly."""
    place = tmp_path_factory.mktemp("specimen")
    for seed, name in enumerate("abcd"):
        write_tube(place / f"{name}.fcs", seed, 6000)
    rng, n = np.random.default_rng(1), 2000
    cells = np.array(read_fcs(place / "d.fcs").events)
    glow = [rng.normal(200e3, 5e3, n) for _ in range(3)]
    beads = np.column_stack([np.full(n, 60e3), np.full(n, 54e3), np.full(n, 70e3), *glow, rng.uniform(0, 60, n)])
    events = np.vstack([cells, beads])
    events = events[np.argsort(events[:, -1], kind="stable")].astype(np.float32)
    words = {"$SPILLOVER": SPILLOVER, "$TIMESTEP": "1", "$CYT": "Test cytometer"}
    write_fcs(place / "beads.fcs", events, NAMES, labels=STAINS, keywords=words)
    write_template(place / "small.yaml")
    write_template(place / "beady.yaml", BEADY + "beads: beads\n")
    return place


def sheet(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_replicates_are_pooled_and_rendered_again(call, folder: Path) -> None:
    listed = "file,patient_id,replicate\na.fcs,P1,1\nb.fcs,P1,2\nc.fcs,P1,3\nd.fcs,P2,1\n"
    out = folder / "pooled"
    run = call("run", "--sheet", sheet(folder, "s.csv", listed), "-t", folder / "small.yaml", "-o", out)
    assert run.exit_code == 0
    (msc,) = [row for row in table(out / "pooled.csv") if (row["population"], row["denominator"]) == ("msc", "cells")]
    counts = [int(count) for count in msc["counts"].split(";")]
    totals = [int(total) for total in msc["totals"].split(";")]
    assert (msc["samples"], msc["method"], msc["n"]) == ("a; b; c", "pooled", str(sum(counts)))
    assert float(msc["value"]) == pytest.approx(1e6 * sum(counts) / sum(totals))
    document = json.loads((out / "pooled.json").read_text(encoding="utf-8"))
    assert [group["samples"] for group in document["groups"]] == [["a", "b", "c"]]
    assert {row["code"] for row in table(out / "qc.csv") if row["sample_id"] == ""} >= {"Q52", "Q53"}
    before = {name: (out / name).read_bytes() for name in ("pooled.csv", "pooled.json", "index.html")}
    assert b'id="replicates"' in before["index.html"]
    assert call("report", out).exit_code == 0
    assert {name: (out / name).read_bytes() for name in before} == before


def test_tables_of_replicates_go_with_the_replicates(call, folder: Path) -> None:
    out = folder / "gone"
    for text, there in (("file,patient_id,replicate\na.fcs,P1,1\nb.fcs,P1,2\n", True), ("file\na.fcs\nb.fcs\n", False)):
        call("run", "--sheet", sheet(folder, "g.csv", text), "-t", folder / "small.yaml", "-o", out)
        assert (out / "pooled.csv").exists() is there
        assert (out / "pooled.json").exists() is there


def test_beads_and_blood_reach_the_table(call, folder: Path) -> None:
    listed = (
        "file,beads_added,stained_ul,washed,rbc_bm,rbc_pb,wbc_pb,tnc_bm\n"
        'beads.fcs,50000,"12,5",no,3,4.5,7,40\na.fcs,50000,12.5,yes,3,3,50,60\nb.fcs,,,,,,,\n'
    )
    out = folder / "beads-out"
    run = call(
        "run", "--sheet", sheet(folder, "b.csv", listed), "-t", folder / "beady.yaml", "-o", out, "--hemodilution"
    )
    assert run.exit_code == 0
    rows = {(row["sample_id"], row["population"], row["statistic"]): row for row in table(out / "populations.csv")}
    per_ul = rows["beads", "msc", "cells_per_ul"]
    assert per_ul["denominator"] == "beads"
    assert float(per_ul["value"]) == pytest.approx(int(per_ul["n"]) / 2000 * 50_000 / 12.5)
    assert float(per_ul["ci_low"]) < float(per_ul["value"]) < float(per_ul["ci_high"])
    assert rows["a", "msc", "cells_per_ul"]["value"] == ""
    observed, corrected = (rows["beads", "msc", name] for name in ("per_million", "per_million_without_blood"))
    assert float(corrected["value"]) == pytest.approx(float(observed["value"]) / (1 - 7 / 60))
    assert [rows[name, "msc", "per_million_without_blood"]["state"] for name in "ab"] == ["not assessable"] * 2
    codes = {(row["sample_id"], row["code"]): row["status"] for row in table(out / "qc.csv")}
    assert [codes[name, "Q51"] for name in ("beads", "a", "b")] == ["pass", "fail", "not_applicable"]
    assert [codes[name, "Q24"] for name in ("beads", "a", "b")] == ["pass", "fail", "not_applicable"]


def test_a_tube_of_blood_tells_of_cells_that_blood_has(call, folder: Path) -> None:
    other = TEMPLATE.replace("indices: {msc: msc, progenitors: progenitors}", "indices: {treg: msc}")
    write_template(folder / "treg.yaml", other)
    listed = "file,patient_id,specimen,rbc_bm,rbc_pb,wbc_pb,tnc_bm\na.fcs,P1,aspirate,3,4.5,7,40\nb.fcs,P1,blood,,,,\n"
    out = folder / "blood-out"
    options = ("--sheet", sheet(folder, "p.csv", listed), "-t", folder / "treg.yaml", "-o", out)
    assert call("run", *options, "--hemodilution").exit_code == 0
    (row,) = table(out / "without_blood.csv")
    assert (row["sample_id"], row["blood_id"], row["population"]) == ("a", "b", "msc")
    expected = (float(row["observed"]) - 7 / 60 * float(row["in_blood"])) / (1 - 7 / 60)
    assert float(row["value"]) == pytest.approx(expected)
    assert call("run", *options).exit_code == 0
    assert not (out / "without_blood.csv").exists()


def test_the_correction_is_off_by_default(call, folder: Path) -> None:
    listed = "file,rbc_bm,rbc_pb,wbc_pb,tnc_bm\na.fcs,3,4.5,7,40\n"
    out = folder / "off"
    call("run", "--sheet", sheet(folder, "o.csv", listed), "-t", folder / "small.yaml", "-o", out)
    assert not [row for row in table(out / "populations.csv") if "without_blood" in row["statistic"]]
    assert [row["status"] for row in table(out / "qc.csv") if row["code"] == "Q24"] == ["pass"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,beads_added\na.fcs,lots\n", "'lots' cannot stand in `beads_added`"),
        ("file,patient_id,replicate\na.fcs,P1,1\nb.fcs,P1,1\n", "replicate 1 of P1 stands already on line 2"),
    ],
)
def test_a_wrong_sheet_is_refused_before_any_tube(call, said, folder: Path, text: str, words: str) -> None:
    path = sheet(folder, "w.csv", text)
    result = call("run", "--sheet", path, "-t", folder / "small.yaml", "-o", folder / "w", "--json")
    assert result.exit_code == 4
    assert words in said(result)["error"]["message"]
    assert not (folder / "w").exists()


def test_a_template_that_names_no_such_beads_is_refused(call, said, folder: Path) -> None:
    path = write_template(folder / "wrong.yaml", BEADY + "beads: baeds\n")
    result = call("templates", "check", path, "--json")
    assert result.exit_code == 4
    assert "no population is named 'baeds'" in said(result)["error"]["message"]
    assert "did you mean 'beads'?" in said(result)["error"]["message"]
