"""Files that a gate names: read once, part of the template's hash, and what is wrong with one said in one sentence."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from stromagate.errors import DocumentError
from stromagate.model.scales import Scale
from stromagate.pipeline.template import load_template, reference, sentences
from stromagate.pipeline.train import written
from stromagate.templates import LoadedTemplate
from stromagate.templates.attached import MAX_BYTES
from stromagate.templates.attached import written as as_yaml
from tests.gating.methods.classifiers import document

TEXT = """\
format: stromagate.template/1
name: small
version: 1.0.0
status: local
title: A small template for tests
panel: {required: [CD45, CD271]}
scales: {default: {transform: asinh, top: 262144}}
populations:
  - {name: parent, parent: all, gate: {method: fixed, axis: FSC-A, low: 1}}
  - name: msc
    parent: parent
    gate: {method: classifier, model: m.json}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m.json").write_bytes(written(document()))
    return tmp_path


def load(folder: Path, text: str = TEXT) -> LoadedTemplate:
    (folder / "t.yaml").write_text(text, encoding="utf-8")
    return load_template(folder / "t.yaml")


def problems(folder: Path, text: str = TEXT) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        load(folder, text)
    return [str(problem) for problem in caught.value.problems]


def test_what_is_in_the_file_is_part_of_the_template(folder: Path) -> None:
    loaded = load(folder)
    assert loaded.gates["msc"][0].params.axes_used() == ("CD45", "CD271")
    gate = loaded.template.populations[1].gate
    assert gate.params["trained"]["sha256"] == document().sha256
    assert document().sha256[:12] in sentences(loaded)[1]
    assert reference(loaded).sentences[1] == sentences(loaded)[1]


def test_the_hash_moves_with_the_content_and_not_with_the_day_or_the_layout(folder: Path) -> None:
    before = load(folder).sha256
    (folder / "m.json").write_bytes(written(document(made_on="2026-11-30")))
    assert load(folder).sha256 == before
    (folder / "m.json").write_text(json.dumps(json.loads(written(document())), indent=7), encoding="utf-8")
    assert load(folder).sha256 == before
    for changes in ({"mean": (0.6, 0.31)}, {"spread": 0.1}, {"f1_worst": 0.2}):
        (folder / "m.json").write_bytes(written(document(**changes)))
        assert load(folder).sha256 != before


def test_a_loaded_template_does_not_follow_its_file(folder: Path) -> None:
    loaded = load(folder)
    (folder / "m.json").unlink()
    assert loaded.gates["msc"][0].params.axes_used() == ("CD45", "CD271")


def test_a_template_that_was_written_out_whole_needs_no_file(folder: Path) -> None:
    before = load(folder)
    (folder / "m.json").unlink()
    assert load(folder, json.dumps(before.template.model_dump(mode="json"))).sha256 == before.sha256


def test_a_file_may_lie_below_the_template_and_behind_a_fallback(folder: Path) -> None:
    (folder / "models").mkdir()
    (folder / "m.json").rename(folder / "models/m.json")
    text = TEXT.replace("m.json", "models/m.json")
    assert load(folder, text).sha256
    behind = text.replace(
        "gate: {method: classifier", "gate: {method: tail, axis: CD271, keep: above, otherwise: {method: classifier"
    ).replace("m.json}", "m.json}}")
    assert [step.method for step in load(folder, behind).gates["msc"]] == ["tail", "classifier"]
    (folder / "models/m.json").unlink()
    assert "populations[1].gate.otherwise.model" in problems(folder, behind)[0]


def changed(**changes: Any) -> bytes:
    return json.dumps({**json.loads(written(document())), **changes}).encode()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is not JSON"),
        (b"[]", "it is no document of the format stromagate.classifier/1"),
        (b"{", "it is not JSON"),
        (b"[" * 100_000, "it is nested too deep"),
        (b'{"a":' * 900 + b"1" + b"}" * 900, "it is no document of the format"),
        (b"\xff", "byte 0 is not UTF-8"),
        (b"9" * 5_000, "a number in it is too long"),
        (b" " * (MAX_BYTES + 1), f"it has more than {MAX_BYTES:,} bytes"),
        (changed(format="stromagate.locks/1"), "it is no document of the format"),
        (changed(mean=[0.6, 0.31]), "its content is not as it was written"),
        (changed(mean=[0.6, float("nan")]), "NaN in it is not a number"),
        (changed(mean=[0.6, 0.3], sha256="0" * 64), "its content is not as it was written"),
        (changed(extra=1), "unknown key `extra`"),
        (changed(spread=-1), "spread: must be"),
        (changed(mean="here"), "mean: must be a list"),
        (changed(distance_squared=None), "distance_squared: must be"),
        (changed(axes=[]), "axes: must be a list of at least 2"),
        (changed(deep=[[[]]], more=1), "(2 faults in all)"),
        (changed(spread="X").replace(b'"X"', b"1e999"), "spread: must be"),
    ],
)
def test_a_bad_file_is_one_problem(folder: Path, data: bytes, said: str) -> None:
    (folder / "m.json").write_bytes(data)
    (problem,) = problems(folder)
    assert problem.startswith("line 12, populations[1].gate.model: the file m.json cannot be used: ")
    assert said in problem


def test_a_scale_without_end_in_the_file_is_refused(folder: Path) -> None:
    axes = json.loads(written(document()))["axes"]
    axes[0]["scale"]["top"] = 12345.5
    (folder / "m.json").write_bytes(changed(axes=axes).replace(b"12345.5", b"1e999"))
    assert "not finite" in problems(folder)[0] or "finite number" in problems(folder)[0]


def test_a_file_deep_within_the_right_format_is_refused(folder: Path) -> None:
    deep = b'{"format": "stromagate.classifier/1", "mean": ' + b"[" * 900 + b"]" * 900 + b"}"
    (folder / "m.json").write_bytes(deep)
    assert "cannot be used" in problems(folder)[0]


def test_geometry_that_is_none_is_refused_when_the_template_is_loaded(folder: Path) -> None:
    (folder / "m.json").write_bytes(written(document(covariance=((1.0, 2.0), (2.0, 1.0)))))
    (problem,) = problems(folder)
    assert "the model m.json cannot be used: the covariance is singular or not positive" in problem


@pytest.mark.parametrize("name", ["../m.json", "/etc/hosts", "a/../../m.json", "..", "a\\m.json"])
def test_files_elsewhere_are_not_read(folder: Path, name: str) -> None:
    (problem,) = problems(folder, TEXT.replace("m.json", f"'{name}'"))
    assert "it does not lie beside the template" in problem


def test_a_file_that_is_not_there_names_the_nearest(folder: Path) -> None:
    assert "there is no such file (did you mean 'm.json'?)" in problems(folder, TEXT.replace("m.json", "n.json"))[0]
    (folder / "m.json").unlink()
    assert "put it beside the template" in problems(folder)[0]


def test_a_pipe_is_no_file(folder: Path) -> None:
    (folder / "m.json").unlink()
    os.mkfifo(folder / "m.json")
    assert "there is no such file" in problems(folder)[0]


def test_a_model_that_is_not_named_is_missing(folder: Path) -> None:
    (problem,) = problems(folder, TEXT.replace(", model: m.json", ""))
    assert "`model` is missing" in problem


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            "parent: parent\n",
            "parent: all\n",
            "among the events of 'parent', and stands below 'all' (write `parent: parent`)",
        ),
        (
            "panel: {required: [CD45, CD271]}",
            "panel: {required: [CD45, CD146]}",
            "the axis 'CD271' is not in the panel",
        ),
        ("status: local\n", "status: local\ngain: ignore\n", "this gate was made with `gain: apply`"),
        ("transform: asinh", "transform: logicle", "`CD45: {transform: asinh, top: 262144, decades: 4.5}`"),
        ("top: 262144", "top: from_range", "needs a scale of CD45 that is the same for every tube"),
        ("top: 262144", "top: 262143", "needs a scale of CD271 that is the same for every tube"),
        ("top: 262144", "top: 262144, decades: 4", "needs a scale of CD45"),
        ("top: 262144", "top: 262144, negative_decades: 1", "needs a scale of CD45"),
    ],
)
def test_a_template_that_the_gate_was_not_made_for_is_refused(folder: Path, before: str, after: str, said: str) -> None:
    assert before in TEXT
    assert any(said in problem for problem in problems(folder, TEXT.replace(before, after)))


@pytest.mark.parametrize(
    "scale",
    [
        Scale(),
        Scale("asinh", top=1000.0, decades=4.0, negative_decades=0.5, width_decades=0.0),
        Scale("logicle", top=262144.0, width_decades=0.372, decades=4.5),
        Scale("logicle", top=4194304.25, width_decades=0.123456, decades=5.0, negative_decades=0.25),
    ],
)
def test_a_scale_written_as_told_is_the_scale(folder: Path, scale: Scale) -> None:
    axes = tuple(axis.model_copy(update={"scale": scale}) for axis in document().axes)
    (folder / "m.json").write_bytes(written(document(axes=axes)))
    lines = f"scales: {{CD45: {as_yaml(scale)}, CD271: {as_yaml(scale)}}}"
    assert load(folder, TEXT.replace("scales: {default: {transform: asinh, top: 262144}}", lines)).sha256


def test_scatter_is_linear_without_being_told(folder: Path) -> None:
    first = document().axes[0].model_copy(update={"axis": "SSC-A", "scale": Scale()})
    (folder / "m.json").write_bytes(written(document(axes=(first, document().axes[1]))))
    assert load(folder).sha256
