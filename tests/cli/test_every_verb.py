"""What every verb has in common: ``--json``, ``--quiet``, ``--log-json``, and how it ends when something goes wrong."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest
import typer

import stromagate
from stromagate.cli.app import app
from stromagate.cli.console import say
from stromagate.errors import InputError, SpecificationError, UsageError
from tests.reference_data import ROOT

SECRET = "Erika Mustermann 12.03.1961"
"""What no log may hold: an error may quote a file, a sheet or the command line."""

# Each verb with a call that it can parse, and the function that does its work: replaced here by one that fails.
VERBS = {
    "inspect": ("x.fcs", "stromagate.fcs.find_inputs"),
    "deidentify": ("x.fcs --out copies", "stromagate.fcs.find_inputs"),
    "sheet": ("x.fcs", "stromagate.pipeline.tubes.collect_tubes"),
    "plan": ("--ppm 43", "stromagate.quantify.planner.plan"),
    "run": ("x.fcs -t bm_stroma_core --out out", "stromagate.pipeline.tubes.collect_tubes"),
    "report": ("out", "stromagate.pipeline.render_again.render_again"),
    "review": ("out --no-open", "stromagate.pipeline.review.rerun.broken_off"),
    "agree": ("one two", "stromagate.pipeline.review.readers.compare_readers"),
    "verify": ("out", "stromagate.pipeline.review.verify.verify"),
    "compare": ("one two", "stromagate.pipeline.compare.runs.compare_runs"),
    "cohort": ("one --out cohort", "stromagate.pipeline.cohort.gather"),
    "edits": ("out", "stromagate.pipeline.edit_starter.start_edits"),
    "lock": ("out --template bm_stroma_core --out locks.json", "stromagate.pipeline.template.load_template"),
    "blanks": ("out --out blanks.json", "stromagate.pipeline.blanks.gather"),
    "calibrate": ("out --name ours --out calibration.json", "stromagate.pipeline.calibrate.calibrate"),
    "train": ("out -p msc --axes CD45,CD271 -f files -o gate.json", "stromagate.pipeline.train.train"),
    "templates list": ("", "stromagate.templates.library.names"),
    "templates show": ("bm_stroma_core", "stromagate.pipeline.template.load_template"),
    "templates explain": ("bm_stroma_core", "stromagate.pipeline.template.load_template"),
    "templates check": ("bm_stroma_core", "stromagate.pipeline.template.load_template"),
    "templates new": ("x.fcs", "stromagate.pipeline.starter.starter"),
    "templates schema": ("", "stromagate.pipeline.template.method_params"),
    "plugins": ("", "stromagate.pipeline.plugins.installed"),
    "simulate": ("-s healthy --out tubes", "stromagate.simulate.orders_of"),
    "demo": ("--out demo", "stromagate.pipeline.demo.demo_sheet"),
}
ENDS: list[tuple[int, str, BaseException]] = [
    (1, "internal", RuntimeError(SECRET)),
    (2, "test.usage", UsageError("test.usage", SECRET, where=SECRET, hint=SECRET)),
    (3, "test.input", InputError("test.input", SECRET, where=SECRET, hint=SECRET)),
    (4, "test.specification", SpecificationError("test.specification", SECRET, where=SECRET, hint=SECRET)),
    (130, "interrupted", KeyboardInterrupt(SECRET)),
]


def leaves(command: Any, words: tuple[str, ...] = ()) -> dict[str, Any]:
    inner = getattr(command, "commands", {})
    found = {} if inner else {" ".join(words): command}
    for name, each in inner.items():
        found |= leaves(each, (*words, name))
    return found


@pytest.fixture(scope="module", autouse=True)
def _all_loaded() -> None:
    """Load every module first: one loaded while a function is replaced would keep the replacement."""
    for module in pkgutil.walk_packages(stromagate.__path__, "stromagate."):
        if module.name != "stromagate.__main__":
            importlib.import_module(module.name)


def test_no_verb_is_left_out_here() -> None:
    assert set(VERBS) == set(leaves(typer.main.get_command(app)))


def test_the_table_of_exit_codes_is_that_of_the_verbs() -> None:
    """Codes of all verbs are tried below; the others stand beside the verbs that say so themselves."""
    rows = (ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8").partition("## Exit codes")[2]
    table = dict(re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]+) \|", rows, flags=re.MULTILINE))
    of_all = {int(code) for code, verbs in table.items() if re.match(r"all\b", verbs)}
    assert of_all == {0} | {code for code, _, _ in ENDS}
    assert set(table) - {str(code) for code in of_all} == {"5"}
    ends_with_5 = {
        verb
        for verb, command in leaves(typer.main.get_command(app)).items()
        if re.search(r"\b5\b", " ".join([command.help or "", *(getattr(each, "help", "") for each in command.params)]))
    }
    assert {word.partition(" ")[0] for word in re.findall(r"`([^`]+)`", table["5"])} == ends_with_5


def test_the_readme_names_every_exit_code() -> None:
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    sentence = readme.partition("Exit codes: ")[2].partition(". ")[0]
    assert {int(code) for code in re.findall(r"\b(\d+) [a-z]", sentence)} == {0, 5} | {code for code, _, _ in ENDS}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_the_options_of_all(verb: str) -> None:
    options = {word for each in leaves(typer.main.get_command(app))[verb].params for word in each.opts}
    assert {"--json", "--quiet", "-q", "--log-json", "--debug"} <= options


@pytest.mark.parametrize(("code", "name", "fault"), ENDS, ids=[str(code) for code, _, _ in ENDS])
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_ends_with_the_code_of_what_went_wrong(
    call, verb: str, code: int, name: str, fault: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments, work = VERBS[verb]
    monkeypatch.chdir(tmp_path)
    for place in ("one", "two", "out", "files"):
        (tmp_path / place).mkdir()
    (tmp_path / "x.fcs").touch()

    def failing(*_: object, **__: object) -> None:
        say("talk that --quiet leaves out")
        raise fault

    monkeypatch.setattr(work, failing)
    line = [*verb.split(), *arguments.split(), "--quiet", "--log-json", tmp_path / "log.jsonl"]
    if code in {1, 3, 130}:  # errors on purpose are all said in one way
        in_words = call(*line)
        assert in_words.exit_code == code, in_words.output
        assert not in_words.stdout
        assert in_words.stderr
        assert "talk that" not in in_words.stderr
        (tmp_path / "log.jsonl").unlink()
    as_object = call(*line, "--json")
    assert as_object.exit_code == code
    answer = json.loads(as_object.stdout)
    assert answer["ok"] is False
    assert answer["error"]["code"] == name
    assert answer["error"]["hint"]
    text = (tmp_path / "log.jsonl").read_text(encoding="utf-8")
    told = [json.loads(each) for each in text.splitlines()]
    assert [each["code"] for each in told] == ["verb.begun", name, "verb.ended"]
    assert told[-1]["message"] == f"ended with {code}"
    assert {each["stage"] for each in told} == {verb, "answer"}
    assert len({each["run_id"] for each in told}) == 1
    assert "Mustermann" not in text
