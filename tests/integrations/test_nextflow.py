"""The Nextflow modules without Nextflow: their blocks are run in bash, their channels held against ``meta.yml``.

What only Nextflow can say (its grammar, staging, the tests for nf-test) is not covered; names of tests say what is.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from stromagate import __version__
from tests.integrations.conftest import Shell
from tests.reference_data import ROOT

MODULES = ROOT / "integrations" / "nextflow" / "stromagate"
NAMES = ("run", "cohort")
each_module = pytest.mark.parametrize("name", NAMES)
PAIRS = {")": "(", "]": "[", "}": "{"}


def source(name: str) -> str:
    return (MODULES / name / "main.nf").read_text(encoding="utf-8")


def meta(name: str) -> dict[str, Any]:
    return yaml.safe_load((MODULES / name / "meta.yml").read_text(encoding="utf-8"))


def section(name: str, head: str) -> str:
    """Return the lines under ``head:`` up to the next head."""
    (found,) = re.findall(rf"^    {head}:\n(.*?)(?=^    \w+:\n|^}})", source(name), re.MULTILINE | re.DOTALL)
    return found


def block(name: str, head: str, values: dict[str, str]) -> str:
    """Return the bash of a block with its variables filled in; an unknown one is a KeyError."""
    (text,) = re.findall(r'"""\n(.*?)"""', section(name, head), re.DOTALL)
    filled = re.sub(r"\$\{([\w.]+)\}", lambda match: values[match[1]], text)
    return filled.replace("\\\\", "\\")


def channels(name: str, head: str) -> list[str]:
    return [line.strip() for line in section(name, head).splitlines() if line.strip()]


def declared(name: str) -> dict[str, str]:
    """Return emit names and the path or command of each output."""
    found = {}
    for line in channels(name, "output"):
        (emitted,) = re.findall(r"emit: (\w+)", line)
        (what,) = re.findall(r"""path\("([^"]+)"\)|eval\('([^']+)'\)""", line)
        found[emitted] = what[0] or what[1]
    return found


@each_module
@pytest.mark.parametrize("file", ["main.nf", "tests/main.nf.test"])
def test_brackets_and_quotes_are_balanced(name: str, file: str) -> None:
    text = (MODULES / name / file).read_text(encoding="utf-8")
    assert text.count('"""') % 2 == 0
    text = re.sub(r"//[^\n]*", "", text)
    opened: list[str] = []
    for sign in re.sub(r"'[^'\n]*'", "", text):
        if sign in PAIRS.values():
            opened.append(sign)
        elif sign in PAIRS:
            assert opened.pop() == PAIRS[sign]
    assert not opened


@each_module
def test_every_input_of_the_module_is_in_meta_yml_and_the_other_way_round(name: str) -> None:
    in_module = [re.findall(r"(?:val|path)[( ](\w+)", line) for line in channels(name, "input")]
    in_meta = [
        [key for element in (channel if isinstance(channel, list) else [channel]) for key in element]
        for channel in meta(name)["input"]
    ]
    assert in_module == in_meta


@each_module
def test_every_output_of_the_module_is_in_meta_yml_and_the_other_way_round(name: str) -> None:
    in_meta = {emitted: next(iter(elements[0][-1])) for emitted, elements in meta(name)["output"].items()}
    assert declared(name) == in_meta
    for elements in meta(name)["output"].values():
        assert all(what["description"] and what["type"] for element in elements[0] for what in element.values())


@each_module
def test_the_version_goes_to_the_topic_and_is_a_bare_number(name: str, shell: Shell, tmp_path: Path) -> None:
    (line,) = [line for line in channels(name, "output") if "topic: versions" in line]
    assert "val(\"${task.process}\"), val('stromagate')" in line
    assert meta(name)["topics"]["versions"][0] == meta(name)["output"]["versions_stromagate"][0]
    assert shell(declared(name)["versions_stromagate"], tmp_path).stdout == f"{__version__}\n"


@each_module
def test_image_and_environment_are_of_this_version(name: str) -> None:
    assert f'container "stromagate:{__version__}"' in source(name)
    environment = yaml.safe_load((MODULES / name / "environment.yml").read_text(encoding="utf-8"))
    assert environment["dependencies"][-1]["pip"] == [f"stromagate=={__version__}"]


@each_module
def test_nf_test_names_the_process_and_has_a_stub(name: str) -> None:
    text = (MODULES / name / "tests" / "main.nf.test").read_text(encoding="utf-8")
    assert f'process "STROMAGATE_{name.upper()}"' in text
    assert f"process STROMAGATE_{name.upper()} {{" in source(name)
    assert 'options "-stub"' in text
    files = re.findall(r"\$\{projectDir\}/([^\"]+)", text)
    assert files
    assert all((ROOT / file).is_file() for file in files)
    assert meta(name)["name"] == f"stromagate_{name}"


def there(folder: Path, name: str, prefix: str) -> None:
    """Assert that every path the module declares was made."""
    for emitted, what in declared(name).items():
        if not emitted.startswith("versions_"):
            assert (folder / what.replace("${prefix}", prefix)).exists(), emitted


@each_module
def test_the_stub_makes_every_output(name: str, shell: Shell, tmp_path: Path) -> None:
    done = shell(block(name, "stub", {"prefix": "batch_1"}), tmp_path)
    assert done.returncode == 0, done.stderr
    there(tmp_path, name, "batch_1")


def test_the_script_blocks_run_one_after_the_other_on_staged_links(tubes: Path, tmp_path: Path, shell: Shell) -> None:
    work = tmp_path / "work"
    work.mkdir()
    for file in tubes.iterdir():
        (work / file.name).symlink_to(file)
    values = {"prefix": "batch_1", "given": "--sheet samples.csv", "by": "small.yaml", "task.cpus": "1"}
    done = shell(block("run", "script", {**values, "args": "--seed 3 --export multiqc"}), work)
    assert done.returncode == 0, done.stderr
    there(work, "run", "batch_1")
    assert json.loads((work / "batch_1.json").read_text(encoding="utf-8"))["ok"]
    assert (work / "batch_1/exports/stromagate_general_mqc.json").is_file()

    gathered = tmp_path / "gathered"
    shutil.copytree(work / "batch_1", gathered / "runs" / "batch_1")  # as stageAs and stageInMode say
    done = shell(block("cohort", "script", {"prefix": "all", "runs": "runs/batch_1", "by": "", "args": ""}), gathered)
    assert done.returncode == 0, done.stderr
    there(gathered, "cohort", "all")
    assert json.loads((gathered / "all_cohort.json").read_text(encoding="utf-8"))["cohorts"][0]["tubes"] == 2
    assert "stageAs: 'runs/*'" in section("cohort", "input")
    assert "stageInMode 'copy'" in source("cohort")
    page = (gathered / "all" / "cohort.html").read_text(encoding="utf-8")
    assert set(re.findall(r'href="([^"#]+report\.html)"', page)) == {
        f"../runs/batch_1/samples/donor_{tube}/report.html" for tube in "ab"
    }


def test_the_script_block_fails_where_a_tube_is_broken_and_names_it(tmp_path: Path, tubes: Path, shell: Shell) -> None:
    (tubes / "b.fcs").write_bytes(b"no FCS file")
    values = {"prefix": "x", "given": "a.fcs b.fcs", "by": "small.yaml", "task.cpus": "1", "args": ""}
    done = shell(block("run", "script", values), tubes)
    assert done.returncode == 3
    answer = json.loads((tubes / "x.json").read_text(encoding="utf-8"))
    assert {entry["sample_id"]: entry["status"] for entry in answer["run"]["samples"]} == {"a": "ok", "b": "failed"}
