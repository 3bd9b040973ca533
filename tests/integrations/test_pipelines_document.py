"""``docs/pipelines.md`` against the program: every exit code in its table is one that happens, and none is missing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from stromagate import errors
from stromagate.errors import StromagateError
from tests.reference_data import ROOT
from tests.tubes import TEMPLATE, write_template

DOCUMENT = (ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8")
Call = Callable[..., Result]


def in_table() -> set[int]:
    rows = DOCUMENT.partition("## Exit codes")[2].partition("## The answer")[0]
    return {int(code) for code in re.findall(r"^\| (\d+) \|", rows, re.MULTILINE)}


def kinds(base: type[StromagateError] = StromagateError) -> Iterator[type[StromagateError]]:
    yield base
    for kind in base.__subclasses__():
        yield from kinds(kind)


def test_the_table_holds_the_codes_of_every_error_there_is() -> None:
    of_errors = {kind.exit_code for kind in kinds() if kind.__module__ == errors.__name__}
    assert of_errors == {1, 2, 3, 4}
    assert in_table() == of_errors | {0, 5, 130}


def answer(result: Result) -> dict[str, Any]:
    return json.loads(result.stdout)


def fails(kind: type[BaseException]) -> Callable[..., None]:
    def failing(*_: object, **__: object) -> None:
        raise kind

    return failing


def test_0_done(call: Call, tubes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = call("run", "--sheet", tubes / "samples.csv", "-t", tubes / "small.yaml", "-o", out, "--json")
    assert done.exit_code == 0
    assert answer(done)["ok"]
    listed = re.findall(r"`([\w.]+\.(?:json|csv|html))`", DOCUMENT.partition("| file under")[2].partition("\n\n")[0])
    made = {path.name for path in out.rglob("*")}
    assert {name for name in listed if not name.startswith("cohort")} <= made


@pytest.mark.parametrize(("kind", "code"), [(RuntimeError, 1), (KeyboardInterrupt, 130)])
def test_1_our_fault_and_130_interrupted(
    kind: type[BaseException], code: int, call: Call, tubes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stromagate.pipeline.batch.run_batch", fails(kind))
    done = call("run", tubes / "a.fcs", "-t", tubes / "small.yaml", "-o", tmp_path / "out", "--json")
    assert done.exit_code == code
    assert answer(done)["error"]["hint"]


def test_2_wrong_usage(call: Call, tubes: Path) -> None:
    done = call("run", tubes, "-t", tubes / "small.yaml", "--json")
    assert done.exit_code == 2
    assert answer(done)["error"]["message"] == "--out is needed"


def test_3_a_tube_that_cannot_be_read_is_named_and_the_others_have_their_rows(
    call: Call, tubes: Path, tmp_path: Path
) -> None:
    (tubes / "b.fcs").write_bytes(b"no FCS file")
    out = tmp_path / "out"
    done = call("run", "--sheet", tubes / "samples.csv", "-t", tubes / "small.yaml", "-o", out, "--json")
    assert done.exit_code == 3
    said = answer(done)
    assert not said["ok"]
    assert set(said["error"]) == {"code", "message", "where", "hint"}
    assert [entry["status"] for entry in said["run"]["samples"]] == ["ok", "failed"]
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["exit_code"] == 3
    for name in ("populations.csv", "thresholds.csv"):
        text = (out / name).read_text(encoding="utf-8")
        assert "donor_a" in text
        assert "donor_b" not in text
    assert (out / "index.html").is_file()


def test_4_a_wrong_template(call: Call, tubes: Path, tmp_path: Path) -> None:
    write_template(tubes / "small.yaml", TEMPLATE.replace("parent: msc", "parent: mcs"))
    done = call("run", tubes / "a.fcs", "-t", tubes / "small.yaml", "-o", tmp_path / "out", "--json")
    assert done.exit_code == 4
    assert not answer(done)["ok"]


def test_5_only_where_it_was_asked_for(call: Call, tubes: Path, tmp_path: Path) -> None:
    line = ("run", tubes / "a.fcs", "-t", tubes / "small.yaml", "-o", tmp_path / "out", "--json")
    assert call(*line).exit_code == 0
    done = call(*line, "--fail-on", "warn")
    assert done.exit_code == 5
    assert answer(done)["ok"]


def test_5_of_verify_where_a_table_was_changed(call: Call, tubes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert call("run", tubes / "a.fcs", "-t", tubes / "small.yaml", "-o", out).exit_code == 0
    assert call("verify", out).exit_code == 0
    (out / "populations.csv").write_text("changed", encoding="utf-8")
    assert call("verify", out).exit_code == 5


def test_a_sheet_that_is_a_link_finds_tubes_beside_the_link(call: Call, tubes: Path, tmp_path: Path) -> None:
    staged = tmp_path / "staged"
    staged.mkdir()
    (tubes / "samples.csv").rename(tmp_path / "elsewhere.csv")
    (staged / "samples.csv").symlink_to(tmp_path / "elsewhere.csv")
    for name in ("a.fcs", "b.fcs"):
        (staged / name).symlink_to(tubes / name)
    line = ("run", "--sheet", staged / "samples.csv", "-t", tubes / "small.yaml", "-o", tmp_path / "out")
    assert call(*line).exit_code == 0


def test_every_wrapper_has_its_row_and_its_readme() -> None:
    folders = {path.name for path in (ROOT / "integrations").iterdir() if path.is_dir()}
    listed = (ROOT / "integrations" / "README.md").read_text(encoding="utf-8")
    assert folders == set(re.findall(r"^\| `(\w+)/`", listed, re.MULTILINE))
    assert all((ROOT / "integrations" / name / "README.md").is_file() for name in folders)
