"""Every mistake in a template is named with its line, its place, its cause and the nearest valid word."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stromagate.errors import DocumentError, InputError, Problem, SpecificationError
from stromagate.model.template import GateParams
from stromagate.pipeline.template import load_template, method_params
from stromagate.templates.yaml_tree import read_tree
from tests.templates.broken import BROKEN
from tests.templates.documents import RIGHT, load_text, problems_of


def test_a_right_template_loads(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, RIGHT)
    assert [population.name for population in loaded.template.populations] == list(loaded.gates)
    assert isinstance(loaded.gates["viable"][0].params, GateParams)
    assert loaded.where.endswith("lab_panel.yaml")
    assert pickle.loads(pickle.dumps(loaded)) == loaded


def test_defaults_of_methods_are_written_into_the_template(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, RIGHT)
    written = loaded.template.populations[1].gate.params
    assert written == loaded.gates["viable"][0].params.model_dump(mode="json")
    assert written["negative"] == "dominant"


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN.keys())
def test_each_mistake_has_its_line_place_and_words(tmp_path: Path, case: tuple[str, str, int, str, str, str]) -> None:
    old, new, line, place, message, hint = case
    assert RIGHT.count(old) >= 1
    found = problems_of(tmp_path, RIGHT.replace(old, new, 1))
    assert [
        problem
        for problem in found
        if (problem.line, problem.path) == (line, place) and message in problem.message and hint in (problem.hint or "")
    ], [str(problem) for problem in found]


def test_all_mistakes_come_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = RIGHT.replace("status: local", "status: lokal").replace("parent: singlets", "parent: singlet")
    text = text.replace("CD45, keep: below", "CD45, kep: below").replace("{msc: msc}", "{msc: mcs}")
    text = text.replace("title: A panel to break", "title: no")
    found = problems_of(tmp_path, text)
    assert [problem.line for problem in found] == [4, 5, 18, 22, 22, 36]
    assert {problem.path for problem in found} == {
        "status",
        "title",
        "populations[1].parent",
        "populations[2].gate.keep",
        "populations[2].gate.kep",
        "indices.msc",
    }


def test_a_gate_may_take_earlier_boundaries_of_itself_and_of_one_that_stands_below(tmp_path: Path) -> None:
    tail, refs = "{method: tail, axis: CD105, keep: above}", "negative: cd45_low, positive: msc}"
    for boundary in ("msc_cd105", "rest", "viable"):
        locked = f"{{method: locked, axis: CD105, keep: above, boundary: {boundary}, {refs}"
        assert load_text(tmp_path, RIGHT.replace(tail, locked)).gates["msc_cd105"][0].method == "locked"


def test_a_mistake_in_one_population_hides_none_in_another(tmp_path: Path) -> None:
    text = RIGHT.replace("- name: singlets\n", "- nome: singlets\n").replace("[CD271], low", "[CD217], low")
    assert "populations[3].gate" in {problem.path for problem in problems_of(tmp_path, text)}


def test_one_cause_is_told_once(tmp_path: Path) -> None:
    assert len(problems_of(tmp_path, RIGHT.replace("low: [0.5]", "low: [1e3]"))) == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"# nothing\n", "the file is empty"),
        (b"- a\n- b\n", "must be a set of `key: value` lines, not a list of 2"),
        (b"just words", "not the text 'just words'"),
        (b"null", "not empty"),
        (b"format: \xff\xfe", "is not UTF-8"),
        ("name: x".encode("utf-16"), "is not UTF-8"),
        (b"a: " + b"x" * 1_000_001, "bytes"),
        (b"\x00\x00\x00", "not YAML"),
    ],
    ids=["empty", "comment", "list", "word", "null", "latin", "utf16", "large", "zeros"],
)
def test_what_is_no_document_at_all(tmp_path: Path, data: bytes, message: str) -> None:
    (problem, *others) = problems_of(tmp_path, data)
    assert message in problem.message
    assert not others


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    plain = load_text(tmp_path, RIGHT)
    assert load_text(tmp_path, b"\xef\xbb\xbf" + RIGHT.replace("\n", "\r\n").encode()).sha256 == plain.sha256


def test_half_a_character_is_refused_where_it_stands(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, RIGHT.replace("title: A panel to break", 'title: "\\uD800"'))
    assert problem.line == 5


def test_depth_is_bounded(tmp_path: Path) -> None:
    for opening in ("[", "{a: "):
        (problem,) = problems_of(tmp_path, RIGHT + "deep: " + opening * 5000)
        assert "deep" in problem.message


def test_an_expansion_bomb_is_refused_by_its_first_alias(tmp_path: Path) -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"b{i}: &b{i} [*a, *a, *a]\n" for i in range(200))
    found = problems_of(tmp_path, bomb)
    assert any("alias" in problem.message for problem in found)


def test_a_long_flat_document_ends_soon() -> None:
    tree = read_tree(b"a: [" + b"1, " * 300_000 + b"]")
    assert tree.readable
    assert len(tree.value["a"]) == 300_000


def test_hash_ignores_layout_and_comments_and_sees_meaning(tmp_path: Path) -> None:
    plain = load_text(tmp_path, RIGHT).sha256
    laid_out = RIGHT.replace(
        "{method: tail, axis: Viability, keep: below}", "\n      keep: below\n      axis: Viability\n      method: tail"
    )
    assert load_text(tmp_path, "# a comment\n" + laid_out).sha256 == plain
    assert (
        load_text(tmp_path, RIGHT.replace("Viability, keep: below", "Viability, keep: below, mads: 5")).sha256 == plain
    )
    assert load_text(tmp_path, RIGHT.replace("low: [0.5]", "low: [0.51]")).sha256 != plain
    assert (
        load_text(tmp_path, RIGHT.replace("Viability, keep: below", "Viability, keep: below, mads: 6")).sha256 != plain
    )


def test_errors_survive_the_way_between_processes(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        load_text(tmp_path, RIGHT.replace("status: local", "status: lokal"))
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.problems == caught.value.problems
    assert str(again) == str(caught.value)


def test_json_is_yaml(tmp_path: Path) -> None:
    import json

    value = read_tree(RIGHT.encode()).value
    assert load_text(tmp_path, json.dumps(value, indent=1)).sha256 == load_text(tmp_path, RIGHT).sha256


def test_unknown_names_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(SpecificationError) as caught:
        load_template("bm_stroma_cor")
    assert caught.value.code == "template.unknown"
    assert "bm_stroma_core" in (caught.value.hint or "")
    for missing in (tmp_path / "none.yaml", str(tmp_path / "none.yaml"), tmp_path, "a\0b.yaml"):
        with pytest.raises(InputError) as unreadable:
            load_template(missing)
        assert unreadable.value.code == "template.unreadable"


MUTATIONS = st.tuples(st.integers(0, len(RIGHT) - 1), st.integers(0, 12), st.text(max_size=6))


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(MUTATIONS, min_size=1, max_size=3))
def test_no_text_raises_anything_but_our_errors(
    tmp_path_factory: pytest.TempPathFactory, mutations: list[tuple[int, int, str]]
) -> None:
    text = RIGHT
    for start, length, new in mutations:
        text = text[:start] + new + text[start + length :]
    folder = tmp_path_factory.getbasetemp()
    problems: tuple[Problem, ...] = ()
    loaded = None
    try:
        loaded = load_text(folder, text.encode("utf-8", "surrogatepass"))
    except DocumentError as error:
        problems = error.problems
    assert (loaded is None) == bool(problems)
    assert all(problem.line and problem.line >= 1 for problem in problems)


def test_every_method_has_a_parameter_model() -> None:
    assert {"fixed", "tail", "valley", "boolean"} <= set(method_params())
