"""``train`` on the command line: a run, a gate learned from it, a template with that gate, and a run with that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stromagate.fcs import read_fcs
from stromagate.gating.replay import members_of
from stromagate.model.classifier import Classifier
from stromagate.pipeline.batch import run_batch
from stromagate.pipeline.bundle import read_result, read_run
from stromagate.pipeline.tubes import collect_tubes
from tests.tubes import TEMPLATE, write_template, write_tube

GATE = "gate: {method: fixed, axis: CD271, low: 0.45}"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three donors and their sheet, beside the small template."""
    folder = tmp_path_factory.mktemp("lab")
    for seed in range(3):
        write_tube(folder / f"P{seed}.fcs", seed)
    lines = [f"P{seed}.fcs,P{seed},P{seed},stained" for seed in range(3)]
    (folder / "samples.csv").write_text("\n".join(["file,sample_id,patient_id,role", *lines, ""]), encoding="utf-8")
    write_template(folder / "small.yaml")
    return folder


@pytest.fixture(scope="module")
def run(lab: Path) -> Path:
    """The finished run that all of these learn from."""
    run_batch(collect_tubes([], lab / "samples.csv").tubes, lab / "small.yaml", lab / "out")
    return lab / "out"


def test_from_a_run_to_a_run_with_what_it_taught(call, said, lab: Path, run: Path, tmp_path: Path) -> None:
    model = tmp_path / "msc.json"
    result = call("train", run, "--files", lab, "-p", "msc", "--axes", "CD271, SSC-A", "--out", model)
    assert result.exit_code == 0, result.output
    assert "no boundary was drawn by hand: what the gate learns is the template's own msc" in result.stderr
    table = result.stdout.splitlines()
    assert table[1].split() == ["donor", "events", "found", "false", "precision", "recall", "F1"]
    assert [line.split()[0] for line in table[2:5]] == ["P0", "P1", "P2"]
    assert table[5].startswith("F1: median ")
    assert f"{model}: put it beside your template, and write there:" in table
    # What it told to write is taken word by word.
    scales = [line for line in table if line.startswith(("  CD271:", "  SSC-A:"))]
    gate = next(line.strip() for line in table if "method: classifier" in line)
    text = TEMPLATE.replace(GATE, gate).replace(
        "scales: {default: {transform: logicle, top: 262144, width: 0.5}}",
        "scales:\n  default: {transform: logicle, top: 262144, width: 0.5}\n" + "\n".join(scales),
    )
    assert text.count("classifier") == 1
    write_template(tmp_path / "learned.yaml", text)
    checked = call("templates", "check", tmp_path / "learned.yaml")
    assert checked.exit_code == 0, checked.output
    again = call(
        "run", lab / "P0.fcs", lab / "P1.fcs", "-t", tmp_path / "learned.yaml", "-o", tmp_path / "two", "--json"
    )
    assert again.exit_code == 0, again.output
    digest = Classifier.model_validate_json(model.read_bytes()).sha256
    for entry in read_run(tmp_path / "two").samples:
        node = read_result(tmp_path / "two", entry.sample_id).tree.node("msc")
        assert (node.method, node.state) == ("classifier", "fitted")
        assert digest[:12] in node.source
        assert digest[:12] in (tmp_path / "two/samples" / entry.sample_id / "report.html").read_text(encoding="utf-8")


def test_a_changed_model_is_a_changed_template_and_runs_again(call, lab: Path, run: Path, tmp_path: Path) -> None:
    template = write_template(
        tmp_path / "learned.yaml", TEMPLATE.replace(GATE, "gate: {method: classifier, model: m.json}")
    )
    seen = []
    for recall in ("0.5", "1"):
        made = call(
            "train",
            run,
            "-f",
            lab,
            "-p",
            "msc",
            "--axes",
            "CD271,SSC-A",
            "-o",
            tmp_path / "m.json",
            "--recall",
            recall,
            "--force",
        )
        assert made.exit_code == 0, made.output
        assert call("run", lab / "P0.fcs", "-t", template, "-o", tmp_path / "one", "-q").exit_code == 0
        result = read_result(tmp_path / "one", "P0")
        seen.append((result.template.sha256, result.count("msc")))
    assert seen[0][0] != seen[1][0]
    assert (seen[0][1] or 0) < (seen[1][1] or 0)


def test_a_template_that_does_better_is_said_to(call, lab: Path, run: Path, tmp_path: Path) -> None:
    """Lists that hold what the template found, and one event in fifty left away: no ellipse comes as near."""
    for entry in read_run(run).samples:
        result = read_result(run, entry.sample_id)
        rows = members_of(read_fcs(lab / entry.file), result.tree)["cells"]
        (tmp_path / f"{entry.sample_id}.csv").write_text(
            "event\n" + "".join(f"{row}\n" for i, row in enumerate(rows) if i % 50), encoding="utf-8"
        )
    result = call(
        "train", run, "-f", lab, "-p", "cells", "--axes", "CD45,CD146", "--labels", tmp_path, "-o", tmp_path / "m.json"
    )
    assert result.exit_code == 0, result.output
    assert "the template's own gate does better, with a median F1 of 0.98: keep it" in result.stderr


def test_as_json(call, said, lab: Path, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.json"
    answer = said(call("train", run, "-f", lab, "-p", "msc", "--axes", "CD271,SSC-A", "-o", out, "--json"))
    assert answer["ok"]
    assert answer["out"] == str(out)
    assert answer["left_out"] == []
    written = json.loads(out.read_text(encoding="utf-8"))
    assert written.pop("made_on")
    assert answer["model"] == written


def test_a_model_that_is_there_is_not_written_over(call, said, lab: Path, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.json"
    out.write_text("mine", encoding="utf-8")
    given = ("train", run, "-f", lab, "-p", "msc", "--axes", "CD271,SSC-A", "-o", out)
    refused = call(*given, "--json")
    assert refused.exit_code == 2
    assert said(refused)["error"]["code"] == "train.exists"
    assert out.read_text(encoding="utf-8") == "mine"
    assert call(*given, "--force").exit_code == 0


@pytest.mark.parametrize(
    ("change", "exit_code", "code"),
    [
        (("--axes", "CD271"), 2, "train.axes"),
        (("--axes", "CD271,CD99"), 4, "train.axis"),
        (("--population", "mcs"), 4, "train.population"),
        (("--donor", "surgeon"), 4, "train.no_donor"),
        (("--recall", "2"), 2, "train.recall"),
        (("--labels", "nowhere"), 3, "train.no_labels"),
    ],
)
def test_what_is_wrong_has_its_code(
    call, said, lab: Path, run: Path, tmp_path: Path, change: tuple[str, str], exit_code: int, code: str
) -> None:
    given = [
        "train",
        run,
        "-f",
        lab,
        "-p",
        "msc",
        "--axes",
        "CD271,SSC-A",
        "-o",
        tmp_path / "m.json",
        *change,
        "--json",
    ]
    result = call(*given)
    assert result.exit_code == exit_code, result.output
    assert said(result)["error"]["code"] == code
    assert not (tmp_path / "m.json").exists()


def test_tubes_that_are_not_there(call, said, lab: Path, run: Path, tmp_path: Path) -> None:
    write_tube(tmp_path / "x.fcs", 50)
    given = ("train", run, "-f", tmp_path / "x.fcs", "-p", "msc", "--axes", "CD271,SSC-A", "-o", tmp_path / "m.json")
    result = call(*given, "--json")
    assert result.exit_code == 3
    assert said(result)["error"]["code"] == "train.no_file"
    assert "3 of 3 files were not found" in said(result)["error"]["message"]
