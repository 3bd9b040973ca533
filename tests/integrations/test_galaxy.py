"""The Galaxy tool against Galaxy's own schema and linter, and every test it names run as on a server, without one.

Cheetah fills the command in, as on a server; bash runs it in an empty folder; what ``<tests>`` asserts is looked up.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from stromagate import __version__
from stromagate.templates import library
from tests.integrations.conftest import Shell
from tests.reference_data import ROOT

TOOL = ROOT / "integrations" / "galaxy" / "stromagate_run.xml"
DATA = TOOL.parent / "test-data"
# It asks for the ontology EDAM as a package of its own; the tool names no EDAM term.
SKIPPED_LINTERS = ["EDAMTermsValid"]


@pytest.fixture(scope="module")
def tool() -> Any:
    return etree.parse(str(TOOL)).getroot()


TESTS = etree.parse(str(TOOL)).getroot().findall("tests/test")


def test_the_tool_keeps_the_schema_of_galaxy() -> None:
    import galaxy.tool_util

    (folder,) = galaxy.tool_util.__path__
    schema = etree.XMLSchema(etree.parse(str(Path(folder) / "xsd" / "galaxy.xsd")))
    document = etree.parse(str(TOOL))
    assert schema.validate(document), schema.error_log
    del document.getroot().attrib["id"]
    assert not schema.validate(document)


def test_the_linter_of_galaxy_finds_nothing_wrong() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Cheetah and docutils, about Python
        from galaxy.tool_util.lint import LintContext, LintLevel, lint_tool_source_with
        from galaxy.tool_util.parser.factory import get_tool_source

        context = LintContext(level=LintLevel.ALL, skip_types=SKIPPED_LINTERS)
        lint_tool_source_with(context, get_tool_source(str(TOOL)))
    assert any(message.level == "check" for message in context.message_list)
    assert [str(message) for message in context.message_list if message.level in {"warning", "error"}] == []


def test_versions_are_of_this_program(tool: Any) -> None:
    assert tool.get("version").partition("+")[0] == __version__
    assert tool.find("requirements/requirement").get("version") == __version__
    assert tool.findtext("requirements/container") == f"stromagate:{__version__}"
    assert f"version {__version__}" in tool.findtext("citations/citation")


def test_the_shelf_in_the_form_is_the_shelf_of_the_program(tool: Any) -> None:
    options = tool.findall(".//when[@value='shipped']/param[@name='name']/option")
    assert [option.get("value") for option in options] == sorted(library.names())


def name_of(param: Any) -> str:
    return param.get("name") or param.get("argument").lstrip("-").replace("-", "_")


def test_every_input_and_output_is_used_by_the_command(tool: Any) -> None:
    command = tool.findtext("command")
    for param in tool.findall("inputs//param"):
        assert re.search(rf"\$(by\.)?{name_of(param)}\b", command), name_of(param)
    for output in tool.findall("outputs/data"):
        assert output.get("from_work_dir") or f"${output.get('name')}" in command, output.get("name")


@dataclass
class Given:
    """A data set or a group of parameters, as a command sees it."""

    path: str = ""
    values: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.path

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["values"][name]
        except KeyError:
            raise AttributeError(name) from None


def dataset(name: str, folder: Path, number: int) -> Given:
    """Return a file as Galaxy hands it over: under a name that says nothing, its own as ``element_identifier``."""
    hidden = folder / f"dataset_{number}.dat"
    hidden.write_bytes((DATA / name).read_bytes())
    return Given(str(hidden), {"element_identifier": name})


def parameters(level: Any, given: Any, folder: Path, first: int = 0) -> dict[str, Any]:
    """Return the values of one test, defaults of the form where it names none."""
    said = {} if given is None else {param.get("name"): param.get("value") for param in given.findall("param")}
    found: dict[str, Any] = {}
    for number, param in enumerate(level.findall("param"), first):
        name, kind = name_of(param), param.get("type")
        value = said.pop(name, None)
        if kind == "data":
            files = [dataset(each, folder, number) for each in value.split(",")] if value else []
            found[name] = files if param.get("multiple") else (files[0] if files else None)
        elif kind == "select":
            chosen = [option.get("value") for option in param.findall("option") if option.get("selected")]
            found[name] = value or (chosen[0] if chosen else None)
        elif kind == "boolean":
            found[name] = param.get("truevalue" if value == "true" else "falsevalue")
        else:
            found[name] = value or param.get("value")
    assert not said, "the test names a parameter that the tool does not have"
    for conditional in level.findall("conditional"):
        name = conditional.get("name")
        inner = None if given is None else given.find(f"conditional[@name='{name}']")
        found[name] = Given(values=branch(conditional, inner, folder))
    return found


def branch(conditional: Any, given: Any, folder: Path) -> dict[str, Any]:
    switch = conditional.find("param")
    chosen = switch.find("option[@selected]").get("value")
    if given is not None:
        chosen = given.find(f"param[@name='{switch.get('name')}']").get("value")
        given.remove(given.find(f"param[@name='{switch.get('name')}']"))
    return {switch.get("name"): chosen, **parameters(conditional.find(f"when[@value='{chosen}']"), given, folder, 100)}


def fill(command: str, values: dict[str, Any]) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Cheetah, about Python
        from Cheetah.Template import Template

        return str(Template(source=command, searchList=[values]))


@pytest.fixture
def job(tmp_path: Path) -> Path:
    folder = tmp_path / "job"
    folder.mkdir()
    return folder


def run(tool: Any, test: Any, job: Path, shell: Shell, **changes: Any) -> tuple[int, dict[str, Path]]:
    outputs = {each.get("name"): job.parent / f"{each.get('name')}.dat" for each in tool.findall("outputs/data")}
    of_command = {
        name: Given(str(path), {"files_path": str(path.with_suffix(".files"))}) for name, path in outputs.items()
    }
    copied = etree.fromstring(etree.tostring(test))
    values = {**parameters(tool.find("inputs"), copied, job.parent), **of_command, **changes}
    done = shell(" ".join(fill(tool.findtext("command"), values).split("\n")), job)
    for each in tool.findall("outputs/data[@from_work_dir]"):
        made = job / each.get("from_work_dir")
        if made.is_file():
            outputs[each.get("name")].write_bytes(made.read_bytes())
    return done.returncode, outputs


@pytest.mark.parametrize("test", TESTS, ids=[str(number) for number in range(len(TESTS))])
def test_every_test_of_the_tool_holds(tool: Any, test: Any, job: Path, shell: Shell) -> None:
    code, outputs = run(tool, test, job, shell)
    if test.get("expect_failure") == "true":
        assert code == int(test.get("expect_exit_code"))
        return
    assert code == 0
    assert all(path.stat().st_size for path in outputs.values())
    assert len(outputs) == int(test.get("expect_num_outputs"))
    asserted = [
        (output.get("name"), text.get("text")) for output in test.findall("output") for text in output.iter("has_text")
    ]
    assert asserted
    for name, text in asserted:
        assert text in outputs[name].read_text(encoding="utf-8"), (name, text)
    links = re.findall(r'href="(samples/[^"#]+\.html)"', outputs["report"].read_text(encoding="utf-8"))
    assert links
    assert all((outputs["report"].with_suffix(".files") / link).is_file() for link in links)


def test_odd_names_stay_in_the_folder_and_a_finding_that_was_asked_for_ends_with_5(
    tool: Any, job: Path, shell: Shell
) -> None:
    """Options away from their defaults, too: each of the form is one of the program."""
    odd = Given(str(DATA / "small_tube.fcs"), {"element_identifier": "../a 'b';$(touch x).FCS"})
    changes = {"hemodilution": "--hemodilution", "fail_on": "warn", "confidence": "0.9", "seed": "7"}
    code, outputs = run(tool, TESTS[0], job, shell, tubes=[odd], **changes)
    assert code == 5
    assert [path.name for path in (job / "tubes").iterdir()] == [".._a__b____touch_x_.FCS"]
    assert {path.name for path in job.iterdir()} == {"tubes", "results", "template.yaml"}
    assert outputs["populations"].stat().st_size
