"""How the command line speaks: one JSON object whatever goes wrong, and streams that are full, closed or cut."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stromagate.cli import console

WRONG_USAGE = [
    (["--json"], "No such option"),
    (["bogus", "--json"], "No such command 'bogus'"),
    (["run", "--bogus", "--json"], "No such option: --bogus"),
    (["run", "--json", "--jobs", "0"], "--jobs"),
    (["run", "--json", "--jobs"], "requires an argument"),
    (["inspect", "--json"], "Missing argument"),
    (["inspect", "x.fcs", "--json", "--policy", "loose"], "--policy"),
    (["report", "--json"], "Missing argument"),
    (["templates", "show", "--json"], "Missing argument"),
    (["templates", "list", "--json", "extra"], "extra"),
    (["demo", "--json", "--jobs", "many"], "--jobs"),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG_USAGE)
def test_wrong_usage_is_one_object_where_json_is_asked(call, said, arguments: list[str], words: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert not result.stderr
    answer = said(result)
    assert answer["ok"] is False
    assert set(answer["error"]) == {"code", "message", "where", "hint"}
    assert answer["error"]["code"] == "usage"
    assert words in answer["error"]["message"]
    assert answer["error"]["hint"].endswith("--help")


def test_wrong_usage_is_talk_where_json_is_not_asked(call) -> None:
    for arguments in (["run", "--bogus"], ["inspect"], ["run", "--bogus", "--", "--json"]):
        result = call(*arguments)
        assert result.exit_code == 2
        assert not result.stdout
        assert "Usage: stromagate" in result.stderr


def test_every_verb_has_json(call, said) -> None:
    schema = said(call("templates", "schema", "--json"))
    assert schema["ok"]
    assert "properties" in schema["schema"]
    plain = ("inspect", "sheet", "run", "report", "edits", "lock", "demo")
    for verb in (*([name] for name in plain), *(["templates", name] for name in VERBS_OF_TEMPLATES)):
        assert "--json" in call(*verb, "--help").stdout, verb


VERBS_OF_TEMPLATES = ("list", "show", "explain", "check", "schema")


def test_ok_is_false_where_the_code_is_not_0(call, said, tubes: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.fcs").write_bytes(b"FCS")
    (tmp_path / "bad.yaml").write_text("format: x\n")
    for arguments in (
        ["inspect", tubes / "a.fcs", tmp_path / "bad.fcs"],
        ["templates", "check", "bm_stroma_core", tmp_path / "bad.yaml"],
        ["templates", "check", tmp_path / "bad.yaml"],
        ["templates", "schema", "--out", tmp_path / "bad.yaml" / "below"],
    ):
        result = call(*arguments, "--json")
        assert result.exit_code in {3, 4}
        answer = said(result)
        assert answer["ok"] is False
        assert answer["error"]["code"]


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which ``stromagate`` is the command line."""
    head = f'set -o pipefail; stromagate() {{ "{sys.executable}" -m stromagate "$@"; }}; '
    return subprocess.run(
        ["bash", "-c", head + line], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


posix = pytest.mark.skipif(os.name != "posix" or not Path("/dev/full").exists(), reason="bash and /dev/full")


@posix
@pytest.mark.parametrize("options", ["", "--json"])
def test_a_reader_that_leaves_early_is_no_fault(tubes: Path, options: str) -> None:
    many = " ".join(["a.fcs"] * 3)
    done = shell(f"stromagate inspect {many} {options} | true", tubes)
    assert done.returncode == 0
    assert not done.stderr


@posix
@pytest.mark.parametrize("options", ["", "--json"])
def test_a_full_disk_behind_stdout_is_said(tubes: Path, options: str) -> None:
    done = shell(f"stromagate inspect a.fcs {options} > /dev/full", tubes)
    assert done.returncode == 3
    assert done.stderr.startswith("error: the answer cannot be printed: No space left")
    assert "Traceback" not in done.stderr


@posix
def test_closed_streams_are_lived_with(tubes: Path, tmp_path: Path) -> None:
    command = f"stromagate run a.fcs -t small.yaml -o '{tmp_path}/out'"
    assert shell(f"{command} 2>&-", tubes).returncode == 0
    assert shell(f"{command} >&-", tubes).returncode == 0
    assert (tmp_path / "out" / "run.json").is_file()


def test_names_that_are_no_text_can_be_had_back_from_json() -> None:
    name = b"lat\xe9in".decode("utf-8", "surrogateescape")
    assert json.loads(console.printable(json.dumps(name, ensure_ascii=False))) == name
