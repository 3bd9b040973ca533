"""What every section of the tube's report promises, whoever wrote it; new ones are found by themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import pytest

from stromagate.errors import SpecificationError
from stromagate.report import render_sample
from stromagate.report.section import Section, in_order, sections
from tests.report.pages import full_result
from tests.results import make_result

NAMES = sections.names()


@pytest.mark.parametrize("name", NAMES)
def test_a_section_declares_itself(name: str) -> None:
    section = sections.get(name)
    assert isinstance(section, Section)
    assert section.title.strip() == section.title != ""
    assert section.order > 0
    assert (files(section.package) / "html" / section.fragment).is_file()


def test_no_two_sections_share_a_place_or_a_title() -> None:
    declared = [section for _, section in in_order()]
    assert len({section.order for section in declared}) == len(declared)
    assert len({section.title for section in declared}) == len(declared)


@pytest.mark.parametrize("name", NAMES)
def test_a_section_is_a_pure_function_of_the_result(name: str) -> None:
    section, result = sections.get(name), make_result()
    before = result.model_dump_json()
    first, second = section.build(result), section.build(result)
    assert first is None or isinstance(first, Mapping)
    assert first == second
    assert result.model_dump_json() == before


@pytest.mark.parametrize("name", NAMES)
def test_a_section_survives_a_tube_of_which_nothing_is_known(name: str) -> None:
    bare = make_result(
        labels={}, repairs=(), instrument={}, statistics=(), findings=(), views=(), denominators=(), indices={}
    )
    sections.get(name).build(bare)


@pytest.mark.parametrize("name", NAMES)
def test_a_section_is_on_the_page_with_heading_and_name(name: str) -> None:
    page = render_sample(full_result(2))
    title = re.escape(sections.get(name).title)
    assert re.search(rf'<section id="{name}"[^>]* aria-labelledby="{name}-heading">', page)
    assert re.search(rf'<h2 id="{name}-heading">{title}</h2>', page)


def test_a_section_of_another_package_brings_its_own_fragment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "lab_sections"
    (package / "html").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    fragment = '{% from "macros.html.j2" import doi %}<p>Lab says {{ v.word }} {{ doi("10.1/x") }}</p>'
    (package / "html" / "lab.html.j2").write_text(fragment)
    monkeypatch.syspath_prepend(str(tmp_path))
    foreign = Section(
        "Lab", 55, "lab.html.j2", lambda result: {"word": f"<i>{result.sample_id}</i>"}, package="lab_sections"
    )
    monkeypatch.setattr("stromagate.report.build.in_order", lambda: [*in_order(), ("lab", foreign)])
    page = render_sample(make_result())
    assert "<p>Lab says &lt;i&gt;bm-001&lt;/i&gt; <a class=" in page
    assert '<section id="lab"' in page


def test_ids_on_a_page_are_unique() -> None:
    found = re.findall(r'\sid="([^"]+)"', render_sample(full_result(15)))
    assert len(found) == len(set(found))


def test_an_unknown_section_names_the_nearest() -> None:
    with pytest.raises(SpecificationError, match="no report section is named 'verdicts'") as caught:
        sections.get("verdicts")
    assert "did you mean 'verdict'?" in str(caught.value)
