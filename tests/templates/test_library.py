"""The shelf: what is shipped, that it holds what it promises, and that the guide to writing one is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stromagate.errors import SpecificationError
from stromagate.pipeline.template import load_template, sentences
from stromagate.templates import library
from tests.reference_data import ROOT
from tests.templates.documents import RIGHT

SHELF = library.names()


def test_the_shelf_is_the_folder() -> None:
    assert sorted(path.stem for path in (ROOT / "gating_templates").glob("*.yaml")) == SHELF
    assert "bm_stroma_core" in SHELF


@pytest.mark.parametrize("name", SHELF)
def test_shipped_templates_load_under_their_own_names(name: str) -> None:
    loaded = load_template(name)
    assert loaded.template.name == name
    assert loaded.template.sources
    for source in loaded.template.sources:  # where no DOI is known for certain, author, year and place are
        assert source.doi or source.url or re.search(r"[A-Za-z]+ \d{4}|\d{4};\d+", source.note), source
    assert load_template(library.path(name)).sha256 == loaded.sha256
    assert library.text(name).startswith("#")


@pytest.mark.parametrize("name", SHELF)
def test_shipped_numbers_have_a_reason(name: str) -> None:
    """A gate that states a number says in its note where the number comes from."""
    written = {population["name"]: population for population in _written(name)}
    for population, item in written.items():
        numbers = [key for key, value in item["gate"].items() if _has_number(value)]
        assert not numbers or re.search(r"10\.\d{4,}/|[Oo]wn choice", item.get("note", "")), (population, numbers)


def _written(name: str) -> list[dict[str, object]]:
    from stromagate.templates.yaml_tree import read_tree

    return list(read_tree(library.path(name).read_bytes()).value["populations"])


def _has_number(value: object) -> bool:
    if isinstance(value, list):
        return any(_has_number(item) for item in value)
    return isinstance(value, int | float) and not isinstance(value, bool)


@pytest.mark.parametrize("name", SHELF)
def test_shipped_templates_explain_themselves(name: str) -> None:
    loaded = load_template(name)
    said = sentences(loaded)
    numbered = [line for line in said if re.match(r"\d+\. ", line)]
    assert len(numbered) == len(loaded.template.populations)
    for number, (line, population) in enumerate(zip(numbered, loaded.template.populations, strict=True), start=1):
        assert line.startswith(f"{number}. {population.name}")
        assert ("Needs" in line) == bool(population.requires)
    assert ("reconstruction" in said[0]) == (loaded.template.status == "reconstruction")


def test_plain_sentences(tmp_path: Path) -> None:
    path = tmp_path / "panel.yaml"
    path.write_text(RIGHT, encoding="utf-8")
    said = sentences(load_template(path))
    assert said[0].startswith("1. singlets: of all events, keep events with FSC-A")
    assert said[3] == "4. msc: of cd45_low, keep events with CD271 at or above 0.5."
    assert said[4].endswith("Needs CD105; left out where the tube does not carry it.")
    assert said[5] == "6. rest: of viable, keep events outside cd45_low."


@pytest.mark.parametrize("status", ["preprint", "reconstruction"])
def test_standing_is_said_first(tmp_path: Path, status: str) -> None:
    path = tmp_path / "panel.yaml"
    text = RIGHT.replace("status: local", f"status: {status}\nsources: [{{doi: 10.1000/x}}]")
    path.write_text(text, encoding="utf-8")
    first = sentences(load_template(path))[0]
    assert first.startswith("lab_panel 1.0.0 is ")
    assert status in first


def test_a_shipped_template_bears_its_files_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(RIGHT, encoding="utf-8")
    monkeypatch.setattr(library, "_folder", lambda: tmp_path)
    with pytest.raises(SpecificationError) as caught:
        load_template("other")
    assert "differs from its file's name 'other'" in str(caught.value)
    assert "a shipped template names its sources" in str(caught.value)


def test_names_and_paths_are_told_apart(tmp_path: Path) -> None:
    assert library.path("bm_stroma_core").name == "bm_stroma_core.yaml"
    assert library.path(str(tmp_path / "x")) == tmp_path / "x"
    assert library.path("x.YAML") == Path("x.YAML")
    with pytest.raises(SpecificationError) as caught:
        library.path("nothing_like_it")
    assert "./nothing_like_it.yaml" in (caught.value.hint or "")


def test_a_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xff")
    with pytest.raises(SpecificationError) as caught:
        library.text(path)
    assert caught.value.code == "template.encoding"


def test_the_examples_of_the_guide_are_right(tmp_path: Path) -> None:
    guide = (ROOT / "gating_templates" / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", guide, flags=re.DOTALL)
    assert examples
    for example in examples:
        path = tmp_path / "example.yaml"
        path.write_text(example, encoding="utf-8")
        load_template(path)


def test_the_guide_names_every_method() -> None:
    from stromagate.gating.method import methods

    guide = (ROOT / "gating_templates" / "README.md").read_text(encoding="utf-8")
    for name, method in methods.all().items():
        assert f"`{name}`" in guide, name
        (fields,) = re.findall(rf"^\| `{name}` \|[^|]*\| (.*?) \|$", guide, flags=re.MULTILINE)
        assert set(re.findall(r"`(\w+)`", fields)) == set(method.params.model_json_schema()["properties"]), name
