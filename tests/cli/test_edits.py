"""Boundaries moved by hand through the command line: from the written document to tables, and everything refused."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from stromagate.cli.app import app
from stromagate.pipeline.edits import read_edits
from tests.tubes import TEMPLATE, write_template, write_tube

ROOT = Path(__file__).parents[2]
SAID = {"who": "Reader B", "when": "2026-03-01T18:00:00Z", "why": "debris"}
LOW = {"kind": "interval", "axis": "CD271", "low": 0.7, "high": None}


class Bench:
    """Two tubes, a finished run of theirs, and ways to ask for it again."""

    def __init__(self, call: Callable[..., Any], folder: Path) -> None:
        self.call, self.folder, self.out = call, folder, folder / "out"
        self.template = folder / "small.yaml"

    def run(self, *more: object) -> Any:
        return self.call("run", self.folder / "in", "-t", self.template, "-o", self.out, *more)

    def result(self, name: str = "a") -> dict[str, Any]:
        return json.loads((self.out / "samples" / name / "result.json").read_text(encoding="utf-8"))

    def document(self, *edits: dict[str, Any], tube: str = "a", **more: Any) -> dict[str, Any]:
        sample = {"sample_id": tube, "tree_sha256": self.result()["fitted_tree_sha256"], "edits": list(edits), **more}
        return {"format": "stromagate.edits/1", "samples": [sample]}

    def written(self, document: dict[str, Any], name: str = "edits.json") -> Path:
        path = self.folder / name
        as_yaml = path.suffix == ".yaml"
        path.write_text(yaml.safe_dump(document) if as_yaml else json.dumps(document), encoding="utf-8")
        return path

    def made(self) -> dict[str, int]:
        """Return what tells a tube's folder from one that was written anew."""
        return {path.parent.name: path.stat().st_ino for path in self.out.glob("samples/*/result.json")}

    def rows(self) -> dict[tuple[str, ...], dict[str, str]]:
        text = (self.out / "populations.csv").read_text(encoding="utf-8")
        keys = ("sample_id", "population", "statistic", "denominator", "marker")
        return {tuple(row[key] for key in keys): row for row in csv.DictReader(text.splitlines())}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of two tubes with a finished run of theirs."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "in").mkdir()
    for seed, name in enumerate("ab"):
        write_tube(folder / "in" / f"{name}.fcs", seed, 1500)
    write_template(folder / "small.yaml")
    command = ("run", folder / "in", "-t", folder / "small.yaml", "-o", folder / "out")
    assert CliRunner().invoke(app, [str(word) for word in command]).exit_code == 0
    return folder


@pytest.fixture
def bench(call, finished: Path, tmp_path: Path) -> Bench:
    return Bench(call, shutil.copytree(finished, tmp_path / "bench"))


def edit(population: str = "msc", **more: Any) -> dict[str, Any]:
    return {"population": population, "geometry": LOW, **SAID, **more}


@pytest.mark.parametrize("name", ["edits.json", "edits.yaml"])
def test_only_the_moved_gate_and_its_children_change(bench: Bench, name: str) -> None:
    before = bench.rows()
    result = bench.run("--edits", bench.written(bench.document(edit()), name))
    assert result.exit_code == 0, result.output
    after = bench.rows()
    assert before.keys() == after.keys()
    changed = {(key[0], key[1]) for key in before if before[key] != after[key]}
    assert changed == {("a", "msc"), ("a", "progenitors")}
    key = ("a", "msc", "count", "", "")
    assert 0 < float(after[key]["value"]) < float(before[key]["value"])
    (row,) = [
        row
        for row in csv.DictReader((bench.out / "thresholds.csv").read_text(encoding="utf-8").splitlines())
        if row["edited_by"]
    ]
    assert (row["sample_id"], row["population"], float(row["value_display"])) == ("a", "msc", 0.7)
    assert "was moved by Reader B on 2026-03-01T18:00:00Z (debris)" in (bench.out / "qc.csv").read_text(
        encoding="utf-8"
    )


def test_a_changed_document_makes_only_the_touched_tubes_again(bench: Bench) -> None:
    plain = bench.made()
    path = bench.written(bench.document(edit()))
    assert bench.run("--edits", path).exit_code == 0
    first = bench.made()
    assert first["a"] != plain["a"]
    assert first["b"] == plain["b"]
    # The same document, under another name and in the other notation: nothing is analysed.
    assert bench.run("--edits", bench.written(bench.document(edit()), "other.yaml")).exit_code == 0
    assert bench.made() == first
    # Another reason is another edit.
    assert bench.run("--edits", bench.written(bench.document(edit(why="a lot of debris")))).exit_code == 0
    second = bench.made()
    assert second["a"] != first["a"]
    assert second["b"] == plain["b"]
    assert bench.result()["edits"][0]["why"] == "a lot of debris"
    assert bench.call("report", bench.out).exit_code == 0
    # Without the document the boundaries are the fitted ones.
    assert bench.run().exit_code == 0
    assert bench.result()["edits"] == []
    assert bench.made()["b"] == plain["b"]


def test_edits_of_other_boundaries_are_refused_for_their_tube_alone(bench: Bench, said) -> None:
    path = bench.written(bench.document(edit()))
    write_template(bench.template, TEMPLATE.replace("axis: CD146, low: 0.45", "axis: CD146, low: 0.5"))
    result = bench.run("--edits", path, "--json")
    assert result.exit_code == 4
    entries = said(result)["run"]["samples"]
    assert [entry["status"] for entry in entries] == ["failed", "ok"]
    error = entries[0]["error"]
    assert error["code"] == "edits.tree"
    assert error["where"] == "a"
    assert "run without --edits" in error["hint"]
    assert "stromagate edits DIR --sample a --population NAME" in error["hint"]
    assert "failed: a (a.fcs): these edits were made on other boundaries" in result.stderr


def test_a_refusal_names_what_changed_where_the_document_knows_it(bench: Bench) -> None:
    path = bench.folder / "edits.yaml"
    asked = ("--sample", "a", "-p", "cd45neg", "--who", "B", "--why", "dim", "-o", path)
    assert bench.call("edits", bench.out, *asked).exit_code == 0
    result = bench.run("--edits", path, "--compensation", "none")
    assert result.exit_code == 4
    assert "what changed since: compensation (file, now none)" in result.stderr


REFUSED = {
    "unknown population": ({"population": "mcs"}, {}, "the template has no population 'mcs' (did you mean 'msc'?"),
    "wrong tube": ({}, {"tube": "aa"}, "no tube of this run is called 'aa' (did you mean 'a'?"),
    "axis that is not there": ({"geometry": {**LOW, "axis": "CD73"}}, {}, "this tube carries no CD73"),
    "axis mistyped": ({"geometry": {**LOW, "axis": "CD217"}}, {}, "this tube carries no CD217 (did you mean 'CD271'?"),
    "no shape": ({"geometry": {**LOW, "kind": "intervall"}}, {}, "intervall"),
    "no axis": ({"geometry": {"kind": "interval", "low": 0.6, "high": None}}, {}, "axis"),
    "key that is not there": ({"geometry": {**LOW, "closd": True}}, {}, "did you mean `closed`?"),
    "nothing fits in": ({"geometry": {**LOW, "low": 0.6, "high": 0.5}}, {}, "can hold no event"),
    "nobody": ({"who": " "}, {}, "samples[0].edits[0].who: must be filled in, not empty"),
    "no time": (
        {"when": "1 March 2026"},
        {},
        "when: must be a time with its zone, such as 2026-03-01T18:00:00Z, not the",
    ),
}


@pytest.mark.parametrize("name", ["edits.json", "edits.yaml"])
@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused(bench: Bench, case: tuple[dict[str, Any], dict[str, str], str], name) -> None:
    changes, tube, words = case
    before = bench.made()
    result = bench.run("--edits", bench.written(bench.document(edit(**changes), **tube), name))
    assert result.exit_code == 4
    assert words in result.stderr
    assert bench.made()["b"] == before["b"]


def test_one_gate_cannot_be_edited_twice(bench: Bench) -> None:
    result = bench.run("--edits", bench.written(bench.document(edit(), edit(why="once more"))))
    assert result.exit_code == 4
    assert "'msc' is edited twice in one tube" in result.stderr
    assert "keep one edit a population" in result.stderr


def test_the_written_document_names_the_present_boundary_and_what_is_left_to_fill_in(bench: Bench) -> None:
    result = bench.call("edits", bench.out, "--sample", "a", "-p", "msc", "-p", "progenitors")
    assert result.exit_code == 0
    document = yaml.safe_load(result.stdout)
    (sample,) = document["samples"]
    assert sample["tree_sha256"] == bench.result()["fitted_tree_sha256"]
    first, second = sample["edits"]
    assert first["geometry"] == {"kind": "interval", "axis": "CD271", "low": 0.45, "high": None, "closed": False}
    assert (first["who"], first["why"], second["population"]) == ("", "", "progenitors")
    assert "# CD271 from 0.45 stands for the scale value 959" in result.stdout
    assert "# display units of CD271: " in result.stdout
    assert sample["made_on"]["file_sha256"] == bench.result()["source"]["sha256"]
    refused = bench.run("--edits", bench.written(document))
    assert refused.exit_code == 4
    assert "samples[0].edits[0].who: must be filled in, not empty" in refused.stderr


@pytest.mark.parametrize("name", ["edits.json", "edits.yaml"])
def test_the_written_document_runs_once_it_is_filled_in(bench: Bench, name: str) -> None:
    path = bench.folder / name
    asked = ("--sample", "a", "-p", "cd45neg", "--who", 'B "the" reader: 2', "--why", "yes")
    assert bench.call("edits", bench.out, *asked, "-o", path).exit_code == 0
    before = bench.rows()
    assert bench.run("--edits", path).exit_code == 0
    after = bench.rows()
    counts = [key for key in before if key[2] == "count"]
    assert {key: after[key]["value"] for key in counts} == {key: before[key]["value"] for key in counts}
    assert bench.result()["edits"][0]["who"] == 'B "the" reader: 2'
    # The next document holds the edits of the run it is made from, those of other tubes among them.
    following = bench.folder / f"next_{name}"
    assert bench.call("edits", bench.out, "--sample", "b", "-p", "msc", "-o", following).exit_code == 0
    text = following.read_text(encoding="utf-8")
    following.write_text(re.sub(r'"?(who|why)"?: ""', r'"\1": "x"', text), encoding="utf-8")
    document = read_edits(following)
    assert [(each.sample_id, [edit.population for edit in each.edits]) for each in document.samples] == [
        ("a", ["cd45neg"]),
        ("b", ["msc"]),
    ]
    assert bench.run("--edits", following).exit_code == 0
    assert [len(bench.result(tube)["edits"]) for tube in "ab"] == [1, 1]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["-p", "msc"], 2, "say which with --sample: a, b"),
        (["--sample", "c", "-p", "msc"], 4, "no analysed tube 'c'"),
        (["--sample", "a"], 2, "--population: cells, cd45neg, msc, progenitors"),
        (["--sample", "a", "-p", "mcs"], 4, "did you mean 'msc'?"),
        (["--sample", "a", "-p", "msc", "-o", "{there}"], 2, "there is a file already"),
    ],
)
def test_a_document_that_cannot_be_written_says_why(bench: Bench, said, arguments, code: int, words: str) -> None:
    filled = [argument.format(there=bench.template) for argument in arguments]
    result = bench.call("edits", bench.out, *filled)
    assert result.exit_code == code
    assert words in result.stderr
    assert said(bench.call("edits", bench.out, *filled, "--json"))["ok"] is False
    assert bench.call("edits", bench.folder / "in", "-p", "msc").exit_code == 3


def test_the_worked_example_of_the_docs_runs(call, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "edits.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    commands = re.findall(r"^ *stromagate (\w+) (.*)$", text, flags=re.MULTILINE)
    assert [verb for verb, _ in commands] == ["run", "edits", "run"]
    at = {"results": tmp_path / "results", "edits.yaml": tmp_path / "edits.yaml"}
    for verb, line in commands:
        words = [at.get(word, ROOT / word if word.startswith("sample_fcs") else word) for word in line.split()]
        result = call(verb, *words)
        assert result.exit_code == 0, result.output
        if verb == "edits":
            written = at["edits.yaml"].read_text(encoding="utf-8")
            (sha256,) = re.findall(r'tree_sha256: "([0-9a-f]{64})"', written)
            lines = [line.removeprefix("   ") for line in example.splitlines()]
            at["edits.yaml"].write_text("\n".join(lines).replace("0" * 64, sha256), encoding="utf-8")
    result = json.loads((at["results"] / "samples" / "healthy_01_stained" / "result.json").read_text(encoding="utf-8"))
    (node,) = [node for node in result["tree"]["nodes"] if node["name"] == "cd271pos"]
    assert (node["state"], node["edited_by"], node["geometry"]["low"]) == ("edited", "Reader B", 0.66)
